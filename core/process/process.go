// Package process tells what the library costs the process that it lives in. It reads counters that the runtime and the
// system keep anyway: nothing is stopped and no list is walked.
//
// Rejected: runtime.ReadMemStats (it stops the world), listing the folder of open files (its cost grows with them).
package process

import (
	"os"
	"runtime/metrics"
)

// Stats is what the library uses, all instances together.
type Stats struct {
	Goroutines uint64
	Threads    uint64 // of the system, made by the library
	Heap       uint64 // bytes of objects that are alive or not swept yet
	Memory     uint64 // bytes that the runtime has from the system
	// Files is how many files and connections the whole process has open; 0: the system does not say. Linux does from 6.2 on.
	Files int64
}

// Now reads the counters.
func Now() Stats {
	samples := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/sched/threads/total:threads"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	n := func(i int) uint64 {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			return 0 // a runtime that does not know the name
		}
		return samples[i].Value.Uint64()
	}
	return Stats{Goroutines: n(0), Threads: n(1), Heap: n(2), Memory: n(3) - n(4), Files: openFiles()}
}

// openFiles asks for the size of the folder, which is the number of its entries where the system tells it at all.
func openFiles() int64 {
	info, err := os.Stat("/proc/self/fd")
	if err != nil {
		return 0
	}
	return info.Size()
}
