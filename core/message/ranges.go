package message

import (
	"slices"

	"timbre/core/store"
	"timbre/sqlite"
)

// numbers is the message numbers that one batch brings, so that a run of them touches a range once.
type numbers struct{ byConv map[int64][]uint64 }

type numbersOf struct{ m *Messages }

// extend adds one number to what is known to be complete.
func (m *Messages) extend(tx *store.Tx, conv int64, seq uint64) {
	n := m.numbers(tx)
	n.byConv[conv] = append(n.byConv[conv], seq)
}

func (m *Messages) numbers(tx *store.Tx) *numbers {
	return tx.Batch(numbersOf{m}, newNumbers).(*numbers)
}

func newNumbers() sqlite.Flusher { return &numbers{byConv: map[int64][]uint64{}} }

// Flush adds each run of consecutive numbers as one range.
func (n *numbers) Flush(tx *sqlite.Tx) error {
	for conv, seqs := range n.byConv { // conversations are independent of each other
		slices.Sort(seqs)
		lo := 0
		for i := range seqs {
			if i+1 < len(seqs) && seqs[i+1] <= seqs[i]+1 {
				continue
			}
			if err := addRange(tx, conv, seqs[lo], seqs[i]); err != nil {
				return err
			}
			lo = i + 1
		}
	}
	return nil
}

// addRange adds lo..hi to the conversation's complete ranges and merges what it touches.
func addRange(tx *sqlite.Tx, conv int64, lo, hi uint64) error {
	var have uint64
	ok, err := tx.Get(`SELECT lo FROM msg_range WHERE conv=? AND lo<=? AND hi>=?-1 ORDER BY lo DESC LIMIT 1`,
		[]any{&have}, conv, int64(lo), int64(lo))
	if err != nil {
		return err
	}
	if ok {
		err = tx.Exec(`UPDATE msg_range SET hi=max(hi,?) WHERE conv=? AND lo=?`, int64(hi), conv, int64(have))
	} else {
		have = lo
		err = tx.Exec(`INSERT INTO msg_range VALUES (?,?,?) ON CONFLICT DO UPDATE SET hi=max(hi,excluded.hi)`, conv, int64(lo), int64(hi))
	}
	if err != nil {
		return err
	}
	return swallow(tx, conv, have)
}

// swallow merges the ranges that the one beginning at lo now reaches.
func swallow(tx *sqlite.Tx, conv int64, lo uint64) error {
	for {
		var next, nextHi uint64
		ok, err := tx.Get(`SELECT n.lo, n.hi FROM msg_range r JOIN msg_range n ON n.conv=r.conv AND n.lo>r.lo AND n.lo<=r.hi+1
			WHERE r.conv=? AND r.lo=? LIMIT 1`, []any{&next, &nextHi}, conv, int64(lo))
		if err != nil || !ok {
			return err
		}
		if err := tx.Exec(`DELETE FROM msg_range WHERE conv=? AND lo=?`, conv, int64(next)); err != nil {
			return err
		}
		if err := tx.Exec(`UPDATE msg_range SET hi=max(hi,?) WHERE conv=? AND lo=?`, int64(nextHi), conv, int64(lo)); err != nil {
			return err
		}
	}
}

// rangeAround returns the complete range that holds seq, 0 and 0 when seq is in a hole.
func rangeAround(q sqlite.Queryer, conv int64, seq uint64) (lo, hi uint64, err error) {
	_, err = q.Get(`SELECT lo,hi FROM msg_range WHERE conv=? AND lo<=? AND hi>=? ORDER BY lo DESC LIMIT 1`,
		[]any{&lo, &hi}, conv, int64(seq), int64(seq))
	return lo, hi, err
}
