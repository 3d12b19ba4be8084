package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"timbre/sqlite"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("SQLITE_TEST_OPEN"); path != "" { // the second process of TestLockKeepsASecondProcessOut
		db, err := sqlite.Open(sqlite.Config{Path: path})
		switch {
		case errors.Is(err, sqlite.ErrLocked):
			os.Exit(3)
		case err != nil:
			os.Exit(4)
		}
		db.Close()
		os.Exit(0)
	}
	leaks.Main(m)
}

var schema = sqlite.Schema{Module: "test", Steps: []string{`CREATE TABLE n (i INTEGER PRIMARY KEY, t TEXT NOT NULL DEFAULT '') STRICT`}}

func open(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(sqlite.Config{Path: path, Schemas: []sqlite.Schema{schema}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// both runs a test on a file and in memory.
func both(t *testing.T, test func(t *testing.T, db *sqlite.DB)) {
	t.Run("file", func(t *testing.T) { test(t, open(t, filepath.Join(t.TempDir(), "x.db"))) })
	t.Run("memory", func(t *testing.T) { test(t, open(t, "")) })
}

func insert(i int) func(*sqlite.Tx) error {
	return func(tx *sqlite.Tx) error { return tx.Exec(`INSERT INTO n (i) VALUES (?)`, i) }
}

func count(t *testing.T, db *sqlite.DB) (n int) {
	t.Helper()
	err := db.Read(context.Background(), func(q sqlite.Queryer) error {
		_, err := q.Get(`SELECT count(*) FROM n`, []any{&n})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// hold keeps the writer inside a transaction until the returned function is called: what is submitted meanwhile forms
// one batch.
func hold(db *sqlite.DB) (release func()) {
	inside, let := make(chan struct{}), make(chan struct{})
	db.Submit(sqlite.Job{Apply: func(*sqlite.Tx) error { close(inside); <-let; return nil }})
	<-inside
	return func() { close(let) }
}

type flushed struct{ n *int }

func (f flushed) Flush(*sqlite.Tx) error { *f.n++; return nil }

func TestWaitingJobsShareOneCommit(t *testing.T) {
	both(t, func(t *testing.T, db *sqlite.DB) {
		release := hold(db)
		commits, order := 0, []int{}
		var all sync.WaitGroup
		for i := range 100 {
			all.Add(1)
			db.Submit(sqlite.Job{Apply: func(tx *sqlite.Tx) error {
				tx.Batch("commits", func() sqlite.Flusher { return flushed{&commits} })
				return insert(i)(tx)
			}, Done: func(err error) {
				if err != nil {
					t.Errorf("job %d: %v", i, err)
				}
				order = append(order, i)
				all.Done()
			}})
		}
		release()
		all.Wait()
		if commits != 1 {
			t.Errorf("100 waiting jobs took %d commits, want 1", commits)
		}
		for i, got := range order {
			if got != i {
				t.Fatalf("the results came as %v, want the order of submission", order)
			}
		}
		if n := count(t, db); n != 100 {
			t.Errorf("%d rows, want 100", n)
		}
	})
}

func TestAFailingJobFailsAlone(t *testing.T) {
	both(t, func(t *testing.T, db *sqlite.DB) {
		release := hold(db)
		var all sync.WaitGroup
		results := make([]error, 10)
		for i := range 10 {
			all.Add(1)
			apply := insert(i)
			switch i {
			case 3:
				apply = func(tx *sqlite.Tx) error {
					if err := tx.Exec(`INSERT INTO n (i) VALUES (1000)`); err != nil {
						return err
					}
					return errors.New("refused")
				}
			case 5:
				apply = func(tx *sqlite.Tx) error { panic("a job that panics") }
			case 7:
				apply = insert(6) // the key exists
			}
			db.Submit(sqlite.Job{Apply: apply, Done: func(err error) { results[i] = err; all.Done() }})
		}
		release()
		all.Wait()
		for i, err := range results {
			if bad := i == 3 || i == 5 || i == 7; bad != (err != nil) {
				t.Errorf("job %d: error %v", i, err)
			}
		}
		if n := count(t, db); n != 7 {
			t.Errorf("%d rows, want those of the 7 good jobs", n)
		}
	})
}

func TestReadersSeeTheirOwnWrites(t *testing.T) {
	both(t, func(t *testing.T, db *sqlite.DB) {
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 50 {
					id := g*1000 + i
					db.Submit(sqlite.Job{Apply: insert(id)})
					found := false
					err := db.Read(context.Background(), func(q sqlite.Queryer) (err error) {
						found, err = q.Get(`SELECT 1 FROM n WHERE i=?`, []any{new(int)}, id)
						return err
					})
					if err != nil || !found {
						t.Errorf("row %d right after it was submitted: found %v, error %v", id, found, err)
						return
					}
				}
			})
		}
		all.Wait()
	})
}

// late inserts a row when its batch ends.
type late int

func (l late) Flush(tx *sqlite.Tx) error { return insert(int(l))(tx) }

func TestReadersSeeWhatABatchWritesAtItsEnd(t *testing.T) {
	both(t, func(t *testing.T, db *sqlite.DB) {
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 50 {
					id := g*1000 + i
					db.Submit(sqlite.Job{Apply: func(tx *sqlite.Tx) error {
						tx.Batch(id, func() sqlite.Flusher { return late(id) })
						return nil
					}})
					found := false
					err := db.Read(context.Background(), func(q sqlite.Queryer) (err error) {
						found, err = q.Get(`SELECT 1 FROM n WHERE i=?`, []any{new(int)}, id)
						return err
					})
					if err != nil || !found {
						t.Errorf("row %d right after its job was submitted: found %v, error %v", id, found, err)
						return
					}
				}
			})
		}
		all.Wait()
	})
}

