package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"timbre/sqlite"
)

func TestStats(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	before := db.Stats()
	release := hold(db)
	done := make(chan error, 3)
	for i := range 3 {
		db.Submit(sqlite.Job{Apply: insert(i), Done: func(err error) { done <- err }})
	}
	if s := db.Stats(); s.Queued != 3 || s.Busy == 0 {
		t.Errorf("while the writer is held: %d queued, busy for %v, want 3 and more than 0", s.Queued, s.Busy)
	}
	release()
	for range 3 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	refused := errors.New("no")
	if err := db.Write(context.Background(), func(*sqlite.Tx) error { return refused }); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if n := count(t, db); n != 3 {
		t.Fatalf("%d rows", n)
	}
	s := db.Stats()
	if jobs, failed := s.Jobs-before.Jobs, s.Failed-before.Failed; jobs != 4 || failed != 1 { // that of hold too
		t.Errorf("%d jobs and %d failed ones, want 4 and 1", jobs, failed)
	}
	if s.Queued != 0 || s.Size == 0 || s.WALSize == 0 {
		t.Errorf("at rest: %+v", s)
	}
	commits, transactions, reads := s.Commits.Total(), s.Transactions.Total(), s.Reads.Total()
	if commits.Count < 2 || commits.Count != transactions.Count || commits.Sum > transactions.Sum || reads.Count != 1 {
		t.Errorf("commits %+v, transactions %+v, reads %+v", commits, transactions, reads)
	}
}

func TestStatsInMemory(t *testing.T) {
	db := open(t, "")
	if n := count(t, db); n != 0 {
		t.Fatalf("%d rows", n)
	}
	if s := db.Stats(); s.Size != 0 || s.WALSize != 0 || s.Transactions.Total().Count == 0 {
		t.Errorf("%+v", s)
	}
}
