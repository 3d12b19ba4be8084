// Package gateway is the server's WebSocket endpoint: connections, their queues and the operations of the protocol.
//
// A connection has one goroutine that reads. Its requests are handled in order by a crew that all share, and a goroutine
// writes for it while there is something to write: a silent connection costs some 20 KB. A request that changes something
// becomes a job of the database; while it waits for its commit the next ones are read, so a single client fills a batch by
// itself. Its answer and the pushes it causes are queued from the database writer's goroutine, in commit order, and the
// connections are woken when the whole commit has been queued.
//
// Every queue has an end: requests under way per connection (then nothing more is read), jobs of the database (then
// CodeBusy), bytes and lines to be written (then pushes are dropped, which sync repairs).
//
// Rejected: a goroutine per request (order is lost and has to be made again), frames written by whoever has something
// to say (a system call per message), disconnecting slow readers (they come back at once and ask for everything).
package gateway

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"timbre/model"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/changelog"
	"timbre/server/community"
	"timbre/server/conversation"
	"timbre/server/group"
	"timbre/server/language"
	"timbre/server/live"
	"timbre/server/message"
	"timbre/server/metrics"
	"timbre/server/session"
	"timbre/sqlite"
)

// Store is the database as the gateway needs it.
type Store interface {
	Submit(apply func(*sqlite.Tx) error, done func(error))
	Write(ctx context.Context, apply func(*sqlite.Tx) error) error
	Read(ctx context.Context, fn func(sqlite.Queryer) error) error
	Queued() int
}

// Bus carries events to every node on which a session may want them.
type Bus interface {
	// Publish is called in commit order.
	Publish(session.Event)
}

// Config has the gateway's limits and times.
type Config struct {
	MaxMessage       int           // bytes in the fields of one message
	MaxInFlight      int           // changes under way per connection
	MaxQueue         int           // changes waiting for the database
	BusyTime         time.Duration // how long a connection's changes stay refused after CodeBusy
	MaxOutboundBytes int           // waiting to be written to one client
	MaxOutboundLines int           // likewise
	LoginTime        time.Duration // silence allowed before login
	Silence          time.Duration // and after it
	PingEvery        time.Duration // WebSocket pings, seldomer than a client's own at their rarest: each one wakes a radio
}

// Defaults are the limits of a server that nobody configured.
func Defaults() Config {
	return Config{MaxMessage: model.MaxMessageSize, MaxInFlight: 1000, MaxQueue: 20_000, BusyTime: 100 * time.Millisecond, MaxOutboundBytes: 8 << 20, MaxOutboundLines: 20_000,
		LoginTime: time.Minute, Silence: 400 * time.Second, PingEvery: 150 * time.Second}
}

const (
	maxFrame      = protocol.MaxLine + protocol.MaxFrame
	maxLoginFrame = 64 << 10
	writeTime     = 30 * time.Second // for one frame
	lingerTime    = 2 * time.Second
	readBuffer    = 2 << 10 // what is longer goes past it
)

// Parts is what the gateway works with.
type Parts struct {
	Store       Store
	Epoch       string
	Tickets     *account.Tickets
	Accounts    *account.Accounts
	Log         *changelog.Log
	Reader      *changelog.Reader
	Messages    *message.Messages
	Groups      *group.Groups
	Rooms       *live.Rooms
	Communities *community.Communities
	Convs       *conversation.Conversations
	Files       Files
	Language    *language.Language // may be nil: no backend
	Hub         *session.Hub
	Bus         Bus
	Metrics     *metrics.Metrics
	Logger      *slog.Logger
	Now         func() time.Time
}

// Gateway accepts connections.
type Gateway struct {
	Parts
	cfg      Config
	handlers map[string]handler
	ops      map[string]*metrics.Operation // for the figures
	upgrader websocket.Upgrader
	start    string // of this server; what sessions are called begins with it
	sessions atomic.Uint64
	drafts   sync.Pool
	frames   sync.Pool // of *bytes.Buffer
	crew     *crew

	mu       sync.Mutex
	conns    map[*conn]struct{}
	draining bool
	open     sync.WaitGroup
}

// New returns a gateway.
func New(cfg Config, p Parts) *Gateway {
	return &Gateway{
		Parts: p, cfg: cfg, handlers: handlers(), ops: operations(p.Metrics), start: rand.Text()[:5], conns: map[*conn]struct{}{}, crew: newCrew(),
		upgrader: websocket.Upgrader{
			ReadBufferSize: readBuffer, WriteBufferPool: &sync.Pool{}, HandshakeTimeout: 10 * time.Second,
			CheckOrigin: func(*http.Request) bool { return true }, // a UserSig proves who it is, no cookie does
		},
	}
}

// ServeHTTP upgrades to WebSocket and serves the connection.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		http.Error(w, "this is timbred; it speaks WebSocket", http.StatusUpgradeRequired)
		return
	}
	if g.Draining() {
		http.Error(w, "going away", http.StatusServiceUnavailable)
		return
	}
	ws, err := g.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c := newConn(g, ws)
	if !g.admit(c) {
		ws.Close()
		return
	}
	go g.serve(c) // what net/http keeps for a request would stay as long as the connection: more than all else together
}

func (g *Gateway) serve(c *conn) {
	defer g.forget(c)
	defer c.survive()
	c.serve()
}

func (g *Gateway) admit(c *conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining {
		return false
	}
	g.conns[c] = struct{}{}
	g.open.Add(1)
	g.Metrics.Connections.Inc()
	return true
}

func (g *Gateway) forget(c *conn) {
	g.mu.Lock()
	delete(g.conns, c)
	g.mu.Unlock()
	g.Metrics.Connections.Dec()
	g.open.Done()
}

// number returns the next session's number.
func (g *Gateway) number() uint64 { return g.sessions.Add(1) }

// Draining says whether the gateway is going away.
func (g *Gateway) Draining() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.draining
}

// Drain tells every client to go elsewhere, answers what was accepted and closes. When the context ends before the
// clients have taken everything, they are cut off.
func (g *Gateway) Drain(ctx context.Context) {
	for _, c := range g.closeDoor() {
		c.dismiss(protocol.PushDrain, nil)
	}
	empty := make(chan struct{})
	go func() { g.open.Wait(); close(empty) }()
	select {
	case <-empty:
	case <-ctx.Done():
		for _, c := range g.closeDoor() {
			c.abandon()
		}
		<-empty
	}
}

// closeDoor lets nobody in any more and returns who is there.
func (g *Gateway) closeDoor() []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
	list := make([]*conn, 0, len(g.conns))
	for c := range g.conns {
		list = append(list, c)
	}
	return list
}

// Waiting returns the bytes that wait to be written to clients.
func (g *Gateway) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for c := range g.conns {
		n += c.out.waiting()
	}
	return n
}
