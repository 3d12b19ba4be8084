package gateway

import (
	"timbre/model"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/sqlite"
)

// communityHandlers is the operations on topics and permission groups.
func communityHandlers() map[string]handler {
	return map[string]handler{
		protocol.OpTopicCreate: {true, (*conn).createTopic},
		protocol.OpTopicDelete: {true, (*conn).deleteTopics},
		protocol.OpTopicSet:    {true, (*conn).setTopic},
		protocol.OpTopics:      {true, (*conn).topics},

		protocol.OpRightsCreate:  {true, (*conn).createRights},
		protocol.OpRightsDelete:  {true, (*conn).deleteRights},
		protocol.OpRightsSet:     {true, (*conn).setRights},
		protocol.OpRights:        {true, (*conn).rights},
		protocol.OpRightsMembers: {true, (*conn).rightsMembers},
		protocol.OpRightsEnlist:  {true, (*conn).enlistRights},
		protocol.OpRightsTopics:  {true, (*conn).rightsTopics},
		protocol.OpRightsGrant:   {true, (*conn).grantRights},
	}
}

// changeIn makes a change of the group that the body names.
func changeIn[T, A any](c *conn, r *protocol.Request, in func(*T) string,
	fn func(tx *sqlite.Tx, a *group.Actor, gid int64, body *T) (A, group.Outcome, error)) {
	body, ok := changeGroup[T](c, r)
	if !ok {
		return
	}
	w, ok := c.inGroup(r.ID, in(&body))
	if !ok {
		return
	}
	actor := c.actor(r)
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		a, o, err := fn(tx, actor, w.GID, &body)
		return outcome(protocol.Marshal(a), o), err
	})
}

// askIn answers a question about the group that the body names.
func askIn[T, A any](c *conn, r *protocol.Request, in func(*T) string, fn func(q sqlite.Queryer, gid int64, body *T) (A, error)) {
	ask(c, r, func(b *T) protocol.Target { return protocol.Target{Group: in(b)} },
		func(q sqlite.Queryer, w message.Where, b T) ([]byte, error) {
			if w.GID == 0 {
				return nil, noGroup()
			}
			a, err := fn(q, w.GID, &b)
			return protocol.Marshal(a), err
		})
}

func (c *conn) createTopic(r *protocol.Request) {
	changeIn(c, r, func(b *protocol.CreateTopic) string { return b.Community }, c.g.Groups.CreateTopic)
}

func (c *conn) setTopic(r *protocol.Request) {
	changeIn(c, r, func(b *protocol.SetTopic) string { return b.Topic },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.SetTopic) (struct{}, group.Outcome, error) {
			o, err := c.g.Groups.SetTopic(tx, a, gid, b)
			return struct{}{}, o, err
		})
}

func (c *conn) deleteTopics(r *protocol.Request) {
	changeIn(c, r, func(b *protocol.AskTopics) string { return b.Community },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.AskTopics) (protocol.Topics, group.Outcome, error) {
			return c.g.Groups.DeleteTopics(tx, a, gid, b.Topics)
		})
}

func (c *conn) topics(r *protocol.Request) {
	askIn(c, r, func(b *protocol.AskTopics) string { return b.Community },
		func(q sqlite.Queryer, gid int64, b *protocol.AskTopics) (protocol.Topics, error) {
			return c.g.Groups.Topics(q, c.self.App, c.self.UID, gid, b.Topics)
		})
}

func (c *conn) createRights(r *protocol.Request) {
	changeIn(c, r, func(b *protocol.SetRights) string { return b.Community }, c.g.Communities.Create)
}

func (c *conn) setRights(r *protocol.Request) {
	changeIn(c, r, func(b *protocol.SetRights) string { return b.Community },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.SetRights) (struct{}, group.Outcome, error) {
			o, err := c.g.Communities.Set(tx, a, gid, b)
			return struct{}{}, o, err
		})
}

func (c *conn) deleteRights(r *protocol.Request) {
	changeIn(c, r, func(b *protocol.AskRights) string { return b.Community },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.AskRights) (protocol.RightsList, group.Outcome, error) {
			return c.g.Communities.Delete(tx, a, gid, b.IDs)
		})
}

func (c *conn) enlistRights(r *protocol.Request) {
	body, err := decode[protocol.Enlist](r.Body)
	var users map[string]int64
	if err == nil {
		users, err = c.numbers(body.Users[:min(len(body.Users), model.MaxPermissionMembers)])
	}
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	changeIn(c, r, func(b *protocol.Enlist) string { return b.Community },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.Enlist) (protocol.Results, group.Outcome, error) {
			return c.g.Communities.Enlist(tx, a, gid, b, users)
		})
}

func (c *conn) grantRights(r *protocol.Request) {
	changeIn(c, r, func(b *protocol.Grant) string { return b.Community }, c.g.Communities.Grant)
}

// askRights answers a question about permission groups.
func askRights[A any](c *conn, r *protocol.Request, fn func(sqlite.Queryer, int64, int64, *protocol.AskRights) (A, error)) {
	askIn(c, r, func(b *protocol.AskRights) string { return b.Community },
		func(q sqlite.Queryer, gid int64, b *protocol.AskRights) (A, error) { return fn(q, c.self.UID, gid, b) })
}

func (c *conn) rights(r *protocol.Request)        { askRights(c, r, c.g.Communities.List) }
func (c *conn) rightsMembers(r *protocol.Request) { askRights(c, r, c.g.Communities.Members) }
func (c *conn) rightsTopics(r *protocol.Request)  { askRights(c, r, c.g.Communities.Topics) }
