package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"timbre/sqlite"
	"timbre/sqlite/faulty"
	"timbre/sqlite/vault"
)

// stored is a row that the test asked for, and what it was told.
type stored struct {
	i  int
	ok bool
}

// script works with a database as an account does and returns what it was told. The disk may fail anywhere in it.
func script(cfg sqlite.Config, heal func()) (told []stored, err error) {
	db, err := sqlite.Open(cfg)
	if err != nil {
		return nil, err
	}
	put := func(i int, durable bool) {
		done := make(chan error, 1)
		db.Submit(sqlite.Job{Durable: durable, Apply: func(tx *sqlite.Tx) error {
			return tx.Exec(`INSERT INTO n (i,t) VALUES (?, hex(zeroblob(1500)))`, i)
		}, Done: func(err error) { done <- err }})
		told = append(told, stored{i, <-done == nil})
	}
	for i := range 4 {
		put(i, i%2 == 0)
	}
	_ = db.Settle(context.Background())
	_ = db.Write(context.Background(), func(tx *sqlite.Tx) error { return tx.Exec(`DELETE FROM n WHERE i=1`) })
	_, _ = db.Shrink(context.Background())
	put(4, true)
	heal() // the same session goes on when there is room again
	for i := 5; i < 8; i++ {
		put(i, i%2 == 0)
		if !told[len(told)-1].ok {
			err = fmt.Errorf("row %d was refused by a healthy disk", i)
		}
	}
	if e := db.Close(); err == nil {
		err = e
	}
	return told, err
}

func TestEveryStepMayFail(t *testing.T) {
	disk, err := faulty.Install()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() { // no power fails here: a disk that costs nothing will do
		t.Setenv("TMPDIR", "/dev/shm")
	}
	for _, kind := range []faulty.Kind{faulty.Full, faulty.Broken} {
		for _, key := range [][]byte{nil, []byte("0123456789abcdef")} {
			refused, steps := 0, 0
			for step, last := 1, false; !last; step++ {
				cfg := sqlite.Config{Path: filepath.Join(t.TempDir(), "x.db"), Key: key, Schemas: []sqlite.Schema{schema}, AutoVacuum: true, Mend: true}
				disk.FailAt(step, kind)
				steps = step
				healed := false
				told, err := script(cfg, func() { last = disk.Heal() == 0; healed = true })
				disk.Heal()
				if err != nil && healed {
					t.Fatalf("kind %d, step %d: %v", kind, step, err)
				}
				if err != nil {
					refused++
				}
				kept(t, cfg, told, fmt.Sprintf("kind %d, step %d", kind, step))
			}
			t.Logf("kind %d, encrypted %v: %d steps, Open failed at %d", kind, key != nil, steps-1, refused)
			if refused == 0 {
				t.Errorf("kind %d: Open never failed: the disk is not what SQLite works on", kind)
			}
		}
	}
}

// kept looks at the file afterwards: what was confirmed is there, what was refused is not, and the file is sound.
func kept(t *testing.T, cfg sqlite.Config, told []stored, what string) {
	t.Helper()
	db, err := sqlite.Open(cfg)
	if err != nil {
		t.Fatalf("%s: opening again: %v", what, err)
	}
	if c := db.Condition(); c.Aside != "" || c.Stray != "" {
		t.Fatalf("%s: a file was set aside: %+v", what, c)
	}
	for _, row := range told {
		n := 0
		if err := db.Read(context.Background(), func(q sqlite.Queryer) error {
			_, err := q.Get(`SELECT count(*) FROM n WHERE i=?`, []any{&n}, row.i)
			return err
		}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if row.i != 1 && n == 1 != row.ok {
			t.Fatalf("%s: row %d is there %d times, confirmed: %v", what, row.i, n, row.ok)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if found := integrity(t, cfg); found != "ok" {
		t.Fatalf("%s: %s", what, found)
	}
}

func integrity(t *testing.T, cfg sqlite.Config) (found string) {
	t.Helper()
	v, err := vault.Open(cfg.Path, cfg.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	name := "file:" + filepath.ToSlash(cfg.Path)
	if v != nil {
		name += "?vfs=" + v.VFS()
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&found); err != nil {
		t.Fatal(err)
	}
	return found
}
