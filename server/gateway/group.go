package gateway

import (
	"context"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// actor is the user of this connection as he asks for a change.
func (c *conn) actor(r *protocol.Request) *group.Actor {
	return &group.Actor{User: c.user(), App: c.self.App, Platform: c.self.Device.Platform, Key: r.Key}
}

// inGroup finds a group. It answers the request itself when there is none.
func (c *conn) inGroup(id uint64, name string) (message.Where, bool) {
	if name == "" {
		c.reply(id, nil, noGroup())
		c.Wake()
		return message.Where{}, false
	}
	return c.where(id, protocol.Target{Group: name})
}

func noGroup() error { return refusal.New(tim.ErrSVRGroupInvalidGroupid, "no group is named") }

// numbers finds users by name.
func (c *conn) numbers(names []string) (uids map[string]int64, err error) {
	if uids = map[string]int64{}; len(names) == 0 {
		return uids, nil
	}
	err = c.g.Store.Read(context.Background(), func(q sqlite.Queryer) error {
		users, err := c.users(q, names)
		for _, u := range users {
			uids[u.Name] = u.UID
		}
		return err
	})
	return uids, err
}

// outcome is what a change of a group means to everybody: the requester gets the entries too, because one answer cannot
// stand for several.
func outcome(body []byte, o group.Outcome) changed {
	return changed{body: body, changes: o.Changes, opened: o.Opened, joined: o.Joined, left: o.Left, closed: o.Closed, live: o.Live, told: true}
}

// changeGroup reads the body of a change and sees to it that it has a key. It answers the request itself when not.
func changeGroup[T any](c *conn, r *protocol.Request) (body T, ok bool) {
	body, err := decode[T](r.Body)
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return body, false
	}
	return body, !c.busyRow(r.ID) && c.keyed(r)
}

func (c *conn) createGroup(r *protocol.Request) {
	body, ok := changeGroup[protocol.CreateGroup](c, r)
	if !ok {
		return
	}
	var names []string
	for _, m := range body.Members[:min(len(body.Members), model.MaxInvites)] {
		names = append(names, m.User)
	}
	users, err := c.numbers(names)
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	actor, guest := c.actor(r), c.guest()
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		a, o, err := c.g.Groups.Create(tx, actor, &body, users)
		ch := outcome(protocol.Marshal(a), o)
		if rules, _ := model.RulesOf(body.Type); rules.Live && err == nil {
			err = c.createdRoom(tx, actor, a, guest, &ch)
		}
		return ch, err
	})
}

// setMember changes what a member is.
func (c *conn) setMember(r *protocol.Request) {
	body, ok := changeGroup[protocol.SetMember](c, r)
	if !ok {
		return
	}
	w, ok := c.inGroup(r.ID, body.Group)
	if !ok {
		return
	}
	target, ok := c.peer(r.ID, body.User)
	if !ok {
		return
	}
	actor := c.actor(r)
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		o, err := c.g.Groups.SetMember(tx, actor, w.GID, target, &body)
		return outcome(nil, o), err
	})
}

func (c *conn) groupInfo(r *protocol.Request) {
	body, err := decode[protocol.GroupInfo](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		a, err := c.g.Groups.Info(q, c.self.App, c.self.UID, body.Groups)
		return protocol.Marshal(a), err
	})
}

func (c *conn) joinedGroups(r *protocol.Request) {
	body, err := decode[protocol.JoinedGroups](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		a, err := c.g.Groups.Joined(q, c.self.UID, body.Cursor)
		return protocol.Marshal(a), err
	})
}

func (c *conn) groupMembers(r *protocol.Request) {
	body, err := decode[protocol.AskMembers](r.Body)
	if err == nil && len(body.Users) > model.MaxUsers {
		err = refusal.New(tim.ErrSVRGroupAcountCountLimit, "too many users in one request")
	}
	if err == nil && body.Group == "" {
		err = noGroup()
	}
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		w, err := c.whereIn(q, protocol.Target{Group: body.Group})
		if err != nil {
			return nil, err
		}
		var a protocol.MemberPage
		if body.Brief {
			a, err = c.g.Groups.Brief(q, c.self.UID, w.GID, body.Next)
			return protocol.Marshal(a), err
		}
		if len(body.Users) == 0 {
			a, err = c.g.Groups.Members(q, c.self.UID, w.GID, body.Roles, body.Next)
			return protocol.Marshal(a), err
		}
		users, err := c.users(q, body.Users)
		if err == nil {
			a, err = c.g.Groups.MembersNamed(q, c.self.UID, w.GID, users)
		}
		return protocol.Marshal(a), err
	})
}

func (c *conn) groupStates(r *protocol.Request) {
	body, err := decode[protocol.Groups](r.Body)
	now := c.g.Messages.Moment() // before the read
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		a, err := c.g.Groups.States(q, c.user(), body, now)
		return protocol.Marshal(a), err
	})
}
