package gateway

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/session"
)

// conn is one client's connection. The goroutine that runs serve reads and handles requests in the order of their
// arrival; another one writes. Requests that change something do not wait for each other: their answers are queued when
// they are committed.
type conn struct {
	g    *Gateway
	ws   *websocket.Conn
	out  *outbox
	log  *slog.Logger
	self *session.Session // nil before login; used by the reading goroutine

	slots   chan struct{}  // one for each request under way
	pending sync.WaitGroup // likewise
	written chan struct{}  // closed when the writer has ended

	mu       sync.Mutex
	stopping bool
	stopped  chan struct{} // closed when no more requests are wanted
	expiry   *time.Timer   // of the UserSig
}

func newConn(g *Gateway, ws *websocket.Conn) *conn {
	return &conn{
		g: g, ws: ws, out: newOutbox(g.cfg.MaxOutboundBytes, g.cfg.MaxOutboundLines),
		log:   g.Logger.With("remote", ws.RemoteAddr().String()),
		slots: make(chan struct{}, g.cfg.MaxInFlight), written: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// serve runs the connection to its end. What was accepted is answered before it closes, if the client still listens.
func (c *conn) serve() {
	go c.write()
	c.read()
	c.pending.Wait()
	c.leave()
	c.out.end()
	<-c.written
	c.linger()
	c.ws.Close()
}

// read handles frames until the client goes away or is told to.
func (c *conn) read() {
	c.ws.SetReadLimit(maxLoginFrame)
	c.ws.SetPongHandler(func(string) error { c.extend(); return nil })
	var frame bytes.Buffer
	for c.extend() {
		_, r, err := c.ws.NextReader()
		if err != nil {
			return
		}
		frame.Reset()
		if _, err := frame.ReadFrom(r); err != nil {
			return
		}
		if !utf8.Valid(frame.Bytes()) {
			return // nobody could pass it on as text
		}
		if !c.frame(bytes.Clone(frame.Bytes())) { // requests keep parts of it until they are committed
			return
		}
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
	r, ok := protocol.ParseRequest(line)
	if !ok {
		c.refuse(r.ID, tim.ErrSVRCommReqJSONParseFailed, "this is no request")
		return true
	}
	h, known := c.g.handlers[r.Op]
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

// write sends what the outbox holds until it has ended.
func (c *conn) write() {
	defer close(c.written)
	ping := time.NewTicker(c.g.cfg.PingEvery)
	defer ping.Stop()
	for !c.out.finished() {
		var err error
		select {
		case <-c.out.wake:
			err = c.flush()
		case <-ping.C:
			err = c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTime))
		}
		if err != nil {
			c.abandon()
			return
		}
	}
	bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
	_ = c.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)) // only a courtesy
}

func (c *conn) flush() error {
	var items []item
	var frame []byte
	for {
		if items = c.out.take(items[:0]); len(items) == 0 {
			return nil
		}
		frame = frame[:0]
		for i := range items {
			frame = appendItem(frame, c.g.Epoch, &items[i])
		}
		if err := c.ws.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return err
		}
		if err := c.ws.WriteMessage(websocket.TextMessage, frame); err != nil {
			return err
		}
	}
}

// abandon gives the connection up without another word.
func (c *conn) abandon() {
	c.out.end()
	c.stop()
	c.ws.NetConn().Close()
}

// linger reads on for a moment after the last frame. Closing a socket with unread input makes the kernel reset the
// connection, and the client would lose answers that it has not read yet.
func (c *conn) linger() {
	nc := c.ws.NetConn()
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if nc.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.Copy(io.Discard, nc) // until the client closes or the time is over
	}
}

// Wake implements session.Waker.
func (c *conn) Wake() { c.out.Wake() }

// Log implements session.Connection.
func (c *conn) Log(pos uint64, e *changelog.Encoded) {
	c.g.Metrics.Pushes.Inc()
	if dropped := c.out.addLog(pos, e); dropped > 0 {
		c.g.Metrics.Dropped.Add(float64(dropped))
	}
}

// Kick implements session.Connection.
func (c *conn) Kick() {
	c.dismiss(protocol.PushKick, protocol.Marshal(protocol.Kick{
		Code: tim.ErrLoginKickedOffByOther, Desc: "another device logged in"}))
}

// Replace implements session.Connection.
func (c *conn) Replace() { c.stop() }

// dismiss says why and ends the connection after what is under way.
func (c *conn) dismiss(push string, body []byte) {
	p := protocol.Push{Kind: push, Body: body}
	c.send(p.Append(nil))
	c.Wake()
	c.stop()
}

// send queues a line without waking the writer.
func (c *conn) send(line []byte) {
	if !c.out.add(line) {
		c.log.Warn("connection closed: the client does not read its answers")
		c.abandon()
	}
}
