package transport

import (
	"context"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"timbre/core/guard"
	"timbre/model/tim"
	"timbre/protocol"
)

// serve runs one connection from its first to its last byte and returns why it ended.
func (l *Link) serve(ctx context.Context, conn *connection) *Error {
	if !l.begin(conn) {
		conn.end(nil)
		return lost("the client is closing")
	}
	l.tell(tim.Connected, &Error{})

	life, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { conn.write() })
	wg.Go(func() { l.watch(life, conn) })
	wg.Go(func() {
		if !guard.Run(l.cfg.Log, "opening a connection", func() { l.cfg.Open(life) }) {
			conn.end(lost("the library failed inside"))
		}
	})
	err := l.read(conn)
	l.learn(conn, err)
	end()
	conn.end(nil)
	wg.Wait()
	l.over(conn)
	if why := conn.reason(); why != nil {
		return why
	}
	return ended(err)
}

// begin makes a connection the link's own, unless the link has stopped.
func (l *Link) begin(conn *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	l.conn, l.failure = conn, nil
	select {
	case <-l.wake: // it was meant for the dial that has succeeded now
	default:
	}
	return true
}

// over lets go of a connection. A login that was on its way over it has failed, everything else waits for the next one.
func (l *Link) over(conn *connection) {
	l.mu.Lock()
	l.conn, l.open = nil, false
	l.judge(conn)
	var logins []*request
	for _, r := range l.pending {
		if r.login {
			logins = append(logins, r)
		}
	}
	l.mu.Unlock()
	for _, r := range logins {
		l.finish(r, protocol.Answer{}, lost("connection lost"))
	}
}

// judge counts a connection that has ended for the pause before the next one: else a server that hangs up on everybody, or
// as often as it is asked a certain question, would be called without end. l.mu is held.
func (l *Link) judge(conn *connection) {
	switch {
	case time.Since(conn.begun) >= settled:
		l.failures, l.short = 0, 0
	case conn.useful:
		l.short++
		l.failures = min(max(0, l.short-shortFree), shortMost)
	default:
		l.failures++
	}
}

// read hands over what comes until the connection ends. A handler that fails ends it too.
func (l *Link) read(conn *connection) error {
	for {
		kind, frame, err := conn.ws.ReadMessage()
		if err != nil {
			return err
		}
		l.lives(conn)
		l.meter.in.Add(uint64(len(frame)))
		if kind != websocket.TextMessage {
			continue
		}
		if !guard.Run(l.cfg.Log, "handling a frame", func() { l.frame(frame) }) {
			conn.end(lost("the library failed inside"))
			return nil
		}
	}
}

// lives notes a sign of life.
func (l *Link) lives(conn *connection) {
	if !conn.heard() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open {
		l.beat.lived()
	}
}

func (l *Link) frame(frame []byte) {
	protocol.Lines(frame, func(line []byte) bool {
		l.line(line)
		return true
	})
}

func (l *Link) line(line []byte) {
	answer, push, ok := protocol.ParseServerLine(line)
	switch {
	case !ok:
		l.cfg.Log.Warn("unreadable line from the server", "bytes", len(line))
	case push != nil:
		l.cfg.Push(push)
	case !answer.Ack:
		l.mu.Lock()
		r := l.pending[answer.ID]
		if r != nil && !r.login && l.conn != nil {
			l.conn.useful = true
		}
		l.mu.Unlock()
		switch {
		case r != nil:
			l.finish(r, answer, nil)
		case answer.ID != 0 && l.cfg.Late != nil:
			l.cfg.Late()
		}
	}
}
