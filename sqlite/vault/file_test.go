package vault

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
	"pgregory.net/rapid"
)

// rig calls the VFS as SQLite does.
type rig struct {
	tls  *libc.TLS
	vfs  *sqlite3.Tsqlite3_vfs
	at   uintptr
	name uintptr
	id   uintptr // the sqlite3_file
	mem  uintptr // for what is moved
}

const most = 4000 // bytes in one read or write

func newRig(t *testing.T, folder string) *rig {
	t.Helper()
	path := filepath.Join(folder, "x.db")
	v, err := Open(path, []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{tls: libc.NewTLS(), at: v.shim.vfs, vfs: at[sqlite3.Tsqlite3_vfs](v.shim.vfs)}
	cname, err := libc.CString(path)
	if err != nil {
		t.Fatal(err)
	}
	r.name = sqlite3.Xsqlite3_create_filename(r.tls, cname, cname, cname, 0, 0)
	r.id = libc.Xmalloc(r.tls, types.Size_t(r.vfs.FszOsFile))
	r.mem = libc.Xmalloc(r.tls, most)
	t.Cleanup(func() {
		sqlite3.Xsqlite3_free_filename(r.tls, r.name)
		for _, p := range []uintptr{cname, r.id, r.mem} {
			libc.Xfree(r.tls, p)
		}
		v.Close()
		r.tls.Close()
	})
	return r
}

func (r *rig) open(kind int32) int32 {
	flags := kind | sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE
	return function[openFunc](r.vfs.FxOpen)(r.tls, r.at, r.name, r.id, flags, 0)
}

func (r *rig) methods() *sqlite3.Tsqlite3_io_methods {
	return at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](r.id).FpMethods)
}

func (r *rig) close() int32 { return function[plainFunc](r.methods().FxClose)(r.tls, r.id) }

func (r *rig) write(b []byte, off int64) int32 {
	copy(unsafe.Slice(at[byte](r.mem), most), b)
	return function[moveFunc](r.methods().FxWrite)(r.tls, r.id, r.mem, int32(len(b)), off)
}

func (r *rig) read(n int, off int64) ([]byte, int32) {
	b := unsafe.Slice(at[byte](r.mem), most)[:n]
	for i := range b {
		b[i] = 0xee // to be overwritten, with zeros behind the end
	}
	rc := function[moveFunc](r.methods().FxRead)(r.tls, r.id, r.mem, int32(n), off)
	return bytes.Clone(b), rc
}

func (r *rig) truncate(size int64) int32 {
	return function[sizeFunc](r.methods().FxTruncate)(r.tls, r.id, size)
}

func (r *rig) size() (int64, int32) {
	rc := function[pointerFunc](r.methods().FxFileSize)(r.tls, r.id, r.mem)
	return *at[int64](r.mem), rc
}

var kinds = map[string]int32{
	"main": sqlite3.SQLITE_OPEN_MAIN_DB, "wal": sqlite3.SQLITE_OPEN_WAL, "journal": sqlite3.SQLITE_OPEN_MAIN_JOURNAL,
	"temporary": sqlite3.SQLITE_OPEN_TEMP_DB,
}

// model is what a plain file would hold.
type model []byte

func (m *model) write(b []byte, off int64) {
	if need := int(off) + len(b) - len(*m); need > 0 {
		*m = append(*m, make([]byte, need)...)
	}
	copy((*m)[off:], b)
}

func (m *model) truncate(n int64) {
	if grow := int(n) - len(*m); grow > 0 {
		*m = append(*m, make([]byte, grow)...)
	}
	*m = (*m)[:n:n]
}

func (m model) read(n int, off int64) ([]byte, int32) {
	b := make([]byte, n)
	if off >= int64(len(m)) || copy(b, m[off:]) < n {
		return b, sqlite3.SQLITE_IOERR_SHORT_READ
	}
	return b, sqlite3.SQLITE_OK
}

func TestAFileBehavesLikeAPlainOne(t *testing.T) {
	for kind, flag := range kinds {
		t.Run(kind, func(t *testing.T) {
			folder := t.TempDir()
			r := newRig(t, folder)
			rapid.Check(t, func(t *rapid.T) {
				path := filepath.Join(folder, "x.db")
				os.Remove(path)
				must(t, "open", r.open(flag))
				defer func() { must(t, "close", r.close()) }()
				var m model
				// Lengths and places near the limits of blocks and units matter most.
				length := rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(480, 540), rapid.IntRange(1, most))
				place := rapid.OneOf(rapid.IntRange(0, 70), rapid.IntRange(480, 560), rapid.IntRange(0, 9000))
				t.Repeat(map[string]func(*rapid.T){
					"write": func(t *rapid.T) {
						b := make([]byte, length.Draw(t, "length"))
						for i := range b {
							b[i] = byte(1 + rand.IntN(255)) // content does not matter, but must not look like a hole
						}
						off := int64(place.Draw(t, "place"))
						must(t, "write", r.write(b, off))
						m.write(b, off)
					},
					"append": func(t *rapid.T) {
						b := bytes.Repeat([]byte{byte(1 + rand.IntN(255))}, length.Draw(t, "length"))
						must(t, "write", r.write(b, int64(len(m))))
						m.write(b, int64(len(m)))
					},
					"read": func(t *rapid.T) {
						n, off := length.Draw(t, "length"), int64(place.Draw(t, "place"))
						compare(t, r, m, n, off)
					},
					"read the end": func(t *rapid.T) {
						n := length.Draw(t, "length")
						compare(t, r, m, n, int64(max(0, len(m)-n+rapid.IntRange(-20, 20).Draw(t, "beyond"))))
					},
					"truncate": func(t *rapid.T) {
						n := int64(place.Draw(t, "place"))
						must(t, "truncate", r.truncate(n))
						m.truncate(n)
					},
					"shorten": func(t *rapid.T) {
						n := int64(max(0, len(m)-rapid.IntRange(0, 40).Draw(t, "by")))
						must(t, "truncate", r.truncate(n))
						m.truncate(n)
					},
					"reopen": func(t *rapid.T) {
						if kind != "temporary" {
							must(t, "close", r.close())
							must(t, "open", r.open(flag))
						}
					},
					"": func(t *rapid.T) {
						if n, rc := r.size(); rc != sqlite3.SQLITE_OK || n != int64(len(m)) {
							t.Fatalf("the size is %d (code %d), want %d", n, rc, len(m))
						}
						for off := 0; off < len(m); off += most {
							compare(t, r, m, min(most, len(m)-off), int64(off))
						}
						hidden(t, path, m)
					},
				})
			})
		})
	}
}

