package vault_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"timbre/sqlite/vault"
)

// raw opens a database without package sqlite, for what that does not do.
func raw(t *testing.T, path string, key []byte, pragmas ...string) *sql.DB {
	t.Helper()
	v, err := vault.Open(path, key)
	if err != nil {
		t.Fatal(err)
	}
	dsn := "file:" + filepath.ToSlash(path) + "?vfs=" + v.VFS()
	for _, p := range pragmas {
		dsn += "&_pragma=" + p
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close(); v.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func value(t *testing.T, db *sql.DB, query string) (v string) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// many inserts and changes rows of 1 KiB that hold the marker.
const (
	many    = `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<2000) INSERT INTO n SELECT i, '` + marker + `' || hex(zeroblob(500)) FROM c`
	digest  = `SELECT count(*) || ' ' || sum(length(t)) || ' ' || max(t) FROM n`
	change  = `UPDATE n SET t = 'changed ' || i`
	content = `CREATE TABLE n (i INTEGER PRIMARY KEY, t TEXT)`
)

func TestRollbackJournals(t *testing.T) {
	for _, mode := range []string{"DELETE", "TRUNCATE", "PERSIST"} {
		t.Run(mode, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "x.db")
			db := raw(t, path, keyA, "journal_mode("+mode+")", "cache_size(10)") // a small cache spills into the file early
			run(t, db, content, many)
			before := value(t, db, digest)
			run(t, db, "BEGIN", change)
			if b, err := os.ReadFile(path + "-journal"); err != nil || len(b) < 1<<20 {
				t.Fatalf("the journal has %d bytes (%v), want the old pages in it", len(b), err)
			}
			if names := seen(t, folder, marker); names != nil {
				t.Errorf("the marker is in the files %v", names)
			}
			run(t, db, "ROLLBACK")
			if after := value(t, db, digest); after != before {
				t.Errorf("after the rollback %q, want %q", after, before)
			}
			run(t, db, "BEGIN", change, "SAVEPOINT s", "DELETE FROM n", "ROLLBACK TO s", "COMMIT")
			if after := value(t, db, `SELECT count(*) || min(t) FROM n`); after != "2000changed 1" {
				t.Errorf("after the commit: %s", after)
			}
			if state := value(t, db, "PRAGMA integrity_check"); state != "ok" {
				t.Error(state)
			}
		})
	}
}

func TestSeveralFilesInOneTransaction(t *testing.T) { // their journals name the super-journal at their very end
	folder := t.TempDir()
	path, second := filepath.Join(folder, "x.db"), filepath.Join(folder, "y.db")
	db := raw(t, path, keyA, "journal_mode(DELETE)", "cache_size(10)")
	run(t, db, content, "ATTACH '"+second+"' AS y", "CREATE TABLE y.m (t TEXT)", many)
	run(t, db, "BEGIN", change, "INSERT INTO y.m SELECT '"+marker+"' FROM n", "COMMIT")
	if n := value(t, db, "SELECT count(*) FROM y.m"); n != "2000" {
		t.Errorf("%s rows in the second file", n)
	}
	if names := seen(t, folder, marker); names != nil {
		t.Errorf("the marker is in the files %v", names)
	}
}

func TestCheckpointVacuumAndSorting(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "x.db")
	db := raw(t, path, keyA, "journal_mode(WAL)", "cache_size(10)", "temp_store(FILE)", "mmap_size(100000000)")
	run(t, db, content, many)
	before := value(t, db, digest)
	run(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log after its truncation: %v, %v", info, err)
	}
	run(t, db, "CREATE TEMP TABLE s AS SELECT * FROM n ORDER BY t, i DESC", "DELETE FROM n WHERE i%2", "VACUUM",
		"INSERT INTO n SELECT * FROM s WHERE i%2", "CREATE INDEX x ON n (t, i)", "PRAGMA wal_checkpoint(FULL)")
	if after := value(t, db, digest); after != before {
		t.Errorf("%q became %q", before, after)
	}
	if state := value(t, db, "PRAGMA integrity_check"); state != "ok" {
		t.Error(state)
	}
	if names := seen(t, folder, marker); names != nil {
		t.Errorf("the marker is in the files %v", names)
	}
}
