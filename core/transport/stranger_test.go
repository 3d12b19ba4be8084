package transport_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"timbre/core/transport"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
)

// stranger answers HTTP, on a port of its own.
func stranger(t *testing.T, encrypted bool, handle http.HandlerFunc) (address string) {
	t.Helper()
	s := httptest.NewUnstartedServer(handle)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if encrypted {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if len(header) == 2 {
			w.Header().Set(header[0], header[1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, "<html>Welcome to the hotel</html>")
	}
}

// talker is a WebSocket server that says what talk does.
func talker(talk func(ws *websocket.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		if ws, err := up.Upgrade(w, r, nil); err == nil {
			defer ws.Close()
			talk(ws)
		}
	}
}

func echoing(ws *websocket.Conn) {
	for {
		kind, frame, err := ws.ReadMessage()
		if err != nil || ws.WriteMessage(kind, frame) != nil {
			return
		}
	}
}

// closing accepts connections and ends them after some bytes.
func closing(t *testing.T, say string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, say)
			c.Close()
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}

// firstFailure is what a link tells of its first try.
func firstFailure(t *testing.T, url string, dial transport.Dialer) (code int, text string) {
	t.Helper()
	type told struct {
		status, code int
		text         string
	}
	states := make(chan told, 1000)
	l := (&linktest.Server{}).Link(t, func(c *transport.Config) {
		c.URL = func() string { return url }
		c.Dial = dial
		c.State = func(s transport.Status, code int, text string) { states <- told{int(s), code, text} }
	})
	defer l.Stop(errStop)
	if first := <-states; first.status != tim.Connecting {
		t.Errorf("first state %d", first.status)
	}
	second := <-states
	if second.status != tim.ConnectFailed {
		t.Errorf("second state %d, want ConnectFailed", second.status)
	}
	return second.code, second.text
}

func TestStrangersAreNamed(t *testing.T) {
	cases := []struct {
		name, url string
		code      int
		want      string
	}{
		{"sign-in page", "ws://" + stranger(t, false, status(200)), 9508, "answered HTTP 200 instead of a WebSocket: a sign-in page"},
		{"redirect", "ws://" + stranger(t, false, status(302, "Location", "http://portal.test/login")), 9508, "HTTP 302 and leads to http://portal.test/login: a sign-in page"},
		{"forbidden", "ws://" + stranger(t, false, status(403)), 9508, "answered HTTP 403 instead"},
		{"not found", "ws://" + stranger(t, false, status(404)), 9508, "answered HTTP 404 instead"},
		{"bad gateway", "ws://" + stranger(t, false, status(502)), 9508, "answered HTTP 502: the server is not available"},
		{"TLS where none is expected", "ws://" + stranger(t, true, status(200)), 9508, "wants TLS: use wss://"},
		{"an alert", "ws://" + closing(t, "\x15\x03\x01\x00\x02\x02\x46"), 9508, "wants TLS: use wss://"},
		{"no TLS where it is expected", "wss://" + stranger(t, false, status(200)), 9508, "does not speak TLS"},
		{"no trust", "wss://" + stranger(t, true, status(200)), 9508, "a certificate that is not trusted: x509"},
		{"hangs up", "ws://" + closing(t, ""), 9514, "closed the connection at once"},
		{"hangs up in TLS", "wss://" + closing(t, ""), 9514, "closed the connection at once"},
		{"speaks something else", "ws://" + closing(t, "220 mail.test ESMTP\r\n"), 9508, "cannot be used: malformed HTTP"},
		{"echo", "ws://" + stranger(t, false, talker(echoing)), 9508, "this is no Timbre server"},
		{"other protocol", "ws://" + stranger(t, false, talker(func(ws *websocket.Conn) { _ = ws.WriteMessage(2, []byte("\x00hello")) })), 9508, "this is no Timbre server"},
		{"JSON of another kind", "ws://" + stranger(t, false, talker(func(ws *websocket.Conn) { _ = ws.WriteMessage(1, []byte(`{"id":0,"error":"who are you"}`)) })), 9508, "this is no Timbre server"},
		{"WebSocket that hangs up", "ws://" + stranger(t, false, talker(func(*websocket.Conn) {})), 9514, "closed the connection at once"},
		{"refused", "ws://127.0.0.1:1", 9511, "ws://127.0.0.1:1 refuses connections"},
		{"password in the address", "ws://me:secret@127.0.0.1:1", 9508, "ws://me:xxxxx@127.0.0.1:1 cannot be used"},
		{"bad address", "tcp://127.0.0.1:1", 9508, "cannot be used: malformed ws or wss URL"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, text := firstFailure(t, c.url, nil)
			if code != c.code || !strings.Contains(text, c.want) {
				t.Errorf("code %d, text %q; want %d with %q", code, text, c.code, c.want)
			}
		})
	}
}

// The name's fate is made here: what a real question to the network costs, and brings, depends on the network.
func TestNameThatNobodyKnows(t *testing.T) {
	code, text := firstFailure(t, "ws://no-such-host.invalid:1", func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "no-such-host.invalid", IsNotFound: true}}
	})
	if code != 9516 || !strings.Contains(text, "is not known by that name") {
		t.Errorf("code %d, text %q", code, text)
	}
}

