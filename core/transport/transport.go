// Package transport keeps one connection to the server alive and carries requests over it.
//
// A Link dials, reconnects with full jitter, and pipelines: a request is written when the link is open and stays pending
// until its answer or its deadline. When the connection breaks, pending requests wait; after the next connection has
// logged in they are written again, oldest first, because every request is either a question or carries a key that the
// server knows. So nothing above needs to know of cuts.
//
// One goroutine owns the connection's life and reads; one writes and gathers what is ready into one frame. Answers and
// pushes are handed over on the reading goroutine in the order of arrival: the order of change log positions depends on
// it. Handlers must not block.
//
// Rejected: a ping frame of WebSocket as heartbeat (it tells nothing about the server behind a proxy), one request at a
// time (a round trip per message), a fixed back-off (a thousand clients come back in the same second).
package transport

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"timbre/model/tim"
	"timbre/protocol"
)

// Times of a link's life.
const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	backoffBase  = 400 * time.Millisecond
	backoffCap   = 30 * time.Second
	beatEvery    = 60 * time.Second // heartbeat of an idle link
	silence      = 10 * time.Second // with requests pending, quiet for so long means: ask whether it lives
	checkEvery   = 5 * time.Second
)

// Status of the link as the host sees it, with the numbers of TIMNetworkStatus.
type Status int

// Dialer opens a network connection.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Config of a link.
type Config struct {
	URL    func() string            // asked before every dial
	Roots  func() string            // file with root certificates for wss://, asked likewise; nil or "": the system's
	Proxy  func() (*url.URL, error) // nil result: none
	Log    *slog.Logger
	Retry  func() int                // how often a request may be written again
	Needed func() bool               // after a connection ended: is there a reason to connect again? Else Hurry is awaited
	State  func(Status, int, string) // every change of the link, on the link's goroutine
	Open   func(ctx context.Context) // a new connection stands: log in with Login, then call Release
	Push   func(p *protocol.Push)    // on the reading goroutine
	Late   func()                    // likewise: the answer to a request that has ended came after all; may be nil
	Dial   Dialer                    // opens connections; nil: the system does
}

// Link is one account's connection. All methods may be called from any goroutine.
type Link struct {
	cfg Config

	mu       sync.Mutex
	conn     *connection
	open     bool // logged in: ordinary requests may pass
	pending  map[uint64]*request
	nextID   uint64
	failure  error // why the last dial failed
	failures int   // dials that failed since the last success
	stopped  bool

	wake chan struct{} // ends a back-off
	stop context.CancelFunc
	done chan struct{}
}

