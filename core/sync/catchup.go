package sync

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

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
	e.held = slices.DeleteFunc(e.held, func(p protocol.Log) bool { return p.Epoch != in.Epoch })
	e.start(&in)
}

// Stop ends the work; what was applied stays.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	e.held = nil
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
		if in != nil {
			e.progress.Started()
		}
		done := e.untilDone(ctx, in)
		e.mu.Lock()
		e.catching = false
		e.mu.Unlock()
		if done && in != nil && e.store.Write(ctx, func(*store.Tx) error { return nil }) == nil {
			e.progress.Finished() // behind the events of the batch that brought the last piece
		}
		if done {
			e.dropOtherLogs(ctx)
			e.retryHeld()
		}
	}()
}

// dropOtherLogs lets go of pieces of a log that is not the present one: no gap that closes could make them fit.
func (e *Engine) dropOtherLogs(ctx context.Context) {
	at, err := e.stored(ctx)
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = slices.DeleteFunc(e.held, func(p protocol.Log) bool { return p.Epoch != at.epoch })
}

// untilDone repeats a failed attempt until it succeeds or ctx ends.
func (e *Engine) untilDone(ctx context.Context, in *protocol.LoggedIn) bool {
	for ctx.Err() == nil {
		err := e.attempt(ctx, in)
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

func (e *Engine) attempt(ctx context.Context, in *protocol.LoggedIn) error {
	at, err := e.stored(ctx)
	if err != nil {
		return err
	}
	if at.partial || in != nil && (at.epoch != in.Epoch || at.pos < in.Oldest || at.pos > in.Pos) {
		return e.snapshot(ctx)
	}
	return e.difference(ctx)
}

func (e *Engine) stored(ctx context.Context) (at cursor, err error) {
	err = e.store.Write(ctx, func(tx *store.Tx) error { // a write: it must see the batch that is under way
		c, err := e.cursor(tx.Tx)
		if err == nil {
			at = *c
		}
		return err
	})
	return at, err
}

// difference asks for what is missing until nothing is.
func (e *Engine) difference(ctx context.Context) error {
	for {
		if err := e.hostReady(ctx); err != nil {
			return err
		}
		at, err := e.stored(ctx)
		if err != nil {
			return err
		}
		body := protocol.Marshal(protocol.Diff{Epoch: at.epoch, Pos: at.pos, Limit: protocol.MaxDiff})
		a, err := e.link.Ask(ctx, protocol.OpDiff, "", body, askTimeout)
		if err != nil {
			return err
		}
		if a.Code != 0 {
			return errors.New(a.Desc)
		}
		piece := protocol.ParseLog(a.Body)
		if piece.TooLong {
			return e.snapshot(ctx)
		}
		reached, err := e.applyNow(ctx, piece)
		if err != nil {
			return err
		}
		if reached >= piece.Pos {
			return nil
		}
		if reached == at.pos {
			return errors.New("the difference brought nothing")
		}
	}
}

func (e *Engine) applyNow(ctx context.Context, piece protocol.Log) (uint64, error) {
	var reached uint64
	err := e.store.Write(ctx, func(tx *store.Tx) (err error) {
		reached, err = e.applyPiece(tx, piece)
		return err
	})
	return reached, err
}

// snapshot takes all conversations, then the difference since the first page.
func (e *Engine) snapshot(ctx context.Context) error {
	e.log.Info("sync: taking a snapshot")
	next := ""
	for first := true; ; first = false {
		if err := e.hostReady(ctx); err != nil {
			return err
		}
		body := protocol.Marshal(protocol.Snapshot{Cursor: next, Limit: protocol.MaxSnapshot, Deleted: true})
		a, err := e.link.Ask(ctx, protocol.OpSnapshot, "", body, askTimeout)
		if err != nil {
			return err
		}
		if a.Code != 0 {
			return errors.New(a.Desc)
		}
		var page protocol.SnapshotPage
		if err := json.Unmarshal(a.Body, &page); err != nil {
			return err
		}
		if err := e.page(ctx, &page, first); err != nil {
			return err
		}
		if page.Cursor == "" {
			return e.difference(ctx)
		}
		next = page.Cursor
	}
}

// page applies one page. The first one begins the log's new life: from then on its position counts, and only an unfinished
// snapshot is taken again.
func (e *Engine) page(ctx context.Context, page *protocol.SnapshotPage, first bool) error {
	return e.store.Write(ctx, func(tx *store.Tx) error {
		c, err := e.cursor(tx.Tx)
		if err != nil {
			return err
		}
		if first && c.epoch != "" && c.epoch != page.Epoch {
			if err := e.apply.Forget(tx); err != nil {
				return err
			}
		}
		if first {
			c.epoch, c.pos = page.Epoch, page.Pos
		}
		c.partial, c.dirty = page.Cursor != "", true
		for i := range page.Convs {
			if err := e.apply.Snapshot(tx, &page.Convs[i]); err != nil {
				return err
			}
		}
		return nil
	})
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
