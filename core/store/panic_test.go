package store_test

import (
	"context"
	"testing"

	"timbre/core/store"
)

// What a module wants to say after the commit may fail: the writer goes on, and nobody waits for ever.
func TestAPanicAfterTheCommit(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	said := 0
	if err := s.Write(context.Background(), func(tx *store.Tx) error {
		tx.After(func() { panic("a mistake") })
		tx.After(func() { said++ })
		return store.SetMeta(tx.Tx, "a", "1")
	}); err != nil {
		t.Fatal(err)
	}
	s.Submit(store.Change{Apply: func(*store.Tx) error { return context.Canceled }, Failed: func(error) { panic("a mistake") }})
	if err := s.Write(context.Background(), func(tx *store.Tx) error { return store.SetMeta(tx.Tx, "b", "2") }); err != nil || said != 1 {
		t.Errorf("the next change: %v; %d of the others were said", err, said)
	}
}
