package main

import "runtime/debug"

// What the Go runtime may hold before it works harder at collecting garbage and gives memory back to the system: a large
// answer, a list of ten thousand conversations for one, leaves several times its size behind. The runtime is the library's
// own, the host's memory does not count. More than one account needs more; the caches of the databases come on top.
const (
	memoryBase        = 18 << 20
	memoryPerInstance = 6 << 20
)

func boundMemory(instances int64) { debug.SetMemoryLimit(memoryBase + instances*memoryPerInstance) }
