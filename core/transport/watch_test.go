package transport_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/transport"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
)

// pong answers a ping.
func pong(c *linktest.Conn, r protocol.Request) {
	c.Answer(r.ID, 0, protocol.Marshal(protocol.Pong{}))
}

// beats is a server that notes when pings come and answers those that the network lets through.
type beats struct {
	mu      sync.Mutex
	patient time.Duration  // a connection that is idle for longer is dead; 0: never
	conn    *linktest.Conn // the newest
	last    time.Time
	dead    *linktest.Conn
	idle    []time.Duration // before each ping but the first of a connection
	lost    int
}

func (b *beats) ping(c *linktest.Conn, r protocol.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	quiet := time.Since(b.last)
	b.last = time.Now()
	switch {
	case c == b.dead:
		return
	case c != b.conn: // a new one's first
		b.conn = c
	case b.patient != 0 && quiet > b.patient:
		b.dead = c
		b.lost++
		b.idle = append(b.idle, -quiet)
		return
	default:
		b.idle = append(b.idle, quiet)
	}
	pong(c, r)
}

func seconds(n ...int) (all []time.Duration) {
	for _, s := range n {
		all = append(all, time.Duration(s)*time.Second)
	}
	return all
}

func TestHeartbeatGrowsOnAGoodNetwork(t *testing.T) {
	b := &beats{}
	synctest.Test(t, func(t *testing.T) {
		s := &linktest.Server{Ping: b.ping}
		l := s.Link(t, nil)
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		if want := seconds(60, 60, 60, 90, 90, 90, 120, 120, 120); len(b.idle) < 9 || !slices.Equal(b.idle[:9], want) {
			t.Errorf("the link was idle for %v, want %v and so on", b.idle, want)
		}
		if s.Dials() != 1 {
			t.Errorf("%d dials", s.Dials())
		}
		l.Stop(errStop)
		s.Close()
	})
}

// The network forgets connections that are idle for more than some seconds. The link finds a distance that works.
func TestHeartbeatFindsWhatTheNetworkBears(t *testing.T) {
	for bears, most := range map[int]int{100: 12, 80: 12, 45: 12} {
		b := &beats{patient: time.Duration(bears) * time.Second}
		synctest.Test(t, func(t *testing.T) {
			s := &linktest.Server{Ping: b.ping}
			l := s.Link(t, nil)
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if b.lost == 0 || b.lost > most {
				t.Errorf("on a network that bears %d s the link died idle %d times a day, want 1 to %d", bears, b.lost, most)
			}
			if beats := len(b.idle); beats > 24*3600/30+10 {
				t.Errorf("%d beats a day", beats)
			}
			l.Stop(errStop)
			s.Close()
		})
	}
}

// The server closes a connection that neither logs in nor pings for a minute. A host at its login page keeps it.
func TestHeartbeatBeforeTheLogin(t *testing.T) {
	b := &beats{}
	served(t, &linktest.Server{Ping: b.ping}, func(c *transport.Config) { c.Open = func(context.Context) {} }, func(t *testing.T, _ *transport.Link) {
		pass(10 * time.Minute)
		for _, idle := range b.idle {
			if idle != 30*time.Second {
				t.Fatalf("the link was idle for %v before the login", b.idle)
			}
		}
		if len(b.idle) < 19 {
			t.Errorf("%d pings in 10 minutes", len(b.idle))
		}
	})
}

