package gateway

import (
	"cmp"
	"io"
	"time"

	"github.com/gorilla/websocket"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
)

// Wake implements session.Waker: it begins to write what is queued, unless that is under way. Only then there is a goroutine
// for it, because most connections are silent.
func (c *conn) Wake() {
	if c.out.claim() {
		go c.write()
	}
}

// write sends what the outbox holds, and a last word when it has ended.
func (c *conn) write() {
	over, err := c.flush()
	switch {
	case err != nil:
		c.abandon()
	case !over:
		return
	default:
		bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
		_ = c.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)) // only a courtesy
	}
	close(c.written)
}

// pings sends a ping from time to time until the function that it returns is called.
func (c *conn) pings() (stop func() bool) {
	var timer *time.Timer
	ready := make(chan struct{})
	timer = time.AfterFunc(c.g.cfg.PingEvery, func() {
		<-ready
		if c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTime)) != nil {
			c.abandon()
			return
		}
		timer.Reset(c.g.cfg.PingEvery)
	})
	close(ready)
	return timer.Stop
}

// draft is the memory in which a frame is made. Connections borrow it from each other.
type draft struct {
	items []item
	frame []byte
}

// flush writes until nothing is left. Over says that nothing will come any more.
func (c *conn) flush() (over bool, err error) {
	d, _ := c.g.drafts.Get().(*draft)
	if d == nil {
		d = &draft{}
	}
	defer c.g.giveBack(d)
	for {
		if d.items = c.out.take(d.items[:0]); len(d.items) == 0 {
			more, over := c.out.rest()
			if more {
				continue
			}
			return over, nil
		}
		d.frame = d.frame[:0]
		for i := range d.items {
			d.frame = appendItem(d.frame, c.g.Epoch, &d.items[i])
		}
		clear(d.items)
		if err := c.ws.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return false, err
		}
		if err := c.ws.WriteMessage(websocket.TextMessage, d.frame); err != nil {
			return false, err
		}
	}
}

func (g *Gateway) giveBack(d *draft) {
	if cap(d.frame) <= 2*protocol.MaxFrame { // one long line must not hold memory for good
		g.drafts.Put(d)
	}
}

// abandon gives the connection up without another word.
func (c *conn) abandon() {
	c.out.end()
	c.Wake() // unless it was the writer who gave up
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

// Log implements session.Connection.
func (c *conn) Log(group string, pos uint64, e *changelog.Encoded) {
	c.g.Metrics.Pushes.Inc()
	if dropped := c.out.addLog(group, pos, e); dropped > 0 {
		c.g.Metrics.Dropped.Add(float64(dropped))
	}
}

// Tell implements session.Connection.
func (c *conn) Tell(line []byte) { c.send(line) }

// Kick implements session.Connection.
func (c *conn) Kick() {
	c.g.Metrics.Kicks.Inc()
	c.dismiss(protocol.PushKick, protocol.Marshal(protocol.Kick{
		Code: tim.ErrLoginKickedOffByOther, Desc: "another device logged in"}))
}

// Replace implements session.Connection.
func (c *conn) Replace() {
	c.because("replaced by a newer connection of the device")
	c.stop()
}

// dismiss says why and ends the connection after what is under way.
func (c *conn) dismiss(push string, body []byte) {
	c.because(push)
	p := protocol.Push{Kind: push, Body: body}
	c.send(p.Append(nil))
	c.Wake()
	c.stop()
}

// because notes why the connection ends, for the log. The first reason counts.
func (c *conn) because(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = cmp.Or(c.why, why)
}

func (c *conn) reason() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.why, "gone")
}

// send queues a line without waking the writer.
func (c *conn) send(line []byte) {
	if !c.out.add(line) {
		c.because("does not read its answers")
		c.logger().Warn("connection closed: the client does not read its answers")
		c.abandon()
	}
}
