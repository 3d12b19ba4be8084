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
// A connection is told to the host as connected when the server has answered a first question over it, so that what only
// speaks WebSocket, or HTTP, is never taken for the server, nor given a ticket.
//
// Rejected: a ping frame of WebSocket as heartbeat (it tells nothing about the server behind a proxy), one request at a
// time (a round trip per message), a fixed back-off (a thousand clients come back in the same second), a subprotocol of
// WebSocket to know the server by (proxies drop it).
package transport

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"time"

	"timbre/core/guard"
	"timbre/model/tim"
	"timbre/protocol"
)

// Times of a link's life.
const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	backoffBase  = 400 * time.Millisecond
	backoffCap   = 30 * time.Second
	settled      = 10 * time.Second // a connection that lasted so long was a success, whatever came over it
	shortFree    = 20               // shorter ones in a row that were of use all the same cost nothing
	shortMost    = 5                // and further ones as much as so many failures at most
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
	Wall   func() time.Time          // what the clock on the wall shows; nil: the system's
}

// Link is one account's connection. All methods may be called from any goroutine.
type Link struct {
	cfg   Config
	meter meter

	mu       sync.Mutex
	conn     *connection
	dialing  *try // nil when no dial is under way
	open     bool // logged in: ordinary requests may pass
	pending  map[uint64]*request
	ended    error // what ended the session, nil from the next login on
	nextID   uint64
	failure  error // why the last dial failed, nil when it did not
	failures int   // dials and connections in a row that were of no use
	short    int   // connections in a row that were of use, and not for long
	beat     heartbeat
	stopped  bool

	wake chan struct{} // ends a back-off
	stop context.CancelFunc
	done chan struct{}
}

// New returns a link that does nothing until Start.
func New(cfg Config) *Link {
	l := &Link{cfg: cfg, pending: map[uint64]*request{}, beat: newHeartbeat(), wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.cfg.State = l.meter.watched(cfg.State)
	return l
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
		conn.end(nil)
	}
	<-l.done
	l.FailAll(err)
}

func (l *Link) run(ctx context.Context) {
	defer close(l.done)
	for ctx.Err() == nil {
		l.tell(tim.Connecting, &Error{})
		conn, err := l.dial(ctx)
		if ctx.Err() != nil {
			if conn != nil {
				conn.end(nil)
			}
			return
		}
		if err != nil {
			l.dialFailed(AsError(err))
			l.pause(ctx)
			continue
		}
		why := l.serve(ctx, conn)
		stopped := ctx.Err() != nil
		if !stopped {
			l.tell(tim.Disconnected, why)
		}
		if close(conn.told); stopped {
			return
		}
		if l.needed() {
			l.pause(ctx)
		} else {
			l.rest(ctx)
		}
	}
}

// tell brings a change to the handler.
func (l *Link) tell(status int, why *Error) {
	guard.Run(l.cfg.Log, "connection state", func() { l.cfg.State(Status(status), why.Code, why.Text) })
}

func (l *Link) needed() (needed bool) {
	guard.Run(l.cfg.Log, "connection needed", func() { needed = l.cfg.Needed() })
	return needed
}

func (l *Link) dialFailed(why *Error) {
	l.mu.Lock()
	l.failure = why
	l.failures++
	l.mu.Unlock()
	l.cfg.Log.Info("connect failed", "code", why.Code, "err", why.Text)
	l.tell(tim.ConnectFailed, why)
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

// rest waits until somebody wants a connection.
func (l *Link) rest(ctx context.Context) {
	select {
	case <-l.wake:
	case <-ctx.Done():
	}
}
