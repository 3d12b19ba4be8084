package transport

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"timbre/core/guard"
	"timbre/model/tim"
	"timbre/protocol"
)

// Error is a failure with its public code.
type Error struct {
	Code int
	Text string
}

func (e *Error) Error() string { return e.Text }

// Stages of a request; they decide the code of a missed deadline.
const (
	stageQueued int32 = iota
	stageWriting
	stageWritten
)

// patience is the deadline from which on a request may be written any number of times: whoever waits so long wants it done,
// and its turn kept.
const patience = 24 * time.Hour

// request is one question on its way.
type request struct {
	id      uint64
	op, key string
	body    []byte
	login   bool
	writes  int // how often it was written
	patient bool
	refused bool // it is never written
	stage   atomic.Int32
	timer   *time.Timer
	done    func(protocol.Answer, error)

	made, written time.Time
	session       string // in which it was written last
}

func (r *request) setStage(s int32) { r.stage.Store(s) }

func (r *request) line(b []byte) []byte {
	q := protocol.Request{ID: r.id, Op: r.op, Key: r.key, Body: r.body}
	return q.Append(b)
}

// Request sends a request and calls done exactly once: with the server's answer, whatever its code, or with an *Error.
// done runs on the reading goroutine, on a timer's or on the caller's, and must not block. A request made while there is
// no connection waits for one. One that is larger than the server reads fails at once: it would end the connection for all.
func (l *Link) Request(op, key string, body []byte, timeout time.Duration, done func(protocol.Answer, error)) {
	l.add(&request{op: op, key: key, body: body, done: done}, timeout)
}

// Login sends the login over the present connection before anything else may pass. It does nothing and returns false
// when there is none, or when one was sent over it already and not refused.
func (l *Link) Login(body []byte, timeout time.Duration, done func(protocol.Answer, error)) bool {
	l.mu.Lock()
	conn := l.conn
	if conn == nil || conn.login {
		l.mu.Unlock()
		return false
	}
	conn.login = true
	l.ended = nil
	l.mu.Unlock()
	l.add(&request{op: protocol.OpLogin, body: body, login: true, done: func(a protocol.Answer, err error) {
		if err != nil || a.Code != 0 {
			l.mu.Lock()
			conn.login = false
			l.mu.Unlock()
		}
		done(a, err)
	}}, timeout)
	return true
}

// Ask is Request for callers that wait.
func (l *Link) Ask(ctx context.Context, op, key string, body []byte, timeout time.Duration) (protocol.Answer, error) {
	type result struct {
		answer protocol.Answer
		err    error
	}
	got := make(chan result, 1)
	l.Request(op, key, body, timeout, func(a protocol.Answer, err error) {
		a.Body = slices.Clone(a.Body)
		got <- result{a, err}
	})
	select {
	case r := <-got:
		return r.answer, r.err
	case <-ctx.Done():
		return protocol.Answer{}, &Error{Code: tim.ErrSDKCommInterrupt, Text: "interrupted"}
	}
}

// lineSpare is more than a line has besides its operation, key and body, in bytes.
const lineSpare = 256

func (l *Link) add(r *request, timeout time.Duration) {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		r.done(protocol.Answer{}, &Error{Code: tim.ErrSDKCommInterrupt, Text: "the client is closing"})
		return
	}
	r.patient = timeout >= patience
	l.nextID++
	r.id, r.made = l.nextID, time.Now()
	l.pending[r.id] = r
	if why := l.refusal(r); why != nil { // on another goroutine: the caller may hold what done needs
		r.refused = true
		r.timer = time.AfterFunc(0, func() { l.finish(r, protocol.Answer{}, why) })
		l.mu.Unlock()
		return
	}
	r.timer = time.AfterFunc(timeout, func() { l.finish(r, protocol.Answer{}, l.late(r)) })
	conn := l.conn
	if conn != nil && (l.open || r.login) {
		conn.request(r)
	}
	l.mu.Unlock()
}

