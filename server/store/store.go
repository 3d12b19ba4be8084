// Package store keeps the server's state in one SQLite file and gives every change the same two things: a share in a
// group commit, and a moment after it when everything that the commit made visible can be sent out together.
//
// Modules own their tables and SQL; they get a *sqlite.Tx to change and a sqlite.Queryer to read. The store knows none
// of them. A PostgreSQL store will hand out the same two, which is why statements keep to the SQL both understand.
package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"path/filepath"

	"timbre/sqlite"
)

// File is the name of the database in the data folder.
const File = "timbred.db"

// Config says where the data is and what it is made of.
type Config struct {
	Dir     string
	Schemas []sqlite.Schema
	// Settled runs on the writer's goroutine after the last Done of a batch.
	Settled func()
}

// Store is the open database.
type Store struct {
	db      *sqlite.DB
	settled func()
	epoch   string
}

// Open opens or creates the database in the data folder.
func Open(cfg Config) (*Store, error) {
	own := sqlite.Schema{Module: "store", Steps: []string{
		`CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT`}}
	db, err := sqlite.Open(sqlite.Config{
		Path: filepath.Join(cfg.Dir, File), Full: true, CacheMB: 64,
		Schemas: append([]sqlite.Schema{own}, cfg.Schemas...),
	})
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, settled: cfg.Settled}
	if err := s.Write(context.Background(), s.loadEpoch); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// loadEpoch reads the epoch, which is made together with the file: positions of another file mean nothing in this one.
func (s *Store) loadEpoch(tx *sqlite.Tx) error {
	found, err := tx.Get(`SELECT value FROM meta WHERE name='epoch'`, []any{&s.epoch})
	if err != nil || found {
		return err
	}
	return s.setEpoch(tx)
}

func (s *Store) setEpoch(tx *sqlite.Tx) error {
	var b [8]byte
	rand.Read(b[:]) // never fails
	s.epoch = hex.EncodeToString(b[:])
	return tx.Exec(`INSERT INTO meta VALUES ('epoch',?) ON CONFLICT(name) DO UPDATE SET value=excluded.value`, s.epoch)
}

// RenewEpoch makes every client take a snapshot. A database that was restored from a backup needs it, because clients
// may know positions that the restored log is going to give to something else. It takes effect at the next start.
func (s *Store) RenewEpoch(ctx context.Context) error { return s.Write(ctx, s.setEpoch) }

// Epoch names this database's change logs.
func (s *Store) Epoch() string { return s.epoch }

// Submit queues a change. Apply may run twice; done runs once, after the commit, in the order of submission on the
// writer's goroutine, and must not block.
func (s *Store) Submit(apply func(*sqlite.Tx) error, done func(error)) {
	var mine batch
	var in *batch
	s.db.Submit(sqlite.Job{
		Apply: func(tx *sqlite.Tx) error {
			in = tx.Batch(batchKey{}, func() sqlite.Flusher { return &batch{} }).(*batch)
			in.last = &mine
			return apply(tx)
		},
		Done: func(err error) {
			done(err)
			if s.settled != nil && (err != nil || in.last == &mine) {
				s.settled()
			}
		},
	})
}

// batch remembers which job of a transaction came last: after its Done the batch is settled.
type batch struct{ last *batch }

type batchKey struct{}

// Flush implements sqlite.Flusher.
func (*batch) Flush(*sqlite.Tx) error { return nil }

// Write makes a change and waits for its commit.
func (s *Store) Write(ctx context.Context, apply func(*sqlite.Tx) error) error {
	return s.db.Write(ctx, apply)
}

// Read reads what was committed, and sees every change submitted before.
func (s *Store) Read(ctx context.Context, fn func(sqlite.Queryer) error) error {
	return s.db.Read(ctx, fn)
}

// Queued returns how many changes wait for the writer.
func (s *Store) Queued() int { return s.db.Queued() }

// Stats tells what the database is doing.
func (s *Store) Stats() sqlite.Stats { return s.db.Stats() }

// Close commits what is queued and closes the file.
func (s *Store) Close() error { return s.db.Close() }
