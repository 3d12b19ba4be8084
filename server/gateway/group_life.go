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

func (c *conn) inviteToGroup(r *protocol.Request) {
	alterWith(c, r, func(b *protocol.Invite) (string, []string) {
		return b.Group, b.Users[:min(len(b.Users), model.MaxInvites)]
	}, c.g.Groups.Invite)
}

func (c *conn) joinGroup(r *protocol.Request) {
	alter(c, r, func(b *protocol.JoinGroup) string { return b.Group },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.JoinGroup) (protocol.Joined, group.Outcome, error) {
			return c.g.Groups.Join(tx, a, gid, b.Reason)
		})
}

// kicked is whom a removal is about.
func kicked(b *protocol.KickMembers) (group string, users []string) {
	return b.Group, b.Users[:min(len(b.Users), model.MaxKicks)]
}

func (c *conn) kickMembers(r *protocol.Request)  { alterWith(c, r, kicked, c.g.Groups.Kick) }
func (c *conn) quitGroup(r *protocol.Request)    { c.onGroup(r, c.g.Groups.Quit) }
func (c *conn) dismissGroup(r *protocol.Request) { c.onGroup(r, c.g.Groups.Dismiss) }

// onGroup is alter for changes that need no more than the group.
func (c *conn) onGroup(r *protocol.Request, change func(*sqlite.Tx, *group.Actor, int64) (group.Outcome, error)) {
	alter(c, r, func(b *protocol.OneGroup) string { return b.Group },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, _ *protocol.OneGroup) (struct{}, group.Outcome, error) {
			return done(change(tx, a, gid))
		})
}

func (c *conn) decidePendency(r *protocol.Request) {
	alterWith(c, r, func(b *protocol.DecidePendency) (string, []string) {
		return b.Pendency.Group, []string{b.Pendency.From, b.Pendency.To}
	}, func(tx *sqlite.Tx, a *group.Actor, gid int64, b *protocol.DecidePendency, users map[string]int64) (struct{}, group.Outcome, error) {
		return done(c.g.Groups.Decide(tx, a, gid, b, users))
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
