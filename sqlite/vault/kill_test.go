package vault_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"timbre/sqlite"
	"timbre/sqlite/vault"
)

// writeUntilKilled writes and prints the number of each row that is committed.
func writeUntilKilled(path, mode string) {
	if mode == "WAL" {
		db, err := sqlite.Open(sqlite.Config{Path: path, Key: keyA, Schemas: []sqlite.Schema{schema}})
		for i := 0; err == nil; i++ {
			err = db.Write(context.Background(), func(tx *sqlite.Tx) error {
				if _, err := tx.Insert(`INSERT INTO n (t) VALUES (?)`, text(i%1000)); err != nil {
					return err
				}
				return tx.Exec(`UPDATE n SET t=? WHERE i=?`, text((i+500)%1000), i/2)
			})
			fmt.Println(i + 1)
			if i%50 == 49 && err == nil { // a checkpoint writes into the main file
				err = db.Read(context.Background(), func(q sqlite.Queryer) error {
					return q.Query(`PRAGMA wal_checkpoint(PASSIVE)`, func(func(...any) error) error { return nil })
				})
			}
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	v, err := vault.Open(path, keyA)
	if err != nil {
		panic(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=journal_mode("+mode+")&_pragma=cache_size(10)&vfs="+v.VFS())
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	db.Exec(`CREATE TABLE IF NOT EXISTS n (i INTEGER PRIMARY KEY, t TEXT NOT NULL) STRICT`)
	for i := 0; err == nil; i++ {
		_, err = db.Exec(`BEGIN; INSERT INTO n (t) VALUES (?); UPDATE n SET t = t || '.' WHERE i%3=?; COMMIT`, text(i%1000), i%3)
		fmt.Println(i + 1)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestNothingIsLostWhenTheProcessDies(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for mode, commits := range map[string]int{"WAL": 1000, "DELETE": 120, "PERSIST": 120} {
		t.Run(mode, func(t *testing.T) {
			path, rows := filepath.Join(t.TempDir(), "x.db"), 0
			for range 3 {
				rows += killed(t, self, path, mode, 20+rand.IntN(commits))
				db := raw(t, path, keyA)
				if state := value(t, db, "PRAGMA integrity_check"); state != "ok" {
					t.Fatal(state)
				}
				n, err := strconv.Atoi(value(t, db, "SELECT count(*) FROM n"))
				if err != nil || n < rows || n > rows+2 { // what was committed and not yet printed
					t.Fatalf("%d rows, %d were committed", n, rows)
				}
				rows = n
				whole(t, db)
				db.Close()
			}
		})
	}
}

// whole checks that every row holds a text that the writer wrote.
func whole(t *testing.T, db *sql.DB) {
	t.Helper()
	all, err := db.Query("SELECT t FROM n")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	for all.Next() {
		var s string
		var i int
		if err := all.Scan(&s); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(s, &i); err != nil || strings.TrimRight(s, ".") != text(i) {
			t.Fatalf("a row of %d bytes is not what was written", len(s))
		}
	}
	if err := all.Err(); err != nil {
		t.Fatal(err)
	}
}

// killed runs the writer, kills it in the midst of its work when it has committed some rows, and returns how many it
// said it had.
func killed(t *testing.T, self, path, mode string, after int) (rows int) {
	t.Helper()
	child := exec.Command(self)
	child.Env = append(os.Environ(), "VAULT_TEST_WRITE="+path, "VAULT_TEST_MODE="+mode)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			rows = n
		}
		if rows == after {
			child.Process.Kill()
		}
	}
	child.Wait()
	if rows < after {
		t.Fatalf("the writer ended after %d rows", rows)
	}
	return rows
}
