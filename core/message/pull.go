package message

import (
	"context"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// ranged stores a piece of history.
func (m *Messages) ranged(tx *store.Tx, typ int, peer string, got *protocol.Ranged) error {
	m.arrivals(tx)
	e, err := m.book.Open(tx, typ, peer)
	if err != nil {
		return err
	}
	oldest := int64(0)
	for _, raw := range got.Msgs {
		if msg, ok := protocol.ParseMessage(raw); ok {
			if oldest == 0 {
				oldest = msg.Time
			}
			if _, err := m.receive(tx, &msg, pulled); err != nil {
				return err
			}
		}
	}
	if err := m.replace(tx, e.ID, got.Lo, oldest); err != nil {
		return err
	}
	if !e.Away() { // what came may be newer than the last message that was known: newer ones were deleted, or not to be shown
		if err := m.relast(tx, e); err != nil {
			return err
		}
	}
	if got.Min > 1 { // what lies before is gone for good, there is nothing to ask for
		if err := addRange(tx.Tx, e.ID, 1, got.Min-1); err != nil {
			return err
		}
	}
	if got.Hi < got.Lo || got.Hi == 0 {
		return nil
	}
	return addRange(tx.Tx, e.ID, got.Lo, got.Hi)
}

// replace gives imported messages their places anew that stand where a hole was and are not older than what came into it:
// before, nobody knew what lies there.
func (m *Messages) replace(tx *store.Tx, conv int64, lo uint64, oldest int64) error {
	if oldest == 0 {
		return nil
	}
	place := after(0)
	if _, err := tx.Get(`SELECT sort|1 FROM message WHERE conv=? AND sort<? ORDER BY sort DESC LIMIT 1`, []any{&place}, conv, sortOf(lo)); err != nil {
		return err
	}
	list, err := rows(tx, `WHERE conv=? AND sort=? AND moment>=? AND seq IS NULL AND status=?`,
		conv, place, oldest, tim.MsgLocalImported)
	for _, r := range list {
		if err != nil {
			return err
		}
		var at int64
		if at, err = placeOf(tx, conv, r.ServerTime); err == nil && at != r.Sort {
			err = tx.Exec(`UPDATE message SET sort=? WHERE id=?`, at, r.ID)
		}
	}
	return err
}

// fetch gets messages of a group by their numbers, those that are not here.
func (m *Messages) fetch(ctx context.Context, p Page) error {
	var missing []uint64
	err := m.store.Read(ctx, func(q sqlite.Queryer) error {
		c, err := conversation.Find(q, p.Type, p.Peer)
		if err != nil {
			return err
		}
		for _, seq := range p.Seqs {
			var row *Row
			if c != nil {
				if row, err = one(q, `WHERE conv=? AND seq=?`, c.ID, int64(seq)); err != nil {
					return err
				}
			}
			if row == nil {
				missing = append(missing, seq)
			}
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	var got protocol.Got
	if bad := m.ask(protocol.OpGet, "", protocol.Get{Target: target(p.Type, p.Peer), Seqs: missing}, &got); bad != nil {
		return bad
	}
	return m.store.Write(ctx, func(tx *store.Tx) error {
		m.arrivals(tx)
		for _, raw := range got.Msgs {
			if msg, ok := protocol.ParseMessage(raw); ok {
				if _, err := m.receive(tx, &msg, pulled); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
