package conversation

import (
	"fmt"
	"testing"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// many is a list of ten thousand conversations that all want the same place, a tenth of them marked.
func many(b *testing.B) *shelf {
	s := open(b, b.TempDir())
	b.Cleanup(func() { s.store.Close() })
	for from := 0; from < 10000; from += 100 {
		s.write(func(tx *store.Tx) error {
			for i := from; i < from+100; i++ {
				e, err := s.book.Open(tx, tim.ConvC2C, fmt.Sprint("peer", i))
				if err != nil {
					return err
				}
				e.Marks = map[bool]uint64{true: 1}[i%10 == 0]
				e.Place(tx, 1795000000000)
			}
			return nil
		})
	}
	s.host.told = nil
	return s
}

func BenchmarkFill(b *testing.B) {
	for b.Loop() {
		many(b)
	}
}

func BenchmarkList(b *testing.B) {
	s := many(b)
	for b.Loop() {
		if n := len(s.peers()); n != 10000 {
			b.Fatal(n)
		}
	}
}

// BenchmarkPages reads the marked conversations, a hundred a page.
func BenchmarkPages(b *testing.B) {
	s, mark := many(b), uint64(1)
	for b.Loop() {
		next, last := uint64(0), false
		for !last {
			s.read(func(q sqlite.Queryer) error {
				page, end, err := Page(q, Filter{Mark: &mark}, next, 100)
				next, last = uint64(page[len(page)-1].Order()), end
				return err
			})
		}
	}
}

func BenchmarkRaise(b *testing.B) {
	s := many(b)
	for i := 0; b.Loop(); i++ {
		s.change(fmt.Sprint("peer", i%10000), func(tx *store.Tx, e *Entry) { e.Touch(tx, true) })
	}
}

// BenchmarkWatch raises with ten watched filters, whose counts may change each time.
func BenchmarkWatch(b *testing.B) {
	s := many(b)
	s.write(func(tx *store.Tx) error {
		for i := range 10 {
			mark := uint64(1) << (32 + i)
			s.book.Watch(tx, Filter{Mark: &mark})
		}
		return nil
	})
	for i := 0; b.Loop(); i++ {
		s.change(fmt.Sprint("peer", i%10000), func(tx *store.Tx, e *Entry) { e.PeerCount++ })
	}
}
