package media

import "sync/atomic"

// Stats is what is on its way.
type Stats struct{ Uploads, Downloads int }

// running counts what is on its way. A download that waits for another one to the same path is.
type running struct{ uploads, downloads atomic.Int64 }

// one counts something until the function that it returns is called.
func one(n *atomic.Int64) (done func()) {
	n.Add(1)
	return func() { n.Add(-1) }
}

// Stats tells what is on its way.
func (f *Files) Stats() Stats {
	return Stats{Uploads: int(f.running.uploads.Load()), Downloads: int(f.running.downloads.Load())}
}
