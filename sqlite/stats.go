package sqlite

import (
	"sync/atomic"
	"time"

	"timbre/sqlite/latency"
)

// work is what a database has done since it was opened.
type work struct {
	jobs         atomic.Uint64
	failed       atomic.Uint64
	transactions latency.Histogram
	commits      latency.Histogram
	reads        latency.Histogram
}

// read times a read; call what it returns at its end.
func (w *work) read() func() {
	began := time.Now()
	return func() { w.reads.Observe(time.Since(began)) }
}

// Stats is what a database is doing.
type Stats struct {
	Size    int64         // bytes of the file; 0 in memory
	WALSize int64         // bytes of the file beside it that holds what was committed last
	Queued  int           // jobs that wait for the writer
	Busy    time.Duration // for how long the writer has been working on its present batch; 0: it is idle
	Jobs    uint64        // how many were committed
	Failed  uint64        // and how many were not: the disk refused, or they did themselves
	// Transactions are the writer's batches, each from its beginning to the end of its commit, Commits the commits alone,
	// which wait for the disk where something must be durable. Reads do not count the waiting for jobs before them.
	Transactions, Commits, Reads *latency.Histogram
}

// Stats tells what the database is doing. It waits for no disk: sizes are those that the system knows.
func (db *DB) Stats() Stats {
	s := Stats{Jobs: db.work.jobs.Load(), Failed: db.work.failed.Load(),
		Transactions: &db.work.transactions, Commits: &db.work.commits, Reads: &db.work.reads}
	if db.cfg.Path != "" {
		s.Size, s.WALSize = sizeOf(db.cfg.Path), sizeOf(db.cfg.Path+"-wal")
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	s.Queued = len(db.queue)
	if db.busy {
		s.Busy = max(time.Since(db.busySince), 1)
	}
	return s
}
