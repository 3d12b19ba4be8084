package server_test

import (
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"timbre/model/usersig"
	"timbre/protocol"
)

// patience is how long a test waits for something that must happen.
const patience = time.Minute

// client is a connection as a test drives it.
type client struct {
	t  *testing.T
	ws *websocket.Conn

	mu      sync.Mutex
	nextID  uint64
	answers map[uint64]chan protocol.Answer
	ended   chan struct{} // closed when the connection is over
	pushes  chan protocol.Push
	order   []uint64 // positions in the order in which they arrived, by answer to a send or by push
}

func (s *running) dial(t *testing.T) *client {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial(s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return attach(t, ws)
}

func attach(t *testing.T, ws *websocket.Conn) *client {
	c := &client{t: t, ws: ws, answers: map[uint64]chan protocol.Answer{}, ended: make(chan struct{}),
		pushes: make(chan protocol.Push, 100_000)}
	go c.read()
	t.Cleanup(c.close)
	return c
}

func (c *client) close() {
	c.ws.Close()
	<-c.ended
}

func (c *client) read() {
	defer close(c.ended)
	defer c.ws.Close()
	for {
		_, frame, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		protocol.Lines(frame, func(line []byte) bool {
			c.line(line)
			return true
		})
	}
}

func (c *client) line(line []byte) {
	a, p, ok := protocol.ParseServerLine(line)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !ok:
		c.t.Errorf("unreadable line from the server: %s", line)
	case p != nil:
		if p.Kind == protocol.PushLog {
			l := protocol.ParseLog(p.Body)
			for i := range l.Entries {
				c.order = append(c.order, l.From+uint64(i))
			}
		}
		c.pushes <- *p
	default:
		if pos, ok := positionOf(a.Body); ok {
			c.order = append(c.order, pos)
		}
		if ch := c.answers[a.ID]; ch != nil {
			ch <- a
			delete(c.answers, a.ID)
		}
	}
}

// positionOf reads the log position that an answer stands for.
func positionOf(body []byte) (uint64, bool) {
	var v struct{ Seq, Pos *uint64 }
	if json.Unmarshal(body, &v) != nil || v.Seq == nil || v.Pos == nil {
		return 0, false
	}
	return *v.Pos, true
}

func (c *client) arrived() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]uint64(nil), c.order...)
}

// start sends a request and returns where its answer will come. A connection that has ended shows when the answer is
// awaited.
func (c *client) start(op, key string, body []byte) <-chan protocol.Answer {
	c.t.Helper()
	ch := make(chan protocol.Answer, 1)
	c.mu.Lock()
	c.nextID++
	r := protocol.Request{ID: c.nextID, Op: op, Key: key, Body: body}
	c.answers[r.ID] = ch
	_ = c.ws.WriteMessage(websocket.TextMessage, r.Append(nil))
	c.mu.Unlock()
	return ch
}

func (c *client) await(ch <-chan protocol.Answer) protocol.Answer {
	c.t.Helper()
	select {
	case a := <-ch:
		return a
	case <-c.ended:
		select {
		case a := <-ch:
			return a
		default:
			c.t.Fatal("the connection ended before the answer came")
		}
	case <-time.After(patience):
		c.t.Fatal("no answer")
	}
	return protocol.Answer{}
}

func (c *client) call(op, key string, body []byte) protocol.Answer {
	c.t.Helper()
	return c.await(c.start(op, key, body))
}

// ask makes a request that must succeed.
func ask[T any](c *client, op, key string, body any) (v T) {
	c.t.Helper()
	a := c.call(op, key, protocol.Marshal(body))
	if a.Code != 0 {
		c.t.Fatalf("%s: code %d, %s", op, a.Code, a.Desc)
	}
	if err := json.Unmarshal(a.Body, &v); err != nil {
		c.t.Fatalf("%s: %v in %s", op, err, a.Body)
	}
	return v
}

// push waits for the next push and checks its kind.
func (c *client) push(kind string) protocol.Push {
	c.t.Helper()
	select {
	case p := <-c.pushes:
		if p.Kind != kind {
			c.t.Fatalf("got push %s %s, want %s", p.Kind, p.Body, kind)
		}
		return p
	case <-time.After(patience):
		c.t.Fatalf("no push %s", kind)
	}
	return protocol.Push{}
}

// entries waits for n entries of the log.
func (c *client) entries(n int) (list []protocol.Entry) {
	c.t.Helper()
	for len(list) < n {
		list = append(list, protocol.ParseLog(c.push(protocol.PushLog).Body).Entries...)
	}
	return list
}

// over waits for the end of the connection.
func (c *client) over() {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.t.Fatal("the connection is still open")
	}
}

const (
	testApp    = 1400000001
	testSecret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func ticket(user string) string {
	return usersig.Make(testApp, testSecret, user, time.Now(), time.Hour)
}

func loginBody(user string) protocol.Login {
	return protocol.Login{Version: protocol.Version, App: testApp, User: user, Sig: ticket(user), Device: user + "-1",
		Platform: "linux", Client: "test"}
}

// login connects a user with the device that bears his name.
func (s *running) login(t *testing.T, user string) *client {
	t.Helper()
	c := s.dial(t)
	ask[protocol.LoggedIn](c, protocol.OpLogin, "", loginBody(user))
	return c
}

func textContent(text string) []byte {
	return fmt.Appendf(nil, `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":%q}]}`, text)
}

func (c *client) startSend(to, key, text string) <-chan protocol.Answer {
	c.t.Helper()
	return c.start(protocol.OpSend, key, protocol.AppendSend(nil, to, false, textContent(text)))
}

func (c *client) send(to, key, text string) protocol.Sent {
	c.t.Helper()
	return c.sent(c.startSend(to, key, text))
}

func (c *client) sent(ch <-chan protocol.Answer) (s protocol.Sent) {
	c.t.Helper()
	a := c.await(ch)
	if a.Code != 0 {
		c.t.Fatalf("send: code %d, %s", a.Code, a.Desc)
	}
	if err := json.Unmarshal(a.Body, &s); err != nil {
		c.t.Fatal(err)
	}
	return s
}

// refused sends a message that must not pass and returns the code.
func (c *client) refused(to, key string, content string) int {
	c.t.Helper()
	return c.call(protocol.OpSend, key, protocol.AppendSend(nil, to, false, []byte(content))).Code
}

// reset cuts the connection as a failing network does.
func (c *client) reset() {
	if tcp, ok := c.ws.NetConn().(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.close()
}
