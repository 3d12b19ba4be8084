package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/transport"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

var errStop = &transport.Error{Code: tim.ErrSDKCommInterrupt, Text: "stopped"}

// bubble runs a test against a server in a bubble of its own.
func bubble(t *testing.T, change func(*transport.Config), test func(t *testing.T, s *linktest.Server, l *transport.Link)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &linktest.Server{}
		l := s.Link(t, change)
		defer s.Close()
		defer l.Stop(errStop)
		test(t, s, l)
	})
}

// outcomes collects the ends of requests.
type outcomes struct {
	mu  sync.Mutex
	all []string
}

func (o *outcomes) done(name string) func(protocol.Answer, error) {
	return func(a protocol.Answer, err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		var e *transport.Error
		switch {
		case errors.As(err, &e):
			o.all = append(o.all, fmt.Sprintf("%s failed %d", name, e.Code))
		case err != nil:
			o.all = append(o.all, name+" "+err.Error())
		default:
			o.all = append(o.all, fmt.Sprintf("%s code %d %s", name, a.Code, a.Body))
		}
	}
}

func (o *outcomes) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.all, want) {
		t.Errorf("outcomes %q, want %q", o.all, want)
	}
}

// wantInAnyOrder is want for requests that end on goroutines of their own.
func (o *outcomes) wantInAnyOrder(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	o.mu.Lock()
	slices.Sort(o.all)
	o.mu.Unlock()
	slices.Sort(want)
	o.want(t, want...)
}

func echo(c *linktest.Conn, r protocol.Request) { c.Answer(r.ID, 0, r.Body) }

func TestPipelinedAnswersInAnyOrder(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		var held []protocol.Request
		s.Handle = func(c *linktest.Conn, r protocol.Request) {
			if held = append(held, r); len(held) == 3 {
				for _, i := range []int{2, 0, 1} {
					c.Answer(held[i].ID, 0, held[i].Body)
				}
			}
		}
		var o outcomes
		for i := range 3 {
			l.Request("op", "", []byte(fmt.Sprint(i)), time.Minute, o.done(fmt.Sprint(i)))
		}
		o.want(t, "2 code 0 2", "0 code 0 0", "1 code 0 1")
	})
}

// A request that the server would end the connection for harms nobody else.
func TestRequestThatIsTooLarge(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		s.Handle = echo
		var o outcomes
		l.Request("op", "", make([]byte, protocol.MaxLine), 24*time.Hour, o.done("large"))
		l.Request("op", "", []byte(`1`), time.Minute, o.done("small"))
		o.wantInAnyOrder(t, "large failed 9522", "small code 0 1")
	})
}

func TestDeadlineCodesByStage(t *testing.T) {
	const patience = 5 * time.Second
	ask := func(t *testing.T, l *transport.Link, meanwhile func()) int {
		t.Helper()
		begun, code := time.Now(), 0
		took := time.Duration(0)
		l.Request("op", "", []byte(`{}`), patience, func(_ protocol.Answer, err error) {
			code, took = transport.AsError(err).Code, time.Since(begun)
		})
		synctest.Wait()
		if meanwhile != nil {
			meanwhile()
		}
		time.Sleep(2 * patience)
		synctest.Wait()
		if took != patience {
			t.Errorf("the deadline of %v came after %v", patience, took)
		}
		return code
	}
	want := func(t *testing.T, what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: code %d, want %d", what, got, want)
		}
	}
	gone := func(s *linktest.Server) func() {
		return func() { s.Refuse(true); s.Conn().Cut() }
	}
	synctest.Test(t, func(t *testing.T) {
		s := &linktest.Server{}
		s.Refuse(true)
		l := s.Link(t, nil)
		defer l.Stop(errStop)
		synctest.Wait()
		want(t, "no connection", ask(t, l, nil), tim.ErrSDKNetWaitSendTimeoutNoNetwork)
	})
	bubble(t, func(c *transport.Config) { c.Open = func(context.Context) {} }, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		synctest.Wait()
		want(t, "connected and not logged in", ask(t, l, nil), tim.ErrSDKNetWaitSendTimeout)
	})
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		synctest.Wait()
		want(t, "written, no answer", ask(t, l, nil), tim.ErrSDKNetWaitAckTimeout)
	})
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		synctest.Wait()
		want(t, "written, then no network", ask(t, l, gone(s)), tim.ErrSDKNetWaitAckTimeoutNoNetwork)
	})
	for _, cut := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &linktest.Server{}
			s.Deaf()
			l := s.Link(t, nil)
			defer s.Close()
			defer l.Stop(errStop)
			synctest.Wait()
			if cut {
				want(t, "half written, then no network", ask(t, l, gone(s)), tim.ErrSDKNetSendRemainingTimeoutNoNetwork)
			} else {
				want(t, "half written", ask(t, l, nil), tim.ErrSDKNetWaitSendRemainingTimeout)
			}
		})
	}
}

