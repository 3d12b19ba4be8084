package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"timbre/core/store"
	"timbre/sqlite"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

func open(t *testing.T, folder string) *store.Store {
	t.Helper()
	s, err := store.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func meta(t *testing.T, s *store.Store, key string) (v string) {
	t.Helper()
	err := s.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		v, err = store.Meta(q, key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMetaSurvivesAndIsReplaced(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	if v := meta(t, s, "k"); v != "" {
		t.Errorf("a word that was never set is %q", v)
	}
	for _, v := range []string{"one", "two"} {
		if err := s.Write(context.Background(), func(tx *store.Tx) error { return store.SetMeta(tx.Tx, "k", v) }); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	if v := meta(t, open(t, folder), "k"); v != "two" {
		t.Errorf("after reopening the word is %q", v)
	}
	if info, err := os.Stat(filepath.Join(folder, "timbre.db")); err != nil || info.Size() == 0 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

type announcer struct{ say func() }

func (a announcer) Flush(*sqlite.Tx) error { a.say(); return nil }

func TestAfterRunsInTheOrderOfTheCommits(t *testing.T) {
	s := open(t, "")
	var order []string
	say := func(word string) func() { return func() { order = append(order, word) } }
	s.Submit(store.Change{Apply: func(tx *store.Tx) error {
		tx.After(say("first"))
		tx.Batch("late", func() sqlite.Flusher { return announcer{func() { tx.After(say("first, by the flush")) }} })
		return nil
	}})
	s.Submit(store.Change{Apply: func(tx *store.Tx) error {
		tx.After(say("never: the change fails"))
		return errors.New("no")
	}, Failed: func(error) { order = append(order, "failed") }})
	err := s.Write(context.Background(), func(tx *store.Tx) error { tx.After(say("third")); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"first", "first, by the flush", "failed", "third"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
}

func TestWriteReturnsBehindWhatTheFlushAnnounces(t *testing.T) {
	s := open(t, "")
	told := false
	err := s.Write(context.Background(), func(tx *store.Tx) error {
		tx.Batch("late", func() sqlite.Flusher { return announcer{func() { tx.After(func() { told = true }) }} })
		return nil
	})
	if err != nil || !told {
		t.Errorf("Write returned (%v) before the batch's announcement", err)
	}
}

func TestClosedAndInUse(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	if _, err := store.Open(folder); !store.InUse(err) {
		t.Errorf("a second opening: %v, want one that InUse knows", err)
	}
	s.Close()
	if err := s.Write(context.Background(), func(*store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
}

func TestADamagedFileIsReadUntilItIsSalvaged(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "timbre.db"), []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	inspect := func(s *store.Store) string {
		t.Helper()
		name, _ := s.Inspect(context.Background(), nil, func(sqlite.Queryer) error { return nil })
		return name
	}
	s := open(t, folder)
	name := inspect(s)
	if _, err := os.Stat(filepath.Join(folder, name)); name == "" || err != nil {
		t.Fatalf("set aside as %q: %v", name, err)
	}
	s.Close()
	s = open(t, folder) // the first process ended before it had taken over anything
	if again := inspect(s); again != name {
		t.Errorf("the second process is to look at %q, want %q", again, name)
	}
	if err := s.Write(context.Background(), func(tx *store.Tx) error { return store.Salvaged(tx, name) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if again := inspect(open(t, folder)); again != "" {
		t.Errorf("all was taken over, and %q is to be looked at", again)
	}
}

func TestFailuresAreExplained(t *testing.T) {
	for err, want := range map[error]string{
		sqlite.ErrLocked:   "another process",
		sqlite.ErrKey:      "the key does not fit",
		sqlite.ErrNewer:    "newer release",
		sqlite.ErrDamaged:  "the next login heals it",
		syscall.ENOSPC:     "the disk is full",
		syscall.EROFS:      "cannot be written",
		os.ErrPermission:   "cannot be written",
		errors.New("else"): "else",
	} {
		if got := store.Explain(fmt.Errorf("opening: %w", err)); !strings.Contains(got, want) {
			t.Errorf("%v is explained as %q, want %q in it", err, got, want)
		}
	}
}
