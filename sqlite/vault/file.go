package vault

import (
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// file is an open file. Like all of SQLite's files it is used by one thread at a time.
//
// Content is encrypted in place, block by block. A last block that is not full is filled up with zeros, and behind it
// follow as many zero bytes as it holds content: the length of the file on the disk, modulo the block, says how much of
// the last block counts. So a file costs at most 31 bytes more, only SQLite's log and journals ever do, and one write
// changes content and length together.
type file struct {
	xts
	base uintptr // the system's own sqlite3_file

	// Memory of SQLite's allocator, because the system's VFS wants addresses that stay: one block for single blocks
	// and sizes, behind it room bytes for what is read and written.
	memory uintptr
	room   int
}

func newFile(tls *libc.TLS, base uintptr, p pair) *file {
	f := &file{base: base, xts: xts{pair: p}}
	f.buffer(tls, 4096+4*block) // a page of the usual size; when there is no memory the first use says so
	return f
}

// buffer returns n bytes that hold anything. The one returned before is gone.
func (f *file) buffer(tls *libc.TLS, n int) ([]byte, int32) {
	if n > f.room {
		libc.Xfree(tls, f.memory)
		f.room = 0
		if f.memory = libc.Xmalloc(tls, types.Size_t(block+n)); f.memory == 0 {
			return nil, sqlite3.SQLITE_IOERR_NOMEM
		}
		f.room = n
	}
	return unsafe.Slice(at[byte](f.memory+block), n), sqlite3.SQLITE_OK
}

func (f *file) methods() *sqlite3.Tsqlite3_io_methods {
	return at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](f.base).FpMethods)
}

// readRaw and writeRaw move n bytes between the buffer and the disk.
func (f *file) readRaw(tls *libc.TLS, n int, off int64) int32 {
	return function[moveFunc](f.methods().FxRead)(tls, f.base, f.memory+block, int32(n), off)
}

func (f *file) writeRaw(tls *libc.TLS, n int, off int64) int32 {
	return function[moveFunc](f.methods().FxWrite)(tls, f.base, f.memory+block, int32(n), off)
}

// onDisk returns the length on the disk of a file of n bytes, content is the reverse. A length that no file has, after a
// power failure, counts whole blocks only.
func onDisk(n int64) int64 {
	if n%block == 0 {
		return n
	}
	return n + block
}

func content(n int64) int64 {
	if n%block == 0 {
		return n
	}
	return max(n-block, 0)
}

// span returns the whole blocks around n bytes at off.
func span(off int64, n int) (start int64, length int) {
	start = off &^ (block - 1)
	end := (off + int64(n) + block - 1) &^ (block - 1)
	return start, int(end - start)
}

func (f *file) read(tls *libc.TLS, dst []byte, off int64) int32 {
	start, length := span(off, len(dst))
	// A block more: when it is there, the content does not end in what is asked for.
	buf, rc := f.buffer(tls, length+block)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	have := int64(len(dst))
	switch rc = f.readRaw(tls, len(buf), start); rc {
	case sqlite3.SQLITE_OK:
	case sqlite3.SQLITE_IOERR_SHORT_READ:
		size, rc := f.size(tls)
		if rc != sqlite3.SQLITE_OK {
			return rc
		}
		have = min(max(size-off, 0), have)
	default:
		return rc
	}
	f.decrypt(buf[:length], start)
	copy(dst, buf[off-start:length])
	clear(dst[have:])
	if have < int64(len(dst)) {
		return sqlite3.SQLITE_IOERR_SHORT_READ
	}
	return sqlite3.SQLITE_OK
}

func (f *file) write(tls *libc.TLS, src []byte, off int64) int32 {
	size, rc := f.size(tls)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	start, length := span(off, len(src))
	buf, rc := f.buffer(tls, length+block)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	end := off + int64(len(src))
	if rc = f.fetchEdges(tls, buf[:length], start, off, end, size); rc != sqlite3.SQLITE_OK {
		return rc
	}
	copy(buf[off-start:], src)
	f.encrypt(buf[:length], start)
	if end > size {
		filler := int(end % block)
		clear(buf[length:][:filler])
		length += filler
	}
	if rc = f.writeRaw(tls, length, start); rc != sqlite3.SQLITE_OK {
		return rc
	}
	if end > size && onDisk(end) < onDisk(size) { // the last block is full now: what followed it must go
		return f.resize(tls, onDisk(end))
	}
	return sqlite3.SQLITE_OK
}

// fetchEdges puts the present content of those blocks into buf that are written in part, zeros for what lies behind size.
func (f *file) fetchEdges(tls *libc.TLS, buf []byte, start, off, end, size int64) int32 {
	if off%block != 0 {
		if rc := f.fetch(tls, buf, start); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	last := int64(len(buf)) - block
	switch {
	case end%block == 0 || last == 0 && off%block != 0: // whole, or fetched already
	case end < size:
		return f.fetch(tls, buf[last:], start+last)
	default:
		clear(buf[last:])
	}
	return sqlite3.SQLITE_OK
}

// fetch reads one block. Behind the end there are zeros.
func (f *file) fetch(tls *libc.TLS, dst []byte, off int64) int32 {
	rc := function[moveFunc](f.methods().FxRead)(tls, f.base, f.memory, block, off)
	if rc != sqlite3.SQLITE_OK && rc != sqlite3.SQLITE_IOERR_SHORT_READ {
		return rc
	}
	copy(dst[:block], unsafe.Slice(at[byte](f.memory), block))
	f.decrypt(dst[:block], off)
	return sqlite3.SQLITE_OK
}

func (f *file) truncate(tls *libc.TLS, size int64) int32 {
	old, rc := f.size(tls)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	if keep := int(size % block); size < old && keep != 0 {
		if rc = f.shorten(tls, size-int64(keep), keep); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	return f.resize(tls, onDisk(size))
}

// shorten leaves keep bytes in the block at off, with the filler behind it.
func (f *file) shorten(tls *libc.TLS, off int64, keep int) int32 {
	buf, rc := f.buffer(tls, 2*block)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	if rc = f.fetch(tls, buf, off); rc != sqlite3.SQLITE_OK {
		return rc
	}
	clear(buf[keep:])
	f.encrypt(buf[:block], off)
	return f.writeRaw(tls, block+keep, off)
}

// size returns the length of the content.
func (f *file) size(tls *libc.TLS) (int64, int32) {
	if f.memory == 0 {
		return 0, sqlite3.SQLITE_IOERR_NOMEM
	}
	rc := function[pointerFunc](f.methods().FxFileSize)(tls, f.base, f.memory)
	return content(*at[int64](f.memory)), rc
}

// resize sets the length on the disk.
func (f *file) resize(tls *libc.TLS, size int64) int32 {
	return function[sizeFunc](f.methods().FxTruncate)(tls, f.base, size)
}

func (f *file) close(tls *libc.TLS) int32 {
	libc.Xfree(tls, f.memory)
	return function[plainFunc](f.methods().FxClose)(tls, f.base)
}
