package gateway

import (
	"context"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// where finds the conversation that a request is about. It answers the request itself when there is none.
func (c *conn) where(id uint64, t protocol.Target) (w message.Where, ok bool) {
	if t.Group == "" {
		w.Peer, ok = c.peer(id, t.Peer)
		return w, ok
	}
	if gid, known := c.g.Groups.CachedID(c.self.App, t.Group); known { // a read would wait for this client's own changes
		return message.Where{GID: gid, Group: t.Group}, true
	}
	err := c.g.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		w, err = c.whereIn(q, t)
		return err
	})
	if err != nil {
		c.reply(id, nil, err)
		c.Wake()
	}
	return w, err == nil
}

// whereIn is where inside a query. Of an unknown user there is nothing, an unknown group is refused.
func (c *conn) whereIn(q sqlite.Queryer, t protocol.Target) (w message.Where, err error) {
	if t.Group == "" {
		w.Peer.Name = t.Peer
		w.Peer.UID, _, err = c.g.Accounts.UID(q, c.self.App, t.Peer)
		return w, err
	}
	var found bool
	w.Group = t.Group
	w.GID, found, err = c.g.Groups.ID(q, c.self.App, t.Group)
	if err == nil && !found {
		err = refusal.New(tim.ErrSVRGroupNotFound, "there is no such group")
	}
	return w, err
}

// users finds users by name and leaves out those that do not exist.
func (c *conn) users(q sqlite.Queryer, names []string) ([]message.User, error) {
	var list []message.User
	for _, name := range names {
		uid, found, err := c.g.Accounts.UID(q, c.self.App, name)
		if err != nil {
			return nil, err
		}
		if found {
			list = append(list, message.User{UID: uid, Name: name})
		}
	}
	return list, nil
}

// ask answers a question about a conversation that changes nothing.
func ask[T any](c *conn, r *protocol.Request, target func(*T) protocol.Target,
	fn func(sqlite.Queryer, message.Where, T) ([]byte, error)) {
	body, err := decode[T](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		w, err := c.whereIn(q, target(&body))
		if err != nil {
			return nil, err
		}
		return fn(q, w, body)
	})
}

// tooMany refuses a list of messages that is too long.
func tooMany(seqs []uint64, limit int) error {
	if len(seqs) > limit {
		return refusal.New(tim.ErrInvalidParameters, "too many messages in one request")
	}
	return nil
}
