package gateway

import (
	"bytes"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/session"
)

// conn is one client's connection. The goroutine that runs serve reads, and has the crew handle requests one after the other,
// in the order of their arrival; another one writes when there is something to write. Requests that change something do not
// wait for each other: their answers are queued when they are committed. What the fields call the reading goroutine is
// whoever handles a request, too.
type conn struct {
	g    *Gateway
	ws   *websocket.Conn
	out  *outbox
	self *session.Session // nil before login; used by the reading goroutine

	session   string // its name, "" before login; likewise
	anonymous *slog.Logger
	log       atomic.Pointer[slog.Logger]
	trace     trace

	busyUntil time.Time    // everything that changes something is refused until then; likewise
	trans     quota        // likewise
	heard     time.Time    // when the last frame came; likewise
	streak    int          // frames that followed each other quickly; likewise
	failed    atomic.Int64 // when the database last failed to make a change, Unix nanoseconds

	slots   chan struct{}  // one for each request under way
	pending sync.WaitGroup // likewise
	written chan struct{}  // closed when the writer has ended

	mu       sync.Mutex
	stopping bool
	stopped  chan struct{} // closed when no more requests are wanted
	expiry   *time.Timer   // of the UserSig
	why      string        // the connection was ended from here; "" when the client or the network did
}

func newConn(g *Gateway, ws *websocket.Conn) *conn {
	c := &conn{
		g: g, ws: ws, out: newOutbox(g.cfg.MaxOutboundBytes, g.cfg.MaxOutboundLines),
		anonymous: g.Logger.With("remote", ws.RemoteAddr().String()),
		slots:     make(chan struct{}, g.cfg.MaxInFlight), written: make(chan struct{}), stopped: make(chan struct{}),
	}
	c.label("")
	return c
}

// serve runs the connection to its end. What was accepted is answered before it closes, if the client still listens.
func (c *conn) serve() {
	defer c.pings()()
	c.read()
	c.pending.Wait()
	c.leave()
	c.out.end()
	c.Wake()
	<-c.written
	c.linger()
	c.ws.Close()
}

// read handles frames until the client goes away or is told to.
func (c *conn) read() {
	defer c.survive()
	c.ws.SetReadLimit(maxLoginFrame)
	c.ws.SetPongHandler(func(string) error { c.extend(); return nil })
	for c.extend() {
		_, r, err := c.ws.NextReader()
		if err != nil {
			return
		}
		frame, err := c.g.readFrame(r)
		if err != nil || !utf8.Valid(frame) {
			return // nobody could pass it on as text
		}
		if !c.handle(frame) {
			return
		}
	}
}

// lively is how many frames that follow each other within a second make a connection lively.
const lively = 16

// handle handles a frame and says whether more are wanted. The crew does it for a connection that is silent most of the time;
// a lively one needs its stack anyway.
func (c *conn) handle(frame []byte) (more bool) {
	now := time.Now()
	if now.Sub(c.heard) > time.Second {
		c.streak = 0
	}
	c.heard = now
	if c.streak++; c.streak > lively {
		return c.frame(frame)
	}
	done := make(chan struct{})
	c.g.crew.do(func() {
		defer close(done)
		defer c.survive()
		more = c.frame(frame)
	})
	<-done
	return more
}

// readFrame reads a frame into memory of its own, because requests keep parts of it until they are committed. The buffer
// belongs to no connection: most of them are silent.
func (g *Gateway) readFrame(r io.Reader) ([]byte, error) {
	b, _ := g.frames.Get().(*bytes.Buffer)
	if b == nil {
		b = &bytes.Buffer{}
	}
	b.Reset()
	_, err := b.ReadFrom(r)
	frame := bytes.Clone(b.Bytes())
	if b.Cap() <= 2*protocol.MaxFrame { // one long line must not hold memory for good
		g.frames.Put(b)
	}
	return frame, err
}

// survive keeps a mistake in the handling of one client's request from ending the server.
func (c *conn) survive() {
	if r := recover(); r != nil {
		c.logger().Error("connection closed: a handler failed", "request", c.trace.newest(), "panic", r, "stack", string(debug.Stack()))
	}
}

// frame handles the requests of a frame and says whether more are wanted.
func (c *conn) frame(frame []byte) (more bool) {
	more = true
	protocol.Lines(frame, func(line []byte) bool {
		more = c.caughtUp() && c.line(line)
		return more
	})
	return more
}

func (c *conn) line(line []byte) bool {
	r, ok := parse(line)
	if !ok {
		c.refuse(r.ID, tim.ErrSVRCommReqJSONParseFailed, "this is no request")
		return true
	}
	h, known := c.g.handlers[r.Op]
	c.began(r.ID, c.g.ops[r.Op])
	switch {
	case !known:
		c.refuse(r.ID, protocol.CodeOp, "unknown operation")
	case h.session && c.self == nil:
		c.refuse(r.ID, tim.ErrSDKNotLoggedIn, "log in first")
	default:
		h.handle(c, &r)
	}
	return true
}

// deepLine is how long a line must be before its nesting could cost the parser, which recurses, much memory.
const deepLine = 16 << 10

func parse(line []byte) (protocol.Request, bool) {
	if len(line) > deepLine {
		if _, depth := model.Measure(line); depth > 2*model.MaxNesting {
			return protocol.Request{}, false
		}
	}
	return protocol.ParseRequest(line)
}

// caughtUp waits while the client has too much to read and returns false when no more requests are wanted.
func (c *conn) caughtUp() bool {
	room := c.out.roomy()
	if room == nil {
		return !c.isStopping()
	}
	select {
	case <-room:
		return true
	case <-c.stopped:
		return false
	case <-c.written:
		return false
	}
}

// extend gives the client time until its next sign of life.
func (c *conn) extend() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return false
	}
	idle := c.g.cfg.LoginTime
	if c.self != nil {
		idle = c.g.cfg.Silence
	}
	return c.ws.SetReadDeadline(time.Now().Add(idle)) == nil
}

// stop ends the reading. It may be called from any goroutine.
func (c *conn) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return
	}
	c.stopping = true
	close(c.stopped)
	c.ws.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; an error means that it is awake already
}

func (c *conn) isStopping() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopping
}
