package sqlite

import (
	"context"
	"fmt"
)

// Space is how large a database is, in bytes.
type Space struct {
	Total int64 // of the main file, when the log has been written back
	Free  int64 // of it not in use
}

// SpaceOf measures a database.
func SpaceOf(q Queryer) (s Space, err error) {
	_, err = q.Get(`SELECT page_count*page_size, freelist_count*page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
		[]any{&s.Total, &s.Free})
	return s, err
}

// ShrinkStep is how many pages Shrink gives back at a time.
const ShrinkStep = 500

// Shrink gives some free pages back to the disk and says whether there are more. It can do so in files that were made
// with Config.AutoVacuum; in others it does nothing.
func (db *DB) Shrink(ctx context.Context) (more bool, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		before, after := 0, 0
		const count = `PRAGMA freelist_count`
		if _, err := tx.Get(count, []any{&before}); err != nil {
			return err
		}
		if err := tx.Exec(shrinkSome); err != nil {
			return err
		}
		_, err := tx.Get(count, []any{&after})
		more = after > 0 && after < before
		return err
	})
	if err != nil {
		return false, err
	}
	return more, nil
}

var shrinkSome = fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, ShrinkStep)

// Rewrite writes the whole file anew without its free pages, as one that Shrink works on. It takes as much room again
// for the moment, and every other job waits.
func (db *DB) Rewrite(ctx context.Context) error {
	return db.apart(ctx, `PRAGMA auto_vacuum=INCREMENTAL`, `VACUUM`)
}

// Settle writes the log back into the main file, as far as nobody reads older states, and makes the log empty.
func (db *DB) Settle(ctx context.Context) error {
	return db.apart(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
}

// apart runs statements in the writer's turn but outside of a transaction.
func (db *DB) apart(ctx context.Context, statements ...string) error {
	done := make(chan error, 1)
	db.Submit(Job{alone: statements, Done: func(err error) { done <- err }})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