func must(t *rapid.T, what string, rc int32) {
	t.Helper()
	if rc != sqlite3.SQLITE_OK {
		t.Fatalf("%s: code %d", what, rc)
	}
}

func compare(t *rapid.T, r *rig, m model, n int, off int64) {
	t.Helper()
	got, rc := r.read(n, off)
	want, wantRC := m.read(n, off)
	if rc != wantRC || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes at %d: code %d, want %d; equal: %v", n, off, rc, wantRC, bytes.Equal(got, want))
	}
}

// hidden checks that no block lies on the disk as it is.
func hidden(t *rapid.T, path string, m model) {
	t.Helper()
	disk, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for off := 0; off+block <= len(m); off += block {
		if plain := m[off : off+block]; !isZero(plain) && bytes.Equal(plain, disk[off:off+block]) {
			t.Fatalf("the block at %d is plain", off)
		}
	}
}

// After a power failure a file may have any length.
func TestATornFileHasWholeBlocks(t *testing.T) {
	folder := t.TempDir()
	r, path := newRig(t, folder), filepath.Join(folder, "x.db")
	whole := bytes.Repeat([]byte("0123456789abcdef"), 5)
	for n := int64(0); n < 90; n++ {
		sure(t, r.open(sqlite3.SQLITE_OPEN_WAL))
		sure(t, r.truncate(0))
		sure(t, r.write(whole[:77], 0))
		if err := os.Truncate(path, n); err != nil {
			t.Fatal(err)
		}
		size, rc := r.size()
		sure(t, rc)
		if size > n || size < n-2*block {
			t.Fatalf("%d bytes on the disk count as %d", n, size)
		}
		got, rc := r.read(80, 0)
		keep := min(size, 77)
		if want := append(bytes.Clone(whole[:keep]), make([]byte, 80-keep)...); !bytes.Equal(got, want) {
			t.Errorf("cut to %d bytes: %q", n, got)
		}
		if size < 80 && rc != sqlite3.SQLITE_IOERR_SHORT_READ {
			t.Errorf("cut to %d bytes: code %d", n, rc)
		}
		sure(t, r.close())
	}
}

func sure(t *testing.T, rc int32) {
	t.Helper()
	if rc != sqlite3.SQLITE_OK {
		t.Fatalf("code %d", rc)
	}
}

// Equal content at an equal place differs between the kinds of files and between databases. The same content written
// again is the same on the disk: the neighbours of a write stay as they were.
func TestEveryFileHasItsOwnKeys(t *testing.T) {
	disks := map[string]string{}
	b := bytes.Repeat([]byte("0123456789abcdef"), 100)
	for i := range 2 {
		folder := t.TempDir()
		r, path := newRig(t, folder), filepath.Join(folder, "x.db")
		for kind, flag := range kinds {
			who := fmt.Sprint(kind, i)
			sure(t, r.open(flag))
			var before []byte
			for range 2 {
				sure(t, r.write(b, 0))
				disk, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if before != nil && !bytes.Equal(before, disk) {
					t.Errorf("%s: writing the same again changed the file", who)
				}
				before = disk
			}
			sure(t, r.close())
			for off := 0; off < len(b); off += block {
				if other, taken := disks[string(before[off:off+block])]; taken {
					t.Fatalf("%s has a block that is in %s too", who, other)
				}
				disks[string(before[off:off+block])] = who
			}
		}
	}
}

func TestAClosedVaultIsGone(t *testing.T) {
	v, err := Open(filepath.Join(t.TempDir(), "x.db"), []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	tls := libc.NewTLS()
	defer tls.Close()
	name, err := libc.CString(v.VFS())
	if err != nil {
		t.Fatal(err)
	}
	defer libc.Xfree(tls, name)
	if found := sqlite3.Xsqlite3_vfs_find(tls, name); found != v.shim.vfs {
		t.Errorf("SQLite finds %x, want %x", found, v.shim.vfs)
	}
	v.Close()
	if found := sqlite3.Xsqlite3_vfs_find(tls, name); found != 0 || v.shim.keys.Load() != nil {
		t.Errorf("after Close SQLite finds %x, the keys are %v", found, v.shim.keys.Load())
	}
}
