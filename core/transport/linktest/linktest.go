// Package linktest is a server for tests of what works over a transport.Link: it speaks the protocol over connections in
// memory, so that a whole test may run in a bubble of testing/synctest.
package linktest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"

	"timbre/core/transport"
	"timbre/protocol"
)

// Server answers the links of a test.
type Server struct {
	// Handle gets every request but pings and logins, in order, on the connection's goroutine.
	Handle func(c *Conn, r protocol.Request)
	// Login answers a login; nil: it succeeds with LoggedIn.
	Login    func(c *Conn, r protocol.Request)
	LoggedIn protocol.LoggedIn
	// Ping answers a ping, the first one of every connection too; nil: at once.
	Ping func(c *Conn, r protocol.Request)

	mu     sync.Mutex
	refuse bool
	deaf   chan struct{} // closed at the end
	conns  []*Conn
	dials  int
	all    sync.WaitGroup
}

// Conn is one connection. Its methods may be called from any goroutine.
type Conn struct {
	server *Server
	ws     *websocket.Conn
	mu     sync.Mutex
}

// Refuse lets dials fail from now on, or succeed again.
func (s *Server) Refuse(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = on
}

// Deaf lets the server read nothing of new connections beyond the login.
func (s *Server) Deaf() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaf = make(chan struct{})
}

// Dials is how many dials came, refused ones too.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Conn is the newest connection, nil when there is none.
func (s *Server) Conn() *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) == 0 {
		return nil
	}
	return s.conns[len(s.conns)-1]
}

// Dial is the link's way here.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	s.dials++
	refuse := s.refuse
	s.mu.Unlock()
	if refuse {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	client, server := net.Pipe()
	s.all.Go(func() { s.serve(server) })
	return client, nil
}

// oneConn is a listener with a single connection.
type oneConn struct {
	conn net.Conn
	once sync.Once
	end  chan struct{}
}

func (l *oneConn) Accept() (c net.Conn, err error) {
	l.once.Do(func() { c = l.conn })
	if c != nil {
		return c, nil
	}
	<-l.end
	return nil, net.ErrClosed
}
func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

func (s *Server) serve(nc net.Conn) {
	l := &oneConn{conn: nc, end: make(chan struct{})}
	over := sync.OnceFunc(func() { close(l.end) })
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer over()
		up := websocket.Upgrader{}
		if ws, err := up.Upgrade(w, r, nil); err == nil {
			s.talk(ws)
		}
	}), ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed { // the client broke off before it asked
			over()
		}
	}}
	_ = h.Serve(l)
	nc.Close()
}

func (s *Server) talk(ws *websocket.Conn) {
	c := &Conn{server: s, ws: ws}
	s.mu.Lock()
	s.conns = append(s.conns, c)
	deaf := s.deaf
	s.mu.Unlock()
	defer c.Cut()
	for login := false; ; {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			return
		}
		protocol.Lines(frame, func(line []byte) bool {
			if r, ok := protocol.ParseRequest(append([]byte(nil), line...)); ok {
				c.request(r)
				login = login || r.Op == protocol.OpLogin
			}
			return true
		})
		if deaf != nil && login {
			<-deaf
			return
		}
	}
}

func (c *Conn) request(r protocol.Request) {
	switch {
	case r.Op == protocol.OpPing && c.server.Ping != nil:
		c.server.Ping(c, r)
	case r.Op == protocol.OpPing:
		c.Answer(r.ID, 0, protocol.Marshal(protocol.Pong{}))
	case r.Op == protocol.OpLogin && c.server.Login != nil:
		c.server.Login(c, r)
	case r.Op == protocol.OpLogin:
		c.Answer(r.ID, 0, protocol.Marshal(c.server.LoggedIn))
	case c.server.Handle != nil:
		c.server.Handle(c, r)
	}
}

func (c *Conn) write(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.ws.WriteMessage(websocket.TextMessage, line) // a cut shows elsewhere
}

// Answer answers a request.
func (c *Conn) Answer(id uint64, code int, body []byte) {
	a := protocol.Answer{ID: id, Code: code, Body: body}
	c.write(a.Append(nil))
}

// Push pushes something.
func (c *Conn) Push(kind string, body []byte) {
	p := protocol.Push{Kind: kind, Body: body}
	c.write(p.Append(nil))
}

// Cut breaks the connection.
func (c *Conn) Cut() { c.ws.NetConn().Close() }

// Link starts a link to the server that logs in by itself and is stopped, with everything of the server, at Stop.
// change may set what the test wants otherwise.
func (s *Server) Link(t testing.TB, change func(*transport.Config)) *transport.Link {
	var l *transport.Link
	cfg := transport.Config{
		URL: func() string { return "ws://server.test" }, Proxy: func() (*url.URL, error) { return nil, nil },
		Log: slog.New(slog.DiscardHandler), Retry: func() int { return 5 }, Needed: func() bool { return true },
		State: func(transport.Status, int, string) {}, Push: func(*protocol.Push) {}, Dial: s.Dial,
	}
	cfg.Open = func(context.Context) {
		l.Login([]byte(`{}`), loginTimeout, func(a protocol.Answer, err error) {
			if err == nil && a.Code == 0 {
				l.Release()
			}
		})
	}
	if change != nil {
		change(&cfg)
	}
	l = transport.New(cfg)
	l.Start()
	return l
}

const loginTimeout = 10_000_000_000

// Close cuts every connection and waits for their ends. Stop the links first.
func (s *Server) Close() {
	s.mu.Lock()
	conns := s.conns
	if s.deaf != nil {
		close(s.deaf)
		s.deaf = nil
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.Cut()
	}
	s.all.Wait()
}
