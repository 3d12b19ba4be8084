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

func (c *conn) setAttributes(r *protocol.Request) {
	changeConvs(c, r, func(b *protocol.SetAttributes) []protocol.Target { return b.Convs }, c.g.Convs.Set)
}

func (c *conn) setConvGroup(r *protocol.Request) {
	changeConvs(c, r, func(b *protocol.ConvGroupChange) []protocol.Target { return b.Convs }, c.g.Convs.SetGroup)
}

// changeConvs runs a change of several conversations. Those that do not exist are fn's to refuse, one by one.
func changeConvs[T any](c *conn, r *protocol.Request, convs func(*T) []protocol.Target,
	fn func(*sqlite.Tx, message.User, string, []message.Where, *T) (protocol.ConvsSet, []changelog.Change, error)) {
	body, ok := changeGroup[T](c, r)
	if !ok {
		return
	}
	where, err := c.places(convs(&body))
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	user := c.user()
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		a, changes, err := fn(tx, user, r.Key, where, &body)
		return changed{body: protocol.Marshal(a), changes: changes}, err
	})
}

// places finds the conversations of a list. Those that do not exist have no number.
func (c *conn) places(list []protocol.Target) ([]message.Where, error) {
	if len(list) > model.MaxConvs {
		return nil, refusal.New(tim.ErrSVRConvConvMarkReqCountExceedLimit, "a request is for at most 100 conversations")
	}
	where := make([]message.Where, len(list))
	known := true
	for i, t := range list {
		if t.Group == "" {
			where[i].Peer.Name = t.Peer
			where[i].Peer.UID, known = c.g.Accounts.CachedUID(c.self.App, t.Peer)
		} else {
			where[i].Group = t.Group
			where[i].GID, known = c.g.Groups.CachedID(c.self.App, t.Group)
		}
		if !known {
			break
		}
	}
	if known { // a read would wait for this client's own changes
		return where, nil
	}
	return where, c.g.Store.Read(context.Background(), func(q sqlite.Queryer) error {
		for i, t := range list {
			w, err := c.whereIn(q, t)
			if err != nil && refusal.Of(err) == nil {
				return err
			}
			where[i] = w
		}
		return nil
	})
}

func (c *conn) attributes(r *protocol.Request) {
	body, err := decode[protocol.AskAttributes](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		a, err := c.g.Convs.All(q, c.self.UID, body)
		return protocol.Marshal(a), err
	})
}

func (c *conn) devices(r *protocol.Request) {
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		a, err := c.g.Accounts.Devices(q, c.self.UID)
		return protocol.Marshal(a), err
	})
}
