package server_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"timbre/protocol"
	"timbre/server/config"
)

func TestDrain(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, nil)
	alice := s.login(t, "alice")
	s.login(t, "bob")
	var sent []<-chan protocol.Answer
	for i := range 3000 {
		sent = append(sent, alice.startSend("bob", fmt.Sprint(i), "x"))
		if i == 1000 {
			go s.stop()
		}
		select {
		case <-alice.ended:
		default:
			continue
		}
		break
	}
	alice.over()
	acked := map[int]protocol.Sent{}
	for i, ch := range sent {
		if len(ch) == 1 {
			acked[i] = alice.sent(ch)
		}
	}
	drained := false
	for len(alice.pushes) > 0 {
		drained = drained || (<-alice.pushes).Kind == protocol.PushDrain
	}
	if !drained {
		t.Error("the client was not told")
	}
	s.stop()

	s = serve(t, dir, nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	for i, was := range acked {
		if again := alice.send("bob", fmt.Sprint(i), "x"); again != was {
			t.Fatalf("message %d was acknowledged with %+v and is now %+v", i, was, again)
		}
	}
	if r := ask[protocol.Ranged](bob, protocol.OpRange, "", protocol.Range{Target: protocol.Target{Peer: "alice"}}); int(r.Max) != len(acked) {
		t.Errorf("%d messages are stored, %d were acknowledged: a drain answers what it accepts", r.Max, len(acked))
	}
}

// deaf connects a user who reads nothing until told to, through a small window.
func (s *running) deaf(t *testing.T, user string) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		if tcp, ok := c.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(64 << 10)
		}
		return c, err
	}}
	ws, _, err := dialer.Dial(s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := protocol.Request{ID: 1, Op: protocol.OpLogin, Body: protocol.Marshal(loginBody(user))}
	if err := ws.WriteMessage(websocket.TextMessage, r.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	return ws
}

func TestSlowConsumerLosesPushesAndNothingElse(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.MaxOutbound = 256 << 10 })
	ws := s.deaf(t, "bob")
	alice := s.login(t, "alice")
	const count = 1500
	text := strings.Repeat("x", 10<<10)
	var sent []<-chan protocol.Answer
	for i := range count {
		sent = append(sent, alice.startSend("bob", fmt.Sprint(i), text))
	}
	for _, ch := range sent {
		alice.sent(ch)
	}
	bob := attach(t, ws)
	bob.nextID = 1
	ask[protocol.Pong](bob, protocol.OpPing, "", struct{}{}) // behind everything that was waiting
	order := bob.arrived()
	if len(order) >= count {
		t.Skip("the network took everything") // its buffers are larger than the test expects
	}
	if order[len(order)-1] != count {
		t.Errorf("the last push is %d: bob cannot know of %d", order[len(order)-1], count)
	}
	gap := 0
	for gap < len(order) && order[gap] == uint64(gap+1) {
		gap++
	}
	for pos := uint64(gap); pos < count; {
		l := diff(bob, pos)
		if len(l.Entries) == 0 || l.From != pos+1 {
			t.Fatalf("diff from %d: %d entries from %d", pos, len(l.Entries), l.From)
		}
		pos += uint64(len(l.Entries))
	}
	if strings.Contains(s.metrics(t), "timbred_pushes_dropped_total 0\n") {
		t.Error("dropped pushes were not counted")
	}
}

func TestInFlightLimitDelaysAndLosesNothing(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.MaxInFlight = 3 })
	alice := s.login(t, "alice")
	s.login(t, "bob")
	var sent []<-chan protocol.Answer
	for i := range 200 {
		sent = append(sent, alice.startSend("bob", fmt.Sprint(i), "x"))
	}
	for i, ch := range sent {
		if got := alice.sent(ch); got.Seq != uint64(i+1) {
			t.Fatalf("message %d has seq %d", i, got.Seq)
		}
	}
}

func TestHealthAndMetrics(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	alice.send("alice", "k", "secret words")
	for _, path := range []string{"/healthz", "/readyz"} {
		if text, code := s.get(t, path); code != http.StatusOK || text != "ok\n" {
			t.Errorf("%s: %d %q", path, code, text)
		}
	}
	if _, code := s.get(t, "/"); code != http.StatusUpgradeRequired {
		t.Errorf("/ without WebSocket: %d", code)
	}
	text := s.metrics(t)
	for _, line := range []string{"timbred_connections 1", `timbred_logins_total{code="0"} 1`, "timbred_messages_total 1",
		"timbred_append_seconds_count 1", "timbred_database_queue 0", "timbred_outbound_bytes 0"} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is missing from\n%s", line, text)
		}
	}
}

func TestManyConnectionsComeAndGo(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			user := fmt.Sprint("user", i)
			c := s.login(t, user)
			c.startSend(user, "k", "x")
			c.reset()
		})
	}
	all.Wait()
	s.waitMetric(t, "timbred_connections 0")
}
