// Package main is the C face of the library: everything that knows of C stands here.
//
// Generated C functions (shim_gen.c) pack their arguments into words and enter through timbre_enter (shim.c), whose guards
// run before Go is entered. Of Go they see one function, timbreCall, which copies the arguments and hands the call to
// core/instances. Callbacks go the other way through timbre_run and a generated switch over the callback types. user_data and
// function pointers are words here from the first line on: a host's small integer kept as a Go pointer would crash the
// runtime when a stack grows.
//
// Rejected: an exported Go function per C function (guards cannot run before Go is entered), cgo's own header (it shows
// Go types to the host).
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../include -DTIMBRE_BUILD
#include <stdlib.h>
#include <string.h>
#include "shim.h"
*/
import "C"

import (
	"runtime/debug"
	"unsafe"

	"timbre/core/event"
	"timbre/core/face"
	"timbre/core/instances"
	"timbre/model/tim"
)

func main() {}

func init() { boundMemory(0) }

// all is the process's instances: the interface has no handle, so this is their only home.
var all = instances.New(func(instance int64) *face.Face {
	return face.New(host{instance}, instance)
})

//export timbreCall
func timbreCall(current, within C.int64_t, op C.int, words, lens *C.uint64_t, n C.int) C.int64_t {
	o := tim.Op(op)
	w := unsafe.Slice((*uint64)(words), n)
	l := unsafe.Slice((*uint64)(lens), n)
	params := o.Function().Params
	args := make([]face.Value, n)
	for i := range args {
		args[i] = value(params[i].Kind, w[i], l[i])
	}
	return C.int64_t(all.Call(instances.Caller{Current: int64(current), Within: int64(within)}, o, args))
}

// value copies one argument.
func value(kind tim.Kind, word, length uint64) face.Value {
	switch kind {
	case tim.KindText:
		if word == 0 {
			return face.Value{Null: true}
		}
		return face.Value{Text: string(unsafe.Slice((*byte)(pointer(word)), length))}
	case tim.KindOut:
		if word == 0 {
			return face.Value{Null: true}
		}
		return face.Value{Out: func(s string) { fill(word, s) }}
	}
	return face.Value{Num: word}
}

// outSize is the size of the buffers that callers provide.
const outSize = 128

// fill writes s and its end into a caller's buffer.
func fill(word uint64, s string) {
	buffer := unsafe.Slice((*byte)(pointer(word)), outSize)
	n := copy(buffer[:outSize-1], s)
	buffer[n] = 0
}

// pointer turns the word of a C pointer back into one. Only memory of C comes here.
func pointer(word uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&word)) }

// host is the C program around the library, as one instance sees it.
type host struct{ instance int64 }

// Getenv implements face.Host.
func (host) Getenv(name string) string {
	key := C.CString(name)
	defer C.free(unsafe.Pointer(key))
	return C.GoString(C.getenv(key))
}

// Invoke implements face.Host. All strings of a callback lie in one C allocation, freed when it returns.
func (h host) Invoke(cb tim.Callback, fn, userData uint64, args []event.Arg) {
	kinds := cb.Type().Params
	size := 0
	for i := range args {
		if kinds[i] == tim.KindText {
			size += len(args[i].Text) + 1
		}
	}
	var words [8]C.uint64_t
	base := C.malloc(C.size_t(size + 1))
	defer C.free(base)
	text := unsafe.Slice((*byte)(base), size+1)
	at := 0
	for i := range args {
		if kinds[i] != tim.KindText {
			words[i] = C.uint64_t(args[i].Num)
			continue
		}
		words[i] = C.uint64_t(uintptr(base)) + C.uint64_t(at)
		at += copy(text[at:], args[i].Text)
		text[at] = 0
		at++
	}
	C.timbre_run(C.int64_t(h.instance), C.int(cb), C.uint64_t(fn), &words[0], C.uint64_t(userData))
	if size > largeText {
		go debug.FreeOSMemory()
	}
}

// largeText is from when on a callback leaves so much garbage that it is worth giving back at once.
const largeText = 4 << 20
