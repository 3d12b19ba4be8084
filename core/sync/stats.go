package sync

import (
	"context"
	"sync/atomic"

	"timbre/core/store"
)

// Stats is what sync is doing.
type Stats struct {
	Epoch      string // of the logs that were seen last; "" when the database has none yet
	Position   uint64 // how far the user's own log has been applied
	CatchingUp bool   // questions are on their way: of a login, or because of a gap
	CaughtUp   bool   // everything that the server had at a login has been applied since the database was opened
	Gaps       int    // logs of which something is missing
	Held       int    // pieces that wait for what is missing
	Groups     int    // groups whose logs are followed
}

// copied is what the database says, for those who must not wait for it.
type copied struct {
	own    atomic.Pointer[mark]
	groups atomic.Int64
}

// mark is how far the user's own log was applied.
type mark struct {
	epoch string
	pos   uint64
}

// countGroups begins the count of the groups; Follow and Unfollow go on with it.
func (e *Engine) countGroups(ctx context.Context) {
	_ = e.store.Write(ctx, func(tx *store.Tx) error { // only Stats needs it
		var n int64
		_, err := tx.Get(`SELECT count(*) FROM group_log`, []any{&n})
		tx.After(func() { e.copied.groups.Store(n) })
		return err
	})
}

// Stats tells what sync is doing. Position and epoch are those of the newest transaction, which may be about to commit.
func (e *Engine) Stats() Stats {
	s := Stats{Groups: int(e.copied.groups.Load())}
	if at := e.copied.own.Load(); at != nil {
		s.Epoch, s.Position = at.epoch, at.pos
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.CatchingUp, s.CaughtUp, s.Gaps, s.Held = e.catching, e.caughtUp, len(e.gaps), e.held
	return s
}
