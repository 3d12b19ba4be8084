package store

import (
	"errors"
	"log/slog"
	"path/filepath"

	"timbre/sqlite"
)

// Page caches of the writer and of each of the four readers. They are small: what they do not have comes from the system's
// cache. Readers look for single pages of history and for lists that are read once.
const (
	writerCacheMB = 4
	readerCacheKB = 512
)

// OpenWithKey is Open for a database that is encrypted with a key of 16 bytes; see package vault. With key nil it is
// plain. A key that does not fit the file is an error that WrongKey knows, and the file stays as it is. With folder ""
// the key has no use.
//
// A damaged file is set aside and a new one begun; Inspect reads what is left of it.
func OpenWithKey(folder string, key []byte, log *slog.Logger, modules []sqlite.Schema) (*Store, error) {
	cfg := sqlite.Config{Key: key, Schemas: append([]sqlite.Schema{schema}, modules...), CacheMB: writerCacheMB, ReaderCacheKB: readerCacheKB,
		AutoVacuum: true, Mend: true, Damage: func(err error) {
			log.Error("the database is damaged; the next login heals it", "err", err)
		}}
	if folder != "" {
		cfg.Path = filepath.Join(folder, "timbre.db")
	}
	db, err := sqlite.Open(cfg)
	if err != nil {
		return nil, err
	}
	report(db.Condition(), log)
	s := &Store{db: db, log: log}
	if cfg.Path != "" {
		s.aside = sqlite.NewestAside(cfg.Path)
	}
	return s, nil
}

// WrongKey says whether err means that the key does not fit the database: another one, one too many or none.
func WrongKey(err error) bool { return errors.Is(err, sqlite.ErrKey) }
