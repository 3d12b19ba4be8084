// Package vault keeps an SQLite database encrypted on the disk: the file itself, its write-ahead log, its rollback
// journals and every temporary file. SQLite's own pages, transactions and recovery stay as they are, because the work
// happens below them, in a VFS that wraps the system's own and changes only what goes in and out of a file.
//
// # Cipher
//
// AES-128 in XTS mode (IEEE 1619) over units of 512 bytes, see xts.go. A caller's key of 16 bytes and a random salt
// give, by HKDF-SHA256, one pair of XTS keys for each kind of file, so that equal content at an equal place of the
// database and of its log does not look equal. A temporary file gets keys that nobody keeps. The shared-memory file
// (-shm) holds page numbers and checksums only and stays plain.
//
// XTS hides content. It does not hide how large a file is or which blocks of 16 bytes changed between two copies of it,
// and it does not notice when somebody alters or puts back blocks. Rejected: a key stream by position (CTR), which gives
// two versions of a page away to whoever has both; a tag and nonce for each page (GCM), which needs room in every page
// and a second write that can be torn; SQLite's reserved bytes, which the log and the journals do not have.
//
// # Key file
//
// Beside the database x lies x.key: version, cipher, salt and a check value by which a wrong key is known before the
// database is touched. It holds no secret, but without it the database cannot be read: whoever copies or deletes one
// copies or deletes both. Whether a database is encrypted is settled when it is created and cannot change later.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"

	sqlite3 "modernc.org/sqlite/lib"
)

// KeySize is the length of a key in bytes.
const KeySize = 16

// ErrKey says that the key does not fit: it is another one than the database was created with, there is one and the
// database is plain, there is none and the database is encrypted, or it does not have KeySize bytes.
var ErrKey = errors.New("the key does not fit the database")

// Vault is the opened lock of one database. A nil Vault stands for a plain database; its methods may be called.
type Vault struct {
	shim  *shim
	close sync.Once
}

// Open checks the key against the database at path and makes the VFS that reads and writes it. A key for a database
// that does not exist or is empty creates the key file. With key nil the answer is a nil Vault, or ErrKey when the
// database is encrypted. The database is not touched, whatever the answer. Two calls for one path must not run at once,
// in other processes too: take the database's lock before. The key is not kept.
func Open(path string, key []byte) (*Vault, error) {
	h, err := unlock(path, key)
	if err != nil || h == nil {
		return nil, err
	}
	k, err := newKeys(key, h.Salt)
	if err != nil {
		return nil, err
	}
	s, err := register(k)
	if err != nil {
		return nil, err
	}
	return &Vault{shim: s}, nil
}

// VFS returns the name for the parameter vfs of the driver's data source name, "" for a plain database. What a
// connection opens under that name, by ATTACH or VACUUM INTO too, is encrypted with the database's keys.
func (v *Vault) VFS() string {
	if v == nil {
		return ""
	}
	return v.shim.name
}

// Close forgets the keys: nothing can be opened under the name any more. Files that are still open stay usable until
// they are closed. It may be called twice.
func (v *Vault) Close() {
	if v != nil {
		v.close.Do(v.shim.release)
	}
}

// keys are the ciphers of one database, safe for concurrent use.
type keys struct {
	name               string
	main, wal, journal pair
}

// pair is the two ciphers of XTS.
type pair struct{ data, tweak cipher.Block }

func newKeys(key, salt []byte) (*keys, error) {
	name, err := derive(key, salt, "name", 16)
	if err != nil {
		return nil, err
	}
	k := &keys{name: "vault-" + hex.EncodeToString(name)}
	for purpose, p := range map[string]*pair{"main": &k.main, "wal": &k.wal, "journal": &k.journal} {
		b, err := derive(key, salt, purpose, 2*aes.BlockSize)
		if err != nil {
			return nil, err
		}
		if *p, err = newPair(b); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func newPair(b []byte) (p pair, err error) {
	if p.data, err = aes.NewCipher(b[:aes.BlockSize]); err != nil {
		return p, err
	}
	p.tweak, err = aes.NewCipher(b[aes.BlockSize:])
	return p, err
}

// derive makes n bytes for one purpose.
func derive(key, salt []byte, purpose string, n int) ([]byte, error) {
	return hkdf.Key(sha256.New, key, salt, "timbre vault 1 "+cipherName+" "+purpose, n)
}

// pick returns the ciphers for a file that SQLite opens with flags. What is not reached by its name a second time
// gets keys of its own, which die with the file.
func (k *keys) pick(flags int32) (pair, error) {
	switch {
	case flags&sqlite3.SQLITE_OPEN_MAIN_DB != 0:
		return k.main, nil
	case flags&sqlite3.SQLITE_OPEN_WAL != 0:
		return k.wal, nil
	case flags&(sqlite3.SQLITE_OPEN_MAIN_JOURNAL|sqlite3.SQLITE_OPEN_SUPER_JOURNAL) != 0:
		return k.journal, nil
	}
	b := make([]byte, 2*aes.BlockSize)
	rand.Read(b) // never fails
	return newPair(b)
}
