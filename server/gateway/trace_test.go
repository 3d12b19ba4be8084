package gateway

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timbre/protocol"
	"timbre/server/metrics"
	"timbre/sqlite"
)

// traced returns a connection with a session that writes to a log and does nothing else.
func traced(level slog.Level) (*conn, *bytes.Buffer) {
	log := &bytes.Buffer{}
	untimed := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	handler := slog.NewTextHandler(log, &slog.HandlerOptions{Level: level, ReplaceAttr: untimed})
	m := metrics.New(func() sqlite.Stats { return sqlite.Stats{} }, func() int { return 0 })
	c := &conn{g: &Gateway{Parts: Parts{Metrics: m}, ops: operations(m), start: "S"}, anonymous: slog.New(handler)}
	c.label(c.g.sessionName(7))
	return c, log
}

func (c *conn) request(id uint64, op string, took time.Duration, code int) {
	c.began(id, c.g.ops[op])
	time.Sleep(took)
	c.answered(&protocol.Answer{ID: id, Code: code})
}

func TestTheLogNamesRequestsAsTheClientDoes(t *testing.T) {
	for level, want := range map[slog.Level][]string{
		slog.LevelInfo: {
			`level=INFO msg="request refused" session=S.7 request=S.7-2 op=msg.send took=1ms code=20009`,
			`level=WARN msg="slow request" session=S.7 request=S.7-4 op=msg.search took=1.5s code=0`,
		},
		slog.LevelDebug: {
			`level=DEBUG msg=request session=S.7 request=S.7-1 op=msg.send took=1ms code=0`,
			`level=INFO msg="request refused" session=S.7 request=S.7-2 op=msg.send took=1ms code=20009`,
			`level=DEBUG msg=request session=S.7 request=S.7-3 op=msg.send took=1ms code=1003`,
			`level=WARN msg="slow request" session=S.7 request=S.7-4 op=msg.search took=1.5s code=0`,
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, log := traced(level)
			c.request(1, protocol.OpSend, time.Millisecond, 0)
			c.request(2, protocol.OpSend, time.Millisecond, 20009)
			c.request(3, protocol.OpSend, time.Millisecond, protocol.CodeBusy)
			c.request(4, protocol.OpSearch, 1500*time.Millisecond, 0)
			c.request(5, "no such operation", time.Hour, protocol.CodeOp)
			if got := strings.TrimSpace(log.String()); got != strings.Join(want, "\n") {
				t.Errorf("at level %v the log has\n%s\nwant\n%s", level, got, strings.Join(want, "\n"))
			}
		})
	}
}

func TestAFloodOfRefusalsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log := traced(slog.LevelInfo)
		for id := range uint64(1000) {
			c.request(id, protocol.OpSend, 0, 20009)
		}
		if n := strings.Count(log.String(), "\n"); n != remarks {
			t.Errorf("%d lines in one second, want %d", n, remarks)
		}
		time.Sleep(time.Second)
		c.request(5000, protocol.OpSend, 0, 20009)
		if n := strings.Count(log.String(), "\n"); n != remarks+1 {
			t.Errorf("%d lines in two seconds, want one more", n)
		}
	})
}

// TestAnswersInAnyOrder: each request is found by its id, and nothing stays.
func TestAnswersInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log := traced(slog.LevelDebug)
		for id := range uint64(50) {
			c.began(id, c.g.ops[protocol.OpSend])
			time.Sleep(time.Millisecond)
		}
		if got := c.trace.newest(); got != "S.7-49" {
			t.Errorf("the newest request is %s", got)
		}
		for i := range uint64(50) {
			id := i * 7 % 50
			c.answered(&protocol.Answer{ID: id})
			if want := fmt.Sprintf("request=S.7-%d op=msg.send took=%dms", id, 50-id); !strings.Contains(log.String(), want) {
				t.Fatalf("no line with %s in\n%s", want, log)
			}
		}
		if len(c.trace.open) != 0 || c.trace.newest() != "" {
			t.Errorf("%d requests stay", len(c.trace.open))
		}
		c.answered(&protocol.Answer{ID: 1}) // answered already
		if n := strings.Count(log.String(), "\n"); n != 50 {
			t.Errorf("%d lines for 50 requests", n)
		}
	})
}

// BenchmarkTrace is what the following of a request costs when nothing about it is logged.
func BenchmarkTrace(b *testing.B) {
	c, _ := traced(slog.LevelInfo)
	b.ReportAllocs()
	for id := uint64(0); b.Loop(); id++ {
		c.began(id, c.g.ops[protocol.OpSend])
		c.answered(&protocol.Answer{ID: id})
	}
}
