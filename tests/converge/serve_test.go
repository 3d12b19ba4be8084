package converge_test

import (
	"context"
	"fmt"
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
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Flags(f)
	cfg, err := config.Load(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Listen, cfg.GroupRate = filepath.Join(dir, "server"), "127.0.0.1:0", 0
	cfg.Apps = []string{fmt.Sprint(app, ":", secret)}
	change(&cfg)
	s, err := server.NewAt(cfg, logger("server"), now)
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
