package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"timbre/server"
	"timbre/server/config"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) {
	leaks.Main(m, http.DefaultClient.CloseIdleConnections)
}

// running is a server under test.
type running struct {
	*server.Server
	url  string
	http string
	stop func() // drains and waits; may be called again
}

// serve starts a server on a free port. Change may alter its settings.
func serve(t *testing.T, dir string, change func(*config.Config)) *running {
	t.Helper()
	cfg := defaults(t)
	cfg.Data, cfg.Listen = dir, "127.0.0.1:0"
	cfg.Apps = []string{strconv.Itoa(testApp) + ":" + testSecret}
	if change != nil {
		change(&cfg)
	}
	s, err := server.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r := &running{Server: s, url: "ws://" + s.Addr(), http: "http://" + s.Addr()}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func defaults(t *testing.T) config.Config {
	t.Helper()
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Flags(f)
	cfg, err := config.Load(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// metrics returns the text of /metrics.
func (s *running) metrics(t *testing.T) string {
	t.Helper()
	text, code := s.get(t, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics: status %d", code)
	}
	return text
}

func (s *running) get(t *testing.T, path string) (string, int) {
	t.Helper()
	r, err := http.Get(s.http + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), r.StatusCode
}

// waitMetric waits until a figure has a value. There is nothing else to wait on for what only the server knows.
func (s *running) waitMetric(t *testing.T, line string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(s.metrics(t), "\n"+line+"\n"); {
		if time.Now().After(end) {
			t.Fatalf("never saw %s", line)
		}
		runtime.Gosched()
	}
}
