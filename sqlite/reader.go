package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Reader reads the last committed state.
type Reader struct{ db *DB }

// Read calls fn once every job submitted before has been committed or refused. In a database in memory, which has one
// connection only, fn runs on the writer's goroutine: it must not submit and wait.
func (db *DB) Read(ctx context.Context, fn func(Queryer) error) error {
	if err := db.barrier(ctx); err != nil { // in memory too: a batch writes what its jobs share when the last one has run
		return err
	}
	if db.readers == nil {
		var err error
		if e := db.Write(ctx, func(tx *Tx) error { err = fn(tx); return nil }); e != nil {
			return e
		}
		return err
	}
	done := db.work.read()
	err := fn(Reader{db})
	done()
	if err != nil && db.isClosing() {
		return ErrClosed // the read was cut off, whatever it says
	}
	db.suspect(err)
	return err
}

func (db *DB) isClosing() bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.closing
}

// barrier waits for the jobs that are queued or running now.
func (db *DB) barrier(ctx context.Context) error {
	db.mu.Lock()
	idle := len(db.queue) == 0 && !db.busy
	db.mu.Unlock()
	if idle {
		return nil
	}
	return db.Write(ctx, func(*Tx) error { return nil })
}

func (r Reader) stmt(query string) (*sql.Stmt, error) {
	if s, ok := r.db.readStmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := r.db.readers.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	if old, loaded := r.db.readStmts.LoadOrStore(query, s); loaded {
		s.Close()
		return old.(*sql.Stmt), nil
	}
	return s, nil
}

// Query implements Queryer.
func (r Reader) Query(query string, row func(func(...any) error) error, args ...any) error {
	s, err := r.stmt(query)
	if err != nil {
		return err
	}
	return each(s, row, args)
}

// Get implements Queryer.
func (r Reader) Get(query string, dest []any, args ...any) (bool, error) {
	s, err := r.stmt(query)
	if err != nil {
		return false, err
	}
	return first(s, dest, args)
}
