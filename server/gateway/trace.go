package gateway

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"timbre/protocol"
	"timbre/server/metrics"
)

const (
	// slowRequest is from when on a request is worth a line in the log.
	slowRequest = time.Second
	// remarks is how many refused and slow requests of one connection stand in the log each second. More are lines of
	// level debug: neither a client that goes mad nor a slow disk must fill the log.
	remarks = 20
)

// trace follows the requests of a connection from their line to their answer, for the log and the figures.
type trace struct {
	mu     sync.Mutex
	open   []begun // nearly always answered in their order
	lines  int     // that were logged
	second int64   // in this one, since 1970
}

// begun is a request that has no answer yet.
type begun struct {
	id      uint64
	op      *metrics.Operation // nil: no operation of ours
	session string             // "" before the login
	at      time.Time
}

// keepOpen is for how many requests an idle connection keeps room.
const keepOpen = 16

// name is what the request is called in the client's log too.
func (b *begun) name() string {
	id := strconv.FormatUint(b.id, 10)
	if b.session == "" {
		return id
	}
	return b.session + "-" + id
}

// began notes a request. It is called by the reading goroutine.
func (c *conn) began(id uint64, op *metrics.Operation) {
	t := &c.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = append(t.open, begun{id: id, op: op, session: c.session, at: time.Now()})
}

// of returns a request that has no answer yet.
func (t *trace) of(id uint64) begun {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := t.find(id); i >= 0 {
		return t.open[i]
	}
	return begun{id: id}
}

func (t *trace) find(id uint64) int {
	return slices.IndexFunc(t.open, func(b begun) bool { return b.id == id })
}

// take returns a request whose answer is there and forgets it.
func (t *trace) take(id uint64) begun {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.find(id)
	if i < 0 {
		return begun{id: id}
	}
	b := t.open[i]
	if t.open = slices.Delete(t.open, i, i+1); len(t.open) == 0 && cap(t.open) > keepOpen {
		t.open = nil
	}
	return b
}

// newest is the name of the request that came last, "" when it has been answered.
func (t *trace) newest() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.open) == 0 {
		return ""
	}
	return t.open[len(t.open)-1].name()
}

// remark says whether another request may be logged now.
func (t *trace) remark(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := now.Unix(); s != t.second {
		t.second, t.lines = s, 0
	}
	t.lines++
	return t.lines <= remarks
}

// answered counts and logs the end of a request.
func (c *conn) answered(a *protocol.Answer) {
	b, now := c.trace.take(a.ID), time.Now()
	if a.Code != 0 {
		c.g.Metrics.Refusal(a.Code)
	}
	if b.op == nil {
		return
	}
	took := now.Sub(b.at)
	b.op.Answered(took)
	level, text := slog.LevelDebug, "request"
	switch {
	case a.Code == protocol.CodeBusy, a.Code == protocol.CodeInside, b.session == "": // the figures, reply and the login tell of these
	case a.Code == 0 && took <= slowRequest, !c.trace.remark(now):
	case a.Code != 0:
		level, text = slog.LevelInfo, "request refused"
	default:
		level, text = slog.LevelWarn, "slow request"
	}
	ctx := context.Background()
	if log := c.logger(); log.Enabled(ctx, level) {
		log.LogAttrs(ctx, level, text, slog.String("request", b.name()), slog.String("op", b.op.Name),
			slog.Duration("took", took.Round(time.Microsecond)), slog.Int("code", a.Code))
	}
}

// logger is the connection's log, which names the session while there is one.
func (c *conn) logger() *slog.Logger { return c.log.Load() }

// label says what the session is called in the log; "" when there is none. It is called by the reading goroutine.
func (c *conn) label(session string) {
	c.session = session
	log := c.anonymous
	if session != "" {
		log = log.With("session", session)
	}
	c.log.Store(log)
}

// sessionName is what a session is called: like no other one of any start of the server.
func (g *Gateway) sessionName(number uint64) string {
	return g.start + "." + strconv.FormatUint(number, 10)
}

// operations returns the figures of each operation.
func operations(m *metrics.Metrics) map[string]*metrics.Operation {
	all := map[string]*metrics.Operation{}
	for name := range handlers() {
		all[name] = m.Operation(name)
	}
	return all
}
