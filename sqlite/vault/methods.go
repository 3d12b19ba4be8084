package vault

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// headSize is the room for our sqlite3_file in front of the system's own, which must be aligned.
const headSize = 16

// The types of SQLite's file methods.
type (
	plainFunc   = func(tls *libc.TLS, id uintptr) int32
	numberFunc  = func(tls *libc.TLS, id uintptr, n int32) int32
	pointerFunc = func(tls *libc.TLS, id, p uintptr) int32
	moveFunc    = func(tls *libc.TLS, id, buf uintptr, n int32, off int64) int32
	sizeFunc    = func(tls *libc.TLS, id uintptr, size int64) int32
	controlFunc = func(tls *libc.TLS, id uintptr, op int32, arg uintptr) int32
	shmMapFunc  = func(tls *libc.TLS, id uintptr, region, size, extend int32, p uintptr) int32
	shmLockFunc = func(tls *libc.TLS, id uintptr, off, n, flags int32) int32
	barrierFunc = func(tls *libc.TLS, id uintptr)
)

// methods is what SQLite calls for a file. Version 2 has no xFetch: a mapped page would show the encrypted bytes.
var methods = sqlite3.Tsqlite3_io_methods{
	FiVersion: 2,
	// What goes through the cipher:
	FxClose: address(plainFunc(func(tls *libc.TLS, id uintptr) int32 {
		f := opened(id)
		files.Delete(id)
		return f.close(tls)
	})),
	FxRead: address(moveFunc(func(tls *libc.TLS, id, buf uintptr, n int32, off int64) int32 {
		return opened(id).read(tls, unsafe.Slice(at[byte](buf), n), off)
	})),
	FxWrite: address(moveFunc(func(tls *libc.TLS, id, buf uintptr, n int32, off int64) int32 {
		return opened(id).write(tls, unsafe.Slice(at[byte](buf), n), off)
	})),
	FxTruncate: address(sizeFunc(func(tls *libc.TLS, id uintptr, size int64) int32 {
		return opened(id).truncate(tls, size)
	})),
	FxFileSize: address(pointerFunc(func(tls *libc.TLS, id, p uintptr) (rc int32) {
		*at[int64](p), rc = opened(id).size(tls)
		return rc
	})),
	FxFileControl: address(controlFunc(func(tls *libc.TLS, id uintptr, op int32, arg uintptr) int32 {
		switch op {
		case sqlite3.SQLITE_FCNTL_SIZE_HINT, sqlite3.SQLITE_FCNTL_CHUNK_SIZE, sqlite3.SQLITE_FCNTL_MMAP_SIZE:
			return sqlite3.SQLITE_NOTFOUND // they give the file a size or a mapping behind our back
		}
		base, m := original(id)
		return function[controlFunc](m.FxFileControl)(tls, base, op, arg)
	})),
	// What is handed on:
	FxSync: address(numberFunc(func(tls *libc.TLS, id uintptr, flags int32) int32 {
		base, m := original(id)
		return function[numberFunc](m.FxSync)(tls, base, flags)
	})),
	FxLock: address(numberFunc(func(tls *libc.TLS, id uintptr, level int32) int32 {
		base, m := original(id)
		return function[numberFunc](m.FxLock)(tls, base, level)
	})),
	FxUnlock: address(numberFunc(func(tls *libc.TLS, id uintptr, level int32) int32 {
		base, m := original(id)
		return function[numberFunc](m.FxUnlock)(tls, base, level)
	})),
	FxCheckReservedLock: address(pointerFunc(func(tls *libc.TLS, id, p uintptr) int32 {
		base, m := original(id)
		return function[pointerFunc](m.FxCheckReservedLock)(tls, base, p)
	})),
	FxSectorSize: address(plainFunc(func(tls *libc.TLS, id uintptr) int32 {
		base, m := original(id)
		return function[plainFunc](m.FxSectorSize)(tls, base)
	})),
	FxDeviceCharacteristics: address(plainFunc(func(tls *libc.TLS, id uintptr) int32 {
		base, m := original(id)
		return function[plainFunc](m.FxDeviceCharacteristics)(tls, base)
	})),
	FxShmMap: address(shmMapFunc(func(tls *libc.TLS, id uintptr, region, size, extend int32, p uintptr) int32 {
		base, m := original(id)
		return function[shmMapFunc](m.FxShmMap)(tls, base, region, size, extend, p)
	})),
	FxShmLock: address(shmLockFunc(func(tls *libc.TLS, id uintptr, off, n, flags int32) int32 {
		base, m := original(id)
		return function[shmLockFunc](m.FxShmLock)(tls, base, off, n, flags)
	})),
	FxShmBarrier: address(barrierFunc(func(tls *libc.TLS, id uintptr) {
		base, m := original(id)
		function[barrierFunc](m.FxShmBarrier)(tls, base)
	})),
	FxShmUnmap: address(numberFunc(func(tls *libc.TLS, id uintptr, del int32) int32 {
		base, m := original(id)
		return function[numberFunc](m.FxShmUnmap)(tls, base, del)
	})),
}

// opened returns the file behind an address. SQLite calls a method only between xOpen and xClose.
func opened(id uintptr) *file {
	f, _ := files.Load(id)
	return f.(*file)
}

// original returns the system's own file and its methods.
func original(id uintptr) (uintptr, *sqlite3.Tsqlite3_io_methods) {
	base := id + headSize
	return base, at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](base).FpMethods)
}
