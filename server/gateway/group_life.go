package gateway

import (
	"timbre/model"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/sqlite"
)

// lifeHandlers is the operations on who comes into a group and leaves it.
func lifeHandlers() map[string]handler {
	return map[string]handler{
		protocol.OpGroupInvite:    {true, (*conn).inviteToGroup},
		protocol.OpGroupJoin:      {true, (*conn).joinGroup},
		protocol.OpGroupQuit:      {true, (*conn).quitGroup},
		protocol.OpGroupKick:      {true, (*conn).kickMembers},
		protocol.OpGroupDismiss:   {true, (*conn).dismissGroup},
		protocol.OpPendencies:     {true, (*conn).pendencies},
		protocol.OpDecidePendency: {true, (*conn).decidePendency},
		protocol.OpReadPendencies: {true, (*conn).readPendencies},
	}
}

// inTheGroup reads the body of a change of a group, finds the group and those users of the body who exist, and has the change
// made.
func inTheGroup[T any](c *conn, r *protocol.Request, named func(*T) (group string, users []string),
	change func(tx *sqlite.Tx, a *group.Actor, gid int64, body *T, users map[string]int64) ([]byte, group.Outcome, error)) {
	body, ok := changeGroup[T](c, r)
	if !ok {
		return
	}
	name, names := named(&body)
	w, ok := c.inGroup(r.ID, name)
	if !ok {
		return
	}
	users, err := c.numbers(names)
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	actor := c.actor(r)
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		answer, o, err := change(tx, actor, w.GID, &body, users)
		return outcome(answer, o), err
	})
}

func (c *conn) inviteToGroup(r *protocol.Request) {
	inTheGroup(c, r, func(b *protocol.Invite) (string, []string) {
		return b.Group, b.Users[:min(len(b.Users), model.MaxInvites)]
	},
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.Invite, users map[string]int64) ([]byte, group.Outcome, error) {
			answer, o, err := c.g.Groups.Invite(tx, a, gid, b, users)
			return protocol.Marshal(answer), o, err
		})
}

func (c *conn) joinGroup(r *protocol.Request) {
	inTheGroup(c, r, func(b *protocol.JoinGroup) (string, []string) { return b.Group, nil },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.JoinGroup, _ map[string]int64) ([]byte, group.Outcome, error) {
			answer, o, err := c.g.Groups.Join(tx, a, gid, b.Reason)
			return protocol.Marshal(answer), o, err
		})
}

func (c *conn) kickMembers(r *protocol.Request) {
	inTheGroup(c, r, func(b *protocol.KickMembers) (string, []string) {
		return b.Group, b.Users[:min(len(b.Users), model.MaxKicks)]
	},
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.KickMembers, users map[string]int64) ([]byte, group.Outcome, error) {
			answer, o, err := c.g.Groups.Kick(tx, a, gid, b, users)
			return protocol.Marshal(answer), o, err
		})
}

func (c *conn) quitGroup(r *protocol.Request)    { c.onGroup(r, c.g.Groups.Quit) }
func (c *conn) dismissGroup(r *protocol.Request) { c.onGroup(r, c.g.Groups.Dismiss) }

// onGroup is inTheGroup for changes that need no more than the group.
func (c *conn) onGroup(r *protocol.Request, change func(*sqlite.Tx, *group.Actor, int64) (group.Outcome, error)) {
	inTheGroup(c, r, func(b *protocol.OneGroup) (string, []string) { return b.Group, nil },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, _ *protocol.OneGroup, _ map[string]int64) ([]byte, group.Outcome, error) {
			o, err := change(tx, a, gid)
			return nil, o, err
		})
}

func (c *conn) decidePendency(r *protocol.Request) {
	inTheGroup(c, r, func(b *protocol.DecidePendency) (string, []string) {
		return b.Pendency.Group, []string{b.Pendency.From, b.Pendency.To}
	}, func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.DecidePendency, users map[string]int64) ([]byte, group.Outcome, error) {
		o, err := c.g.Groups.Decide(tx, a, gid, b, users)
		return nil, o, err
	})
}

func (c *conn) pendencies(r *protocol.Request) {
	body, err := decode[protocol.AskPendencies](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		a, err := c.g.Groups.Pendencies(q, c.user(), body)
		return protocol.Marshal(a), err
	})
}

func (c *conn) readPendencies(r *protocol.Request) {
	body, ok := changeGroup[protocol.ReadPendencies](c, r)
	if !ok {
		return
	}
	user := c.user()
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		return changed{}, c.g.Groups.ReadPendencies(tx, user, body.Time)
	})
}
