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
	alterWith(c, r, func(b *protocol.MarkMembers) (string, []string) {
		return b.Group, b.Users[:min(len(b.Users), model.MaxMarkUsers+1)] // one more than fits is refused
	}, func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.MarkMembers, uids map[string]int64) (struct{}, group.Outcome, error) {
		users := make([]message.User, 0, len(b.Users))
		for _, name := range b.Users {
			users = append(users, message.User{UID: uids[name], Name: name})
		}
		return done(c.g.Groups.Mark(tx, a, gid, users, b.Mark, b.On))
	})
}

func (c *conn) onlineMembers(r *protocol.Request) {
	askIn(c, r, func(b *protocol.OneGroup) string { return b.Group },
		func(q sqlite.Queryer, gid int64, _ *protocol.OneGroup) (protocol.OnlineMembers, error) {
			return c.g.Groups.Online(q, c.self.UID, gid)
		})
}

func (c *conn) setGroupAttributes(r *protocol.Request) {
	alter(c, r, func(b *protocol.SetGroupAttributes) string { return b.Group }, c.g.Groups.SetAttributes)
}

func (c *conn) groupAttributes(r *protocol.Request) {
	askIn(c, r, func(b *protocol.AskGroupAttributes) string { return b.Group },
		func(q sqlite.Queryer, gid int64, b *protocol.AskGroupAttributes) (protocol.GroupAttributes, error) {
			return c.g.Groups.Attributes(q, c.self.UID, gid, b.Keys)
		})
}

func (c *conn) setGroupCounters(r *protocol.Request) {
	alter(c, r, func(b *protocol.SetGroupCounters) string { return b.Group }, c.g.Groups.SetCounters)
}

func (c *conn) groupCounters(r *protocol.Request) {
	askIn(c, r, func(b *protocol.AskGroupAttributes) string { return b.Group },
		func(q sqlite.Queryer, gid int64, b *protocol.AskGroupAttributes) (protocol.GroupCounters, error) {
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
