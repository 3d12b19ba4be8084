package transport

import (
	"sync"
	"sync/atomic"
	"time"

	"timbre/model/tim"
)

// Stats is what a link is doing.
type Stats struct {
	State Status
	Since time.Time // of State
	// RoundTrip is the time from the writing of a request to its answer, the server's work included, for the newest one
	// and smoothed over the last few dozens. 0: none was answered yet.
	RoundTrip, Smoothed time.Duration
	Connections         uint64 // that stood, since the start
	Failure             *Error // why the last connection ended or could not be made; nil: none has
	FailedAt            time.Time
	BytesIn, BytesOut   uint64 // of the frames' contents, since the start
	Pending             int    // requests without an answer, those too that wait for a connection
	Heartbeat           time.Duration
	Session             string // names the present session in the server's log; "" when there is none
}

// smoothing is the number of round trips over which their average moves.
const smoothing = 8

// meter counts what a link does.
type meter struct {
	in, out     atomic.Uint64
	connections atomic.Uint64

	mu              sync.Mutex
	state           Status
	since, failedAt time.Time
	failure         *Error
	last, smoothed  time.Duration
}

// watched makes the function that is told of changes of the link's state note them first.
func (m *meter) watched(tell func(Status, int, string)) func(Status, int, string) {
	m.state, m.since = Status(tim.Disconnected), time.Now()
	return func(s Status, code int, text string) {
		m.changed(s, code, text)
		tell(s, code, text)
	}
}

func (m *meter) changed(s Status, code int, text string) {
	if int(s) == tim.Connected {
		m.connections.Add(1)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.since = s, time.Now()
	if code != 0 {
		m.failure, m.failedAt = &Error{Code: code, Text: text}, m.since
	}
}

// answered notes a round trip.
func (m *meter) answered(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = took
	if m.smoothed == 0 {
		m.smoothed = took
	}
	m.smoothed += (took - m.smoothed) / smoothing
}

// Stats tells what the link is doing. It waits for nothing.
func (l *Link) Stats() Stats {
	m := &l.meter
	s := Stats{Connections: m.connections.Load(), BytesIn: m.in.Load(), BytesOut: m.out.Load()}
	m.mu.Lock()
	s.State, s.Since, s.Failure, s.FailedAt, s.RoundTrip, s.Smoothed = m.state, m.since, m.failure, m.failedAt, m.last, m.smoothed
	m.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Pending, s.Heartbeat = len(l.pending), l.beat.every
	if l.conn != nil {
		s.Session = l.conn.session
	}
	return s
}