// A connection that goes dead without an end is found within 30 s of a request, however long it was idle before.
func TestHalfOpenIsFoundWithARequestOutstanding(t *testing.T) {
	for idle := time.Duration(0); idle < 3*time.Minute; idle += 3700 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			var dead atomic.Pointer[linktest.Conn]
			s := &linktest.Server{}
			s.Ping = func(c *linktest.Conn, r protocol.Request) {
				if c != dead.Load() {
					pong(c, r)
				}
			}
			s.Handle = func(c *linktest.Conn, r protocol.Request) {
				if c != dead.Load() {
					echo(c, r)
				}
			}
			l := s.Link(t, nil)
			time.Sleep(idle)
			synctest.Wait()
			dead.Store(s.Conn())
			var took time.Duration
			begun := time.Now()
			l.Request("op", "k", []byte(`1`), time.Minute, func(_ protocol.Answer, err error) {
				if err != nil {
					t.Errorf("after %v of silence: %v", idle, err)
				}
				took = time.Since(begun)
			})
			time.Sleep(time.Minute)
			synctest.Wait()
			if took > 25*time.Second || took < 10*time.Second {
				t.Errorf("after %v of silence the request was answered over another connection after %v", idle, took)
			}
			l.Stop(errStop)
			s.Close()
		})
	}
}

// A request that the host gave up is a reason to doubt too.
func TestHalfOpenIsFoundAfterARequestWasGivenUp(t *testing.T) {
	var mute atomic.Bool
	s := &linktest.Server{Ping: func(c *linktest.Conn, r protocol.Request) {
		if !mute.Load() {
			pong(c, r)
		}
	}}
	served(t, s, nil, func(t *testing.T, l *transport.Link) {
		synctest.Wait()
		mute.Store(true)
		var o outcomes
		l.Request("op", "", []byte(`1`), time.Second, o.done("x"))
		pass(21 * time.Second)
		mute.Store(false)
		pass(11 * time.Second)
		o.want(t, "x failed 9520")
		if s.Dials() < 2 {
			t.Error("the dead connection stands")
		}
	})
}

// A slow answer is no reason to leave a server that answers pings.
func TestASlowAnswerIsWaitedFor(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		s.Handle = func(c *linktest.Conn, r protocol.Request) {
			time.AfterFunc(5*time.Minute, func() { echo(c, r) })
		}
		var o outcomes
		l.Request("op", "", []byte(`1`), time.Hour, o.done("slow"))
		time.Sleep(6 * time.Minute)
		o.want(t, "slow code 0 1")
		if s.Dials() != 1 {
			t.Errorf("%d dials", s.Dials())
		}
	})
}

// served runs a test against a server that was set up before, in a bubble of its own.
func served(t *testing.T, s *linktest.Server, change func(*transport.Config), test func(t *testing.T, l *transport.Link)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := s.Link(t, change)
		defer s.Close()
		defer l.Stop(errStop)
		test(t, l)
	})
}

// pass lets time pass and everything that is due happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// told is what a link has told.
type told struct {
	all   []int
	codes []int
	texts []string
}

// states collects what a link tells.
type states struct {
	mu   sync.Mutex
	told told
}

func (st *states) tell(s transport.Status, code int, text string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	t := &st.told
	t.all, t.codes, t.texts = append(t.all, int(s)), append(t.codes, code), append(t.texts, text)
}

// take returns what was told since the last time.
func (st *states) take() told {
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	t := st.told
	st.told = told{}
	return t
}

func (st *states) want(t *testing.T, what string, want ...int) {
	t.Helper()
	if got := st.take(); !slices.Equal(got.all, want) {
		t.Errorf("%s: states %v %v, want %v", what, got.all, got.texts, want)
	}
}

func TestNetworkChanged(t *testing.T) {
	var st states
	var mute atomic.Bool
	var pings atomic.Int32
	s := &linktest.Server{Ping: func(c *linktest.Conn, r protocol.Request) {
		if pings.Add(1); !mute.Load() {
			pong(c, r)
		}
	}}
	served(t, s, func(c *transport.Config) { c.State = st.tell }, func(t *testing.T, l *transport.Link) {
		st.want(t, "at first", tim.Connecting, tim.Connected)
		synctest.Wait()
		pings.Store(0)
		l.NetworkChanged()
		pass(25 * time.Second)
		st.want(t, "the connection lives")
		if n := pings.Load(); n != 1 {
			t.Errorf("%d pings, want one question", n)
		}
		mute.Store(true)
		l.NetworkChanged()
		pass(2900 * time.Millisecond)
		st.want(t, "the patience is not over")
		mute.Store(false)
		pass(600 * time.Millisecond)
		st.want(t, "the connection is dead", tim.Disconnected, tim.Connecting, tim.Connected)
	})
}

