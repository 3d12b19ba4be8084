// Package files is the server's side of up- and downloads: who may store what, for how long, and the HTTP addresses;
// docs/files.md describes them. The bytes are in a blob.Store; the table here says what they are.
//
// A file is known by a random id, and within an app by its SHA-256 and size: what is there already is not sent again.
// Whoever knows the hash of the whole content is taken to have the content. Each user's upload is his own until its
// hash was proven, so that nobody can spoil or finish another one's.
//
// Order of writing: a row comes before the first byte and goes after the last one, so that no crash leaves bytes that
// nobody knows. A stored file whose bytes are gone is uploaded again under its old id, which heals the links to it.
//
// Rejected: multipart forms (no resuming), parts that know no checksum (TLS ends in proxies), a session for each
// download (a URL that lives as long as the file can be shown by any browser), tokens in a table (each node can check
// an HMAC by itself).
package files

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"timbre/model"
	"timbre/protocol"
	"timbre/server/blob"
	"timbre/sqlite"
)

const (
	tokenLife   = time.Hour
	uploadLife  = 7 * 24 * time.Hour // of an upload that nobody continues
	quotaKept   = 7                  // days
	keySize     = 32
	sweepAtOnce = 200
	touchAtOnce = 2 * model.MaxHeld // what a stranger wrote may hold files that hold files, and so on
)

// Config is the rules.
type Config struct {
	PublicURL string                   // where clients find the addresses, without a slash at the end; "": where they ask
	URLLife   time.Duration            // how long a URL is good; 0: as long as the file
	Quota     int64                    // bytes that a user may upload in a day (UTC); 0: no limit
	Max       map[model.FileKind]int64 // bytes of one file; a kind that is missing has the model's limit
	Denied    []string                 // extensions of names that are refused, without the dot
	Retention func() time.Duration     // how long a file stays that nobody used; 0: for ever
}

// Store is the database.
type Store interface {
	Write(ctx context.Context, apply func(*sqlite.Tx) error) error
	Read(ctx context.Context, fn func(sqlite.Queryer) error) error
}

// Counter counts bytes.
type Counter interface{ Add(float64) }

// Parts is what the module works with.
type Parts struct {
	Store   Store
	Blobs   blob.Store
	In, Out Counter // bytes received and sent
	Logger  *slog.Logger
	Now     func() time.Time
}

// Files is the module. All methods may be called from any goroutine.
type Files struct {
	Parts
	cfg   Config
	key   []byte
	gates gates
}

// New returns the module over a database that has its Schema.
func New(ctx context.Context, cfg Config, p Parts) (*Files, error) {
	f := &Files{Parts: p, cfg: cfg, gates: gates{open: map[string]*gate{}}}
	return f, p.Store.Write(ctx, f.loadKey)
}

// loadKey reads the key of tokens and URLs, which is made once: every node must accept what another one has given out.
func (f *Files) loadKey(tx *sqlite.Tx) error {
	found, err := tx.Get(`SELECT key FROM file_key`, []any{&f.key})
	if err != nil || found {
		return err
	}
	f.key = make([]byte, keySize)
	rand.Read(f.key) // never fails
	return tx.Exec(`INSERT INTO file_key VALUES (?)`, f.key)
}

// Touch notes that files are used now, for instance by a message, with the files that they hold. Ids that nobody knows are
// skipped.
func (f *Files) Touch(tx *sqlite.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return tx.Exec(`WITH RECURSIVE inuse(id) AS (
			SELECT value FROM json_each(?)
			UNION SELECT h.id FROM inuse u JOIN file_held h ON h.holder=u.id
			LIMIT ?)
		UPDATE file SET used=? WHERE id IN (SELECT id FROM inuse)`, string(protocol.Marshal(ids)), touchAtOnce, f.Now().UnixMilli())
}

// hold notes which files are named in another one.
func (f *Files) hold(ctx context.Context, holder string, ids []string) error {
	return f.Store.Write(ctx, func(tx *sqlite.Tx) error {
		return tx.Exec(`INSERT OR IGNORE INTO file_held (holder, id) SELECT ?, value FROM json_each(?)`, holder, string(protocol.Marshal(ids)))
	})
}