func TestWrittenAgainInOrderAfterACut(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		var seen []string
		lost := true
		s.Handle = func(c *linktest.Conn, r protocol.Request) {
			seen = append(seen, r.Key)
			if lost {
				if len(seen) == 3 {
					lost = false
					c.Cut() // the answers of all three are lost
				}
				return
			}
			echo(c, r)
		}
		var o outcomes
		for _, k := range []string{"a", "b", "c"} {
			l.Request("op", k, []byte(`1`), time.Minute, o.done(k))
		}
		time.Sleep(10 * time.Second)
		o.want(t, "a code 0 1", "b code 0 1", "c code 0 1")
		if want := []string{"a", "b", "c", "a", "b", "c"}; !slices.Equal(seen, want) {
			t.Errorf("the server saw %v, want %v", seen, want)
		}
	})
}

func TestRetriesAreCounted(t *testing.T) {
	bubble(t, func(c *transport.Config) { c.Retry = func() int { return 2 } }, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		writes := 0
		s.Handle = func(c *linktest.Conn, r protocol.Request) { writes++; c.Cut() }
		var o outcomes
		l.Request("op", "k", []byte(`1`), 20*time.Second, o.done("k"))
		time.Sleep(15 * time.Second)
		o.want(t, "k failed 9520")
		if writes != 3 {
			t.Errorf("written %d times, want 1 and 2 retries", writes)
		}
	})
}

// Nobody would notice the second one of what is passed on without a key.
func TestWhatIsPassedOnIsWrittenOnce(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		writes := 0
		s.Handle = func(c *linktest.Conn, r protocol.Request) { writes++; c.Cut() }
		var o outcomes
		l.Request(protocol.OpTrans, "", []byte(`1`), time.Minute, o.done("trans"))
		time.Sleep(15 * time.Second)
		o.want(t, "trans failed 9520")
		if writes != 1 {
			t.Errorf("written %d times", writes)
		}
	})
}

func TestBackOffHasJitterAndCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &linktest.Server{}
		s.Refuse(true)
		var mu sync.Mutex
		var dials []time.Duration
		start := time.Now()
		l := s.Link(t, func(c *transport.Config) {
			c.Dial = func(ctx context.Context, n, a string) (net.Conn, error) {
				mu.Lock()
				dials = append(dials, time.Since(start))
				mu.Unlock()
				return s.Dial(ctx, n, a)
			}
		})
		so := func() []time.Duration {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(dials)
		}
		time.Sleep(time.Hour)
		at := so()
		longest := time.Duration(0)
		distinct := map[time.Duration]bool{}
		for i := 1; i < len(at); i++ {
			gap := at[i] - at[i-1]
			if bound := min(30*time.Second, 400*time.Millisecond<<min(i, 10)); gap > bound {
				t.Errorf("pause %d took %v, its bound is %v", i, gap, bound)
			}
			longest = max(longest, gap)
			distinct[gap] = true
		}
		if len(at) < 150 || len(at) > 500 { // half of 30 s on average
			t.Errorf("%d dials in an hour", len(at))
		}
		if longest < 20*time.Second || len(distinct) < len(at)/2 {
			t.Errorf("no full jitter: longest pause %v, %d different ones of %d", longest, len(distinct), len(at))
		}
		before := len(at)
		l.Hurry()
		if n := len(so()); n != before+1 {
			t.Errorf("%d dials after Hurry, want one at once", n-before)
		}
		time.Sleep(800 * time.Millisecond)
		if len(so()) < before+2 {
			t.Error("the pause after Hurry is as long as before")
		}
		l.Stop(errStop)
	})
}

func TestASilentServerIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &linktest.Server{}
		s.Deaf()
		var states []int
		l := s.Link(t, func(c *transport.Config) {
			c.State = func(st transport.Status, _ int, _ string) { states = append(states, int(st)) }
		})
		synctest.Wait()
		var o outcomes
		l.Request("op", "k", []byte(`1`), 10*time.Minute, o.done("k"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.Dials() < 2 {
			t.Errorf("%d dials a minute after the server fell silent", s.Dials())
		}
		want := []int{tim.Connecting, tim.Connected, tim.Disconnected, tim.Connecting, tim.Connected}
		if len(states) < 5 || !slices.Equal(states[:5], want) {
			t.Errorf("states %v, want them to begin with %v", states, want)
		}
		l.Stop(errStop)
		s.Close()
	})
}

