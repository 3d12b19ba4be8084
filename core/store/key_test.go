package store_test

import (
	"context"
	"log/slog"
	"testing"

	"timbre/core/store"
)

func TestAKeyBelongsToItsDatabase(t *testing.T) {
	folder, key := t.TempDir(), []byte("0123456789abcdef")
	s, err := store.OpenWithKey(folder, key, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err = s.Write(context.Background(), func(tx *store.Tx) error { return store.SetMeta(tx.Tx, "k", "v") }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for name, wrong := range map[string][]byte{"another": []byte("fedcba9876543210"), "none": nil} {
		if _, err := store.OpenWithKey(folder, wrong, slog.New(slog.DiscardHandler), nil); !store.WrongKey(err) {
			t.Errorf("with key %q (%s): %v, want one that WrongKey knows", wrong, name, err)
		}
	}
	if s, err = store.OpenWithKey(folder, key, slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if v := meta(t, s, "k"); v != "v" {
		t.Errorf("the word reads as %q", v)
	}
}
