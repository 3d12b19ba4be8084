package store

import (
	"errors"
	"path/filepath"

	"timbre/sqlite"
)

// OpenWithKey is Open for a database that is encrypted with a key of 16 bytes; see package vault. With key nil it is
// plain. A key that does not fit the file is an error that WrongKey knows, and the file stays as it is. With folder ""
// the key has no use.
func OpenWithKey(folder string, key []byte, modules []sqlite.Schema) (*Store, error) {
	cfg := sqlite.Config{Key: key, Schemas: append([]sqlite.Schema{schema}, modules...)}
	if folder != "" {
		cfg.Path = filepath.Join(folder, "timbre.db")
	}
	db, err := sqlite.Open(cfg)
	if err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
}

// WrongKey says whether err means that the key does not fit the database: another one, one too many or none.
func WrongKey(err error) bool { return errors.Is(err, sqlite.ErrKey) }
