package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"timbre/sqlite"
)

var key = []byte("0123456789abcdef")

func mended(path string, key []byte) sqlite.Config {
	return sqlite.Config{Path: path, Key: key, Schemas: []sqlite.Schema{schema}, Mend: true, AutoVacuum: true}
}

// crashed leaves what a killed process leaves: a file with rows, and a log with more.
func crashed(t *testing.T, path string, key []byte) {
	t.Helper()
	db := opened(t, mended(path, key))
	fill(t, db, 0, 300)
	if err := db.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	fill(t, db, 300, 310)
	copies := map[string][]byte{}
	for _, suffix := range []string{"", "-wal", ".lock"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil || len(b) == 0 {
			t.Fatalf("%s: %d bytes, %v", suffix, len(b), err)
		}
		copies[suffix] = b
	}
	db.Close()
	for suffix, b := range copies {
		write(t, path+suffix, b)
	}
}

func opened(t *testing.T, cfg sqlite.Config) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func fill(t *testing.T, db *sqlite.DB, from, to int) {
	t.Helper()
	if err := db.Write(context.Background(), func(tx *sqlite.Tx) error {
		for i := from; i < to; i++ {
			if err := tx.Exec(`INSERT INTO n (i,t) VALUES (?, hex(zeroblob(500)))`, i); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// spoil writes over some bytes of a file.
func spoil(t *testing.T, path string, at int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, n), at); err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, test func(t *testing.T, path string, key []byte)) {
	for name, k := range map[string][]byte{"plain": nil, "encrypted": key} {
		t.Run(name, func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "x.db"), k) })
	}
}

func TestAKilledProcessLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, path string, key []byte) {
		crashed(t, path, key)
		db := opened(t, mended(path, key))
		if c := db.Condition(); !c.Unclean || c.NoLog || c.Aside != "" {
			t.Errorf("the condition is %+v", c)
		}
		if n := count(t, db); n != 310 {
			t.Errorf("%d rows, want 310", n)
		}
		db.Close()
		if c := opened(t, mended(path, key)).Condition(); c != (sqlite.Condition{}) {
			t.Errorf("after a clean end the condition is %+v", c)
		}
	})
}

func TestADamagedFileIsSetAside(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"header":     func(t *testing.T, path string) { spoil(t, path, 0, 100) },
		"truncated":  func(t *testing.T, path string) { os.Truncate(path, 3*4096+100) },
		"empty":      func(t *testing.T, path string) { os.Truncate(path, 0) },
		"gone":       func(t *testing.T, path string) { os.Remove(path) },
		"text":       func(t *testing.T, path string) { write(t, path, bytes.Repeat([]byte("not a database "), 1000)) },
		"first page": func(t *testing.T, path string) { spoil(t, path, 100, 3000) },
	} {
		each(t, func(t *testing.T, path string, key []byte) {
			crashed(t, path, key)
			if name == "first page" || name == "header" { // the log has that page too
				os.Remove(path + "-wal")
			}
			damage(t, path)
			db := opened(t, mended(path, key))
			c := db.Condition()
			if c.Aside == "" || !sqlite.Damaged(c.Why) {
				t.Fatalf("%s: the condition is %+v", name, c)
			}
			if n := count(t, db); n != 0 {
				t.Errorf("%s: the new database has %d rows", name, n)
			}
			if _, err := os.Stat(c.Aside); err != nil && name != "gone" {
				t.Errorf("%s: %v", name, err)
			}
			fill(t, db, 0, 5)
			db.Close()
			if n := count(t, opened(t, mended(path, key))); n != 5 {
				t.Errorf("%s: %d rows in the new database, want 5", name, n)
			}
		})
	}
}

func TestWithoutMendDamageIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	crashed(t, path, nil)
	os.Remove(path + "-wal")
	spoil(t, path, 0, 4096)
	before, _ := os.ReadFile(path)
	if _, err := sqlite.Open(sqlite.Config{Path: path, Schemas: []sqlite.Schema{schema}}); !sqlite.Damaged(err) {
		t.Errorf("got %v, want an error that Damaged knows", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was touched (%v)", err)
	}
}