// refusal says why a request is not to be written at all. The link's lock is held.
func (l *Link) refusal(r *request) error {
	switch {
	case len(r.op)+len(r.key)+len(r.body)+lineSpare > protocol.MaxLine:
		return &Error{Code: tim.ErrSDKNetPkgSizeLimit, Text: "the request is larger than 1 MB"}
	case l.ended != nil && !r.login:
		return l.ended
	}
	return nil
}

// request writes a request, once more if need be. The link's lock is held.
func (c *connection) request(r *request) {
	r.writes++
	r.written, r.session = time.Now(), c.session
	c.send(r.line, r)
}

// late is the error of a missed deadline: was it written, and is there a network now?
func (l *Link) late(r *request) error {
	l.mu.Lock()
	connected := l.conn != nil
	l.mu.Unlock()
	code := map[bool][3]int{
		true:  {tim.ErrSDKNetWaitSendTimeout, tim.ErrSDKNetWaitSendRemainingTimeout, tim.ErrSDKNetWaitAckTimeout},
		false: {tim.ErrSDKNetWaitSendTimeoutNoNetwork, tim.ErrSDKNetSendRemainingTimeoutNoNetwork, tim.ErrSDKNetWaitAckTimeoutNoNetwork},
	}[connected][r.stage.Load()]
	return &Error{Code: code, Text: "no answer from the server in time"}
}

// finish ends a request once; later calls do nothing.
func (l *Link) finish(r *request, a protocol.Answer, err error) {
	l.mu.Lock()
	_, live := l.pending[r.id]
	delete(l.pending, r.id)
	l.mu.Unlock()
	if live {
		r.timer.Stop()
		if err == nil {
			l.meter.answered(time.Since(r.written))
		}
		l.trace(r, a, err)
		if !guard.Run(l.cfg.Log, r.op, func() { r.done(a, err) }) {
			l.Drop(lost("the library failed inside"))
		}
	}
}

// Release opens the link for ordinary requests and writes what is pending, oldest first. What was written too often fails,
// and so does what must not be written twice.
func (l *Link) Release() {
	l.mu.Lock()
	conn := l.conn
	if conn == nil {
		l.mu.Unlock()
		return
	}
	l.open = true
	var tired []*request
	for _, id := range l.ids() {
		r := l.pending[id]
		if r.login || r.refused {
			continue
		}
		if r.writes > l.cfg.Retry() && !r.patient || r.op == protocol.OpTrans && r.stage.Load() != stageQueued {
			tired = append(tired, r)
			continue
		}
		conn.request(r)
	}
	l.mu.Unlock()
	for _, r := range tired {
		l.finish(r, protocol.Answer{}, &Error{Code: tim.ErrSDKNetWaitAckTimeout, Text: "written too often without an answer"})
	}
}

// Close stops ordinary requests from passing, at the end of a session.
func (l *Link) Close() {
	l.mu.Lock()
	l.open = false
	l.mu.Unlock()
}

// FailAll ends every pending request with err, and those that a call of the session makes too late: the next session may be
// another user's.
func (l *Link) FailAll(err error) {
	l.mu.Lock()
	l.ended = err
	var all []*request
	for _, id := range l.ids() {
		all = append(all, l.pending[id])
	}
	l.mu.Unlock()
	for _, r := range all {
		l.finish(r, protocol.Answer{}, err)
	}
}

// ids lists the pending requests in the order in which they were made.
func (l *Link) ids() []uint64 {
	ids := make([]uint64, 0, len(l.pending))
	for id := range l.pending {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Connected says whether a connection stands and whether it is open for requests; failures counts the dials that have
// failed since, and err is the last reason.
func (l *Link) Connected() (connected, open bool, failures int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn != nil, l.open, l.failures, l.failure
}

// AsError returns err with its public code.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: tim.ErrSDKInternalError, Text: err.Error()}
}
