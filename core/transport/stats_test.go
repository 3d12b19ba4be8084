package transport_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/transport"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
)

func TestStats(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		s.Handle = func(c *linktest.Conn, r protocol.Request) {
			if r.Op == "quick" {
				c.Answer(r.ID, 0, nil)
			}
		}
		synctest.Wait()
		began := time.Now()
		st := l.Stats()
		if int(st.State) != tim.Connected || st.Connections != 1 || st.Pending != 0 || st.Failure != nil || !st.Since.Equal(began) {
			t.Fatalf("after the login: %+v", st)
		}
		if st.BytesIn == 0 || st.BytesOut == 0 || st.Heartbeat == 0 {
			t.Errorf("nothing was counted: %+v", st)
		}
		l.Request("never", "", nil, time.Hour, func(protocol.Answer, error) {})
		l.Request("quick", "", nil, time.Hour, func(protocol.Answer, error) {})
		synctest.Wait()
		if now := l.Stats(); now.Pending != 1 || now.BytesIn <= st.BytesIn || now.BytesOut <= st.BytesOut {
			t.Errorf("with one unanswered request: %+v, before %+v", now, st)
		}
		time.Sleep(time.Second)
		s.Refuse(true)
		s.Conn().Cut()
		synctest.Wait()
		if now := l.Stats(); int(now.State) != tim.Disconnected || !now.Since.Equal(time.Now()) || now.Failure == nil || now.Session != "" {
			t.Errorf("after the cut: %+v", now)
		}
		time.Sleep(time.Minute)
		if now := l.Stats(); now.Failure == nil || now.Failure.Code != tim.ErrSDKNetConnRefuse || now.Connections != 1 {
			t.Errorf("while dials are refused: %+v", now)
		}
		s.Refuse(false)
		time.Sleep(time.Minute)
		if now := l.Stats(); int(now.State) != tim.Connected || now.Connections != 2 || now.Failure == nil {
			t.Errorf("after the second connection: %+v", now)
		}
	})
}

// TestRoundTrip: the newest one and the average, which follows slowly.
func TestRoundTrip(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		s.Handle = func(c *linktest.Conn, r protocol.Request) {
			took, err := time.ParseDuration(r.Op)
			if err != nil {
				t.Errorf("operation %q", r.Op)
			}
			time.Sleep(took)
			c.Answer(r.ID, 0, nil)
		}
		ask := func(took time.Duration) transport.Stats {
			if _, err := l.Ask(context.Background(), took.String(), "", nil, time.Minute); err != nil {
				t.Fatal(err)
			}
			return l.Stats()
		}
		for range 100 {
			ask(80 * time.Millisecond)
		}
		if st := ask(time.Second); st.RoundTrip != time.Second || st.Smoothed < 180*time.Millisecond || st.Smoothed > 200*time.Millisecond {
			t.Errorf("the last of %v, smoothed %v", st.RoundTrip, st.Smoothed)
		}
	})
}

// TestTrace: what failed, was refused or took long stands in the log under the name that the server's log has for it.
func TestTrace(t *testing.T) {
	var log bytes.Buffer
	var made chan *transport.Link
	quiet := slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	named := func(cfg *transport.Config) {
		cfg.Log = slog.New(slog.NewTextHandler(&log, &quiet))
		made = make(chan *transport.Link, 1)
		cfg.Open = func(context.Context) {
			link := <-made
			link.Login([]byte(`{}`), time.Minute, func(protocol.Answer, error) {
				link.Named("S.7")
				link.Release()
			})
		}
	}
	bubble(t, named, func(t *testing.T, s *linktest.Server, l *transport.Link) {
		made <- l
		s.Handle = func(c *linktest.Conn, r protocol.Request) {
			switch r.Op {
			case "refused":
				c.Answer(r.ID, 20009, []byte(`{"secret":1}`))
			case "slow":
				time.Sleep(3 * time.Second)
				c.Answer(r.ID, 0, nil)
			case "quick":
				c.Answer(r.ID, 0, nil)
			case "busy":
				c.Answer(r.ID, protocol.CodeBusy, nil)
			}
		}
		synctest.Wait()
		for _, op := range []string{"refused", "slow", "quick", "busy", "unanswered"} {
			_, _ = l.Ask(context.Background(), op, "the key", []byte(`{"text":"hello"}`), 10*time.Second)
		}
		if st := l.Stats(); st.Session != "S.7" {
			t.Errorf("the session is %q", st.Session)
		}
	})
	want := []string{
		`level=INFO msg="request refused" request=S.7-2 op=refused took=0s code=20009 desc=""`,
		`level=WARN msg="slow request" request=S.7-3 op=slow took=3s`,
		`level=INFO msg="request failed" request=S.7-6 op=unanswered took=10s code=9520 err="no answer from the server in time"`,
	}
	var got []string
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "request=") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
