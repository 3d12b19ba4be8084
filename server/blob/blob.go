// Package blob keeps the bytes of files. It knows numbers of parts and ids that the server made, and nothing of users:
// what may be stored, and for how long, is the business of package files.
//
// A file comes in parts, in any order, and becomes readable when it was sealed: joined, compared with its SHA-256 and
// safe on disk. Parts are not flushed one by one; a part that a power cut lost shows when the file is sealed.
//
// Rejected: blobs in the database (each byte would be written twice and block the single writer), a file for each part
// on disk (a 100 MB file would be copied once more when it is joined).
package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"
)

var (
	// ErrMissing says that there is no such file.
	ErrMissing = errors.New("there is no such file")
	// ErrDamaged says that the parts do not make the content that was announced.
	ErrDamaged = errors.New("the content differs from its checksum")
)

// File is an upload: its id, made by the server, and its measures.
type File struct {
	ID   string
	Size int64
	Part int64 // length of every part but the last
	Sum  [sha256.Size]byte
}

func (f *File) parts() int { return int((f.Size + f.Part - 1) / f.Part) }

// Content is a file that is open for reading. A reader that is an *os.File is sent without copying.
type Content struct {
	io.ReadSeeker
	io.Closer
	Size     int64
	Modified time.Time
}

// Store keeps files. All methods may be called from any goroutine, Seal and PutPart of one file not at once.
type Store interface {
	// PutPart stores part n, size bytes from r. When it fails, or when r ends early or fails, the part counts as missing
	// whatever it had before.
	PutPart(ctx context.Context, f *File, n int, r io.Reader, size int64) error
	// Seal makes a file of its parts, or fails with ErrDamaged. It may be repeated.
	Seal(ctx context.Context, f *File) error
	// Has says whether a sealed file is there with its full size.
	Has(ctx context.Context, id string, size int64) (bool, error)
	// Open opens a sealed file, or fails with ErrMissing.
	Open(ctx context.Context, id string) (*Content, error)
	// Delete deletes a file or what there is of it: at most parts parts. It is no error when there is nothing.
	Delete(ctx context.Context, id string, parts int) error
}
