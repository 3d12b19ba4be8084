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
// A database whose content can be had again from elsewhere may be opened with Mend: the lock file says how the last use
// ended, a file that is damaged is set aside with its log, and a new one takes its place. A check of the whole file costs
// seconds, so it is made only when an error spoke of damage or the log has gone; after a crash the tables are looked at
// beside everything else, and whatever damage turns up then is for the next Open.
//
// Rejected: a connection pool that writes (SQLITE_BUSY and retries under load), savepoints per job (two extra
// statements for every job to guard against a rare failure), an ORM (the hot statements are few and known), repair in place
// (what can be read of a damaged file is not what was written to it).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
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

	ReaderCacheKB int  // page cache of each reader in KiB, 2000 when 0
	AutoVacuum    bool // a new file can give free pages back, see Shrink
	// Mend has Open look for damage when there is reason to, set a damaged file aside and begin a new one; see Condition.
	// It is for a database that can be had again from elsewhere.
	Mend bool
	// Damage is told of the first error that speaks of damage. It must not block. May be nil; unused without Mend.
	Damage func(error)
}

// readerCacheKB is SQLite's own default.
const readerCacheKB = 2000

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

	mu        sync.Mutex
	queue     []Job
	busy      bool      // the writer holds a batch
	busySince time.Time // when it took the batch
	closing   bool
	wake      chan struct{}
	stopped   chan struct{}

	writer writer
	work   work

	condition Condition
	opened    bool        // the lock file says so
	damaged   atomic.Bool // an error said so
	telling   sync.Mutex  // held while it becomes known
	life      context.Context
	end       context.CancelFunc
	watch     sync.WaitGroup // patrol
}

// Open opens or creates the file, takes its lock, applies the schemas and starts the writer.
func Open(cfg Config) (*DB, error) {
	if cfg.Readers == 0 {
		cfg.Readers = 4
	}
	if cfg.CacheMB == 0 {
		cfg.CacheMB = 8
	}
	if cfg.ReaderCacheKB == 0 {
		cfg.ReaderCacheKB = readerCacheKB
	}
	db := &DB{cfg: cfg, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	db.life, db.end = context.WithCancel(context.Background())
	if err := db.open(); err != nil {
		db.release()
		return nil, err
	}
	db.cfg.Key = nil // not kept longer than needed
	go db.run()
	if db.condition.Unclean && db.cfg.Path != "" {
		db.watch.Go(func() { db.patrol(db.life) })
	}
	return db, nil
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

// Queued returns how many jobs wait for the writer.
func (db *DB) Queued() int {
	db.mu.Lock()
	defer db.mu.Unlock()
	return len(db.queue)
}
