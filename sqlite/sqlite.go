// Package sqlite is how both sides of Timbre keep their state: one SQLite file with a single writer and a few readers.
//
// Every change is a Job. Jobs wait in a queue; the writer goroutine takes all that are waiting, runs them in one
// transaction (BEGIN IMMEDIATE), commits once and then reports to each job in the order of submission. That is group
// commit without a timer: the time of one commit is the window in which the next batch gathers. A message therefore
// costs a share of an fsync under load and exactly one fsync when the system is idle.
//
// Jobs of one batch share the fate of the transaction. When one of them fails, the transaction is rolled back and each
// job runs again alone, so that the failure stays with its owner. Jobs must therefore be repeatable: they read and
// write through the Tx and touch nothing else before Done is called.
//
// Reads run on other connections (WAL lets them see the last commit while the writer works) and wait for the jobs that
// were submitted before them, so a caller always reads its own writes.
//
// Rejected: a connection pool that writes (SQLITE_BUSY and retries under load), savepoints per job (two extra
// statements for every job to guard against a rare failure), an ORM (the hot statements are few and known).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"timbre/sqlite/vault"
)

// Config says which file to open and how.
type Config struct {
	Path    string   // file name; "" opens a private database in memory without readers
	Key     []byte   // 16 bytes that encrypt the file, see package vault; nil: plain. Unused in memory
	Readers int      // read connections, 4 when 0
	Full    bool     // synchronous=FULL for every commit; else only for batches with a Durable job
	CacheMB int      // page cache of the writer in MiB, 8 when 0
	Schemas []Schema // tables, applied in this order
}

// Schema is the tables of one module as a list of steps. Step n brings the module from version n to n+1. Steps that
// were released never change; a change of the tables is a new step.
type Schema struct {
	Module string
	Steps  []string
}

var (
	// ErrLocked says that another process has the file open.
	ErrLocked = errors.New("the database is in use by another process")
	// ErrNewer says that a newer release wrote the file. It is left untouched.
	ErrNewer = errors.New("the database was written by a newer release")
	// ErrKey says that the key is not the one the file was created with, or none. The file is left untouched.
	ErrKey = vault.ErrKey
	// ErrClosed says that the database has been closed.
	ErrClosed = errors.New("the database is closed")
)

// DB is an open database. All methods may be called from any goroutine.
type DB struct {
	cfg     Config
	lock    *fileLock
	vault   *vault.Vault // nil: plain
	pool    *sql.DB      // owns the writer's connection
	conn    *sql.Conn
	readers *sql.DB

	readStmts sync.Map // query text -> *sql.Stmt

	mu      sync.Mutex
	queue   []Job
	busy    bool // the writer holds a batch
	closing bool
	wake    chan struct{}
	stopped chan struct{}

	writer writer
}

// Open opens or creates the file, takes its lock, applies the schemas and starts the writer.
func Open(cfg Config) (*DB, error) {
	if cfg.Readers == 0 {
		cfg.Readers = 4
	}
	if cfg.CacheMB == 0 {
		cfg.CacheMB = 8
	}
	db := &DB{cfg: cfg, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	if err := db.open(); err != nil {
		db.release()
		return nil, err
	}
	go db.run()
	return db, nil
}

func (db *DB) open() error {
	if db.cfg.Path != "" {
		if err := os.MkdirAll(filepath.Dir(db.cfg.Path), 0o700); err != nil {
			return err
		}
		lock, err := lockFile(db.cfg.Path + ".lock")
		if err != nil {
			return err
		}
		db.lock = lock
		if db.vault, err = vault.Open(db.cfg.Path, db.cfg.Key); err != nil {
			return err
		}
		db.cfg.Key = nil // not kept longer than needed
		// Only the owner may read it; SQLite gives the files beside it the same mode.
		file, err := os.OpenFile(db.cfg.Path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		file.Close()
	}
	var err error
	if db.pool, err = sql.Open("sqlite", db.dsn(false)); err != nil {
		return err
	}
	db.pool.SetMaxOpenConns(1)
	if db.conn, err = db.pool.Conn(context.Background()); err != nil {
		return err
	}
	if err = migrate(db.conn, db.cfg.Schemas); err != nil {
		return err
	}
	db.writer = newWriter(db.conn, db.cfg.Full)
	if db.cfg.Path == "" {
		return nil
	}
	if db.readers, err = sql.Open("sqlite", db.dsn(true)); err != nil {
		return err
	}
	db.readers.SetMaxOpenConns(db.cfg.Readers)
	db.readers.SetMaxIdleConns(db.cfg.Readers)
	return nil
}

// dsn builds the driver's data source name. Pragmas travel in it because the pool may open connections at any time.
func (db *DB) dsn(reader bool) string {
	if db.cfg.Path == "" {
		return ":memory:"
	}
	q := url.Values{}
	pragma := func(p string) { q.Add("_pragma", p) }
	pragma("busy_timeout(5000)")
	if reader {
		pragma("query_only(1)")
	} else {
		pragma("journal_mode(WAL)")
		pragma("synchronous(" + map[bool]string{true: "FULL", false: "NORMAL"}[db.cfg.Full] + ")")
		pragma("wal_autocheckpoint(4000)")
		pragma("journal_size_limit(67108864)")
		pragma("foreign_keys(0)")
		pragma(fmt.Sprintf("cache_size(-%d)", db.cfg.CacheMB*1024))
	}
	if vfs := db.vault.VFS(); vfs != "" {
		q.Set("vfs", vfs)
	}
	path := (&url.URL{Path: filepath.ToSlash(db.cfg.Path)}).EscapedPath()
	return "file:" + strings.TrimPrefix(path, "./") + "?" + q.Encode()
}

// Close runs what is queued, writes the log back into the main file and closes everything. It may be called twice.
func (db *DB) Close() error {
	db.mu.Lock()
	already := db.closing
	db.closing = true
	db.mu.Unlock()
	if already {
		<-db.stopped
		return nil
	}
	db.signal()
	<-db.stopped
	return db.release()
}

func (db *DB) release() error {
	var errs []error
	if db.readers != nil {
		db.readStmts.Range(func(_, s any) bool { s.(*sql.Stmt).Close(); return true })
		errs = append(errs, db.readers.Close())
	}
	if db.conn != nil {
		db.writer.closeStatements()
		if db.cfg.Path != "" {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			_, _ = db.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // best effort: the next open does it
			cancel()
		}
		errs = append(errs, db.conn.Close())
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	db.vault.Close()
	if db.lock != nil {
		errs = append(errs, db.lock.release())
	}
	return errors.Join(errs...)
}

// Queued returns how many jobs wait for the writer.
func (db *DB) Queued() int {
	db.mu.Lock()
	defer db.mu.Unlock()
	return len(db.queue)
}
