package gateway

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// informationHandlers is the operations on what a group is and has.
func informationHandlers() map[string]handler {
	return map[string]handler{
		protocol.OpGroupSet:           {true, (*conn).setGroup},
		protocol.OpGroupMark:          {true, (*conn).markMembers},
		protocol.OpGroupOnline:        {true, (*conn).onlineMembers},
		protocol.OpGroupSetAttributes: {true, (*conn).setGroupAttributes},
		protocol.OpGroupAttributes:    {true, (*conn).groupAttributes},
		protocol.OpGroupSetCounters:   {true, (*conn).setGroupCounters},
		protocol.OpGroupCounters:      {true, (*conn).groupCounters},
		protocol.OpAppGroups:          {true, (*conn).appGroups},
	}
}

// alterGroup runs a change of one group that is named in the request.
func alterGroup[T any](c *conn, r *protocol.Request, name func(*T) string,
	fn func(tx *sqlite.Tx, actor *group.Actor, gid int64, body *T) ([]byte, group.Outcome, error)) {
	body, ok := changeGroup[T](c, r)
	if !ok {
		return
	}
	w, ok := c.inGroup(r.ID, name(&body))
	if !ok {
		return
	}
	actor := c.actor(r)
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		answer, o, err := fn(tx, actor, w.GID, &body)
		return outcome(answer, o), err
	})
}

// askGroup answers a question about one group.
func askGroup[T any](c *conn, r *protocol.Request, name func(*T) string, fn func(q sqlite.Queryer, gid int64, body *T) (any, error)) {
	body, err := decode[T](r.Body)
	if err == nil && name(&body) == "" {
		err = noGroup()
	}
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		w, err := c.whereIn(q, protocol.Target{Group: name(&body)})
		if err != nil {
			return nil, err
		}
		a, err := fn(q, w.GID, &body)
		return protocol.Marshal(a), err
	})
}

// setGroup changes what a group is. Handing it over is another matter, which nothing else goes with.
func (c *conn) setGroup(r *protocol.Request) {
	body, ok := changeGroup[protocol.SetGroup](c, r)
	if !ok {
		return
	}
	w, ok := c.inGroup(r.ID, body.Group)
	if !ok {
		return
	}
	actor := c.actor(r)
	if body.Owner == nil {
		c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
			o, err := c.g.Groups.Set(tx, actor, w.GID, &body)
			return outcome(nil, o), err
		})
		return
	}
	heir, ok := c.peer(r.ID, *body.Owner)
	if !ok {
		return
	}
	alone := body.Alone()
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		if !alone {
			return changed{}, refusal.New(tim.ErrSVRGroupInvalidParameters, "a group is handed over alone")
		}
		o, err := c.g.Groups.Transfer(tx, actor, w.GID, heir)
		return outcome(nil, o), err
	})
}

func (c *conn) markMembers(r *protocol.Request) {
	body, ok := changeGroup[protocol.MarkMembers](c, r)
	if !ok {
		return
	}
	w, ok := c.inGroup(r.ID, body.Group)
	if !ok {
		return
	}
	uids, err := c.numbers(body.Users[:min(len(body.Users), model.MaxMarkUsers+1)]) // one more than fits is refused
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	users := make([]message.User, 0, len(body.Users))
	for _, name := range body.Users {
		users = append(users, message.User{UID: uids[name], Name: name})
	}
	actor := c.actor(r)
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		o, err := c.g.Groups.Mark(tx, actor, w.GID, users, body.Mark, body.On)
		return outcome(nil, o), err
	})
}

func (c *conn) onlineMembers(r *protocol.Request) {
	askGroup(c, r, func(b *protocol.OneGroup) string { return b.Group },
		func(q sqlite.Queryer, gid int64, _ *protocol.OneGroup) (any, error) {
			return c.g.Groups.Online(q, c.self.UID, gid)
		})
}

func (c *conn) setGroupAttributes(r *protocol.Request) {
	alterGroup(c, r, func(b *protocol.SetGroupAttributes) string { return b.Group },
		func(tx *sqlite.Tx, actor *group.Actor, gid int64, b *protocol.SetGroupAttributes) ([]byte, group.Outcome, error) {
			a, o, err := c.g.Groups.SetAttributes(tx, actor, gid, b)
			return protocol.Marshal(a), o, err
		})
}

func (c *conn) groupAttributes(r *protocol.Request) {
	askGroup(c, r, func(b *protocol.AskGroupAttributes) string { return b.Group },
		func(q sqlite.Queryer, gid int64, b *protocol.AskGroupAttributes) (any, error) {
			return c.g.Groups.Attributes(q, c.self.UID, gid, b.Keys)
		})
}

func (c *conn) setGroupCounters(r *protocol.Request) {
	alterGroup(c, r, func(b *protocol.SetGroupCounters) string { return b.Group },
		func(tx *sqlite.Tx, actor *group.Actor, gid int64, b *protocol.SetGroupCounters) ([]byte, group.Outcome, error) {
			a, o, err := c.g.Groups.SetCounters(tx, actor, gid, b)
			return protocol.Marshal(a), o, err
		})
}

func (c *conn) groupCounters(r *protocol.Request) {
	askGroup(c, r, func(b *protocol.AskGroupAttributes) string { return b.Group },
		func(q sqlite.Queryer, gid int64, b *protocol.AskGroupAttributes) (any, error) {
			return c.g.Groups.Counters(q, c.self.UID, gid, b.Keys)
		})
}

func (c *conn) appGroups(r *protocol.Request) {
	body, err := decode[protocol.AskAppGroups](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		a, err := c.g.Groups.List(q, c.self.App, c.self.UID, &body)
		return protocol.Marshal(a), err
	})
}
