package message

import "timbre/sqlite"

// pair is a conversation as its row says, with the changes of the running transaction.
type pair struct {
	id       int64
	lo, hi   int64
	maxSeq   uint64
	minSeq   uint64
	lastTime int64
	sides    [2]side // of lo and hi

	grown bool // messages were added
	moved bool // a position moved
}

// side is one user's part in a conversation.
type side struct {
	count     uint64 // his messages that count as unread
	read      uint64 // he has read up to this seq
	readCount uint64 // the other's count there
	seen      uint64 // up to where the other knows that he has read
	seenTime  int64
	clear     uint64 // he deleted everything up to this seq
	hide      uint64 // the conversation is in his list if its newest seq is greater
	option    int    // how he receives, TIMReceiveMessageOpt
}

func (c *pair) side(uid int64) *side {
	if uid == c.lo {
		return &c.sides[0]
	}
	return &c.sides[1]
}

// other returns the side of the user's peer; somebody who talks to himself has an empty one.
func (c *pair) other(uid int64) *side {
	if uid == c.lo {
		return &c.sides[1]
	}
	return &c.sides[0]
}

// peer returns the number of the other user.
func (c *pair) peer(uid int64) int64 {
	if uid == c.lo {
		return c.hi
	}
	return c.lo
}

const selectPair = `SELECT id, lo, hi, max_seq, min_seq, last_time,
	count_lo, read_lo, rc_lo, seen_lo, seen_time_lo, clear_lo, hide_lo, opt_lo,
	count_hi, read_hi, rc_hi, seen_hi, seen_time_hi, clear_hi, hide_hi, opt_hi FROM pair `

// fields are the places for the columns of selectPair.
func (c *pair) fields() []any {
	f := []any{&c.id, &c.lo, &c.hi, &c.maxSeq, &c.minSeq, &c.lastTime}
	for i := range c.sides {
		s := &c.sides[i]
		f = append(f, &s.count, &s.read, &s.readCount, &s.seen, &s.seenTime, &s.clear, &s.hide, &s.option)
	}
	return f
}

// findPair returns the conversation of two users, or nil.
func findPair(q sqlite.Queryer, a, b int64) (*pair, error) {
	c := &pair{}
	found, err := q.Get(selectPair+`WHERE lo=? AND hi=?`, c.fields(), min(a, b), max(a, b))
	if !found || err != nil {
		return nil, err
	}
	return c, nil
}

func (c *pair) write(tx *sqlite.Tx) error {
	lo, hi := &c.sides[0], &c.sides[1]
	if c.grown {
		if err := tx.Exec(`UPDATE pair SET max_seq=?, last_time=?, count_lo=?, count_hi=? WHERE id=?`,
			int64(c.maxSeq), c.lastTime, int64(lo.count), int64(hi.count), c.id); err != nil {
			return err
		}
	}
	if !c.moved {
		return nil
	}
	return tx.Exec(`UPDATE pair SET read_lo=?, rc_lo=?, seen_lo=?, seen_time_lo=?, clear_lo=?, hide_lo=?, opt_lo=?,
		read_hi=?, rc_hi=?, seen_hi=?, seen_time_hi=?, clear_hi=?, hide_hi=?, opt_hi=? WHERE id=?`,
		int64(lo.read), int64(lo.readCount), int64(lo.seen), lo.seenTime, int64(lo.clear), int64(lo.hide), lo.option,
		int64(hi.read), int64(hi.readCount), int64(hi.seen), hi.seenTime, int64(hi.clear), int64(hi.hide), hi.option, c.id)
}
