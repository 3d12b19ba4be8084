// Package faulty is a disk that fails when a test wants it to: a VFS of SQLite that wraps the system's own, becomes the
// default one, and so lies below package vault too.
//
// Every operation that changes a file counts as one step: writing, syncing, truncating, creating, removing, and making a
// shared-memory file larger. From the chosen step on, and until Heal, the disk is full or broken. So a test can run
// the same script once for every step and ask each time what is left.
//
// It is for tests only. What it changes is the process's: one test at a time.
package faulty

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	_ "modernc.org/sqlite" // sets the library up before its first call
	sqlite3 "modernc.org/sqlite/lib"
)

// Kind is what is wrong with the disk.
type Kind int

const (
	Full   Kind = iota // nothing can be written or created; what exists can be synced, truncated and removed
	Broken             // nothing can be changed
)

// Disk is the faulty disk. SQLite calls back with addresses, so there is one for the process.
type Disk struct {
	steps atomic.Int64
	fail  atomic.Int64 // the step from which on it fails, 0: never
	kind  atomic.Int64
	hits  atomic.Int64
}

var (
	install sync.Once
	disk    Disk
	base    uintptr  // the system's own VFS
	origins sync.Map // address of a sqlite3_file -> address of the methods of the system's own
	methods sync.Map // address of those -> *sqlite3.Tsqlite3_io_methods, ours
)

// Install makes the faulty disk the default one for everything that is opened from now on, and heals it.
func Install() (*Disk, error) {
	var err error
	install.Do(func() { err = register() })
	disk.Heal()
	return &disk, err
}

// FailAt makes the disk fail from the given step on, counted from now; the next one is step 1.
func (d *Disk) FailAt(step int, kind Kind) {
	d.kind.Store(int64(kind))
	d.hits.Store(0)
	d.steps.Store(0)
	d.fail.Store(int64(step))
}

// Heal makes the disk a good one and returns how many steps it refused.
func (d *Disk) Heal() int {
	d.fail.Store(0)
	return int(d.hits.Load())
}

// Steps returns how many steps were taken since FailAt.
func (d *Disk) Steps() int { return int(d.steps.Load()) }

// step counts an operation and says whether it fails. harmless are those that a full disk still does.
func (d *Disk) step(harmless bool) bool {
	n, from := d.steps.Add(1), d.fail.Load()
	if from == 0 || n < from || harmless && Kind(d.kind.Load()) == Full {
		return false
	}
	d.hits.Add(1)
	return true
}

// code is what SQLite's own VFS would say.
func (d *Disk) code(broken int32) int32 {
	if Kind(d.kind.Load()) == Full {
		return sqlite3.SQLITE_FULL
	}
	return broken
}

