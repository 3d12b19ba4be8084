package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"timbre/server"
	"timbre/server/config"
)

func serveCommand() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Run the server", Args: cobra.NoArgs, RunE: serve}
	config.Flags(c.Flags())
	return c
}

func serve(c *cobra.Command, _ []string) error {
	cfg, err := config.Load(c.Flags(), os.Environ())
	if err != nil {
		return err
	}
	log, err := logger(&cfg, os.Stderr)
	if err != nil {
		return err
	}
	made, err := cfg.EnsureApp()
	if err != nil {
		return err
	}
	if made != "" { // shown here and never logged, and before anything else can fail: it is shown only once
		fmt.Fprintf(c.OutOrStdout(), "made app %s\n", made)
	}
	s, err := server.New(cfg, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "listening on %s\n", s.Addr()) // for the operator, and for whoever started the server
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go reload(ctx, s, log)
	return s.Run(ctx)
}

// reload rereads the certificate on SIGHUP.
func reload(ctx context.Context, s *server.Server, log *slog.Logger) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			if err := s.ReloadCertificate(); err != nil {
				log.Warn("the certificate was not reloaded", "error", err)
				continue
			}
			log.Info("certificate reloaded")
		}
	}
}

func logger(cfg *config.Config, out io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return nil, err
	}
	opts := &slog.HandlerOptions{Level: level}
	switch cfg.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(out, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, opts)), nil
	}
	return nil, fmt.Errorf("log format %q: want text or json", cfg.LogFormat)
}
