package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// What the Go runtime may hold before it works harder at collecting garbage and gives memory back to the system: a large
// answer, a list of ten thousand conversations for one, leaves several times its size behind. The runtime is the library's
// own, the host's memory does not count; the caches of the databases come on top.
const (
	memoryBase = 18 << 20
	memoryRoom = 4 << 20
)

// boundMemory bounds what the runtime holds. A bound below what is really in use would have the collector run without end,
// so after each collection it is moved to leave room above what lives: an object that nobody holds tells of the collection.
func boundMemory(before int64) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	live := int64(sample[0].Value.Uint64())
	bound := max(memoryBase, live+live/3+memoryRoom)
	if bound > before || bound < before-before/8 {
		debug.SetMemoryLimit(bound)
		before = bound
	}
	runtime.AddCleanup(new([64]byte), boundMemory, before)
}
