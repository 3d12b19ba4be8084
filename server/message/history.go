package message

import (
	"slices"

	"timbre/protocol"
	"timbre/sqlite"
)

// maxAnswer keeps an answer well under the longest line.
const maxAnswer = protocol.MaxLine * 3 / 4

// Between implements changelog.Messages.
func (m *Messages) Between(q sqlite.Queryer, id int64, lo, hi uint64, fn func(*protocol.Message) bool) error {
	var c pair
	if found, err := q.Get(selectPair+`WHERE id=?`, c.fields(), id); !found || err != nil {
		return err
	}
	return m.each(q, &c, lo, hi, true, protocol.MaxDiff, fn)
}

// each calls fn for at most limit messages of a stretch, from its old end or from its new end, until fn returns false.
func (m *Messages) each(q sqlite.Queryer, c *pair, lo, hi uint64, newer bool, limit int, fn func(*protocol.Message) bool) error {
	loName, err := m.names.Name(q, c.lo)
	if err != nil {
		return err
	}
	hiName, err := m.names.Name(q, c.hi)
	if err != nil {
		return err
	}
	order := `DESC LIMIT ?`
	if newer {
		order = `ASC LIMIT ?`
	}
	more := true
	return q.Query(`SELECT seq, sender, key, time, count, content FROM msg WHERE pair=? AND seq BETWEEN ? AND ?
		ORDER BY seq `+order, func(scan func(...any) error) error {
		if !more {
			return nil
		}
		var sender int64
		msg := protocol.Message{From: loName, To: hiName}
		if err := scan(&msg.Seq, &sender, &msg.Key, &msg.Time, &msg.Count, &msg.Content); err != nil {
			return err
		}
		if sender != c.lo {
			msg.From, msg.To = hiName, loName
		}
		more = fn(&msg)
		return nil
	}, c.id, int64(lo), int64(hi), limit)
}

// encoded reads a stretch as encoded messages in ascending order, at most limit and at most size bytes but at least one.
// cut is true when it stopped at a limit.
func (m *Messages) encoded(q sqlite.Queryer, c *pair, lo, hi uint64, newer bool, limit, size int) (
	msgs [][]byte, first, last uint64, cut bool, err error) {
	err = m.each(q, c, lo, hi, newer, limit+1, func(msg *protocol.Message) bool {
		b := msg.Append(nil)
		if len(msgs) == limit || len(msgs) > 0 && len(b) > size {
			cut = true
			return false
		}
		size -= len(b)
		if len(msgs) == 0 {
			first = msg.Seq
		}
		msgs, last = append(msgs, b), msg.Seq
		return true
	})
	if !newer {
		slices.Reverse(msgs)
		first, last = last, first
	}
	return msgs, first, last, cut, err
}

// Range returns the body of the answer to OpRange.
func (m *Messages) Range(q sqlite.Queryer, user, peer int64, r protocol.Range) ([]byte, error) {
	c, err := findPair(q, user, peer)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return appendRanged(nil, protocol.Ranged{Lo: r.Lo, Min: 1}, nil), nil
	}
	a := protocol.Ranged{Lo: min(max(r.Lo, 1), c.maxSeq+1), Hi: c.maxSeq, Max: c.maxSeq, Min: c.side(user).clear + 1}
	if r.Hi > 0 {
		a.Hi = min(r.Hi, c.maxSeq)
	}
	limit := protocol.MaxRange
	if r.Limit > 0 && r.Limit < limit {
		limit = r.Limit
	}
	msgs, first, last, cut, err := m.encoded(q, c, max(a.Lo, a.Min), a.Hi, r.Newer, limit, maxAnswer)
	if cut && r.Newer {
		a.Hi = last
	} else if cut {
		a.Lo = first
	}
	return appendRanged(nil, a, msgs), err
}
