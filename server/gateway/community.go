package gateway

import (
	"timbre/model"
	"timbre/protocol"
	"timbre/server/group"
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

func (c *conn) createTopic(r *protocol.Request) {
	alter(c, r, func(b *protocol.CreateTopic) string { return b.Community }, c.g.Groups.CreateTopic)
}

func (c *conn) setTopic(r *protocol.Request) {
	alter(c, r, func(b *protocol.SetTopic) string { return b.Topic },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.SetTopic) (struct{}, group.Outcome, error) {
			return done(c.g.Groups.SetTopic(tx, a, gid, b))
		})
}

func (c *conn) deleteTopics(r *protocol.Request) {
	alter(c, r, func(b *protocol.AskTopics) string { return b.Community },
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
	alter(c, r, func(b *protocol.SetRights) string { return b.Community }, c.g.Communities.Create)
}

func (c *conn) setRights(r *protocol.Request) {
	alter(c, r, func(b *protocol.SetRights) string { return b.Community },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.SetRights) (struct{}, group.Outcome, error) {
			return done(c.g.Communities.Set(tx, a, gid, b))
		})
}

func (c *conn) deleteRights(r *protocol.Request) {
	alter(c, r, func(b *protocol.AskRights) string { return b.Community },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.AskRights) (protocol.RightsList, group.Outcome, error) {
			return c.g.Communities.Delete(tx, a, gid, b.IDs)
		})
}

func (c *conn) enlistRights(r *protocol.Request) {
	alterWith(c, r, func(b *protocol.Enlist) (string, []string) {
		return b.Community, b.Users[:min(len(b.Users), model.MaxPermissionMembers)]
	}, c.g.Communities.Enlist)
}

func (c *conn) grantRights(r *protocol.Request) {
	alter(c, r, func(b *protocol.Grant) string { return b.Community }, c.g.Communities.Grant)
}

// askRights answers a question about permission groups.
func askRights[A any](c *conn, r *protocol.Request, fn func(sqlite.Queryer, int64, int64, *protocol.AskRights) (A, error)) {
	askIn(c, r, func(b *protocol.AskRights) string { return b.Community },
		func(q sqlite.Queryer, gid int64, b *protocol.AskRights) (A, error) { return fn(q, c.self.UID, gid, b) })
}

func (c *conn) rights(r *protocol.Request)        { askRights(c, r, c.g.Communities.List) }
func (c *conn) rightsMembers(r *protocol.Request) { askRights(c, r, c.g.Communities.Members) }
func (c *conn) rightsTopics(r *protocol.Request)  { askRights(c, r, c.g.Communities.Topics) }
