package gateway_test

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"timbre/model/usersig"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/bus"
	"timbre/server/changelog"
	"timbre/server/gateway"
	"timbre/server/group"
	"timbre/server/live"
	"timbre/server/message"
	"timbre/server/metrics"
	"timbre/server/session"
	"timbre/server/store"
	"timbre/sqlite"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// patience is how long a test waits for something that must happen.
const patience = time.Minute

// loaded is a store that can claim to have too much to do, and to have a broken disk.
type loaded struct {
	*store.Store
	jobs   atomic.Int64
	broken atomic.Bool
}

func (l *loaded) Submit(apply func(*sqlite.Tx) error, done func(error)) {
	if l.broken.Load() {
		apply = func(*sqlite.Tx) error { return errors.New("the disk is broken") }
	}
	l.Store.Submit(apply, done)
}

// noFiles is for messages without files.
type noFiles struct{ gateway.Files }

func (noFiles) Touch(*sqlite.Tx, []string) error { return nil }

func (l *loaded) Queued() int { return int(l.jobs.Load()) }

// open serves a gateway over a new store.
func open(t *testing.T, cfg gateway.Config) (*loaded, string) {
	t.Helper()
	hub := session.NewHub()
	events := bus.NewLocal(hub)
	accounts, log := account.New(account.Policy{}, time.Now), changelog.New(time.Now)
	messages := message.New(log, accounts, message.DefaultRules(), time.Now)
	groups := group.New(messages, accounts, log, group.DefaultRules(), time.Now)
	s, err := store.Open(store.Config{Dir: t.TempDir(), Settled: events.Settle,
		Schemas: []sqlite.Schema{account.Schema(), changelog.Schema(), message.Schema(), message.IndexSchema(), group.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	l := &loaded{Store: s}
	zero := func() int { return 0 }
	g := gateway.New(cfg, gateway.Parts{Store: l, Epoch: s.Epoch(), Tickets: account.NewTickets(account.Secrets{1: "secret"}),
		Accounts: accounts, Log: log, Reader: changelog.NewReader(s.Epoch(), messages), Messages: messages, Groups: groups, Rooms: live.New(live.Defaults(), nil, time.Now), Files: noFiles{}, Hub: hub, Bus: events,
		Metrics: metrics.New(s.Stats, zero), Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	web := httptest.NewServer(g)
	t.Cleanup(func() {
		g.Drain(t.Context()) // its context has ended: nobody is waited for
		web.Close()
		s.Close()
	})
	return l, "ws" + strings.TrimPrefix(web.URL, "http")
}

func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

// ask sends a request and returns the next line's answer.
func ask(t *testing.T, ws *websocket.Conn, r protocol.Request) protocol.Answer {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, r.Append(nil)); err != nil {
		t.Fatal(err)
	}
	ws.SetReadDeadline(time.Now().Add(patience))
	_, frame, err := ws.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	a, push, ok := protocol.ParseServerLine(frame)
	if !ok || push != nil || a.ID != r.ID {
		t.Fatalf("got %s", frame)
	}
	return a
}

func login() protocol.Request {
	return protocol.Request{ID: 1, Op: protocol.OpLogin, Body: protocol.Marshal(protocol.Login{Version: protocol.Version,
		App: 1, User: "alice", Device: "d", Sig: usersig.Make(1, "secret", "alice", time.Now(), time.Hour)})}
}

func TestFullQueueAnswersBusy(t *testing.T) {
	cfg := gateway.Defaults()
	cfg.BusyTime = 0
	l, url := open(t, cfg)
	ws := dial(t, url)
	l.jobs.Store(int64(cfg.MaxQueue))
	if a := ask(t, ws, login()); a.Code != protocol.CodeBusy {
		t.Fatalf("login: code %d", a.Code)
	}
	l.jobs.Store(0)
	if a := ask(t, ws, login()); a.Code != 0 {
		t.Fatalf("login: code %d", a.Code)
	}
	send := protocol.Request{ID: 2, Op: protocol.OpSend, Key: "k",
		Body: protocol.AppendSend(nil, "alice", false, []byte(`{"el":[{"elem_type":0}]}`))}
	l.jobs.Store(int64(cfg.MaxQueue))
	if a := ask(t, ws, send); a.Code != protocol.CodeBusy {
		t.Errorf("send: code %d", a.Code)
	}
	if a := ask(t, ws, protocol.Request{ID: 3, Op: protocol.OpRead, Key: "r", Body: []byte(`{"peer":"alice","seq":1}`)}); a.Code != protocol.CodeBusy {
		t.Errorf("read: code %d", a.Code)
	}
	l.jobs.Store(0)
	if a := ask(t, ws, send); a.Code != 0 {
		t.Errorf("the same request later: code %d", a.Code)
	}
}

func TestWhatFollowsABusyRequestIsRefusedToo(t *testing.T) {
	cfg := gateway.Defaults()
	cfg.BusyTime = time.Hour
	l, url := open(t, cfg)
	ws := dial(t, url)
	if a := ask(t, ws, login()); a.Code != 0 {
		t.Fatalf("login: code %d", a.Code)
	}
	send := func(id uint64) int {
		return ask(t, ws, protocol.Request{ID: id, Op: protocol.OpSend, Key: "k" + string(rune('0'+id)),
			Body: protocol.AppendSend(nil, "alice", false, []byte(`{"el":[{"elem_type":0}]}`))}).Code
	}
	l.jobs.Store(int64(cfg.MaxQueue))
	if code := send(2); code != protocol.CodeBusy {
		t.Errorf("with a full queue: code %d", code)
	}
	l.jobs.Store(0)
	if code := send(3); code != protocol.CodeBusy {
		t.Errorf("right behind it: code %d, it would overtake", code)
	}
}

func TestWhatFollowsAFailedRequestIsRefused(t *testing.T) {
	cfg := gateway.Defaults()
	cfg.BusyTime = time.Hour
	l, url := open(t, cfg)
	ws := dial(t, url)
	if a := ask(t, ws, login()); a.Code != 0 {
		t.Fatalf("login: code %d", a.Code)
	}
	send := func(id uint64) int {
		return ask(t, ws, protocol.Request{ID: id, Op: protocol.OpSend, Key: "k" + string(rune('0'+id)),
			Body: protocol.AppendSend(nil, "alice", false, []byte(`{"el":[{"elem_type":0}]}`))}).Code
	}
	l.broken.Store(true)
	if code := send(2); code != protocol.CodeInside {
		t.Errorf("with a broken disk: code %d", code)
	}
	l.broken.Store(false)
	if code := send(3); code != protocol.CodeBusy {
		t.Errorf("right behind it: code %d, it would overtake", code)
	}
	ws.Close()
	ws = dial(t, url)
	if a := ask(t, ws, login()); a.Code != 0 {
		t.Fatalf("login: code %d", a.Code)
	}
	if code := send(4); code != 0 {
		t.Errorf("on another connection: code %d", code)
	}
}

func TestSilentStrangerIsClosed(t *testing.T) {
	cfg := gateway.Defaults()
	cfg.LoginTime = 50 * time.Millisecond
	_, url := open(t, cfg)
	ws := dial(t, url)
	ws.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("got %v", err)
	}
}

func TestServerPings(t *testing.T) {
	cfg := gateway.Defaults()
	cfg.PingEvery, cfg.Silence = 10*time.Millisecond, 200*time.Millisecond
	_, url := open(t, cfg)
	ws := dial(t, url)
	pinged := 0
	ws.SetPingHandler(func(string) error { pinged++; return nil }) // no pong
	ask(t, ws, login())
	ws.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) || pinged == 0 {
		t.Errorf("after %d pings: %v", pinged, err)
	}
}

func TestInvalidTextEndsTheConnection(t *testing.T) {
	_, url := open(t, gateway.Defaults())
	ws := dial(t, url)
	if err := ws.WriteMessage(websocket.TextMessage, []byte("{\"id\":1,\"op\":\"ping\",\"key\":\"\xff\"}\n")); err != nil {
		t.Fatal(err)
	}
	ws.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := ws.ReadMessage(); err == nil {
		t.Error("it was answered")
	}
}
