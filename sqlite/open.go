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
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"timbre/sqlite/vault"
)

func (db *DB) open() error {
	if db.cfg.Path == "" {
		return db.connect()
	}
	if err := db.claim(); err != nil {
		return err
	}
	err := db.openFile()
	if err == nil || !db.cfg.Mend || !Damaged(err) {
		return err
	}
	_ = db.disconnect()
	db.readers, db.conn, db.pool, db.vault = nil, nil, nil, nil
	db.damaged.Store(true)
	if err := db.setAside(err); err != nil {
		_ = db.lock.mark(stateDamaged)
		return err
	}
	db.damaged.Store(false)
	return db.openFile()
}

// claim takes the lock.
func (db *DB) claim() (err error) {
	if err = os.MkdirAll(filepath.Dir(db.cfg.Path), 0o700); err == nil {
		db.lock, err = lockFile(db.cfg.Path + ".lock")
	}
	return err
}

// openFile opens the file as it is.
func (db *DB) openFile() (err error) {
	if db.vault, err = vault.Open(db.cfg.Path, db.cfg.Key); err != nil {
		return err
	}
	wrong := db.lock.state() == stateDamaged && db.condition.Aside == ""
	if db.cfg.Mend {
		if err := db.look(); err != nil {
			return err
		}
	}
	// Only the owner may read it; SQLite gives the files beside it the same mode.
	file, err := os.OpenFile(db.cfg.Path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	file.Close()
	if db.cfg.Mend {
		if err := db.lock.mark(stateOpen); err != nil {
			return err
		}
		db.opened = true
	}
	err = db.connect()
	// An error of SQL may come of damage too: of a row that cannot be found, for one.
	if db.cfg.Mend && db.conn != nil && (err == nil && (wrong || db.condition.NoLog) || codeOf(err) == sqlite3.SQLITE_ERROR) {
		return errors.Join(soundness(db.conn), err)
	}
	return err
}

// connect opens the connections to the file.
func (db *DB) connect() (err error) {
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
	db.writer = newWriter(db.conn, db.cfg.Full, &db.work)
	db.writer.suspect = db.suspect
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
		pragma(fmt.Sprintf("cache_size(-%d)", db.cfg.ReaderCacheKB))
	} else {
		if db.cfg.AutoVacuum { // the driver runs pragmas in alphabetical order: before journal_mode, as it must be
			pragma("auto_vacuum(INCREMENTAL)")
		}
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

func (db *DB) release() error {
	db.end()
	db.watch.Wait()
	err := db.disconnect()
	if db.lock != nil {
		db.ended()
		err = errors.Join(err, db.lock.release())
	}
	return err
}

// disconnect closes everything but the lock.
func (db *DB) disconnect() error {
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
	return errors.Join(errs...)
}
