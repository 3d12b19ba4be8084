package message

import (
	"context"
	"encoding/json"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// need says which numbers a page wants and which of them are missing.
type need struct {
	lo, hi uint64
	limit  int
	time   int64 // see protocol.Range
}

// fill pulls what the page needs and the database does not have.
func (m *Messages) fill(ctx context.Context, p Page) {
	timeout := pullTimeout
	if _, open, _, _ := m.link.Connected(); !open {
		timeout = awayTimeout
	}
	for range maxPulls {
		n, err := m.missing(ctx, p)
		if err != nil || n.limit == 0 {
			return
		}
		body := protocol.Marshal(protocol.Range{Target: target(p.Type, p.Peer), Lo: n.lo, Hi: n.hi, Limit: n.limit, Newer: p.Newer,
			Time: n.time})
		a, err := m.link.Ask(ctx, protocol.OpRange, "", body, timeout)
		if err != nil || a.Code != 0 {
			m.log.Warn("history: the server did not answer", "code", a.Code, "err", err)
			return
		}
		var got protocol.Ranged
		if json.Unmarshal(a.Body, &got) != nil {
			return
		}
		if err := m.store.Write(ctx, func(tx *store.Tx) error { return m.ranged(tx, p.Type, p.Peer, &got) }); err != nil {
			m.log.Error("history: messages could not be stored", "err", err)
			return
		}
	}
}

// ranged stores a piece of history.
func (m *Messages) ranged(tx *store.Tx, typ int, peer string, got *protocol.Ranged) error {
	m.arrivals(tx)
	e, err := m.book.Open(tx, typ, peer)
	if err != nil {
		return err
	}
	for _, raw := range got.Msgs {
		if msg, ok := protocol.ParseMessage(raw); ok {
			if _, err := m.receive(tx, &msg, pulled); err != nil {
				return err
			}
		}
	}
	if err := m.replace(tx, e.ID, got.Lo); err != nil {
		return err
	}
	if e.Visible && e.LastMsg == 0 { // the newest ones were not to be shown as such, an older one is
		if e.LastMsg, err = latest(tx, &e.Conversation); err != nil {
			return err
		}
		e.Touch(tx, false)
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

// replace gives imported messages their places anew that stand where a hole was: before, nobody knew what lies in it.
func (m *Messages) replace(tx *store.Tx, conv int64, lo uint64) error {
	place := after(0)
	if _, err := tx.Get(`SELECT sort|1 FROM message WHERE conv=? AND sort<? ORDER BY sort DESC LIMIT 1`, []any{&place}, conv, sortOf(lo)); err != nil {
		return err
	}
	list, err := rows(tx, `WHERE conv=? AND sort=? AND seq IS NULL AND status=?`, conv, place, tim.MsgLocalImported)
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

// missing finds the hole that is nearest to the page's start. A limit of 0 means that nothing is missing.
func (m *Messages) missing(ctx context.Context, p Page) (n need, err error) {
	err = m.store.Read(ctx, func(q sqlite.Queryer) error {
		c, err := conversation.Find(q, p.Type, p.Peer)
		if err != nil {
			return err
		}
		if c == nil { // never seen here: ask for the newest
			n = need{lo: 1, limit: min(p.Count, protocol.MaxRange), time: p.begin()}
			return nil
		}
		at, err := m.anchor(q, c, p)
		if err != nil {
			return err
		}
		if p.Begin > 0 && c.MaxSeq > 0 {
			last, known, err := before(q, c, p.begin())
			if err != nil {
				return err
			}
			if !known { // the time lies in a hole: only the server knows where
				n = need{lo: c.ClearSeq + 1, hi: c.MaxSeq, limit: min(p.Count+1, protocol.MaxRange), time: p.begin()}
				return nil
			}
			if p.Newer {
				at.sort = max(at.sort, sortOf(last))
			} else {
				at.sort = min(at.sort, sortOf(last+1))
			}
		}
		if p.Newer {
			n, err = newerHole(q, c, at, p.Count)
		} else {
			n, err = olderHole(q, c, at, p.Count)
		}
		return err
	})
	return n, err
}

// before finds the last message of the server before a time in milliseconds. It is known when no hole parts it from the
// next one.
func before(q sqlite.Queryer, c *conversation.Conversation, time int64) (last uint64, known bool, err error) {
	last = c.ClearSeq
	const have = `SELECT seq FROM message WHERE conv=? AND seq IS NOT NULL AND server_time`
	if _, err = q.Get(have+`<? ORDER BY sort DESC LIMIT 1`, []any{&last}, c.ID, time); err != nil {
		return 0, false, err
	}
	next := c.MaxSeq
	if _, err = q.Get(have+`>=? ORDER BY sort LIMIT 1`, []any{&next}, c.ID, time); err != nil {
		return 0, false, err
	}
	lo, _, err := rangeAround(q, c.ID, next)
	return last, lo > 0 && lo <= max(last, c.ClearSeq+1), err
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

func olderHole(q sqlite.Queryer, c *conversation.Conversation, at anchor, count int) (need, error) {
	first := c.ClearSeq + 1
	hi := c.MaxSeq
	if at.sort != farthest {
		hi = min(hi, uint64(max(at.sort-1, 0))/2)
	}
	if hi < first || c.MaxSeq == 0 {
		return need{}, nil
	}
	lowest := first
	if hi > uint64(count) {
		lowest = max(first, hi-uint64(count)+1)
	}
	lo, _, err := rangeAround(q, c.ID, hi)
	if err != nil || lo != 0 && lo <= lowest {
		return need{}, err
	}
	if lo != 0 {
		hi = lo - 1
	}
	return need{lo: first, hi: hi, limit: min(max(int(hi-lowest)+1, 1), protocol.MaxRange)}, nil
}

func newerHole(q sqlite.Queryer, c *conversation.Conversation, at anchor, count int) (need, error) {
	lo := max(c.ClearSeq+1, uint64(max(at.sort, 0))/2+1)
	if lo > c.MaxSeq {
		return need{}, nil
	}
	highest := min(c.MaxSeq, lo+uint64(count)-1)
	_, hi, err := rangeAround(q, c.ID, lo)
	if err != nil || hi >= highest {
		return need{}, err
	}
	if hi != 0 {
		lo = hi + 1
	}
	return need{lo: lo, hi: c.MaxSeq, limit: min(int(highest-lo)+1, protocol.MaxRange)}, nil
}
