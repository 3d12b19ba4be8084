package store

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"timbre/sqlite"
)

// Explain is what went wrong with the database, in words for the application's developer.
func Explain(err error) string {
	var text string
	switch {
	case InUse(err):
		return "another process or instance uses this account's data folder"
	case WrongKey(err):
		return "the key does not fit the database, or it was made without one"
	case errors.Is(err, sqlite.ErrNewer):
		return err.Error()
	case sqlite.Full(err):
		text = "the disk is full"
	case sqlite.Damaged(err):
		text = "the database is damaged; the next login heals it"
	case sqlite.Unwritable(err):
		text = "the data folder or a file in it cannot be written"
	case sqlite.Unreadable(err):
		text = "the disk cannot be read or written"
	default:
		return err.Error()
	}
	return text + ": " + err.Error()
}

// report says in the log what was found when the database was opened, and what was done.
func report(c sqlite.Condition, log *slog.Logger) {
	if c.Unclean {
		log.Info("the database was not closed the last time")
	}
	if c.NoLog {
		log.Warn("the database's log has gone: the last changes are lost, the server has what it knows of them")
	}
	if c.Missing {
		log.Warn("the database has gone: a new one is made of what the server has")
	}
	if c.Stray != "" {
		log.Warn("a log that is not the database's was set aside", "file", filepath.Base(c.Stray))
	}
	if c.Aside != "" {
		log.Error("the database was damaged: it was set aside, a new one is made of what the server has", "file", filepath.Base(c.Aside), "err", c.Why)
	}
}

// metaSalvaged names the damaged file from which everything has been taken over.
const metaSalvaged = "salvaged"

// Inspect lets fn read what is left of the damaged file that was set aside in this one's place; any query may fail. It
// returns the file's name, for Salvaged, or "" when there is none or everything has been taken over from it.
func (s *Store) Inspect(ctx context.Context, key []byte, fn func(sqlite.Queryer) error) (name string, err error) {
	if s.aside == "" {
		return "", nil
	}
	var done string
	if err := s.Read(ctx, func(q sqlite.Queryer) error {
		done, err = Meta(q, metaSalvaged)
		return err
	}); err != nil || done == filepath.Base(s.aside) {
		return "", err
	}
	return filepath.Base(s.aside), sqlite.Inspect(ctx, s.aside, key, fn)
}

// Salvaged notes that everything has been taken over from a file that Inspect named.
func Salvaged(tx *Tx, name string) error { return SetMeta(tx.Tx, metaSalvaged, name) }

// Damaged says whether the database turned out to be damaged after it was opened: opening it again heals it.
func (s *Store) Damaged() bool { return s.db.Suspect() }
