// Package metrics counts what an operator wants to see. The registry is the server's own, so that two servers in one
// process (as in tests) do not meet.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the server's figures.
type Metrics struct {
	registry    *prometheus.Registry
	Connections prometheus.Gauge
	Messages    prometheus.Counter
	Pushes      prometheus.Counter
	Dropped     prometheus.Counter
	Busy        prometheus.Counter
	FileIn      prometheus.Counter
	FileOut     prometheus.Counter
	logins      *prometheus.CounterVec
	commit      prometheus.Histogram
}

// New returns the figures. Queued tells how many changes wait for the database, outbound how many bytes wait for clients.
func New(queued, outbound func() int) *Metrics {
	m := &Metrics{
		registry:    prometheus.NewRegistry(),
		Connections: gauge("connections", "Open client connections."),
		Messages:    counter("messages_total", "Messages stored."),
		Pushes:      counter("pushes_total", "Log entries queued for pushing."),
		Dropped:     counter("pushes_dropped_total", "Log entries dropped because a client was too slow; it fetches them later."),
		Busy:        counter("busy_total", "Requests refused because the database queue was full."),
		FileIn:      counter("file_received_bytes_total", "Bytes of users' files received."),
		FileOut:     counter("file_sent_bytes_total", "Bytes of users' files sent."),
		logins:      prometheus.NewCounterVec(prometheus.CounterOpts(opts("logins_total", "Logins by result code.")), []string{"code"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "timbred", Name: "append_seconds",
			Help: "From the arrival of a change to its commit.", Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14)}),
	}
	m.registry.MustRegister(m.Connections, m.Messages, m.Pushes, m.Dropped, m.Busy, m.FileIn, m.FileOut, m.logins, m.commit,
		depth("database_queue", "Changes waiting for the database.", queued),
		depth("outbound_bytes", "Bytes waiting to be written to clients.", outbound),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts(opts(name, help)))
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts(opts(name, help)))
}

func depth(name, help string, now func() int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts(name, help)), func() float64 { return float64(now()) })
}

func opts(name, help string) prometheus.Opts {
	return prometheus.Opts{Namespace: "timbred", Name: name, Help: help}
}

// Login counts a login by its result.
func (m *Metrics) Login(code int) { m.logins.WithLabelValues(strconv.Itoa(code)).Inc() }

// Commit notes how long a change took from its arrival to its commit.
func (m *Metrics) Commit(d time.Duration) { m.commit.Observe(d.Seconds()) }

// Handler serves the figures.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
