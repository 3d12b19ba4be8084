package server

import (
	"context"
	"net/http"
	"time"

	"timbre/server/config"
	"timbre/server/files"
)

// openTime is how long the place of the files may take to answer at the start.
const openTime = 30 * time.Second

// openFiles makes the module for files. It needs the open database.
func (s *Server) openFiles(cfg *config.Config, retention func() time.Duration) error {
	if err := cfg.Files.Check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	blobs, err := cfg.Files.Blobs(ctx, cfg.Data)
	if err != nil {
		return err
	}
	s.files, err = files.New(ctx, cfg.Files.Rules(retention), files.Parts{Store: s.store, Blobs: blobs,
		In: s.metrics.FileIn, Out: s.metrics.FileOut, Logger: s.log, Now: s.now})
	return err
}

// mountFiles serves the file addresses.
func (s *Server) mountFiles(mux *http.ServeMux) {
	h := s.files.Handler()
	mux.Handle("/files", h)
	mux.Handle("/files/", h)
}
