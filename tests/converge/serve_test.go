package converge_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"pgregory.net/rapid"

	"timbre/server"
	"timbre/server/config"
)

// serve runs a server on a folder until stop is called.
func serve(t *rapid.T, dir string, now func() time.Time, change func(*config.Config)) (addr string, stop func()) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Flags(f)
	cfg, err := config.Load(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Listen, cfg.GroupRate = filepath.Join(dir, "server"), "127.0.0.1:0", 0
	cfg.Apps = []string{fmt.Sprint(app, ":", secret)}
	change(&cfg)
	s, err := server.NewAt(cfg, serverLog(dir), now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s.Addr(), sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
}

// serverLog writes beside the data if somebody looks for a fault. The file stays open as long as the test runs.
func serverLog(dir string) *slog.Logger {
	to := io.Discard
	if os.Getenv("TIMBRE_CONVERGE_LOG") != "" {
		if f, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
			to = f
		}
	}
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