func TestSilentServers(t *testing.T) {
	ask := func(t *testing.T, dial transport.Dialer, want string) {
		t.Helper()
		var st states
		begun, took := time.Now(), time.Duration(0)
		l := (&linktest.Server{}).Link(t, func(c *transport.Config) {
			c.Dial = dial
			c.State = func(s transport.Status, code int, text string) {
				if st.tell(s, code, text); int(s) == tim.ConnectFailed && took == 0 {
					took = time.Since(begun)
				}
			}
		})
		time.Sleep(11 * time.Second)
		got := st.take()
		if len(got.all) < 2 || got.all[1] != tim.ConnectFailed || got.codes[1] != 9510 || !strings.Contains(got.texts[1], want) || took > 10*time.Second {
			t.Errorf("after %v: %+v, want 9510 with %q within 10 s", took, got, want)
		}
		l.Stop(errStop)
	}
	synctest.Test(t, func(t *testing.T) {
		ask(t, func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, server); server.Close() }()
			return client, nil
		}, "said nothing for 10 s")
	})
	synctest.Test(t, func(t *testing.T) {
		s := &linktest.Server{Ping: func(*linktest.Conn, protocol.Request) {}}
		ask(t, s.Dial, "speaks WebSocket but does not answer")
		s.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		ask(t, func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, "no connection within 10 s")
	})
}

// Whoever hangs up at once, before the login or right behind it, is not called without end.
func TestNoTightLoop(t *testing.T) {
	hangUps := map[string]*linktest.Server{
		"before the first answer": {Ping: func(c *linktest.Conn, _ protocol.Request) { c.Cut() }},
		"at the login":            {Login: func(c *linktest.Conn, _ protocol.Request) { c.Cut() }},
		"after the login": {Login: func(c *linktest.Conn, r protocol.Request) {
			c.Answer(r.ID, 0, nil)
			c.Cut()
		}},
	}
	for name, s := range hangUps {
		synctest.Test(t, func(t *testing.T) {
			l := s.Link(t, nil)
			time.Sleep(time.Hour)
			synctest.Wait()
			if n := s.Dials(); n < 100 || n > 500 {
				t.Errorf("%s: %d dials in an hour", name, n)
			}
			l.Stop(errStop)
			s.Close()
		})
	}
}

// A question that ends the connection each time it is asked is not asked without end, though others are answered.
func TestAPoisonedQuestionIsNoTightLoop(t *testing.T) {
	s := &linktest.Server{Handle: func(c *linktest.Conn, r protocol.Request) {
		if r.Op == "poison" {
			time.AfterFunc(time.Second, c.Cut)
			return
		}
		echo(c, r)
	}}
	synctest.Test(t, func(t *testing.T) {
		var l *transport.Link
		made := make(chan struct{})
		ask := func(op string) {
			<-made
			l.Request(op, "", []byte(`1`), 24*time.Hour, func(protocol.Answer, error) {})
		}
		l = s.Link(t, func(c *transport.Config) {
			open := c.Open
			c.Open = func(ctx context.Context) { open(ctx); ask("good") }
		})
		close(made)
		ask("poison")
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := s.Dials(); n < 300 || n > 800 {
			t.Errorf("%d dials in an hour", n)
		}
		l.Stop(errStop)
		s.Close()
	})
}

// A handler that fails costs the connection, not the process.
func TestPanicsCostTheConnection(t *testing.T) {
	fail := func(string) { panic("a mistake") }
	cases := map[string]func(c *transport.Config, l **transport.Link, s *linktest.Server){
		"push": func(c *transport.Config, _ **transport.Link, s *linktest.Server) {
			c.Push = func(p *protocol.Push) { fail(p.Kind) }
			s.Handle = func(c *linktest.Conn, r protocol.Request) { c.Push("x", nil) }
		},
		"state": func(c *transport.Config, _ **transport.Link, _ *linktest.Server) {
			c.State = func(transport.Status, int, string) { fail("") }
		},
		"needed": func(c *transport.Config, _ **transport.Link, _ *linktest.Server) {
			c.Needed = func() bool { fail(""); return true }
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			var l *transport.Link
			bubble(t, nil, func(t *testing.T, s *linktest.Server, _ *transport.Link) {
				l = s.Link(t, func(c *transport.Config) { change(c, &l, s) })
				defer l.Stop(errStop)
				synctest.Wait()
				before := s.Dials()
				var o outcomes
				l.Request("op", "", nil, time.Minute, o.done("x"))
				synctest.Wait()
				if name == "needed" {
					s.Conn().Cut()
					time.Sleep(time.Second)
					l.Hurry() // it could not say that there is need
				}
				time.Sleep(5 * time.Second)
				if connected, _, _, _ := l.Connected(); !connected && name != "push" {
					t.Error("the link is dead")
				}
				if name != "state" && s.Dials() == before {
					t.Error("the connection was kept")
				}
			})
		})
	}
}

func TestAPanickingAnswerCostsTheConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		s.Handle = echo
		synctest.Wait()
		l.Request("op", "", []byte(`1`), time.Minute, func(protocol.Answer, error) { panic("a mistake") })
		var o outcomes
		l.Request("op", "", []byte(`2`), time.Minute, o.done("next"))
		time.Sleep(5 * time.Second)
		o.want(t, "next code 0 2")
		if s.Dials() != 2 {
			t.Errorf("%d dials, want a second one", s.Dials())
		}
		s.Handle = nil
		l.Request("op", "", []byte(`3`), time.Second, func(protocol.Answer, error) { panic("a mistake, on a timer") })
		time.Sleep(5 * time.Second)
	})
}
