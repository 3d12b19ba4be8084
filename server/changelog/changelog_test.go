package changelog_test

import (
	"context"
	"testing"
	"time"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/store"
	"timbre/sqlite"
)

func (nothing) Newest(sqlite.Queryer, int64) (uint64, error) { return 0, nil }

func (nothing) Gone(sqlite.Queryer, int64, int64, uint64) (*protocol.Message, bool, error) {
	return nil, false, nil
}

// nothing finds no message, as if all had been deleted.
type nothing struct{}

func (nothing) Between(sqlite.Queryer, int64, int64, uint64, uint64, func(*protocol.Message) bool) error {
	return nil
}

func TestOldEntriesAreTrimmed(t *testing.T) {
	log := changelog.New(time.Now)
	s, err := store.Open(store.Config{Dir: t.TempDir(), Schemas: []sqlite.Schema{changelog.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const owner = -1 // a group's log, which is the shorter one
	const perBatch = 150
	const total = perBatch * 138 // beyond twice what is kept
	for n := 0; n < total; n += perBatch {
		err := s.Write(context.Background(), func(tx *sqlite.Tx) error {
			for range perBatch {
				if _, err := log.Append(tx, owner, changelog.Message(1, 1)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r := changelog.NewReader(s.Epoch(), nothing{})
	err = s.Read(context.Background(), func(q sqlite.Queryer) error {
		head, err := changelog.Head(q, owner)
		if err != nil {
			return err
		}
		var rows int
		if _, err := q.Get(`SELECT sum(n) FROM change_log WHERE uid=?`, []any{&rows}, owner); err != nil {
			return err
		}
		if head != total || rows < changelog.KeepGroup || rows > changelog.KeepGroup+1_000+2*perBatch {
			t.Errorf("head %d, %d entries kept", head, rows)
		}
		for pos, ok := range map[uint64]bool{changelog.Oldest(owner, head): true, changelog.Oldest(owner, head) - 1: false, 0: false, head: true, head + 1: false} {
			body, err := r.Diff(q, 1, owner, protocol.Diff{Epoch: s.Epoch(), Pos: pos})
			if err != nil {
				return err
			}
			l := protocol.ParseLog(body)
			if l.TooLong == ok || ok && (l.From != pos+1 || len(l.Entries) != int(min(head-pos, protocol.MaxDiff))) {
				t.Errorf("diff from %d: %d entries from %d, too long %v", pos, len(l.Entries), l.From, l.TooLong)
			}
			for _, e := range l.Entries {
				if e.Kind != protocol.EntryNone {
					t.Fatalf("a message that is gone left %q", e.Kind)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A log that was cut goes on behind a hole. Whoever knows less than what was cut away cannot continue.
func TestDiffOverACut(t *testing.T) {
	log := changelog.New(time.Now)
	s, err := store.Open(store.Config{Dir: t.TempDir(), Schemas: []sqlite.Schema{changelog.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const owner = -1
	grow := func(n int) func(tx *sqlite.Tx) error {
		return func(tx *sqlite.Tx) error {
			for range n {
				if _, err := log.Append(tx, owner, changelog.Message(1, 1)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	r := changelog.NewReader(s.Epoch(), nothing{})
	for i, step := range []struct {
		do      func(tx *sqlite.Tx) error
		entries map[uint64]int // by the position that the client has; -1: too long
	}{
		{grow(10), map[uint64]int{0: 10, 3: 7, 10: 0}},
		{func(tx *sqlite.Tx) error { return log.Cut(tx, owner) }, map[uint64]int{0: -1, 3: -1, 10: 0}},
		{grow(5), map[uint64]int{0: -1, 3: -1, 9: -1, 10: 5, 12: 3, 15: 0}},
		{grow(2), map[uint64]int{3: -1, 10: 7}},
	} {
		if err := s.Write(context.Background(), step.do); err != nil {
			t.Fatal(err)
		}
		for pos, want := range step.entries {
			if err := s.Read(context.Background(), func(q sqlite.Queryer) error {
				body, err := r.Diff(q, 1, owner, protocol.Diff{Epoch: s.Epoch(), Pos: pos})
				l := protocol.ParseLog(body)
				if got := len(l.Entries); l.TooLong != (want < 0) || want >= 0 && got != want {
					t.Errorf("step %d, from %d: %d entries, too long %v; want %d", i, pos, got, l.TooLong, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestEpoch(t *testing.T) {
	dir := t.TempDir()
	open := func() *store.Store {
		s, err := store.Open(store.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	first := s.Epoch()
	s.Close()
	s = open()
	if s.Epoch() != first {
		t.Error("the epoch changed by itself")
	}
	if err := s.RenewEpoch(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = open()
	defer s.Close()
	if s.Epoch() == first {
		t.Error("the epoch was not renewed")
	}
}
