// Package server puts timbred together: which parts there are, who gets whom, and in which order they start and stop.
// The parts know each other through small interfaces and are made here and nowhere else.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/bus"
	"timbre/server/changelog"
	"timbre/server/community"
	"timbre/server/config"
	"timbre/server/conversation"
	"timbre/server/files"
	"timbre/server/gateway"
	"timbre/server/group"
	"timbre/server/language"
	"timbre/server/live"
	"timbre/server/message"
	"timbre/server/metrics"
	"timbre/server/operator"
	"timbre/server/session"
	"timbre/server/store"
	"timbre/sqlite"
)

// drainTime is how long clients have to take their last answers.
const drainTime = 10 * time.Second

// sweepEvery is how often things that ran out are deleted.
const sweepEvery = time.Hour

// Server is a timbred that listens.
type Server struct {
	log      *slog.Logger
	now      func() time.Time
	store    *store.Store
	messages *message.Messages
	indexer  *message.Indexer
	ender    *group.Ender
	gateway  *gateway.Gateway
	operator *operator.Operator
	files    *files.Files
	metrics  *metrics.Metrics
	certs    *certificate // nil without TLS
	listener net.Listener
	http     *http.Server
}

// New opens the data and the listener. The server accepts nobody before Run.
func New(cfg config.Config, log *slog.Logger) (*Server, error) { return NewAt(cfg, log, time.Now) }

// NewAt is New with a clock of the caller's.
func NewAt(cfg config.Config, log *slog.Logger, now func() time.Time) (*Server, error) {
	policy, err := account.ParsePolicy(cfg.Devices)
	if err != nil {
		return nil, err
	}
	secrets, err := cfg.Secrets()
	if err != nil {
		return nil, err
	}
	if err := cfg.Language(log).Check(); err != nil {
		return nil, err
	}
	s := &Server{log: log, now: now}
	if err := s.assemble(&cfg, policy, secrets); err != nil {
		return nil, errors.Join(err, s.closeStore())
	}
	if s.listener, err = s.listen(&cfg); err != nil {
		return nil, errors.Join(err, s.closeStore())
	}
	return s, nil
}

func (s *Server) assemble(cfg *config.Config, policy account.Policy, secrets account.Secrets) (err error) {
	hub := session.NewHub()
	events := bus.NewLocal(hub)
	accounts := account.New(policy, s.now)
	log := changelog.New(s.now)
	s.messages = message.New(log, accounts, cfg.Messages(), s.now)
	groupRules, err := cfg.Groups()
	if err != nil {
		return err
	}
	groups := group.New(s.messages, accounts, log, groupRules, s.now)
	communities := community.New(groups, s.now)
	rooms := live.New(config.Live(&groupRules), s.presence, s.now)
	groups.Meet(group.Neighbours{Sessions: hub, Audience: rooms, Rights: communities})
	convs := conversation.New(s.messages, accounts, groups, log, s.now)
	s.store, err = store.Open(store.Config{
		Dir: cfg.Data, Settled: events.Settle,
		Schemas: []sqlite.Schema{account.Schema(), changelog.Schema(), message.Schema(), message.IndexSchema(), group.Schema(), community.Schema(),
			conversation.Schema(), files.Schema()},
	})
	if err != nil {
		return err
	}
	if err := errors.Join(s.store.Write(context.Background(), accounts.Started), s.store.Write(context.Background(), s.messages.Started)); err != nil {
		return err
	}
	s.indexer = message.NewIndexer(s.messages, s.store, s.log)
	s.ender = group.NewEnder(groups, s.store, func(o group.Outcome) { s.gateway.Publish(o) }, s.log)
	s.metrics = metrics.New(s.store.Stats, func() int { return s.gateway.Waiting() })
	s.metrics.Live(func() float64 { return float64(rooms.Figures().Rooms) }, func() float64 { return float64(rooms.Figures().Audience) },
		func() float64 { return float64(rooms.Figures().Sent) })
	if err := s.openFiles(cfg, cfg.Retention); err != nil {
		return err
	}
	tickets := account.NewTickets(secrets)
	s.gateway = gateway.New(cfg.Gateway(), gateway.Parts{
		Store: s.store, Epoch: s.store.Epoch(), Tickets: tickets, Accounts: accounts, Log: log,
		Reader: changelog.NewReader(s.store.Epoch(), s.messages), Messages: s.messages, Groups: groups, Rooms: rooms, Communities: communities, Convs: convs, Files: s.files, Hub: hub, Bus: events,
		Metrics: s.metrics, Logger: s.log, Now: s.now, Language: language.New(cfg.Language(s.log)),
	})
	s.operator = operator.New(tickets, rooms, s.gateway, cfg.MaxMessage, s.now)
	return nil
}

// presence is what a live room says of who comes and goes.
func (s *Server) presence(p live.Place, kind int, users []protocol.Member, count int) []byte {
	return group.PresenceTip(p.ID, p.Name, kind, users, count, s.now())
}

// Addr is the address that the server listens on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until the context ends, then drains and closes everything.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	defer beside(ctx, s.indexer.Run)()
	defer beside(ctx, s.ender.Run)()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	s.sweep(ctx)
	for {
		select {
		case err := <-failed:
			return errors.Join(err, s.shutdown())
		case <-ctx.Done():
			err := s.shutdown()
			<-failed
			return err
		case <-sweep.C:
			s.sweep(ctx)
		}
	}
}

// beside works in the background until the function that it returns is called.
func beside(ctx context.Context, work func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		work(ctx)
	}()
	return func() {
		cancel()
		<-stopped
	}
}

func (s *Server) sweep(ctx context.Context) {
	for more := true; more; {
		err := s.store.Write(ctx, func(tx *sqlite.Tx) (err error) {
			more, err = s.messages.Sweep(tx)
			return err
		})
		if err != nil {
			more = false
			if ctx.Err() == nil {
				s.log.Error("sweeping failed", "error", err)
			}
		}
	}
	if err := s.files.Sweep(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("sweeping files failed", "error", err)
	}
}

// shutdown answers what was accepted, says goodbye to the clients and closes.
func (s *Server) shutdown() error {
	s.log.Info("draining")
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	closed := s.listener.Close()
	s.gateway.Drain(ctx)
	stopped := s.http.Shutdown(ctx)
	if errors.Is(stopped, context.DeadlineExceeded) { // files under way: their clients continue elsewhere
		stopped = s.http.Close()
	}
	for _, err := range []*error{&closed, &stopped} { // both close the listener, and it may be closed already
		if errors.Is(*err, net.ErrClosed) {
			*err = nil
		}
	}
	err := errors.Join(closed, stopped, s.closeStore())
	s.log.Info("stopped")
	return err
}

// closeStore also serves a server that failed to start.
func (s *Server) closeStore() error {
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}
