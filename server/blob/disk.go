package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// copyBuffer is what a part is written from: large enough that a part is a few system calls.
const copyBuffer = 256 << 10

// Disk keeps each file in a folder, from its first part on under its final name: whoever uses the store knows which
// ones are sealed.
type Disk struct {
	dir     string
	buffers sync.Pool
}

// NewDisk returns a store in a folder, which is made when the first file comes.
func NewDisk(dir string) *Disk {
	return &Disk{dir: dir, buffers: sync.Pool{New: func() any { b := make([]byte, copyBuffer); return &b }}}
}

// path spreads the files over folders of their first two letters. An id that the server cannot have made has no path.
func (d *Disk) path(id string) (string, error) {
	if !validID(id) {
		return "", ErrMissing
	}
	return filepath.Join(d.dir, id[:2], id), nil
}

// validID keeps everything out that could mean something in a path.
func validID(id string) bool {
	for i := 0; i < len(id); i++ {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(id) > 2 && len(id) <= 64
}

// PutPart implements Store.
func (d *Disk) PutPart(ctx context.Context, f *File, n int, r io.Reader, size int64) error {
	name, err := d.path(f.ID)
	if err != nil {
		return err
	}
	file, err := open(name)
	if err != nil {
		return err
	}
	buf := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buf)
	w := io.NewOffsetWriter(file, int64(n)*f.Part)
	written, err := io.CopyBuffer(onlyWriter{w}, io.LimitReader(onlyReader{r}, size), *buf)
	if err == nil && written < size {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, file.Close())
}

// onlyWriter and onlyReader hide short cuts of io.Copy that would bring a smaller buffer.
type onlyWriter struct{ io.Writer }
type onlyReader struct{ io.Reader }

func open(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
}

// Seal implements Store. The disk writes while the processor computes the sum.
func (d *Disk) Seal(ctx context.Context, f *File) error {
	name, err := d.path(f.ID)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return damagedIfMissing(err)
	}
	flushed := make(chan error, 1)
	go func() { flushed <- errors.Join(file.Sync(), syncFolder(filepath.Dir(name))) }()
	err = d.compare(file, f)
	return errors.Join(err, <-flushed, file.Close())
}

func damagedIfMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrDamaged
	}
	return err
}

func (d *Disk) compare(file *os.File, f *File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.Size {
		return fmt.Errorf("%w: %d bytes instead of %d", ErrDamaged, info.Size(), f.Size)
	}
	buf := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buf)
	h := sha256.New()
	if _, err := io.CopyBuffer(onlyWriter{h}, onlyReader{file}, *buf); err != nil {
		return err
	}
	if [sha256.Size]byte(h.Sum(nil)) != f.Sum {
		return ErrDamaged
	}
	return nil
}

// Has implements Store.
func (d *Disk) Has(ctx context.Context, id string, size int64) (bool, error) {
	name, err := d.path(id)
	if err != nil {
		return false, nil
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.Size() == size, err
}

// Open implements Store.
func (d *Disk) Open(ctx context.Context, id string) (*Content, error) {
	name, err := d.path(id)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Content{ReadSeeker: file, Closer: file, Size: info.Size(), Modified: info.ModTime()}, nil
}

// Delete implements Store.
func (d *Disk) Delete(ctx context.Context, id string, parts int) error {
	name, err := d.path(id)
	if err != nil {
		return nil
	}
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
