package gateway

import (
	"cmp"
	"context"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// TellTopic implements operator.Groups.
func (g *Gateway) TellTopic(ctx context.Context, app uint64, topic, data string) error {
	return g.operate(ctx, app, topic, nil, func(tx *sqlite.Tx, gid int64, _ []message.User) (group.Outcome, error) {
		return g.Groups.TellTopic(tx, gid, data)
	})
}

// NotifyGroup implements operator.Groups.
func (g *Gateway) NotifyGroup(ctx context.Context, app uint64, name string, users []string, data string) error {
	return g.operate(ctx, app, name, users, func(tx *sqlite.Tx, gid int64, known []message.User) (group.Outcome, error) {
		if len(users) > 0 && len(known) == 0 {
			return group.Outcome{}, nil // nobody of them exists
		}
		return g.Groups.Notify(tx, gid, known, data)
	})
}

// RemoveMembers implements operator.Groups.
func (g *Gateway) RemoveMembers(ctx context.Context, app uint64, name string, users []string, reason string) error {
	return g.operate(ctx, app, name, users, func(tx *sqlite.Tx, gid int64, known []message.User) (group.Outcome, error) {
		return g.Groups.Remove(tx, app, gid, known, reason)
	})
}

// RecycleGroup implements operator.Groups.
func (g *Gateway) RecycleGroup(ctx context.Context, app uint64, name string) error {
	return g.operate(ctx, app, name, nil, func(tx *sqlite.Tx, gid int64, _ []message.User) (group.Outcome, error) {
		return g.Groups.Recycle(tx, gid)
	})
}

// operate makes a change of the operator's in a group and tells everybody whom it concerns. Change gets those of the users who
// exist.
func (g *Gateway) operate(ctx context.Context, app uint64, name string, names []string,
	change func(*sqlite.Tx, int64, []message.User) (group.Outcome, error)) error {
	gid, users, err := g.lookUp(ctx, app, name, names)
	if err != nil {
		return err
	}
	var o group.Outcome
	var refused error
	done := make(chan error, 1)
	g.Store.Submit(func(tx *sqlite.Tx) (err error) {
		o, err = change(tx, gid, users)
		if refused = err; refusal.Of(err) != nil {
			return nil // nothing was written: the others in the batch go on
		}
		return err
	}, func(err error) {
		if err == nil && refused == nil {
			g.Publish(o)
		}
		done <- cmp.Or(err, refused)
	})
	return <-done
}

func (g *Gateway) lookUp(ctx context.Context, app uint64, name string, names []string) (gid int64, users []message.User, err error) {
	err = g.Store.Read(ctx, func(q sqlite.Queryer) error {
		id, found, err := g.Groups.ID(q, app, name)
		if gid = id; err == nil && !found {
			err = refusal.New(tim.ErrSVRGroupNotFound, "there is no such group")
		}
		if err != nil || len(names) == 0 {
			return err
		}
		profiles, err := g.Accounts.Profiles(q, app, protocol.Users{Names: names})
		for _, p := range profiles {
			uid, _, err := g.Accounts.UID(q, app, p.User)
			if err != nil {
				return err
			}
			users = append(users, message.User{UID: uid, Name: p.User})
		}
		return err
	})
	return gid, users, err
}
