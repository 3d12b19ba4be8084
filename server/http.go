package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"timbre/server/config"
	"timbre/sqlite"
)

// readyTime is how long the database may take to prove that it works.
const readyTime = 2 * time.Second

// listen opens the address and prepares what is served there.
func (s *Server) listen(cfg *config.Config) (net.Listener, error) {
	mux := http.NewServeMux()
	mux.Handle("/{$}", s.gateway)
	mux.Handle("/ws", s.gateway)
	mux.Handle("/metrics", s.metrics.Handler())
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("/readyz", s.ready)
	mux.Handle("/admin/", s.operator)
	s.mountFiles(mux)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	if cfg.TLSCert == "" && cfg.TLSKey == "" {
		return net.Listen("tcp", cfg.Listen)
	}
	s.certs = &certificate{certFile: cfg.TLSCert, keyFile: cfg.TLSKey}
	if err := s.certs.load(); err != nil {
		return nil, err
	}
	return tls.Listen("tcp", cfg.Listen, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: s.certs.get})
}

// ready says whether a load balancer should send clients here.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	err := s.store.Read(ctx, func(q sqlite.Queryer) error {
		var one int
		_, err := q.Get(`SELECT 1`, []any{&one})
		return err
	})
	if s.gateway.Draining() {
		err = errors.Join(err, errors.New("draining"))
	}
	if err != nil {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// ReloadCertificate reads the TLS files again. When they cannot be used, the old certificate stays.
func (s *Server) ReloadCertificate() error {
	if s.certs == nil {
		return errors.New("this server has none")
	}
	return s.certs.load()
}

// certificate is a certificate that can be replaced while connections are accepted.
type certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.current.Store(&pair)
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}
