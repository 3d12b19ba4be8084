package gateway

import (
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/sqlite"
)

// alterWith makes a change of the group that the body names, together with users of whom it gets those that exist.
func alterWith[T, A any](c *conn, r *protocol.Request, named func(*T) (group string, users []string),
	change func(tx *sqlite.Tx, a *group.Actor, gid int64, body *T, users map[string]int64) (A, group.Outcome, error)) {
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
		a, o, err := change(tx, actor, w.GID, &body, users)
		return outcome(protocol.Marshal(a), o), err
	})
}

// alter is alterWith for a change that names no users.
func alter[T, A any](c *conn, r *protocol.Request, in func(*T) string,
	change func(tx *sqlite.Tx, a *group.Actor, gid int64, body *T) (A, group.Outcome, error)) {
	alterWith(c, r, func(b *T) (string, []string) { return in(b), nil },
		func(tx *sqlite.Tx, a *group.Actor, gid int64, body *T, _ map[string]int64) (A, group.Outcome, error) {
			return change(tx, a, gid, body)
		})
}

// done is the answer to a change that has no other.
func done(o group.Outcome, err error) (struct{}, group.Outcome, error) { return struct{}{}, o, err }

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
