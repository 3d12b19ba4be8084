// Package media_test runs the client's up- and downloads against the server's file addresses, over connections that
// break. It is here because core and server know nothing of each other.
package media_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"timbre/core/media"
	"timbre/core/transport"
	"timbre/model"
	"timbre/protocol"
	"timbre/server/blob"
	"timbre/server/files"
	"timbre/server/store"
	"timbre/sqlite"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

const (
	app = 1400000001
	mb  = 1 << 20
)

// rig is a server and a client.
type rig struct {
	*media.Files
	t      testing.TB
	dir    string
	cfg    files.Config
	server *files.Files
	store  *store.Store
	http   *http.Server
	addr   string
	in     tally
	out    tally
	asked  atomic.Int64 // tokens given out
	noLink atomic.Bool  // the WebSocket is down

	mu       sync.Mutex
	now      time.Time
	via      func(w http.ResponseWriter, r *http.Request, next http.Handler) // what lies between client and server; may be nil
	cut      func() int64                                                    // bytes after which a new connection breaks; nil: none does
	requests []string
	handling int // requests
	handled  *sync.Cond
	release  func()
}

type tally struct{ atomic.Int64 }

func (t *tally) Add(n float64) { t.Int64.Add(int64(n)) }

func newRig(t testing.TB, change func(*rig)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), now: time.Now(), addr: "127.0.0.1:0"}
	r.handled = sync.NewCond(&r.mu)
	r.cfg.Retention = func() time.Duration { return 0 }
	if change != nil {
		change(r)
	}
	r.startServer()
	r.startClient()
	t.Cleanup(func() { r.stopServer(); r.release() })
	return r
}

func (r *rig) startServer() {
	r.t.Helper()
	var err error
	if r.store, err = store.Open(store.Config{Dir: r.dir, Schemas: []sqlite.Schema{files.Schema()}}); err != nil {
		r.t.Fatal(err)
	}
	r.server, err = files.New(r.t.Context(), r.cfg, files.Parts{Store: r.store, Blobs: blob.NewDisk(filepath.Join(r.dir, "files")),
		In: &r.in, Out: &r.out, Logger: slog.New(slog.DiscardHandler), Now: r.clock})
	if err != nil {
		r.t.Fatal(err)
	}
	l := r.listen()
	r.addr = l.Addr().String()
	handler := r.server.Handler()
	r.http = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.serve(w, q, handler) })}
	go r.http.Serve(&cutter{l, r})
}

// patience is how long a test waits for something that must happen.
const patience = time.Minute

// listen takes the address of before again. Meanwhile some other process may have been given the port for a while.
func (r *rig) listen() net.Listener {
	r.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		l, err := net.Listen("tcp", r.addr)
		if err == nil {
			return l
		}
		if time.Now().After(end) {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) stopServer() {
	r.http.Close()
	r.rest()
	r.store.Close()
}

// rest waits until no request is being handled: the server counts the bytes of one when the client has its answer.
func (r *rig) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.handling > 0 {
		r.handled.Wait()
	}
}

// received is the bytes that have come in, sent is those that have gone out.
func (r *rig) received() int64 { r.rest(); return r.in.Load() }
func (r *rig) sent() int64     { r.rest(); return r.out.Load() }

func (r *rig) serve(w http.ResponseWriter, q *http.Request, next http.Handler) {
	r.mu.Lock()
	via := r.via
	r.requests = append(r.requests, q.Method+" "+q.URL.Path+" "+q.Header.Get("Range"))
	r.handling++
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.handling--
		r.handled.Broadcast()
	}()
	if via != nil {
		via(w, q, next)
		return
	}
	next.ServeHTTP(w, q)
}

// seen counts the requests that came.
func (r *rig) seen(is func(string) bool) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.requests {
		if is(s) {
			n++
		}
	}
	return n
}

