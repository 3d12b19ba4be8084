package transport

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"timbre/protocol"
)

// connection is one WebSocket and its outgoing lines.
type connection struct {
	ws   *websocket.Conn
	sent *atomic.Uint64 // bytes

	login   bool   // a login was sent and not refused; the link's lock guards it
	session string // what the server calls it, "" before the login; likewise

	useful bool          // a request got its answer over it; likewise
	proxy  string        // through which it was made, "" for none
	told   chan struct{} // closed when the host has been told of its end

	mu         sync.Mutex
	out        []byte
	onWritten  []*request // whose lines are in out
	closed     bool
	why        *Error        // it was closed on purpose
	begun      time.Time     // the dial's end
	lastHeard  time.Time     // the last sign of life
	unanswered time.Time     // when the first request since then was queued
	until      time.Time     // it was asked whether it lives and is dead if it says nothing until then
	idle       bool          // it was asked only because it was idle for long
	ready      chan struct{} // out is not empty
	doubt      chan struct{} // the watch shall look again
}

// ping is a question that every server answers. Nobody waits for the answer to id 0.
var ping = protocol.Request{Op: protocol.OpPing}

func newConnection(ws *websocket.Conn, sent *atomic.Uint64) *connection {
	now := time.Now()
	return &connection{ws: ws, sent: sent, told: make(chan struct{}), begun: now, lastHeard: now, ready: make(chan struct{}, 1), doubt: make(chan struct{}, 1)}
}

// send queues a line.
func (c *connection) send(line func([]byte) []byte, r *request) {
	c.mu.Lock()
	first := false
	if !c.closed {
		c.out = line(c.out)
		if r != nil {
			first = c.unanswered.IsZero()
			c.onWritten = append(c.onWritten, r)
		}
		if first {
			c.unanswered = time.Now()
		}
	}
	c.mu.Unlock()
	c.signal()
	if first {
		c.wonder()
	}
}

func (c *connection) signal() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

// frames sends whole lines in frames that the server accepts: it closes the connection for a larger one.
func (c *connection) frames(lines []byte) error {
	for len(lines) > 0 {
		end := len(lines)
		if end > protocol.MaxFrame {
			end = bytes.LastIndexByte(lines[:protocol.MaxFrame], '\n') + 1
			if end == 0 {
				end = bytes.IndexByte(lines, '\n') + 1 // one long line
			}
		}
		_ = c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)) // an error shows in the write
		if err := c.ws.WriteMessage(websocket.TextMessage, lines[:end]); err != nil {
			return err
		}
		c.sent.Add(uint64(end))
		lines = lines[end:]
	}
	return nil
}

// write sends what is queued until the connection closes.
func (c *connection) write() {
	var spare []byte
	for {
		c.mu.Lock()
		frame, requests := c.out, c.onWritten
		c.out, c.onWritten = spare[:0], nil
		closed := c.closed
		c.mu.Unlock()
		if closed {
			return
		}
		if len(frame) == 0 {
			spare = frame
			<-c.ready
			continue
		}
		for _, r := range requests {
			r.setStage(stageWriting)
		}
		if err := c.frames(frame); err != nil {
			c.end(nil)
			return
		}
		for _, r := range requests {
			r.setStage(stageWritten)
		}
		spare = frame
	}
}

// end closes the connection. The first reason counts; nil leaves it to what the reader finds.
func (c *connection) end(why *Error) {
	c.mu.Lock()
	if c.why == nil && !c.closed {
		c.why = why
	}
	c.closed = true
	c.mu.Unlock()
	c.ws.Close()
	c.signal()
}

// reason is why it was closed on purpose, nil when it was not.
func (c *connection) reason() *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}
