package transport_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"timbre/core/transport"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
)

// follows says which states may come behind each; 4 is the beginning.
var follows = map[int][]int{
	4:                 {tim.Connecting},
	tim.Connecting:    {tim.Connected, tim.ConnectFailed},
	tim.Connected:     {tim.Disconnected},
	tim.ConnectFailed: {tim.Connecting},
	tim.Disconnected:  {tim.Connecting},
}

// Whatever happens to the link: its states come in the order that the interface promises, every request ends exactly
// once, and when the server can be reached and is needed there is a connection in the end.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		acts := rapid.SliceOfN(rapid.SampledFrom([]string{"request", "request", "cut", "refuse", "accept", "hurry", "network",
			"drop", "proxy", "mute", "speak", "needless", "needed", "second", "second", "minute"}), 1, 40).Draw(rt, "acts")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for _, act := range acts {
				w.do(act)
			}
			w.rest()
			if wrong := w.check(); wrong != "" {
				rt.Errorf("%s after %v", wrong, acts)
			}
			w.link.Stop(errStop)
			w.server.Close()
		})
	})
}

// world is a link, its server and what is told of both.
type world struct {
	link   *transport.Link
	server *linktest.Server
	states states
	mute   atomic.Bool
	idle   atomic.Bool // nobody needs the connection

	mu    sync.Mutex
	asked int
	ended map[int]int // how often each request did
}

func newWorld(t *testing.T) *world {
	w := &world{ended: map[int]int{}}
	w.server = &linktest.Server{
		Ping:   func(c *linktest.Conn, r protocol.Request) { w.unlessMute(func() { pong(c, r) }) },
		Handle: func(c *linktest.Conn, r protocol.Request) { w.unlessMute(func() { echo(c, r) }) },
	}
	w.link = w.server.Link(t, func(c *transport.Config) {
		c.State = w.states.tell
		c.Needed = func() bool { return !w.idle.Load() }
	})
	return w
}

func (w *world) unlessMute(do func()) {
	if !w.mute.Load() {
		do()
	}
}

func (w *world) do(act string) {
	switch act {
	case "request":
		w.request()
	case "cut":
		if c := w.server.Conn(); c != nil {
			c.Cut()
		}
	case "refuse", "accept":
		w.server.Refuse(act == "refuse")
	case "hurry":
		w.link.Hurry()
	case "network":
		w.link.NetworkChanged()
	case "drop":
		w.link.Drop(&transport.Error{Text: "the host wants it"})
	case "proxy":
		w.link.ProxyChanged()
	case "mute", "speak":
		w.mute.Store(act == "mute")
	case "needless", "needed":
		w.idle.Store(act == "needless")
	case "second":
		pass(time.Second)
	case "minute":
		pass(time.Minute)
	}
}

func (w *world) request() {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.asked
	w.asked++
	w.link.Request("op", fmt.Sprint(n), []byte(`1`), 40*time.Second, func(protocol.Answer, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended[n]++
	})
}

// rest lets the server be there again and everything come to an end.
func (w *world) rest() {
	w.do("accept")
	w.do("speak")
	w.do("needed")
	w.do("hurry")
	w.do("minute")
	w.do("minute")
}

func (w *world) check() string {
	before := 4
	for _, s := range w.states.take().all {
		allowed := false
		for _, next := range follows[before] {
			allowed = allowed || next == s
		}
		if !allowed {
			return fmt.Sprintf("state %d came behind %d", s, before)
		}
		before = s
	}
	if connected, open, _, err := w.link.Connected(); !connected || !open || before != tim.Connected {
		return fmt.Sprintf("connected %v, open %v, the last state is %d (%v)", connected, open, before, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := range w.asked {
		if w.ended[n] != 1 {
			return fmt.Sprintf("request %d ended %d times", n, w.ended[n])
		}
	}
	return ""
}
