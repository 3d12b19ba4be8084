package message

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"timbre/core/conversation"
	"timbre/sqlite"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

func open(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(sqlite.Config{Schemas: []sqlite.Schema{conversation.Schema, Schema}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Ranges are a set of numbers: whatever is added, in whatever order and overlap, the rows are its maximal runs.
func TestRangesAreASet(t *testing.T) {
	db := open(t)
	conv := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		conv++ // each case has a conversation of its own
		type span struct{ lo, hi uint64 }
		spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) span {
			lo := rapid.Uint64Range(1, 60).Draw(t, "lo")
			return span{lo, lo + rapid.Uint64Range(0, 15).Draw(t, "length")}
		}), 1, 25).Draw(rt, "spans")
		set := map[uint64]bool{}
		err := db.Write(context.Background(), func(tx *sqlite.Tx) error {
			for _, s := range spans {
				if err := addRange(tx, conv, s.lo, s.hi); err != nil {
					return err
				}
				for n := s.lo; n <= s.hi; n++ {
					set[n] = true
				}
				if err := compare(tx, conv, set); err != nil {
					return fmt.Errorf("after adding %d..%d: %w", s.lo, s.hi, err)
				}
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func compare(tx *sqlite.Tx, conv int64, set map[uint64]bool) error {
	var want, got []string
	for n := uint64(1); n <= 80; n++ {
		if set[n] && !set[n-1] {
			hi := n
			for set[hi+1] {
				hi++
			}
			want = append(want, fmt.Sprint(n, "..", hi))
			for k := n; k <= hi; k++ {
				if lo, top, err := rangeAround(tx, conv, k); err != nil || lo != n || top != hi {
					return fmt.Errorf("around %d: %d..%d, %v; want %d..%d", k, lo, top, err, n, hi)
				}
			}
		}
		if !set[n] {
			if lo, top, err := rangeAround(tx, conv, n); err != nil || lo != 0 || top != 0 {
				return fmt.Errorf("around the hole %d: %d..%d, %v", n, lo, top, err)
			}
		}
	}
	err := tx.Query(`SELECT lo,hi FROM msg_range WHERE conv=? ORDER BY lo`, func(scan func(...any) error) error {
		var lo, hi uint64
		err := scan(&lo, &hi)
		got = append(got, fmt.Sprint(lo, "..", hi))
		return err
	}, conv)
	if err == nil && !slices.Equal(got, want) {
		err = fmt.Errorf("rows %v, want %v", got, want)
	}
	return err
}

// A page is complete when the hole that missing finds has been filled often enough, from wherever and in either
// direction; and every question asks for something that is not there.
func TestHolesLeadToACompletePage(t *testing.T) {
	db := open(t)
	conv := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		conv++
		top := rapid.Uint64Range(1, 60).Draw(rt, "newest")
		c := &conversation.Conversation{ID: conv, MaxSeq: top, ClearSeq: rapid.Uint64Range(0, top).Draw(rt, "cleared")}
		count := rapid.IntRange(1, 30).Draw(rt, "count")
		newer := rapid.Bool().Draw(rt, "newer")
		known := rapid.SliceOf(rapid.Uint64Range(1, top)).Draw(rt, "known")
		at := anchor{farthest, farthest, farthest}
		if newer {
			at = anchor{-1, 0, 0}
		}
		start := rapid.Uint64Range(0, top).Draw(rt, "start")
		if start > 0 {
			at = anchor{sortOf(start), 0, 0}
		}
		err := db.Write(context.Background(), func(tx *sqlite.Tx) error {
			have := map[uint64]bool{}
			for _, n := range known {
				have[n] = true
				if err := addRange(tx, conv, n, n); err != nil {
					return err
				}
			}
			for range 100 {
				lowest, highest := span(c, start, count, newer)
				n, err := olderHole(tx, c, at, lowest)
				if newer {
					n, err = newerHole(tx, c, at, highest)
				}
				if err != nil {
					return err
				}
				if n.limit == 0 {
					return pageComplete(have, lowest, highest)
				}
				n.limit = rapid.IntRange(1, 20).Draw(rt, "limit")
				lo, hi := n.lo, n.hi // what the server would answer
				if newer {
					hi = min(hi, lo+uint64(n.limit)-1)
				} else if hi-lo+1 > uint64(n.limit) {
					lo = hi - uint64(n.limit) + 1
				}
				fresh := false
				for k := lo; k <= hi; k++ {
					fresh = fresh || !have[k]
					have[k] = true
				}
				if !fresh || hi > top || lo <= c.ClearSeq {
					return fmt.Errorf("asked for %d..%d of %d (cleared to %d), which brings nothing", lo, hi, top, c.ClearSeq)
				}
				if err := addRange(tx, conv, lo, hi); err != nil {
					return err
				}
			}
			return fmt.Errorf("100 questions for one page")
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// span is the numbers of a page.
func span(c *conversation.Conversation, start uint64, count int, newer bool) (lo, hi uint64) {
	lo, hi = c.ClearSeq+1, c.MaxSeq
	if newer {
		lo = max(lo, start+1)
		return lo, min(hi, lo+uint64(count)-1)
	}
	if start > 0 {
		hi = min(hi, start-1)
	}
	if hi > uint64(count) {
		lo = max(lo, hi-uint64(count)+1)
	}
	return lo, hi
}

func pageComplete(have map[uint64]bool, lo, hi uint64) error {
	for n := lo; n <= hi; n++ {
		if !have[n] {
			return fmt.Errorf("the page %d..%d lacks %d", lo, hi, n)
		}
	}
	return nil
}