func TestReadersCannotWrite(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	err := db.Read(context.Background(), func(q sqlite.Queryer) error {
		return q.Query(`INSERT INTO n (i) VALUES (1) RETURNING i`, func(scan func(...any) error) error { return nil })
	})
	if err == nil {
		t.Error("a reader has written")
	}
}

func TestMemoryLeavesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	db := open(t, "")
	if err := db.Write(context.Background(), insert(1)); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir("."); len(files) != 0 {
		t.Errorf("files of a database in memory: %v", files)
	}
	other := open(t, "")
	if n := count(t, other); n != 0 {
		t.Errorf("a second database in memory has %d rows of the first", n)
	}
}

func TestSchemaSteps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	open(t, path).Close()
	longer := schema
	longer.Steps = append(longer.Steps[:1:1], `ALTER TABLE n ADD COLUMN extra INTEGER NOT NULL DEFAULT 7`)
	db, err := sqlite.Open(sqlite.Config{Path: path, Schemas: []sqlite.Schema{longer}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(context.Background(), func(tx *sqlite.Tx) error { return tx.Exec(`INSERT INTO n (i,extra) VALUES (1,2)`) }); err != nil {
		t.Errorf("the new column: %v", err)
	}
	db.Close()
	before, _ := os.ReadFile(path)
	if _, err = sqlite.Open(sqlite.Config{Path: path, Schemas: []sqlite.Schema{schema}}); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("an older release opens the file: %v, want ErrNewer", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the older release has changed the file")
	}
}

func TestABrokenStepChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	broken := sqlite.Schema{Module: "second", Steps: []string{`CREATE TABLE a (x)`, `CREATE nonsense`}}
	if _, err := sqlite.Open(sqlite.Config{Path: path, Schemas: []sqlite.Schema{schema, broken}}); err == nil {
		t.Fatal("a broken step was accepted")
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_schema`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d tables after a broken migration (%v), want 0", n, err)
	}
}

func TestLockKeepsASecondProcessOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	second := func() int {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SQLITE_TEST_OPEN="+path)
		_ = cmd.Run()
		return cmd.ProcessState.ExitCode()
	}
	db := open(t, path)
	if code := second(); code != 3 {
		t.Errorf("a second process while the file is open ended with %d, want 3 (ErrLocked)", code)
	}
	if _, err := sqlite.Open(sqlite.Config{Path: path}); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("the same process a second time: %v, want ErrLocked", err)
	}
	db.Close()
	if code := second(); code != 0 {
		t.Errorf("a second process after Close ended with %d", code)
	}
}

func TestCloseRunsWhatIsQueued(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path)
	release := hold(db)
	var done, after sync.WaitGroup
	done.Add(50)
	after.Add(50)
	for i := range 50 {
		db.Submit(sqlite.Job{Apply: insert(i), Done: func(err error) {
			if err != nil {
				t.Errorf("job %d: %v", i, err)
			}
			done.Done()
			db.Submit(sqlite.Job{Apply: insert(1000 + i), Done: func(err error) { // a Done may see its matter to the end
				if err != nil {
					t.Errorf("what job %d's Done submitted: %v", i, err)
				}
				after.Done()
			}})
		}})
	}
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	release()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	done.Wait()
	after.Wait()
	if err := db.Write(context.Background(), insert(9999)); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("a write after Close: %v, want ErrClosed", err)
	}
	if err := db.Read(context.Background(), func(sqlite.Queryer) error { return nil }); err != nil && !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("a read after Close: %v", err)
	}
	if n := count(t, open(t, path)); n != 100 {
		t.Errorf("%d rows in the reopened file, want 100", n)
	}
}

func TestStateOfABatchIsMadeAnewAfterAFailure(t *testing.T) {
	db := open(t, "")
	release := hold(db)
	flushes := 0
	var all sync.WaitGroup
	for i := range 3 {
		all.Add(1)
		db.Submit(sqlite.Job{Apply: func(tx *sqlite.Tx) error {
			tx.Batch("x", func() sqlite.Flusher { return flushed{&flushes} })
			if i == 1 {
				return fmt.Errorf("job %d", i)
			}
			return nil
		}, Done: func(error) { all.Done() }})
	}
	release()
	all.Wait()
	if flushes != 2 {
		t.Errorf("%d flushes, want one for each of the two jobs that ran alone and succeeded", flushes)
	}
}
