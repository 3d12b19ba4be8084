package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// Queryer reads. Tx and Reader implement it, so that a lookup is written once.
type Queryer interface {
	// Query calls row for every row of the result; row scans and returns. Arguments are bound, never spliced.
	Query(query string, row func(scan func(...any) error) error, args ...any) error
	// Get scans the first row. It returns false when there is none.
	Get(query string, dest []any, args ...any) (bool, error)
}

// Tx is the transaction of one batch, handed to each job in turn.
type Tx struct {
	w       *writer
	state   map[any]Flusher
	flushes []Flusher
}

// Flusher is state that the jobs of one batch share, written once before the commit.
type Flusher interface {
	Flush(*Tx) error
}

// Batch returns the state that belongs to key in this batch, made on first use. Its Flush runs before the commit, in
// the order of creation. It is how counters and log rows are written once for many jobs.
func (tx *Tx) Batch(key any, make func() Flusher) Flusher {
	if f, ok := tx.state[key]; ok {
		return f
	}
	if tx.state == nil {
		tx.state = map[any]Flusher{}
	}
	f := make()
	tx.state[key] = f
	tx.flushes = append(tx.flushes, f)
	return f
}

func (tx *Tx) flush() error {
	for _, f := range tx.flushes {
		if err := f.Flush(tx); err != nil {
			return err
		}
	}
	return nil
}

// Exec runs a statement.
func (tx *Tx) Exec(query string, args ...any) error {
	_, err := tx.exec(query, args)
	return err
}

// Insert runs an INSERT and returns the new row's id.
func (tx *Tx) Insert(query string, args ...any) (int64, error) {
	r, err := tx.exec(query, args)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// Change runs an UPDATE or DELETE and returns the number of rows that it touched.
func (tx *Tx) Change(query string, args ...any) (int64, error) {
	r, err := tx.exec(query, args)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (tx *Tx) exec(query string, args []any) (sql.Result, error) {
	s, err := tx.w.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

// Query implements Queryer.
func (tx *Tx) Query(query string, row func(func(...any) error) error, args ...any) error {
	s, err := tx.w.stmt(query)
	if err != nil {
		return err
	}
	return each(s, row, args)
}

// Get implements Queryer.
func (tx *Tx) Get(query string, dest []any, args ...any) (bool, error) {
	s, err := tx.w.stmt(query)
	if err != nil {
		return false, err
	}
	return first(s, dest, args)
}

func each(s *sql.Stmt, row func(func(...any) error) error, args []any) error {
	rows, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	return scanAll(rows, row)
}

func scanAll(rows *sql.Rows, row func(func(...any) error) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func first(s *sql.Stmt, dest, args []any) (bool, error) {
	return found(s.QueryRowContext(context.Background(), args...).Scan(dest...))
}

func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