func (r *rig) between(via func(http.ResponseWriter, *http.Request, http.Handler)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.via = via
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// startClient makes the client anew, as after a restart.
func (r *rig) startClient() {
	client := media.NewClient(func() (*url.URL, error) { return nil, nil }, func() string { return "" })
	r.Files = media.New(media.Config{Base: func() string { return "http://" + r.addr }, Ask: r, Client: client,
		Log: slog.New(slog.DiscardHandler)})
	old := r.release
	r.release = func() {
		client().CloseIdleConnections()
		if old != nil {
			old()
		}
	}
}

// Ask stands for the WebSocket.
func (r *rig) Ask(_ context.Context, op, _ string, _ []byte, _ time.Duration) (protocol.Answer, error) {
	if op != protocol.OpFileToken {
		r.t.Errorf("asked for %s", op)
	}
	if r.noLink.Load() {
		return protocol.Answer{}, &transport.Error{Code: 9523, Text: "no network"}
	}
	r.asked.Add(1)
	return protocol.Answer{Body: protocol.Marshal(r.server.Token(app, 1))}, nil
}

// cutter breaks connections after some bytes, in whichever direction.
type cutter struct {
	net.Listener
	r *rig
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if err != nil || c.r.cut == nil {
		return conn, err
	}
	fragile := &fragile{Conn: conn}
	fragile.left.Store(c.r.cut())
	return fragile, nil
}

type fragile struct {
	net.Conn
	left atomic.Int64
}

func (f *fragile) spend(n int, err error) (int, error) {
	if f.left.Add(-int64(n)) > 0 || err != nil {
		return n, err
	}
	if tcp, ok := f.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	f.Conn.Close()
	return n, errors.New("cut")
}

func (f *fragile) Read(b []byte) (int, error)  { return f.spend(f.Conn.Read(b)) }
func (f *fragile) Write(b []byte) (int, error) { return f.spend(f.Conn.Write(b)) }

func content(size int, seed byte) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

func (r *rig) file(name string, data []byte) media.Local {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		r.t.Fatal(err)
	}
	return media.Local{Path: path, Name: name, Kind: model.FileOther}
}

// progress checks that progress goes forward and ends at the end.
type progress struct {
	t           testing.TB
	mu          sync.Mutex
	first, last int64
	calls       int
	total       int64
}

func (p *progress) tell(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls++; p.calls == 1 {
		p.first = done
	}
	if done < p.last || done > total {
		p.t.Errorf("progress went from %d to %d of %d", p.last, done, total)
	}
	p.last, p.total = done, total
}

func (p *progress) complete(size int) {
	p.t.Helper()
	if p.last != int64(size) || p.total != int64(size) || p.calls > 250 {
		p.t.Errorf("progress ended at %d of %d after %d calls, want %d", p.last, p.total, p.calls, size)
	}
}

func (r *rig) upload(l media.Local, data []byte) media.Stored {
	r.t.Helper()
	p := &progress{t: r.t}
	s, err := r.Upload(r.t.Context(), l, p.tell)
	if err != nil {
		r.t.Fatal(err)
	}
	p.complete(len(data))
	sum := sha256.Sum256(data)
	if s.Size != int64(len(data)) || s.SHA256 != hex.EncodeToString(sum[:]) || s.ID == "" {
		r.t.Errorf("%+v", s)
	}
	return s
}

// fetch downloads to a new path and compares.
func (r *rig) fetch(m media.Remote, want []byte) {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "new", "target")
	p := &progress{t: r.t}
	if err := r.Download(r.t.Context(), m, path, p.tell); err != nil {
		r.t.Fatal(err)
	}
	p.complete(len(want))
	r.holds(path, want)
}

// holds says that the target has the content, and that nothing else is beside it.
func (r *rig) holds(path string, want []byte) {
	r.t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		r.t.Errorf("the target has %d bytes that differ, want %d; %v", len(got), len(want), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*timbre-part*")); err != nil || len(left) > 0 {
		r.t.Errorf("left behind: %q, %v", left, err)
	}
}

func code(err error) int {
	var e *transport.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func bodyOf(q *http.Request) []byte {
	b, err := io.ReadAll(q.Body)
	if err != nil {
		return nil // the client is gone, and the handler sees a part that is too short
	}
	return b
}
