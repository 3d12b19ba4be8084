package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"timbre/sqlite"
	"timbre/sqlite/latency"
)

// database shows what the database counts by itself.
type database struct {
	stats func() sqlite.Stats

	queue, busy, size, wal, jobs, failed, transactions, commits, reads *prometheus.Desc
}

func newDatabase(stats func() sqlite.Stats) *database {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("timbred_database_"+name, help, nil, nil)
	}
	return &database{
		stats:        stats,
		queue:        desc("queue", "Changes waiting for the database."),
		busy:         desc("busy_seconds", "For how long the writer has been working on its present batch, 0 when it is idle."),
		size:         desc("bytes", "Size of the database file."),
		wal:          desc("wal_bytes", "Size of the write-ahead log beside it."),
		jobs:         desc("jobs_total", "Changes committed."),
		failed:       desc("failed_total", "Changes that could not be made."),
		transactions: desc("transaction_seconds", "Batches of changes, from their beginning to the end of their commit."),
		commits:      desc("commit_seconds", "The commits alone, fsync included."),
		reads:        desc("read_seconds", "Reads, without the waiting for changes before them."),
	}
}

// Describe implements prometheus.Collector.
func (d *database) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{d.queue, d.busy, d.size, d.wal, d.jobs, d.failed, d.transactions, d.commits, d.reads} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (d *database) Collect(to chan<- prometheus.Metric) {
	s := d.stats()
	number := func(desc *prometheus.Desc, kind prometheus.ValueType, n float64) {
		to <- prometheus.MustNewConstMetric(desc, kind, n)
	}
	number(d.queue, prometheus.GaugeValue, float64(s.Queued))
	number(d.busy, prometheus.GaugeValue, s.Busy.Seconds())
	number(d.size, prometheus.GaugeValue, float64(s.Size))
	number(d.wal, prometheus.GaugeValue, float64(s.WALSize))
	number(d.jobs, prometheus.CounterValue, float64(s.Jobs))
	number(d.failed, prometheus.CounterValue, float64(s.Failed))
	for desc, h := range map[*prometheus.Desc]*latency.Histogram{d.transactions: s.Transactions, d.commits: s.Commits, d.reads: s.Reads} {
		t := h.Total()
		to <- prometheus.MustNewConstHistogram(desc, t.Count, t.Sum.Seconds(), t.Within)
	}
}
