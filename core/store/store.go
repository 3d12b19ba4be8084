// Package store is the local database of one account: it opens the file, gives modules their transactions and runs what
// they want to say after the commit, in commit order.
//
// Tables and SQL belong to the modules; the store knows only meta, a few words about the file itself. Every change is a
// job of package sqlite, so many calls of a busy host share one commit. What a transaction wants to tell the host is
// queued with After and runs when the commit has succeeded: an event never speaks of something that a crash could undo.
package store

import (
	"context"
	"errors"
	"log/slog"

	"timbre/core/guard"
	"timbre/sqlite"
)

// schema is the store's own table.
var schema = sqlite.Schema{Module: "store", Steps: []string{
	`CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT`,
}}

// ErrClosed says that the account's database has been closed, by logout for instance.
var ErrClosed = sqlite.ErrClosed

// Store is an open database. All methods may be called from any goroutine.
type Store struct {
	db    *sqlite.DB
	log   *slog.Logger
	aside string // the damaged file in whose place this one was begun, if ever
}

// Open opens or creates folder/timbre.db; with folder "" it works in memory and keeps nothing.
func Open(folder string, modules ...sqlite.Schema) (*Store, error) {
	return OpenWithKey(folder, nil, slog.New(slog.DiscardHandler), modules)
}

// Close finishes what is queued and closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Stats tells what the database is doing.
func (s *Store) Stats() sqlite.Stats { return s.db.Stats() }

// Tx is one change inside a transaction.
type Tx struct {
	*sqlite.Tx
	after *[]func()
}

// After queues fn for the moment after the commit. It must not block.
func (tx *Tx) After(fn func()) { *tx.after = append(*tx.after, fn) }

// Change is a change that somebody may wait for.
type Change struct {
	// Apply makes the change; see sqlite.Job.Apply.
	Apply func(*Tx) error
	// Failed is called when the change could not be made. May be nil.
	Failed func(error)
	// Durable asks for an fsync before what was queued with After runs.
	Durable bool

	settled func() // runs behind everything that was queued with After, by shared state of the batch too
}

// Submit queues a change and returns at once.
func (s *Store) Submit(c Change) {
	var after []func()
	s.db.Submit(sqlite.Job{
		Durable: c.Durable,
		Apply: func(t *sqlite.Tx) error {
			after = after[:0]
			return c.Apply(&Tx{Tx: t, after: &after})
		},
		Done: func(err error) {
			if err != nil {
				if c.Failed != nil {
					s.run(func() { c.Failed(err) })
				}
				return
			}
			for _, fn := range after {
				s.run(fn)
			}
			if c.settled != nil {
				c.settled()
			}
		},
	})
}

// run keeps a mistake in what a module wants to say from ending the writer, and the host with it.
func (s *Store) run(fn func()) { guard.Run(s.log, "after a commit", fn) }

// Write makes a change and waits until it is committed and its After functions have run.
func (s *Store) Write(ctx context.Context, apply func(*Tx) error) error {
	done := make(chan error, 1)
	s.Submit(Change{Apply: apply, Failed: func(err error) { done <- err }, settled: func() { done <- nil }})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Settle writes the database's log back into its main file.
func (s *Store) Settle(ctx context.Context) error { return s.db.Settle(ctx) }

// Shrink gives free pages back to the disk, some at a time, until ctx ends or none is left; pause is called in between.
// Files of older releases can do so only with rewrite: then they are written anew, which takes as much room again for the
// moment and keeps every other change waiting.
func (s *Store) Shrink(ctx context.Context, rewrite bool, pause func()) error {
	for more := true; more && ctx.Err() == nil; pause() {
		var err error
		if more, err = s.db.Shrink(ctx); err != nil {
			return err
		}
	}
	space, err := s.Space(ctx)
	if err == nil && rewrite && space.Free > 0 {
		err = s.db.Rewrite(ctx)
	}
	if err != nil {
		return err
	}
	return s.Settle(ctx)
}

// Space measures the database.
func (s *Store) Space(ctx context.Context) (space sqlite.Space, err error) {
	err = s.Read(ctx, func(q sqlite.Queryer) error {
		space, err = sqlite.SpaceOf(q)
		return err
	})
	return space, err
}

// Read sees everything that was submitted before.
func (s *Store) Read(ctx context.Context, fn func(sqlite.Queryer) error) error {
	return s.db.Read(ctx, fn)
}

// Meta returns a word about the database, "" when it was never set.
func Meta(q sqlite.Queryer, key string) (string, error) {
	var v string
	_, err := q.Get(`SELECT value FROM meta WHERE key=?`, []any{&v}, key)
	return v, err
}

// SetMeta keeps a word about the database.
func SetMeta(tx *sqlite.Tx, key, value string) error {
	return tx.Exec(`INSERT INTO meta VALUES (?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value`, key, value)
}

// InUse says whether err means that another process has the database.
func InUse(err error) bool { return errors.Is(err, sqlite.ErrLocked) }