// A page in the middle is found by who reads it, by the patrol after a crash, and then by the next Open.
func TestADamagedPageIsFoundAndHealedNextTime(t *testing.T) {
	for _, crash := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) { foundAndHealed(t, crash) })
	}
}

func foundAndHealed(t *testing.T, crash bool) {
	path := filepath.Join(t.TempDir(), "x.db")
	crashed(t, path, nil)
	if !crash {
		opened(t, mended(path, nil)).Close()
	} else {
		os.Remove(path + "-wal")
		write(t, path+"-wal", nil)
		write(t, path+".lock", nil) // an older release: nothing is noted
		opened(t, mended(path, nil)).Close()
		write(t, path+".lock", []byte("open"))
		write(t, path+"-wal", []byte("x")) // too short to be one: SQLite passes it over
	}
	spoil(t, path, 40*4096, 5*4096)
	told := make(chan error, 1)
	cfg := mended(path, nil)
	cfg.Damage = func(err error) { told <- err }
	db := opened(t, cfg)
	if db.Condition().Aside != "" {
		t.Fatalf("crash %v: it was found at once: the start has read everything", crash)
	}
	if !crash {
		err := db.Read(context.Background(), func(q sqlite.Queryer) error {
			_, err := q.Get(`SELECT sum(length(t)) FROM n`, []any{new(int)})
			return err
		})
		if !sqlite.Damaged(err) {
			t.Fatalf("reading everything: %v", err)
		}
	}
	select {
	case err := <-told:
		if !sqlite.Damaged(err) {
			t.Errorf("told of %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("crash %v: nobody was told", crash)
	}
	fill(t, db, 1000, 1001) // the session goes on
	db.Close()
	if c := opened(t, mended(path, nil)).Condition(); c.Aside == "" {
		t.Errorf("crash %v: the next Open has not healed it: %+v", crash, c)
	}
}

// Whoever gets the error finds it in the log, though another met it first and is still telling it.
func TestDamageIsToldBeforeAnybodyGetsTheError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	crashed(t, path, nil)
	opened(t, mended(path, nil)).Close()
	spoil(t, path, 40*4096, 5*4096)
	var told atomic.Bool
	cfg := mended(path, nil)
	cfg.Damage = func(error) {
		for range 10_000 {
			runtime.Gosched()
		}
		told.Store(true)
	}
	db := opened(t, cfg)
	defer db.Close()
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			err := db.Read(context.Background(), func(q sqlite.Queryer) error {
				_, err := q.Get(`SELECT sum(length(t)) FROM n`, []any{new(int)})
				return err
			})
			if !sqlite.Damaged(err) || !told.Load() {
				t.Errorf("got %v, told before: %v", err, told.Load())
			}
		})
	}
	readers.Wait()
}

func TestALogOfAnotherFileIsNotTaken(t *testing.T) {
	each(t, func(t *testing.T, path string, key []byte) {
		other := filepath.Join(t.TempDir(), "y.db")
		crashed(t, other, nil)
		opened(t, mended(path, key)).Close()
		log, err := os.ReadFile(other + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		write(t, path+"-wal", log)
		db := opened(t, mended(path, key))
		if c := db.Condition(); !strings.HasPrefix(c.Stray, path+"-wal.corrupt-") || c.Aside != "" {
			t.Errorf("the condition is %+v", c)
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows of another database", n)
		}
	})
}

func TestADeletedLogCostsTheLastChangesOnly(t *testing.T) {
	each(t, func(t *testing.T, path string, key []byte) {
		crashed(t, path, key)
		os.Remove(path + "-wal")
		write(t, path+"-shm", bytes.Repeat([]byte("?"), 32768)) // whatever lies there counts for nothing
		db := opened(t, mended(path, key))
		if c := db.Condition(); !c.NoLog || c.Aside != "" {
			t.Errorf("the condition is %+v", c)
		}
		if n := count(t, db); n != 300 {
			t.Errorf("%d rows, want the 300 of the last checkpoint", n)
		}
	})
}

func TestAMissingFileIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if db := opened(t, mended(path, nil)); db.Condition() != (sqlite.Condition{}) {
		t.Errorf("a new file: %+v", db.Condition())
	} else {
		db.Close()
	}
	os.Remove(path)
	if c := opened(t, mended(path, nil)).Condition(); !c.Missing {
		t.Errorf("a file that has gone: %+v", c)
	}
}

