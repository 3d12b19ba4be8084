package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrDamaged says that the content of the file is not that of a sound database.
var ErrDamaged = errors.New("the database is damaged")

// Damaged says whether err means that the file's content is not that of a sound database.
func Damaged(err error) bool {
	code := codeOf(err)
	return errors.Is(err, ErrDamaged) || code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// Full says whether err means that the disk has no room.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || codeOf(err) == sqlite3.SQLITE_FULL
}

// Unwritable says whether err means that the folder or a file in it cannot be used for lack of permission, or because it
// is something else.
func Unwritable(err error) bool {
	for _, e := range []error{fs.ErrPermission, syscall.EROFS, syscall.ENOTDIR, syscall.EISDIR} {
		if errors.Is(err, e) {
			return true
		}
	}
	code := codeOf(err)
	return code == sqlite3.SQLITE_READONLY || code == sqlite3.SQLITE_CANTOPEN || code == sqlite3.SQLITE_PERM
}

// Unreadable says whether err means that the disk failed to read or write.
func Unreadable(err error) bool { return codeOf(err) == sqlite3.SQLITE_IOERR }

// codeOf is SQLite's primary result code, 0 for errors of others.
func codeOf(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// suspect notes that an error speaks of damage: the next Open looks at the file before anybody works with it. When it
// returns, the damage has been told, whoever of several met it first: nobody gets the error before it is in the log.
func (db *DB) suspect(err error) {
	if err == nil || !db.cfg.Mend || db.lock == nil || !Damaged(err) {
		return
	}
	db.telling.Lock()
	defer db.telling.Unlock()
	if db.damaged.Swap(true) {
		return
	}
	_ = db.lock.mark(stateDamaged) // without the mark the next error finds it again
	if db.cfg.Damage != nil {
		db.cfg.Damage(err)
	}
}

// Suspect says whether an error has spoken of damage since the file was opened.
func (db *DB) Suspect() bool { return db.damaged.Load() }

// soundness checks the structure of the whole file, the search index included.
func soundness(conn *sql.Conn) error {
	return checked(context.Background(), conn, `PRAGMA quick_check(1)`)
}

func checked(ctx context.Context, conn *sql.Conn, pragma string) error {
	var found string
	if err := conn.QueryRowContext(ctx, pragma).Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, found)
	}
	return nil
}

const (
	// patrolDelay lets whoever opened the database begin first.
	patrolDelay = 10 * time.Second
	// patrolTime is how long one table is looked at. A million messages would take ten times as long.
	patrolTime = 2 * time.Second
)

// patrol checks the tables one by one beside everything else, after an end that was not clean: as much of each as there is
// time for. Virtual tables stay out; the tables that they are made of are checked.
func (db *DB) patrol(ctx context.Context) {
	select {
	case <-time.After(patrolDelay):
	case <-ctx.Done():
		return
	}
	conn, err := db.readers.Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	tables, err := ordinaryTables(ctx, conn)
	for _, name := range tables {
		if err == nil {
			err = glance(ctx, conn, name)
		}
	}
	if ctx.Err() == nil {
		db.suspect(err)
	}
}

func glance(ctx context.Context, conn *sql.Conn, table string) error {
	short, cancel := context.WithTimeout(ctx, patrolTime)
	defer cancel()
	err := checked(short, conn, fmt.Sprintf(`PRAGMA quick_check("%s")`, table))
	if short.Err() != nil && !Damaged(err) { // what was seen of it is sound
		return nil
	}
	return err
}

func ordinaryTables(ctx context.Context, conn *sql.Conn) (names []string, err error) {
	rows, err := conn.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type='table' AND sql NOT LIKE 'CREATE VIRTUAL%'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
