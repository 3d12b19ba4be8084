package transport

import (
	"bytes"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"timbre/protocol"
)

// connection is one WebSocket and its outgoing lines.
type connection struct {
	ws    *websocket.Conn
	login bool // a login was sent and not refused; the link's lock guards it

	mu        sync.Mutex
	out       []byte
	onWritten []*request // whose lines are in out
	closed    bool
	lastHeard time.Time
	pinged    bool
	ready     chan struct{}
}

func newConnection(ws *websocket.Conn) *connection {
	return &connection{ws: ws, lastHeard: time.Now(), ready: make(chan struct{}, 1)}
}

// send queues a line.
func (c *connection) send(line func([]byte) []byte, r *request) {
	c.mu.Lock()
	if !c.closed {
		c.out = line(c.out)
		if r != nil {
			c.onWritten = append(c.onWritten, r)
		}
	}
	c.mu.Unlock()
	c.signal()
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
			c.close()
			return
		}
		for _, r := range requests {
			r.setStage(stageWritten)
		}
		spare = frame
	}
}

func (c *connection) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.ws.Close()
	c.signal()
}

func (c *connection) heard() {
	c.mu.Lock()
	c.lastHeard, c.pinged = time.Now(), false
	c.mu.Unlock()
}

func (c *connection) quiet() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.lastHeard)
}

func (c *connection) asked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pinged
}

// ping asks for a sign of life, once until one comes.
func (c *connection) ping() {
	c.mu.Lock()
	already := c.pinged
	c.pinged = true
	c.mu.Unlock()
	if !already {
		r := protocol.Request{Op: protocol.OpPing} // id 0: nobody waits for the answer
		c.send(r.Append, nil)
	}
}