func TestTwoDamagedFilesAreKept(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "x.db")
	for range 4 {
		write(t, path, bytes.Repeat([]byte("?"), 8192))
		db := opened(t, mended(path, nil))
		if db.Condition().Aside == "" {
			t.Fatal("not set aside")
		}
		db.Close()
	}
	all, err := filepath.Glob(path + ".corrupt-*")
	if err != nil || len(all) != 2 {
		t.Errorf("kept are %q (%v), want 2", all, err)
	}
}

func TestWhatIsSetAsideCanBeRead(t *testing.T) {
	each(t, func(t *testing.T, path string, key []byte) {
		crashed(t, path, key)
		db := opened(t, mended(path, key)) // with the log in the main file the pages have one place only
		db.Close()
		write(t, path+".lock", []byte("damaged"))
		spoil(t, path, 60*4096, 4096)
		c := opened(t, mended(path, key)).Condition()
		if c.Aside == "" {
			t.Fatalf("the condition is %+v", c)
		}
		n := 0
		err := sqlite.Inspect(context.Background(), c.Aside, key, func(q sqlite.Queryer) error {
			for i := range 310 {
				ok, err := q.Get(`SELECT i FROM n WHERE i=?`, []any{new(int)}, i)
				if ok && err == nil {
					n++
				}
			}
			return nil
		})
		if err != nil || n < 200 || n == 310 {
			t.Errorf("%d rows can be read (%v), want most and not all", n, err)
		}
	})
}

func TestUnusableFoldersAreErrors(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "file"), []byte("x"))
	if err := os.Mkdir(filepath.Join(folder, "x.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(folder, "file", "x.db"), filepath.Join(folder, "x.db")} {
		if _, err := sqlite.Open(mended(path, nil)); !sqlite.Unwritable(err) || errors.Is(err, sqlite.ErrLocked) {
			t.Errorf("%s: %v, want an error that Unwritable knows", filepath.Base(path), err)
		}
	}
}

func TestFreePagesGoBackToTheDisk(t *testing.T) {
	for _, auto := range []bool{true, false} {
		cfg := mended(filepath.Join(t.TempDir(), "x.db"), nil)
		cfg.AutoVacuum = auto
		db := opened(t, cfg)
		fill(t, db, 0, 20000)
		ctx := context.Background()
		if err := db.Write(ctx, func(tx *sqlite.Tx) error { return tx.Exec(`DELETE FROM n WHERE i>=100`) }); err != nil {
			t.Fatal(err)
		}
		rounds := 0
		for more := true; more; rounds++ {
			var err error
			if more, err = db.Shrink(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if auto != (rounds > 5) {
			t.Errorf("auto_vacuum %v: %d steps", auto, rounds)
		}
		if !auto {
			if err := db.Rewrite(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		var s sqlite.Space
		err := db.Read(ctx, func(q sqlite.Queryer) (err error) { s, err = sqlite.SpaceOf(q); return err })
		info, _ := os.Stat(cfg.Path)
		if err != nil || s.Free != 0 || s.Total > 400<<10 || info.Size() != s.Total {
			t.Errorf("auto_vacuum %v: %+v, the file has %d bytes (%v)", auto, s, info.Size(), err)
		}
		if n := count(t, db); n != 100 {
			t.Errorf("%d rows, want 100", n)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if found := integrity(t, cfg); found != "ok" {
			t.Error(found)
		}
	}
}
