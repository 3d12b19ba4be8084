package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"timbre/sqlite"
	"timbre/sqlite/vault"
)

// contents returns every file that matters with its bytes.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

func TestAKeyThatDoesNotFitLeavesEverythingAsItIs(t *testing.T) {
	spoil := func(name string, change func(path string) error) func(string) error {
		return func(path string) error { return change(path + name) }
	}
	cases := map[string]struct {
		created, given []byte
		change         func(path string) error
	}{
		"another key":           {created: keyA, given: keyB},
		"no key":                {created: keyA},
		"a key for a plain one": {given: keyA},
		"a short key":           {created: keyA, given: keyA[:15]},
		"an empty key":          {created: keyA, given: []byte{}},
		"no key file":           {created: keyA, given: keyA, change: spoil(".key", os.Remove)},
		"a torn key file":       {created: keyA, given: keyA, change: spoil(".key", func(p string) error { return os.Truncate(p, 20) })},
		"another cipher": {created: keyA, given: keyA, change: spoil(".key", func(p string) error {
			b, err := os.ReadFile(p)
			return errors.Join(err, os.WriteFile(p, bytes.Replace(b, []byte("aes-128"), []byte("rot-013"), 1), 0o600))
		})},
		"a key file beside a plain one": {given: keyA, change: spoil(".key", func(p string) error {
			v, err := vault.Open(filepath.Join(filepath.Dir(p), "other"), keyA)
			v.Close()
			return errors.Join(err, os.Rename(filepath.Join(filepath.Dir(p), "other.key"), p))
		})},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "x.db")
			db := open(t, path, c.created)
			fill(t, db, 0, 10)
			db.Close()
			if c.change != nil {
				if err := c.change(path); err != nil {
					t.Fatal(err)
				}
			}
			before := contents(t, folder)
			if db, err := sqlite.Open(sqlite.Config{Path: path, Key: c.given}); !errors.Is(err, sqlite.ErrKey) {
				if err == nil {
					db.Close()
				}
				t.Errorf("opening: %v, want ErrKey", err)
			}
			after := contents(t, folder)
			for name := range before {
				if before[name] != after[name] {
					t.Errorf("%s has changed", name)
				}
			}
			if len(after) != len(before) {
				t.Errorf("%d files before, %d after", len(before), len(after))
			}
		})
	}
}

func TestAnEmptyFileWithItsKeyFileKeepsItsKey(t *testing.T) { // the process died before the first page was written
	path := filepath.Join(t.TempDir(), "x.db")
	v, err := vault.Open(path, keyA)
	if err != nil {
		t.Fatal(err)
	}
	v.Close()
	for _, key := range [][]byte{nil, keyB} {
		if _, err := sqlite.Open(sqlite.Config{Path: path, Key: key}); !errors.Is(err, sqlite.ErrKey) {
			t.Errorf("opening with key %q: %v, want ErrKey", key, err)
		}
	}
	fill(t, open(t, path, keyA), 0, 1)
}