func TestAnIdleConnectionStays(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		time.Sleep(24 * time.Hour)
		if s.Dials() != 1 {
			t.Errorf("%d dials on an idle day, want 1", s.Dials())
		}
	})
}

func TestNothingPassesBeforeTheLogin(t *testing.T) {
	var login protocol.Request
	s := &linktest.Server{}
	synctest.Test(t, func(t *testing.T) {
		s.Login = func(c *linktest.Conn, r protocol.Request) { login = r }
		var seen []string
		s.Handle = func(c *linktest.Conn, r protocol.Request) { seen = append(seen, string(r.Body)); echo(c, r) }
		l := s.Link(t, nil)
		var o outcomes
		for i := range 3 {
			l.Request("op", "", []byte(fmt.Sprint(i)), time.Minute, o.done(fmt.Sprint(i)))
		}
		synctest.Wait()
		if len(seen) != 0 {
			t.Errorf("before the login's answer the server saw %v", seen)
		}
		s.Conn().Answer(login.ID, 0, nil)
		o.want(t, "0 code 0 0", "1 code 0 1", "2 code 0 2")
		l.Stop(errStop)
		s.Close()
	})
}

func TestOneLoginAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &linktest.Server{}
		logins := 0
		s.Login = func(c *linktest.Conn, r protocol.Request) {
			logins++
			code := 0
			if logins == 1 {
				code = tim.ErrSVRAccountUsersigExpired
			}
			c.Answer(r.ID, code, nil)
		}
		l := s.Link(t, nil)
		synctest.Wait()
		again := func() bool { return l.Login([]byte(`{}`), time.Minute, func(protocol.Answer, error) {}) }
		if !again() {
			t.Error("no second login after the first was refused")
		}
		synctest.Wait()
		if again() {
			t.Error("a login over a connection that is logged in")
		}
		if logins != 2 {
			t.Errorf("the server saw %d logins, want 2", logins)
		}
		l.Stop(errStop)
		s.Close()
	})
}

func TestLateAnswersAreNoticed(t *testing.T) {
	late := 0
	bubble(t, func(c *transport.Config) { c.Late = func() { late++ } }, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		var asked protocol.Request
		s.Handle = func(_ *linktest.Conn, r protocol.Request) { asked = r }
		var o outcomes
		l.Request("op", "k", []byte(`1`), time.Second, o.done("k"))
		time.Sleep(2 * time.Second)
		o.want(t, "k failed 9520")
		s.Conn().Answer(asked.ID, 0, nil)
		synctest.Wait()
		if late != 1 {
			t.Errorf("the late answer was noticed %d times", late)
		}
	})
}

func TestStopAnswersEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &linktest.Server{}
		l := s.Link(t, nil)
		synctest.Wait()
		var o outcomes
		for i := range 5 {
			l.Request("op", "", []byte(`1`), time.Hour, o.done(fmt.Sprint(i)))
		}
		l.Stop(errStop)
		l.Request("op", "", []byte(`1`), time.Hour, o.done("later"))
		o.want(t, "0 failed 7009", "1 failed 7009", "2 failed 7009", "3 failed 7009", "4 failed 7009", "later failed 7009")
		s.Close()
	})
}

// A call that is still on its way when its session ends asks nothing in the name of the next user.
func TestNoRequestPassesIntoTheNextSession(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		s.Handle = echo
		synctest.Wait()
		var o outcomes
		l.Close()
		l.Request("op", "", []byte(`1`), time.Hour, o.done("before"))
		l.FailAll(&transport.Error{Code: tim.ErrSDKNotLoggedIn})
		l.Request("op", "", []byte(`2`), time.Hour, o.done("after"))
		s.Conn().Cut()
		time.Sleep(time.Minute)
		l.Request("op", "", []byte(`3`), time.Hour, o.done("of the next"))
		o.want(t, "before failed 6014", "after failed 6014", "of the next code 0 3")
	})
}

func TestPushesKeepTheirOrder(t *testing.T) {
	var got []string
	bubble(t, func(c *transport.Config) {
		c.Push = func(p *protocol.Push) { got = append(got, p.Kind+string(p.Body)) }
	},
		func(t *testing.T, s *linktest.Server, l *transport.Link) {
			synctest.Wait()
			var want []string
			for i := range 100 {
				s.Conn().Push("k", []byte(fmt.Sprint(i)))
				want = append(want, fmt.Sprint("k", i))
			}
			synctest.Wait()
			if !slices.Equal(got, want) {
				t.Errorf("pushes came as %v", got)
			}
		})
}