// New returns a link that does nothing until Start.
func New(cfg Config) *Link {
	return &Link{cfg: cfg, pending: map[uint64]*request{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Start begins to connect.
func (l *Link) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	go l.run(ctx)
}

// Stop closes the connection, ends pending requests with err and returns when the link's goroutines have ended. A
// handler must not call it.
func (l *Link) Stop(err error) {
	l.mu.Lock()
	l.stopped = true
	conn := l.conn
	l.mu.Unlock()
	l.stop()
	if conn != nil {
		conn.close()
	}
	<-l.done
	l.FailAll(err)
}

// Hurry ends a back-off, for instance because the network changed.
func (l *Link) Hurry() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Drop closes the current connection; the link connects again.
func (l *Link) Drop() {
	l.mu.Lock()
	conn := l.conn
	l.mu.Unlock()
	if conn != nil {
		conn.close()
	}
}

func (l *Link) run(ctx context.Context) {
	defer close(l.done)
	for ctx.Err() == nil {
		l.cfg.State(Status(tim.Connecting), 0, "")
		ws, err := l.dial(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			l.dialFailed(err)
			l.pause(ctx)
			continue
		}
		l.serve(ctx, ws)
		if ctx.Err() != nil {
			return
		}
		l.cfg.State(Status(tim.Disconnected), tim.ErrSDKNetDisconnect, "connection lost")
		if l.cfg.Needed() {
			l.pause(ctx)
			continue
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
}

func (l *Link) dialFailed(err error) {
	code := connectCode(err)
	l.mu.Lock()
	l.failure = &Error{Code: code, Text: err.Error()}
	l.failures++
	l.mu.Unlock()
	l.cfg.Log.Info("connect failed", "url", l.cfg.URL(), "err", err)
	l.cfg.State(Status(tim.ConnectFailed), code, err.Error())
}

// pause waits a random time below a bound that doubles with every failure.
func (l *Link) pause(ctx context.Context) {
	l.mu.Lock()
	bound := min(backoffCap, backoffBase<<min(l.failures, 10))
	l.mu.Unlock()
	t := time.NewTimer(rand.N(bound))
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.wake:
	case <-ctx.Done():
	}
}

func (l *Link) rootsFile() string {
	if l.cfg.Roots == nil {
		return ""
	}
	return l.cfg.Roots()
}

func (l *Link) dial(ctx context.Context) (*websocket.Conn, error) {
	target := l.cfg.URL()
	tlsConfig, err := tlsFor(target, l.rootsFile())
	if err != nil {
		return nil, err
	}
	// The dialer looks at its context only until the connection stands. A server that then says nothing must not hold up
	// Stop, so the context closes what was opened.
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var release []func() bool
	connect := l.cfg.Dial
	if connect == nil {
		connect = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	open := func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := connect(ctx, network, address)
		if err == nil {
			release = append(release, context.AfterFunc(dialing, func() { nc.Close() }))
		}
		return nc, err
	}
	d := websocket.Dialer{HandshakeTimeout: dialTimeout, ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10,
		TLSClientConfig: tlsConfig,
		Proxy:           func(*http.Request) (*url.URL, error) { return l.cfg.Proxy() },
		NetDialContext:  open}
	ws, resp, err := d.DialContext(dialing, target, nil)
	for _, keep := range release {
		keep()
	}
	if resp != nil && resp.Body != nil {
		resp.Body.Close()
	}
	return ws, err
}

// serve runs one connection from its first to its last byte.
func (l *Link) serve(ctx context.Context, ws *websocket.Conn) {
	conn := newConnection(ws)
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		ws.Close()
		return
	}
	l.conn, l.failures, l.failure = conn, 0, nil
	l.mu.Unlock()
	l.cfg.State(Status(tim.Connected), 0, "")

	life, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { conn.write() })
	wg.Go(func() { l.watch(life, conn) })
	wg.Go(func() { l.cfg.Open(life) })
	l.read(conn)
	end()
	conn.close()
	wg.Wait()

	l.mu.Lock()
	l.conn, l.open = nil, false
	for _, r := range l.pending {
		if r.login {
			defer l.finish(r, protocol.Answer{}, &Error{Code: tim.ErrSDKNetDisconnect, Text: "connection lost"})
		}
	}
	l.mu.Unlock()
}

func (l *Link) read(conn *connection) {
	conn.ws.SetReadLimit(protocol.MaxLine * 4)
	for {
		kind, frame, err := conn.ws.ReadMessage()
		if err != nil {
			return
		}
		conn.heard()
		if kind != websocket.TextMessage {
			continue
		}
		protocol.Lines(frame, func(line []byte) bool {
			l.line(line)
			return true
		})
	}
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
		l.mu.Unlock()
		switch {
		case r != nil:
			l.finish(r, answer, nil)
		case answer.ID != 0 && l.cfg.Late != nil:
			l.cfg.Late()
		}
	}
}

// watch finds a dead connection: it asks when the link is idle or silent with requests pending.
func (l *Link) watch(ctx context.Context, conn *connection) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		quiet := conn.quiet()
		l.mu.Lock()
		waiting := len(l.pending) > 0 && l.open
		l.mu.Unlock()
		switch {
		case conn.asked() && quiet > 2*silence:
			l.cfg.Log.Warn("the server is silent, connecting anew", "quiet", quiet)
			conn.close()
			return
		case waiting && quiet > silence, quiet > beatEvery:
			conn.ping()
		}
	}
}
