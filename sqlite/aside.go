package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"timbre/sqlite/vault"
)

// asideMark stands between a file's name and the moment when it was set aside.
const asideMark = ".corrupt-"

// maxAside is how many damaged files are kept.
const maxAside = 2

func moment() string { return time.Now().UTC().Format("20060102-150405.000") }

// setAside renames the file with its log. The key file stays for the new one, a copy goes along.
func (db *DB) setAside(why error) error {
	path := db.cfg.Path
	aside := path + asideMark + moment()
	for _, suffix := range []string{"-wal", "-journal", ""} { // the file last: a crash in between leaves it where it is looked for
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(why, err)
		}
	}
	if err := os.Remove(path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(why, err)
	}
	if key, err := os.ReadFile(vault.KeyFile(path)); err == nil {
		_ = os.WriteFile(vault.KeyFile(aside), key, 0o600) // without it nothing can be read of it, that is all
	}
	db.condition.Aside, db.condition.Why = aside, why
	prune(path)
	return nil
}

// asides returns the moments of the files that were set aside, the oldest first.
func asides(path string) (moments []string) {
	all, _ := filepath.Glob(path + asideMark + "*") // a pattern in the path finds nothing
	for _, name := range all {
		m := strings.TrimPrefix(name, path+asideMark)
		m, _, _ = strings.Cut(m, "-wal")
		m, _, _ = strings.Cut(m, "-shm")
		m, _, _ = strings.Cut(m, "-journal")
		m = strings.TrimSuffix(m, ".key")
		if !slices.Contains(moments, m) {
			moments = append(moments, m)
		}
	}
	slices.Sort(moments)
	return moments
}

// prune removes all but the newest files that were set aside.
func prune(path string) {
	all := asides(path)
	for _, m := range all[:max(len(all)-maxAside, 0)] {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".key"} {
			_ = os.Remove(path + asideMark + m + suffix)
		}
	}
}

// NewestAside is the file that was set aside last in the place of path, "" when there is none.
func NewestAside(path string) string {
	all := asides(path)
	if len(all) == 0 {
		return ""
	}
	return path + asideMark + all[len(all)-1]
}

// Inspect lets fn read what can still be read of a file that was set aside, until ctx ends. Any query may fail.
func Inspect(ctx context.Context, path string, key []byte, fn func(Queryer) error) error {
	v, err := vault.Open(path, key)
	if err != nil {
		return err
	}
	defer v.Close()
	db := &DB{cfg: Config{Path: path, ReaderCacheKB: readerCacheKB}, vault: v}
	pool, err := sql.Open("sqlite", db.dsn(true))
	if err != nil {
		return err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	return fn(inspector{ctx, pool})
}

type inspector struct {
	ctx  context.Context
	pool *sql.DB
}

// Query implements Queryer.
func (i inspector) Query(query string, row func(func(...any) error) error, args ...any) error {
	rows, err := i.pool.QueryContext(i.ctx, query, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, row)
}

// Get implements Queryer.
func (i inspector) Get(query string, dest []any, args ...any) (bool, error) {
	return found(i.pool.QueryRowContext(i.ctx, query, args...).Scan(dest...))
}
