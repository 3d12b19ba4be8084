package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Condition is what Open found, and what it did about it. It is kept for files that are mended only.
type Condition struct {
	Unclean bool   // whoever had the file open last did not close it
	NoLog   bool   // and its write-ahead log has gone since: the last changes are lost
	Missing bool   // there was a database, and its file is gone or empty: a new one was begun
	Aside   string // where the damaged file is now; a new one was begun in its place
	Stray   string // where a write-ahead log is now that was not this file's
	Why     error  // what was wrong with the damaged file
}

// The lock file says how the file's last use ended. An empty one is of a release that did not note it.
const (
	stateOpen    = "open"
	stateClosed  = "closed"  // everything is in the main file; a log that is there all the same is a stranger
	stateDamaged = "damaged" // an error said so
)

func (l *fileLock) state() string {
	b, err := io.ReadAll(io.NewSectionReader(l.f, 0, 16))
	if err != nil {
		return ""
	}
	return string(b)
}

// mark writes the state and brings it to the disk: one that says "closed" beside a log in use would cost the log.
func (l *fileLock) mark(state string) error {
	if l.state() == state {
		return nil
	}
	err := l.f.Truncate(0)
	if err == nil {
		_, err = l.f.WriteAt([]byte(state), 0)
	}
	return errors.Join(err, l.f.Sync())
}

// look compares the files with how their last use ended, before SQLite sees them.
func (db *DB) look() error {
	state, path := db.lock.state(), db.cfg.Path
	main, wal := sizeOf(path), sizeOf(path+"-wal")
	c := &db.condition
	c.Unclean = state == stateOpen || state == stateDamaged
	switch {
	case main == 0 && wal > 0:
		return fmt.Errorf("%w: the file is gone or empty, but its log is not", ErrDamaged)
	case main == 0:
		c.Missing, c.Unclean = state != "" && c.Aside == "", false
	case state == stateClosed && wal > 0:
		c.Stray = path + "-wal" + asideMark + moment()
		if err := os.Rename(path+"-wal", c.Stray); err != nil {
			return err
		}
	case c.Unclean && wal == 0:
		c.NoLog = true
	}
	return nil
}

// sizeOf is 0 for what is not there.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil || errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	return info.Size()
}

// ended notes that everything is in the main file, if it is.
func (db *DB) ended() {
	if db.cfg.Mend && db.opened && !db.damaged.Load() && sizeOf(db.cfg.Path+"-wal") == 0 {
		_ = db.lock.mark(stateClosed) // else the next Open looks at the file
	}
}

// Condition returns what Open found.
func (db *DB) Condition() Condition { return db.condition }
