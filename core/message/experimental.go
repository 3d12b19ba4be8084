package message

import (
	"context"
	"slices"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Revoker says who took a message back.
type Revoker struct{ ID, User string }

// Revokers returns who took these messages back, as far as they are here and revoked.
func (m *Messages) Revokers(ids []string) (list []Revoker, err error) {
	err = m.store.Read(context.Background(), func(q sqlite.Queryer) error {
		for _, id := range ids {
			row, err := byMsgID(q, id)
			if err != nil {
				return err
			}
			if row != nil && row.Status == tim.MsgRevoked {
				list = append(list, Revoker{id, row.revocation().User})
			}
		}
		return nil
	})
	return list, err
}

// ClearLocal deletes here what was sent between two times in seconds (0: no limit), of one conversation or of many.
func (m *Messages) ClearLocal(t Target, from, to int64) error {
	return m.store.Write(context.Background(), func(tx *store.Tx) error {
		m.arrivals(tx)
		var ids []int64
		if err := tx.Query(`SELECT id FROM conversation WHERE (type=? OR ?=0) AND (peer=? OR ?='')`, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			ids = append(ids, id)
			return err
		}, t.Type, t.Type, t.Peer, t.Peer); err != nil {
			return err
		}
		for _, id := range ids {
			e, err := m.book.OpenByID(tx, id)
			if err == nil && e != nil {
				err = m.strikeBetween(tx, e, from, to)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// FindMerged returns the JSON of messages inside a merger message, at any depth: those with these ids.
func (m *Messages) FindMerged(id string, wanted []string) ([]string, *transport.Error) {
	var row *Row
	var c *conversation.Conversation
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		if row, err = byMsgID(q, id); row != nil && err == nil {
			c, err = conversation.ByID(q, row.Conv)
		}
		return err
	})
	if err != nil {
		return nil, m.dbError(err)
	}
	if row == nil || c == nil {
		return nil, &transport.Error{Code: tim.ErrInvalidParameters, Text: "no such message"}
	}
	var found []string
	var bad *transport.Error
	m.transfer(func(ctx context.Context) error {
		return m.walkMerged(ctx, gjson.Parse(row.Elements), 1, func(msg gjson.Result) {
			if slices.Contains(wanted, msg.Get(tim.KeyMsgMsgId).String()) {
				found = append(found, msg.Raw)
			}
		})
	}, func(why *transport.Error) { bad = why })
	return found, bad
}

// walkMerged calls fn for every message inside the merger elements of a message.
func (m *Messages) walkMerged(ctx context.Context, elements gjson.Result, depth int, fn func(gjson.Result)) error {
	if depth > model.MaxMergedLayers {
		return nil
	}
	for _, e := range elements.Array() {
		if e.Get(tim.KeyElemType).Int() != tim.ElemMerge {
			continue
		}
		list := e.Get(tim.KeyMergerElemMsgArray)
		if key := e.Get(tim.KeyMergerElemRelayJsonKey).String(); len(list.Array()) == 0 && key != "" {
			text, err := m.downloadText(ctx, key)
			if err != nil {
				return err
			}
			list = gjson.Parse(text)
		}
		for _, msg := range list.Array() {
			fn(msg)
			if err := m.walkMerged(ctx, msg.Get(tim.KeyMsgElemArray), depth+1, fn); err != nil {
				return err
			}
		}
	}
	return nil
}
