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

	"timbre/sqlite"
)

// Metrics are the server's figures.
type Metrics struct {
	registry    *prometheus.Registry
	Connections prometheus.Gauge
	Sessions    prometheus.Gauge
	Messages    prometheus.Counter
	Pushes      prometheus.Counter
	Dropped     prometheus.Counter
	Busy        prometheus.Counter
	Kicks       prometheus.Counter
	FileIn      prometheus.Counter
	FileOut     prometheus.Counter

	LiveMessages prometheus.Counter
	LiveDropped  prometheus.Counter
	LiveLost     prometheus.Counter

	logins   *prometheus.CounterVec
	refusals *prometheus.CounterVec
	requests *prometheus.HistogramVec
	commit   prometheus.Histogram
}

// requestBuckets are few, because there are so many operations.
var requestBuckets = []float64{0.001, 0.004, 0.016, 0.064, 0.25, 1, 4}

// New returns the figures. stats tells what the database does, outbound how many bytes wait for clients.
func New(stats func() sqlite.Stats, outbound func() int) *Metrics {
	m := &Metrics{
		registry:    prometheus.NewRegistry(),
		Connections: gauge("connections", "Open client connections."),
		Sessions:    gauge("sessions", "Connections on which somebody is logged in."),
		Messages:    counter("messages_total", "Messages stored."),
		Pushes:      counter("pushes_total", "Log entries queued for pushing."),
		Dropped:     counter("pushes_dropped_total", "Log entries dropped because a client was too slow; it fetches them later."),
		Busy:        counter("busy_total", "Requests refused because the database queue was full."),
		Kicks:       counter("kicks_total", "Sessions that ended because another device took their place."),
		FileIn:      counter("file_received_bytes_total", "Bytes of users' files received."),
		FileOut:     counter("file_sent_bytes_total", "Bytes of users' files sent."),

		LiveMessages: counter("live_messages_total", "Messages said in live rooms."),
		LiveDropped:  counter("live_messages_dropped_total", "Messages that a live room had no room for; their senders were told that all is well."),
		LiveLost:     counter("live_lines_dropped_total", "Lines of live rooms dropped because a client was too slow."),

		logins:   prometheus.NewCounterVec(prometheus.CounterOpts(opts("logins_total", "Logins by result code.")), []string{"code"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts(opts("refusals_total", "Requests answered with another code than 0, by code.")), []string{"code"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "timbred", Name: "request_seconds",
			Help: "Requests by operation, from their arrival to their answer.", Buckets: requestBuckets}, []string{"op"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "timbred", Name: "append_seconds",
			Help: "From the arrival of a change to its commit.", Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14)}),
	}
	m.registry.MustRegister(m.Connections, m.Messages, m.Pushes, m.Dropped, m.Busy, m.FileIn, m.FileOut, m.logins, m.commit,
		m.Sessions, m.Kicks, m.LiveMessages, m.LiveDropped, m.LiveLost, m.refusals, m.requests, newDatabase(stats),
		depth("outbound_bytes", "Bytes waiting to be written to clients.", outbound),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Live adds what live rooms know of themselves: how many there are, how many connections listen to them, and how many messages
// and other entries these got.
func (m *Metrics) Live(rooms, audience, sent func() float64) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("live_rooms", "Live rooms in which somebody is.")), rooms),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("live_audience", "Connections that listen to live rooms, counted in each room.")), audience),
		prometheus.NewCounterFunc(prometheus.CounterOpts(opts("live_deliveries_total", "Messages and other entries of live rooms, by connection that got them.")), sent))
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

// Refusal counts a request that was answered with a code.
func (m *Metrics) Refusal(code int) { m.refusals.WithLabelValues(strconv.Itoa(code)).Inc() }

// Operation is one of the operations that a client may request.
type Operation struct {
	Name    string
	seconds prometheus.Observer
}

// Operation returns an operation that nobody may have requested yet. Ask once and keep it.
func (m *Metrics) Operation(name string) *Operation {
	return &Operation{Name: name, seconds: m.requests.WithLabelValues(name)}
}

// Answered counts a request and how long its answer took.
func (o *Operation) Answered(took time.Duration) { o.seconds.Observe(took.Seconds()) }

// Commit notes how long a change took from its arrival to its commit.
func (m *Metrics) Commit(d time.Duration) { m.commit.Observe(d.Seconds()) }

// Handler serves the figures.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
