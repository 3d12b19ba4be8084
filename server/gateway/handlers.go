package gateway

import (
	"context"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// handler is what to do for an operation.
type handler struct {
	session bool // only for who has logged in
	handle  func(*conn, *protocol.Request)
}

func handlers() map[string]handler {
	return map[string]handler{
		protocol.OpLogin:    {false, (*conn).login},
		protocol.OpPing:     {false, (*conn).ping},
		protocol.OpLogout:   {true, (*conn).logout},
		protocol.OpSend:     {true, (*conn).sendMessage},
		protocol.OpRange:    {true, (*conn).messageRange},
		protocol.OpRead:     {true, (*conn).readConversation},
		protocol.OpClear:    {true, (*conn).clearConversation},
		protocol.OpDiff:     {true, (*conn).diff},
		protocol.OpSnapshot: {true, (*conn).snapshot},
		protocol.OpProfiles: {true, (*conn).profiles},
		protocol.OpTinyIDs:  {true, (*conn).profiles},
	}
}

func (c *conn) ping(r *protocol.Request) {
	c.reply(r.ID, protocol.Marshal(protocol.Pong{Time: c.g.Now().UnixMilli()}), nil)
	c.Wake()
}

func (c *conn) user() message.User { return message.User{UID: c.self.UID, Name: c.self.User} }

// peer finds another user of the same app. It answers the request itself when there is none or the database fails.
func (c *conn) peer(id uint64, name string) (message.User, bool) {
	if uid, ok := c.g.Accounts.CachedUID(c.self.App, name); ok {
		return message.User{UID: uid, Name: name}, true
	}
	u := message.User{Name: name}
	var found bool
	err := c.g.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		u.UID, found, err = c.g.Accounts.UID(q, c.self.App, name)
		return err
	})
	if err == nil && !found {
		err = refusal.New(tim.ErrSVRMsgInvalidID, "there is no such user")
	}
	if err != nil {
		c.reply(id, nil, err)
		c.Wake()
	}
	return u, err == nil
}

// keyed says whether the request has a key by which a repetition is known.
func (c *conn) keyed(r *protocol.Request) bool {
	if model.ValidKey(r.Key) {
		return true
	}
	c.refuse(r.ID, tim.ErrInvalidParameters, "the request needs a key of at most 128 printable characters")
	return false
}

func (c *conn) sendMessage(r *protocol.Request) {
	if c.busyRow(r.ID) || !c.keyed(r) {
		return
	}
	s := protocol.ParseSend(r.Body)
	counts, err := message.Check(s.Content, c.g.cfg.MaxMessage)
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	to, ok := c.peer(r.ID, s.To)
	if !ok {
		return
	}
	o := &message.Outgoing{From: c.user(), To: to, App: c.self.App, Key: r.Key, Content: s.Content, Counts: counts}
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		sent, changes, err := c.g.Messages.Send(tx, o)
		return changed{protocol.AppendSent(nil, sent), changes, len(changes) > 0}, err
	})
}

func (c *conn) readConversation(r *protocol.Request) {
	body, err := decode[protocol.Read](r.Body)
	c.move(r, body.Peer, body.Seq, err, c.g.Messages.Read)
}

func (c *conn) clearConversation(r *protocol.Request) {
	body, err := decode[protocol.Clear](r.Body)
	c.move(r, body.Peer, body.Seq, err, c.g.Messages.Clear)
}

func (c *conn) move(r *protocol.Request, peer string, seq uint64, err error,
	fn func(*sqlite.Tx, *message.Move) (protocol.Changed, []changelog.Change, error)) {
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	if c.busyRow(r.ID) || !c.keyed(r) {
		return
	}
	to, ok := c.peer(r.ID, peer)
	if !ok {
		return
	}
	v := &message.Move{User: c.user(), Peer: to, Key: r.Key, Seq: seq}
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		answer, changes, err := fn(tx, v)
		return changed{body: protocol.Marshal(answer), changes: changes}, err
	})
}

func (c *conn) messageRange(r *protocol.Request) {
	body, err := decode[protocol.Range](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		peer, _, err := c.g.Accounts.UID(q, c.self.App, body.Peer) // of an unknown user there are no messages
		if err != nil {
			return nil, err
		}
		return c.g.Messages.Range(q, c.self.UID, peer, body)
	})
}

func (c *conn) diff(r *protocol.Request) {
	body, err := decode[protocol.Diff](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return c.g.Reader.Diff(q, c.self.UID, body)
	})
}

func (c *conn) snapshot(r *protocol.Request) {
	body, err := decode[protocol.Snapshot](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		head, err := changelog.Head(q, c.self.UID)
		if err != nil {
			return nil, err
		}
		return c.g.Messages.Snapshot(q, c.self.UID, c.g.Epoch, head, body)
	})
}

func (c *conn) profiles(r *protocol.Request) {
	body, err := decode[protocol.Users](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err == nil && len(body.Names)+len(body.TinyIDs) > model.MaxUsers {
			err = refusal.New(tim.ErrInvalidParameters, "too many users in one request")
		}
		if err != nil {
			return nil, err
		}
		found, err := c.g.Accounts.Profiles(q, c.self.App, body)
		return protocol.Marshal(protocol.Profiles{Profiles: found}), err
	})
}
