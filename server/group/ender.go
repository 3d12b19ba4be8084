package group

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"timbre/sqlite"
)

// Work is the database as the ender needs it.
type Work interface {
	Submit(apply func(*sqlite.Tx) error, done func(error))
}

// failPause is how long the ender waits when the database failed.
const failPause = 10 * time.Second

// Ender ends dismissed groups piece by piece. Between two pieces everybody else's changes have their turn.
type Ender struct {
	groups  *Groups
	work    Work
	publish func(Outcome) // runs on the database writer's goroutine when a piece is committed
	log     *slog.Logger
}

// NewEnder returns the ender of the groups.
func NewEnder(groups *Groups, work Work, publish func(Outcome), log *slog.Logger) *Ender {
	return &Ender{groups, work, publish, log}
}

// Run works until the context ends. It begins with what an earlier process has left.
func (e *Ender) Run(ctx context.Context) {
	e.groups.Ending()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.groups.ending:
		}
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = e.piece(); err != nil {
				e.fail(ctx, err)
			}
		}
	}
}

// piece does one piece and waits for its commit.
func (e *Ender) piece() (more bool, err error) {
	done := make(chan error, 1)
	var o Outcome
	e.work.Submit(func(tx *sqlite.Tx) (err error) {
		o, more, err = e.groups.EndSome(tx)
		return err
	}, func(err error) {
		if err == nil {
			e.publish(o)
		}
		done <- err
	})
	err = <-done
	return more && err == nil, err
}

// fail says so and tries again later.
func (e *Ender) fail(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, sqlite.ErrClosed) {
		return
	}
	e.log.Error("ending groups failed", "error", err)
	select {
	case <-ctx.Done():
	case <-time.After(failPause):
		e.groups.Ending()
	}
}
