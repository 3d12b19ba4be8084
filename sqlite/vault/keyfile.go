package vault

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	version    = 1
	cipherName = "aes-128-xts"
	saltSize   = 16
	checkSize  = 32
)

// header is the key file, as JSON.
type header struct {
	Version int    `json:"version"`
	Cipher  string `json:"cipher"`
	Salt    []byte `json:"salt"`
	Check   []byte `json:"check"` // derived from key and salt; tells nothing about the keys of the files
}

// KeyFile returns the name of the key file that belongs to the database at path.
func KeyFile(path string) string { return path + ".key" }

// readHeader returns nil without an error when there is no key file.
func readHeader(path string) (*header, error) {
	b, err := os.ReadFile(KeyFile(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h := &header{}
	if json.Unmarshal(b, h) != nil || len(h.Salt) != saltSize || len(h.Check) != checkSize {
		return nil, fmt.Errorf("%w: the file %s is damaged", ErrKey, filepath.Base(KeyFile(path)))
	}
	if h.Version != version || h.Cipher != cipherName {
		return nil, fmt.Errorf("%w: cipher %s in version %d is not known", ErrKey, h.Cipher, h.Version)
	}
	return h, nil
}

func (h *header) verify(key []byte) error {
	want, err := derive(key, h.Salt, "check", checkSize)
	if err != nil {
		return err
	}
	if !hmac.Equal(want, h.Check) {
		return fmt.Errorf("%w: the database was created with another key", ErrKey)
	}
	return nil
}

// unlock returns the header that belongs to path and key, nil for a plain database without a key. What the file itself
// begins with decides whether it is plain; an empty one counts as not created yet.
func unlock(path string, key []byte) (*header, error) {
	h, err := readHeader(path)
	if err != nil {
		return nil, err
	}
	start, err := beginning(path)
	if err != nil {
		return nil, err
	}
	plain := string(start) == magic
	switch {
	case key == nil && (plain || h == nil):
		return nil, nil // without a key file SQLite itself says whether the content is a database
	case key == nil:
		return nil, fmt.Errorf("%w: the database is encrypted and no key is given", ErrKey)
	case len(key) != KeySize:
		return nil, fmt.Errorf("%w: it has %d bytes, not %d", ErrKey, len(key), KeySize)
	case plain:
		return nil, fmt.Errorf("%w: the database is plain and cannot be encrypted later", ErrKey)
	case h != nil:
		return h, h.verify(key)
	case len(start) > 0:
		return nil, fmt.Errorf("%w: the file %s is missing", ErrKey, filepath.Base(KeyFile(path)))
	}
	return createHeader(path, key)
}

// createHeader makes the key file of a new database.
func createHeader(path string, key []byte) (*header, error) {
	h := &header{Version: version, Cipher: cipherName, Salt: make([]byte, saltSize)}
	rand.Read(h.Salt) // never fails
	var err error
	if h.Check, err = derive(key, h.Salt, "check", checkSize); err != nil {
		return nil, err
	}
	b, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return h, writeDurably(KeyFile(path), append(b, '\n'))
}

// magic is how a plain database begins.
const magic = "SQLite format 3\x00"

// beginning returns the first bytes of the file, none when there is no file.
func beginning(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, len(magic))
	n, err := io.ReadFull(f, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return b[:n], err
}

// writeDurably makes the file appear whole or not at all, and stay: a database is written only behind it.
func writeDurably(name string, content []byte) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}