func TestNetworkChangedEndsABackOff(t *testing.T) {
	var st states
	bubble(t, func(c *transport.Config) { c.State = st.tell }, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		synctest.Wait()
		s.Refuse(true)
		s.Conn().Cut()
		time.Sleep(10 * time.Minute)
		st.take()
		before := s.Dials()
		l.NetworkChanged()
		synctest.Wait()
		if s.Dials() != before+1 {
			t.Errorf("%d dials, want one at once", s.Dials()-before)
		}
		time.Sleep(800 * time.Millisecond)
		synctest.Wait()
		if s.Dials() < before+2 {
			t.Error("the failures of before make the pauses long")
		}
		s.Refuse(false)
		l.NetworkChanged()
		synctest.Wait()
		if got := st.take().all; len(got) < 2 || got[len(got)-1] != tim.Connected {
			t.Errorf("not connected at once: %v", got)
		}
	})
}

// A dial that hangs on the former network begins again; to the host it is one try.
func TestNetworkChangedBeginsADialAgain(t *testing.T) {
	var st states
	hang := false
	bubble(t, func(c *transport.Config) {
		dial := c.Dial
		c.State = st.tell
		c.Dial = func(ctx context.Context, n, a string) (net.Conn, error) {
			if hang {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return dial(ctx, n, a)
		}
	}, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		synctest.Wait()
		hang = true
		s.Conn().Cut()
		time.Sleep(time.Second)
		st.take()
		hang = false
		l.NetworkChanged()
		st.want(t, "the dial that hung", tim.Connected)
	})
}

func TestRestsWithoutNeed(t *testing.T) {
	var st states
	var needed atomic.Bool
	bubble(t, func(c *transport.Config) { c.State, c.Needed = st.tell, needed.Load }, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		st.want(t, "at first", tim.Connecting, tim.Connected)
		l.Drop(&transport.Error{Text: "logged out"})
		time.Sleep(time.Hour)
		if got := st.take(); !slices.Equal(got.all, []int{tim.Disconnected}) || got.codes[0] != 0 || got.texts[0] != "logged out" {
			t.Errorf("without need: %+v, want Disconnected, 0, logged out", got)
		}
		needed.Store(true)
		l.Hurry()
		st.want(t, "with need", tim.Connecting, tim.Connected)
	})
}

// While the machine sleeps the timers stand still and the clock on the wall goes on. A connection that the network has
// forgotten meanwhile is found soon, without a request and without a word of the host; one that lives stays.
func TestSleepOfTheMachineIsNoticed(t *testing.T) {
	for _, forgotten := range []bool{false, true} {
		var dead atomic.Pointer[linktest.Conn]
		var ahead atomic.Int64
		s := &linktest.Server{}
		s.Ping = func(c *linktest.Conn, r protocol.Request) {
			if c != dead.Load() {
				pong(c, r)
			}
		}
		wall := func(c *transport.Config) {
			c.Wall = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		}
		served(t, s, wall, func(t *testing.T, _ *transport.Link) {
			pass(time.Minute)
			if forgotten {
				dead.Store(s.Conn())
			}
			ahead.Store(int64(8 * time.Hour))
			pass(20 * time.Second)
			if dials := s.Dials(); dials != map[bool]int{false: 1, true: 2}[forgotten] {
				t.Errorf("forgotten %v: %d dials", forgotten, dials)
			}
			ahead.Store(int64(time.Hour)) // somebody sets the clock back
			pass(20 * time.Second)
			if dials := s.Dials(); forgotten && dials != 2 {
				t.Errorf("%d dials after the clock was set back", dials)
			}
		})
	}
}
