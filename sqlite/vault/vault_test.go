package vault_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"timbre/sqlite"
	"timbre/sqlite/vault"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("VAULT_TEST_WRITE"); path != "" { // the process that dies in TestNothingIsLostWhenTheProcessDies
		writeUntilKilled(path, os.Getenv("VAULT_TEST_MODE"))
	}
	leaks.Main(m)
}

// marker is what must never be seen on the disk. It is longer than a block of the cipher.
const marker = "the-quick-brown-fox-marker-jumps-over-the-lazy-dog"

var (
	keyA = []byte("0123456789abcdef")
	keyB = []byte("fedcba9876543210")
)

var schema = sqlite.Schema{Module: "test", Steps: []string{
	`CREATE TABLE n (i INTEGER PRIMARY KEY, t TEXT NOT NULL) STRICT`,
	`CREATE VIRTUAL TABLE f USING fts5(t)`,
}}

func open(t *testing.T, path string, key []byte) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(sqlite.Config{Path: path, Key: key, Schemas: []sqlite.Schema{schema}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// text is what row i holds: of different lengths, so that rows overflow their pages too.
func text(i int) string {
	return fmt.Sprint(i, " ", strings.Repeat(marker+" ", i%7*i%90))
}

func fill(t *testing.T, db *sqlite.DB, from, to int) {
	t.Helper()
	err := db.Write(context.Background(), func(tx *sqlite.Tx) error {
		for i := from; i < to; i++ {
			if err := tx.Exec(`INSERT INTO n VALUES (?,?)`, i, text(i)); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO f (rowid,t) VALUES (?,?)`, i, fmt.Sprint(marker, " word", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// verify compares all rows, through the index for words too, and lets SQLite look at every page.
func verify(t *testing.T, db *sqlite.DB, rows int) {
	t.Helper()
	err := db.Read(context.Background(), func(q sqlite.Queryer) error {
		next := 0
		err := q.Query(`SELECT i, t FROM n ORDER BY i`, func(scan func(...any) error) error {
			var i int
			var s string
			if err := scan(&i, &s); err != nil {
				return err
			}
			if i != next || s != text(i) {
				return fmt.Errorf("row %d reads as %d with %d bytes", next, i, len(s))
			}
			next++
			return nil
		})
		if err != nil {
			return err
		}
		var word int
		if _, err := q.Get(`SELECT rowid FROM f WHERE f MATCH ?`, []any{&word}, fmt.Sprintf("word%d", rows-1)); err != nil {
			return err
		}
		var state string
		if _, err := q.Get(`PRAGMA integrity_check`, []any{&state}); err != nil {
			return err
		}
		if next != rows || word != rows-1 || state != "ok" {
			return fmt.Errorf("%d rows, word in row %d, %s; want %d rows, %d, ok", next, word, state, rows, rows-1)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// seen returns the files of the folder that hold s.
func seen(t *testing.T, folder, s string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(s)) {
			names = append(names, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRowsComeBackAndNothingIsReadableOnTheDisk(t *testing.T) {
	for name, key := range map[string][]byte{"encrypted": keyA, "plain": nil} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "x.db")
			db := open(t, path, key)
			for i := range 6 {
				fill(t, db, 1000*i, 1000*(i+1))
			}
			verify(t, db, 6000)
			look := func(when string) {
				for _, s := range []string{marker, "CREATE TABLE", "SQLite format"} {
					// A plain database shows that looking works.
					if names := seen(t, folder, s); (len(names) == 0) != (key != nil) {
						t.Errorf("%s, %q is in the files %v", when, s, names)
					}
				}
			}
			look("while open")
			db.Close()
			look("after closing")
			db = open(t, path, key)
			verify(t, db, 6000)
			fill(t, db, 6000, 6500)
			verify(t, db, 6500)
		})
	}
}

func TestManyReadersBesideTheWriter(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), keyA)
	fill(t, db, 0, 100)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 20 {
				err := db.Read(context.Background(), func(q sqlite.Queryer) error {
					return q.Query(`SELECT i, t FROM n`, func(scan func(...any) error) error {
						var i int
						var s string
						if err := scan(&i, &s); err != nil || s != text(i) {
							return fmt.Errorf("row %d: %d bytes, %w", i, len(s), err)
						}
						return nil
					})
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 20 {
		fill(t, db, 100+10*i, 110+10*i)
	}
	readers.Wait()
	verify(t, db, 300)
}

func TestTwoKeysInOneProcess(t *testing.T) {
	folder := t.TempDir()
	a, b := open(t, filepath.Join(folder, "a.db"), keyA), open(t, filepath.Join(folder, "b.db"), keyB)
	var both sync.WaitGroup
	for _, db := range []*sqlite.DB{a, b} {
		both.Go(func() { fill(t, db, 0, 500) })
	}
	both.Wait()
	verify(t, a, 500)
	a.Close()
	fill(t, b, 500, 600) // still goes on
	verify(t, b, 600)
}

func TestCopiesOfOneDatabaseShareTheirKeys(t *testing.T) {
	folder := t.TempDir()
	path, twin := filepath.Join(folder, "x.db"), filepath.Join(folder, "twin.db")
	db := open(t, path, keyA)
	fill(t, db, 0, 100)
	db.Close()
	for from, to := range map[string]string{path: twin, vault.KeyFile(path): vault.KeyFile(twin)} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err = os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one, two := open(t, path, keyA), open(t, twin, keyA)
	one.Close()
	fill(t, two, 100, 200)
	verify(t, two, 200) // on connections that are opened now
	two.Close()
	verify(t, open(t, twin, keyA), 200)
}

func TestInMemoryTheKeyHasNoUse(t *testing.T) {
	db := open(t, "", []byte("too short"))
	fill(t, db, 0, 10)
	verify(t, db, 10)
}

func TestNothingOpensAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	v, err := vault.Open(path, keyA)
	if err != nil {
		t.Fatal(err)
	}
	v.Close()
	v.Close()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?vfs="+v.VFS())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ping(); err == nil {
		t.Error("the name of a closed vault still opens files")
	}
}

func TestRegisteringFromManyGoroutines(t *testing.T) {
	folder := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 3 {
				db, err := sqlite.Open(sqlite.Config{Path: filepath.Join(folder, fmt.Sprint(i)), Key: keyA, Schemas: []sqlite.Schema{schema}})
				if err != nil {
					t.Error(err)
					return
				}
				db.Close()
			}
		})
	}
	all.Wait()
}
