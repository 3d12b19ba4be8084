package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// migrate brings every module's tables to the newest version in one transaction, or leaves the file as it was.
func migrate(conn *sql.Conn, schemas []Schema) error {
	ctx := context.Background()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	const versions = `CREATE TABLE IF NOT EXISTS schema_version (module TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT`
	if _, err := tx.ExecContext(ctx, versions); err != nil {
		return err
	}
	for _, s := range schemas {
		if err := s.apply(ctx, tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (s Schema) apply(ctx context.Context, tx *sql.Tx) error {
	var have int
	err := tx.QueryRowContext(ctx, `SELECT version FROM schema_version WHERE module=?`, s.Module).Scan(&have)
	if err != nil && err != sql.ErrNoRows {
		return err
	}
	if have > len(s.Steps) {
		return fmt.Errorf("%w: %s has version %d, this release knows %d", ErrNewer, s.Module, have, len(s.Steps))
	}
	for v := have; v < len(s.Steps); v++ {
		if _, err := tx.ExecContext(ctx, s.Steps[v]); err != nil {
			return fmt.Errorf("%s: step %d: %w", s.Module, v+1, err)
		}
	}
	if have == len(s.Steps) {
		return nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO schema_version VALUES (?,?)
		ON CONFLICT(module) DO UPDATE SET version=excluded.version`, s.Module, len(s.Steps))
	return err
}