type (
	openFunc   = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	deleteFunc = func(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32
	plainFunc  = func(tls *libc.TLS, id uintptr) int32
	numberFunc = func(tls *libc.TLS, id uintptr, n int32) int32
	moveFunc   = func(tls *libc.TLS, id, buf uintptr, n int32, off int64) int32
	sizeFunc   = func(tls *libc.TLS, id uintptr, size int64) int32
	shmMapFunc = func(tls *libc.TLS, id uintptr, region, size, extend int32, p uintptr) int32
)

func register() error {
	tls := libc.NewTLS()
	defer tls.Close()
	base = sqlite3.Xsqlite3_vfs_find(tls, 0)
	vfs := libc.Xmalloc(tls, types.Size_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	name, err := libc.CString("faulty")
	if base == 0 || vfs == 0 || err != nil {
		return fmt.Errorf("faulty: no VFS to wrap")
	}
	v := at[sqlite3.Tsqlite3_vfs](vfs)
	*v = *at[sqlite3.Tsqlite3_vfs](base)
	v.FpNext, v.FzName = 0, name
	v.FxOpen, v.FxDelete = address(openFunc(open)), address(deleteFunc(remove))
	if rc := sqlite3.Xsqlite3_vfs_register(tls, vfs, 1); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("faulty: the VFS was refused with code %d", rc)
	}
	return nil
}

func open(tls *libc.TLS, _, name, id uintptr, flags int32, outFlags uintptr) int32 {
	v := at[sqlite3.Tsqlite3_vfs](base)
	if flags&sqlite3.SQLITE_OPEN_CREATE != 0 && missing(tls, name) && disk.step(false) {
		at[sqlite3.Tsqlite3_file](id).FpMethods = 0
		return sqlite3.SQLITE_CANTOPEN
	}
	rc := function[openFunc](v.FxOpen)(tls, base, name, id, flags, outFlags)
	f := at[sqlite3.Tsqlite3_file](id)
	if f.FpMethods == 0 {
		return rc
	}
	origins.Store(id, f.FpMethods)
	f.FpMethods = uintptr(unsafe.Pointer(wrapped(f.FpMethods)))
	return rc
}

// missing says whether a file would have to be created; one without a name always is.
func missing(tls *libc.TLS, name uintptr) bool {
	if name == 0 {
		return true
	}
	v, there := at[sqlite3.Tsqlite3_vfs](base), int32(0)
	out := libc.Xmalloc(tls, 4)
	defer libc.Xfree(tls, out)
	access := function[func(tls *libc.TLS, vfs, name uintptr, flags int32, out uintptr) int32](v.FxAccess)
	if access(tls, base, name, sqlite3.SQLITE_ACCESS_EXISTS, out) == sqlite3.SQLITE_OK {
		there = *at[int32](out)
	}
	return there == 0
}

func remove(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
	if !missing(tls, name) && disk.step(true) {
		return sqlite3.SQLITE_IOERR_DELETE
	}
	return function[deleteFunc](at[sqlite3.Tsqlite3_vfs](base).FxDelete)(tls, base, name, syncDir)
}

// wrapped returns our methods for a file that has the given ones: all but a few are the originals, which find in the file
// what they look for.
func wrapped(original uintptr) *sqlite3.Tsqlite3_io_methods {
	if m, ok := methods.Load(original); ok {
		return m.(*sqlite3.Tsqlite3_io_methods)
	}
	m := *at[sqlite3.Tsqlite3_io_methods](original)
	m.FiVersion = min(m.FiVersion, 2) // no xFetch: what is mapped would be written behind our back
	m.FxClose = address(plainFunc(closeFile))
	m.FxWrite = address(moveFunc(write))
	m.FxTruncate = address(sizeFunc(truncate))
	m.FxSync = address(numberFunc(flush))
	m.FxShmMap = address(shmMapFunc(shmMap))
	kept, _ := methods.LoadOrStore(original, &m)
	return kept.(*sqlite3.Tsqlite3_io_methods)
}

func originalOf(id uintptr) *sqlite3.Tsqlite3_io_methods {
	m, _ := origins.Load(id)
	return at[sqlite3.Tsqlite3_io_methods](m.(uintptr))
}

func closeFile(tls *libc.TLS, id uintptr) int32 {
	m := originalOf(id)
	origins.Delete(id)
	return function[plainFunc](m.FxClose)(tls, id)
}

func write(tls *libc.TLS, id, buf uintptr, n int32, off int64) int32 {
	if disk.step(false) {
		return disk.code(sqlite3.SQLITE_IOERR_WRITE)
	}
	return function[moveFunc](originalOf(id).FxWrite)(tls, id, buf, n, off)
}

func truncate(tls *libc.TLS, id uintptr, size int64) int32 {
	if disk.step(true) {
		return sqlite3.SQLITE_IOERR_TRUNCATE
	}
	return function[sizeFunc](originalOf(id).FxTruncate)(tls, id, size)
}

func flush(_ *libc.TLS, _ uintptr, _ int32) int32 {
	if disk.step(true) {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	return sqlite3.SQLITE_OK // the machine goes on: what the system has taken is there
}

func shmMap(tls *libc.TLS, id uintptr, region, size, extend int32, p uintptr) int32 {
	if extend != 0 && disk.step(false) {
		*at[uintptr](p) = 0
		return sqlite3.SQLITE_IOERR_SHMSIZE
	}
	return function[shmMapFunc](originalOf(id).FxShmMap)(tls, id, region, size, extend, p)
}

// at views SQLite's memory, which never moves.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function makes SQLite's word for a function callable, address is the reverse for a function of this package.
func function[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }

func address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }
