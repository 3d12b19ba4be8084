package vault

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

// SQLite calls back with addresses of its own memory, where no Go object can live. These tables lead from the addresses
// to the objects, as runtime/cgo.Handle does for C; they are the package's only state.
var (
	shims = struct {
		sync.Mutex
		byName map[string]*shim
	}{byName: map[string]*shim{}}
	byVFS sync.Map // address of a sqlite3_vfs -> *shim
	files sync.Map // address of a sqlite3_file -> *file
)

// shim is a registered VFS: a copy of the system's own with another xOpen and larger files. All other methods are the
// originals, which find in the copy what they look for.
//
// Its memory is never freed, because a connection pool may be about to call it while it is released; the same database
// gets the same one again, so a process keeps a few hundred bytes for each encrypted database it ever opened.
type shim struct {
	name string
	vfs  uintptr
	base uintptr
	refs int // under shims
	keys atomic.Pointer[keys]
}

type openFunc = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32

func register(k *keys) (*shim, error) {
	shims.Lock()
	defer shims.Unlock()
	tls := libc.NewTLS()
	defer tls.Close()
	s := shims.byName[k.name]
	if s == nil {
		var err error
		if s, err = newShim(tls, k.name); err != nil {
			return nil, err
		}
		shims.byName[k.name] = s
		byVFS.Store(s.vfs, s)
	}
	if s.refs == 0 {
		s.keys.Store(k)
		if rc := sqlite3.Xsqlite3_vfs_register(tls, s.vfs, 0); rc != sqlite3.SQLITE_OK {
			s.keys.Store(nil)
			return nil, fmt.Errorf("the VFS was refused with code %d", rc)
		}
	}
	s.refs++
	return s, nil
}

func newShim(tls *libc.TLS, name string) (*shim, error) {
	base := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if base == 0 {
		return nil, fmt.Errorf("SQLite has no VFS on this system")
	}
	vfs := libc.Xmalloc(tls, types.Size_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	cname, err := libc.CString(name)
	if vfs == 0 || err != nil {
		return nil, fmt.Errorf("out of memory")
	}
	v := at[sqlite3.Tsqlite3_vfs](vfs)
	*v = *at[sqlite3.Tsqlite3_vfs](base)
	v.FpNext, v.FzName = 0, cname
	v.FszOsFile += headSize
	v.FxOpen = address(openFunc(open))
	return &shim{name: name, vfs: vfs, base: base}, nil
}

func (s *shim) release() {
	shims.Lock()
	defer shims.Unlock()
	if s.refs--; s.refs > 0 {
		return
	}
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_vfs_unregister(tls, s.vfs) // fails only when SQLite cannot be initialised
	s.keys.Store(nil)
}

// open is xOpen. The system's own file lies headSize behind ours.
func open(tls *libc.TLS, vfs, name, id uintptr, flags int32, outFlags uintptr) int32 {
	*at[sqlite3.Tsqlite3_file](id) = sqlite3.Tsqlite3_file{} // no methods: SQLite will not close it
	v, _ := byVFS.Load(vfs)
	s, _ := v.(*shim)
	if s == nil {
		return sqlite3.SQLITE_CANTOPEN
	}
	k := s.keys.Load()
	if k == nil { // released a moment ago
		return sqlite3.SQLITE_CANTOPEN
	}
	p, err := k.pick(flags)
	if err != nil {
		return sqlite3.SQLITE_CANTOPEN
	}
	base := id + headSize
	*at[sqlite3.Tsqlite3_file](base) = sqlite3.Tsqlite3_file{}
	rc := function[openFunc](at[sqlite3.Tsqlite3_vfs](s.base).FxOpen)(tls, s.base, name, base, flags, outFlags)
	if at[sqlite3.Tsqlite3_file](base).FpMethods == 0 {
		return rc
	}
	f := newFile(tls, base, p)
	if rc != sqlite3.SQLITE_OK {
		f.close(tls)
		return rc
	}
	files.Store(id, f)
	at[sqlite3.Tsqlite3_file](id).FpMethods = uintptr(unsafe.Pointer(&methods))
	return sqlite3.SQLITE_OK
}

// at views SQLite's memory. It does not lie in Go's heap, so the address never moves.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function makes SQLite's word for a function callable, address is the reverse for a function of this package.
func function[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }

func address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }
