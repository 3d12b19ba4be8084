package gateway

import (
	"context"

	"timbre/model"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/sqlite"
)

// maxCatchUp bounds the pieces that are indexed before a search: some 5,000 messages. When the index is further behind,
// the newest messages are not found yet.
const maxCatchUp = 80

func (c *conn) searchMessages(r *protocol.Request) {
	if c.busy(r.ID) {
		return
	}
	ask, err := c.question(r)
	if err == nil {
		err = c.catchUp(ask)
	}
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) { return c.g.Messages.Search(q, ask) })
}

// question turns the names of a search into numbers.
func (c *conn) question(r *protocol.Request) (*message.Question, error) {
	body, err := decode[protocol.Search](r.Body)
	if err == nil {
		err = c.g.Messages.CheckSearch(&body)
	}
	if err != nil {
		return nil, err
	}
	ask := &message.Question{Search: body, User: c.user(), Senders: []int64{}}
	return ask, c.g.Store.Read(context.Background(), func(q sqlite.Queryer) error {
		if body.Peer != "" || body.Group != "" {
			w, err := c.whereIn(q, body.Target)
			if err != nil {
				return err
			}
			if err = c.offered(q, w, model.GroupReadHistory); err != nil {
				return err
			}
			ask.Where = &w
		}
		users, err := c.users(q, body.Senders)
		for _, u := range users {
			ask.Senders = append(ask.Senders, u.UID)
		}
		return err
	})
}

// catchUp indexes what the user may see and the indexer has not come to yet.
func (c *conn) catchUp(ask *message.Question) error {
	var late []int64
	err := c.g.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		late, err = c.g.Messages.Unindexed(q, ask)
		return err
	})
	for n := 0; n < maxCatchUp && len(late) > 0 && err == nil; n++ {
		var left []int64
		err = c.g.Store.Write(context.Background(), func(tx *sqlite.Tx) (err error) {
			left, err = c.g.Messages.IndexSome(tx, late)
			return err
		})
		late = left
	}
	return err
}
