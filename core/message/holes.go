package message

import (
	"context"
	"encoding/json"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/protocol"
	"timbre/sqlite"
)

// need says which numbers a page wants and which of them are missing.
type need struct {
	lo, hi uint64
	limit  int
	time   int64 // see protocol.Range
	first  bool  // nothing is known of the conversation
}

// fill pulls what the page needs and the database does not have. It returns false when it has pulled enough for one call
// and a hole may be left in the page. The newest page of a conversation that was unknown begins where the answer ends:
// what the log brings meanwhile would push messages out of it of which nobody was told.
func (m *Messages) fill(ctx context.Context, p *Page) bool {
	timeout := pullTimeout
	if _, open, _, _ := m.link.Connected(); !open {
		timeout = awayTimeout
	}
	for range maxPulls {
		n, err := m.missing(ctx, *p)
		if err != nil || n.limit == 0 {
			return true
		}
		body := protocol.Marshal(protocol.Range{Target: target(p.Type, p.Peer), Lo: n.lo, Hi: n.hi, Limit: n.limit, Newer: p.Newer,
			Time: n.time})
		a, err := m.link.Ask(ctx, protocol.OpRange, "", body, timeout)
		if err != nil || a.Code != 0 {
			m.log.Warn("history: the server did not answer", "code", a.Code, "err", err)
			return true
		}
		var got protocol.Ranged
		if json.Unmarshal(a.Body, &got) != nil {
			return true
		}
		if err := m.store.Write(ctx, func(tx *store.Tx) error { return m.ranged(tx, p.Type, p.Peer, &got) }); err != nil {
			m.log.Error("history: messages could not be stored", "err", err)
			return true
		}
		if n.first && !p.Newer && !p.LastMsg.Exists() && p.LastSeq == 0 {
			p.LastSeq = got.Hi
		}
	}
	return false
}

// missing finds the hole that is nearest to the page's start. A limit of 0 means that nothing is missing.
func (m *Messages) missing(ctx context.Context, p Page) (n need, err error) {
	err = m.store.Read(ctx, func(q sqlite.Queryer) error {
		c, err := conversation.Find(q, p.Type, p.Peer)
		if err != nil {
			return err
		}
		if c == nil { // never seen here: ask for the newest
			n = need{lo: 1, limit: min(p.Count, protocol.MaxRange), time: p.begin(), first: true}
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
		end, err := m.end(q, c, p)
		if err != nil {
			return err
		}
		if p.Newer {
			n, err = newerHole(q, c, at, end)
		} else {
			n, err = olderHole(q, c, at, end)
		}
		if n.limit > 0 {
			n.limit = min(p.Count+1, protocol.MaxRange)
		}
		return err
	})
	return n, err
}

// end is the number up to which a page reaches with what is here: that of its last message when it is full, else the end
// of the conversation or of the time window.
func (m *Messages) end(q sqlite.Queryer, c *conversation.Conversation, p Page) (uint64, error) {
	list, err := m.page(q, c, p)
	if err != nil {
		return 0, err
	}
	if len(list) == p.Count {
		return uint64(max(list[len(list)-1].Sort, 0)) / 2, nil
	}
	end := c.ClearSeq + 1
	if p.Newer {
		end = c.MaxSeq
	}
	from, to := window(p)
	switch {
	case !p.Newer && from > 0:
		last, known, err := before(q, c, from*1000)
		if known {
			end = max(end, last+1)
		}
		return end, err
	case p.Newer && to > 0:
		last, known, err := before(q, c, (to+1)*1000)
		if known {
			end = min(end, last)
		}
		return end, err
	}
	return end, nil
}

// before finds the last message of the server before a time in milliseconds. It is known when no hole parts it from the
// next one.
func before(q sqlite.Queryer, c *conversation.Conversation, time int64) (last uint64, known bool, err error) {
	last = c.ClearSeq
	const have = `SELECT seq FROM message WHERE conv=? AND seq IS NOT NULL AND server_time`
	near, args, err := until(q, c.ID, time)
	if err != nil {
		return 0, false, err
	}
	if _, err = q.Get(have+`<? AND `+near+` ORDER BY sort DESC LIMIT 1`, []any{&last}, append([]any{c.ID, time}, args...)...); err != nil {
		return 0, false, err
	}
	next := c.MaxSeq
	if near, args, err = since(q, c.ID, time); err != nil {
		return 0, false, err
	}
	if _, err = q.Get(have+`>=? AND `+near+` ORDER BY sort LIMIT 1`, []any{&next}, append([]any{c.ID, time}, args...)...); err != nil {
		return 0, false, err
	}
	lo, _, err := rangeAround(q, c.ID, next)
	return last, lo > 0 && lo <= max(last, c.ClearSeq+1), err
}

// olderHole finds the first hole going back from a place to the number end.
func olderHole(q sqlite.Queryer, c *conversation.Conversation, at anchor, end uint64) (need, error) {
	first := c.ClearSeq + 1
	hi := c.MaxSeq
	if at.sort != farthest {
		hi = min(hi, uint64(max(at.sort-1, 0))/2)
	}
	if hi < first || c.MaxSeq == 0 {
		return need{}, nil
	}
	lo, _, err := rangeAround(q, c.ID, hi)
	if err != nil || lo != 0 && lo <= max(end, first) {
		return need{}, err
	}
	if lo != 0 {
		hi = lo - 1
	}
	return need{lo: first, hi: hi, limit: 1}, nil
}

// newerHole finds the first hole going forward.
func newerHole(q sqlite.Queryer, c *conversation.Conversation, at anchor, end uint64) (need, error) {
	lo := max(c.ClearSeq+1, uint64(max(at.sort, 0))/2+1)
	if lo > c.MaxSeq {
		return need{}, nil
	}
	_, hi, err := rangeAround(q, c.ID, lo)
	if err != nil || hi >= min(end, c.MaxSeq) {
		return need{}, err
	}
	if hi != 0 {
		lo = hi + 1
	}
	return need{lo: lo, hi: c.MaxSeq, limit: 1}, nil
}

// upToHole cuts a page where a hole begins, so that the next one begins there and nothing is passed over. A page that
// would be empty stays: what is here is better than an end that is none.
func upToHole(q sqlite.Queryer, c *conversation.Conversation, list []*Row) ([]*Row, error) {
	for i := 1; i < len(list); i++ {
		from, to := uint64(list[i-1].Sort)/2, uint64(list[i].Sort)/2
		lo, hi := min(from, to), max(from, to)
		if hi == lo || hi == 0 {
			continue
		}
		have, _, err := rangeAround(q, c.ID, hi)
		if err != nil {
			return nil, err
		}
		if have == 0 || have > lo+1 {
			return list[:i], nil
		}
	}
	return list, nil
}
