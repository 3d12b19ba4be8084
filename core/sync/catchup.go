package sync

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"timbre/core/guard"
	"timbre/core/store"
	"timbre/protocol"
)

// Begin starts catching up after a login. The host hears Started at once and Finished when everything that the server
// had at the login has been applied.
func (e *Engine) Begin(in protocol.LoggedIn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.halt()
	// What is held of a log that the server has lost would be held for ever.
	e.dropOthers(in.Epoch)
	clear(e.due)
	e.asked = false
	e.start(&in)
}

// Stop ends the work; what was applied stays.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	for group, g := range e.gaps {
		e.closeGap(group, g)
	}
	e.halt()
}

// halt ends a catch-up that is under way and waits for it, and for one that begins meanwhile. e.mu is held.
func (e *Engine) halt() {
	for e.running > 0 {
		e.cancel()
		e.ended.Wait()
	}
}

// start catches up, at most once at a time. in is nil when a gap and not a login is the reason. e.mu is held.
func (e *Engine) start(in *protocol.LoggedIn) {
	if e.catching || e.stopped {
		return
	}
	e.catching = true
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	e.running++
	go func() {
		defer func() {
			cancel()
			e.mu.Lock()
			e.running--
			e.ended.Broadcast()
			e.mu.Unlock()
		}()
		done := false
		guard.Run(e.log, "catching up", func() {
			if done = (in == nil || e.login(ctx, in)) && e.closeGaps(ctx); done {
				e.dropOtherLogs(ctx)
				e.retryAll()
			}
		})
		if done {
			return
		}
		e.mu.Lock()
		e.catching = false
		e.mu.Unlock()
	}()
}

// login brings everything that the server had at the login. It returns false when it was interrupted.
func (e *Engine) login(ctx context.Context, in *protocol.LoggedIn) bool {
	e.progress.Started()
	e.countGroups(ctx)
	own := func(ctx context.Context) error { return e.own(ctx, in) }
	if !e.untilDone(ctx, own) || !e.untilDone(ctx, e.groups) {
		return false
	}
	e.mu.Lock()
	e.caughtUp = true
	e.mu.Unlock()
	if e.store.Write(ctx, func(*store.Tx) error { return nil }) == nil {
		e.progress.Finished() // behind the events of the batch that brought the last piece
	}
	return true
}

// closeGaps asks for what is missing until nothing is due any more; from then on a gap starts its patience by itself. It
// returns false when it was interrupted.
func (e *Engine) closeGaps(ctx context.Context) bool {
	for {
		due, asked := e.takeDue()
		if len(due) == 0 && !asked {
			return true
		}
		e.log.Info("sync: asking for the difference", "logs", len(due))
		if !e.untilDone(ctx, func(ctx context.Context) error { return e.closeDue(ctx, due, asked) }) {
			return false
		}
	}
}

// takeDue returns the logs whose gaps stayed open, and whether Catch was called. With neither the catch-up is over.
func (e *Engine) takeDue() (due []string, asked bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.due, func(group string, _ bool) bool { return e.gaps[group] == nil })
	due, asked = slices.Sorted(maps.Keys(e.due)), e.asked
	clear(e.due)
	e.asked, e.catching = false, len(due) > 0 || asked
	return due, asked
}

// closeDue closes the gaps of some logs, or with asked looks for what is missing anywhere.
func (e *Engine) closeDue(ctx context.Context, due []string, asked bool) error {
	if asked || slices.Contains(due, "") {
		if err := e.own(ctx, nil); err != nil {
			return err
		}
	}
	due = slices.DeleteFunc(slices.Clone(due), func(group string) bool { return group == "" })
	followed, unknown, err := e.split(ctx, due)
	if err != nil {
		return err
	}
	if err := e.groupGaps(ctx, followed); err != nil {
		return err
	}
	since, err := e.since(ctx)
	if err != nil {
		return err
	}
	if asked || len(unknown) > 0 || since == 0 {
		if err := e.groups(ctx); err != nil {
			return err
		}
	}
	_, unknown, err = e.split(ctx, due)
	for _, group := range unknown {
		e.dropUnknown(group)
	}
	return err
}

// dropOtherLogs lets go of pieces of another epoch than the present one.
func (e *Engine) dropOtherLogs(ctx context.Context) {
	at, err := e.stored(ctx, "")
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dropOthers(at.epoch)
}

// untilDone repeats a failed attempt until it succeeds or ctx ends.
func (e *Engine) untilDone(ctx context.Context, attempt func(context.Context) error) bool {
	for ctx.Err() == nil {
		err := attempt(ctx)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		e.log.Warn("sync: catching up failed, trying again", "err", err)
		if errors.Is(err, store.ErrClosed) {
			return false
		}
		pause(ctx, retryPause)
	}
	return false
}

// hostReady waits while the host is far behind with its callbacks, so that the backlog stays on the server.
func (e *Engine) hostReady(ctx context.Context) error {
	for e.waiting() > maxWaiting {
		pause(ctx, gapPatience)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
