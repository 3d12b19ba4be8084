package message

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"timbre/sqlite"
)

// Work is the database as the indexer needs it.
type Work interface {
	Write(ctx context.Context, apply func(*sqlite.Tx) error) error
	Read(ctx context.Context, fn func(sqlite.Queryer) error) error
	Queued() int
}

const (
	gatherTime = 500 * time.Millisecond // after the first new message, so that a commit indexes several
	busyPause  = 100 * time.Millisecond // while the writer has enough to do
	failPause  = 10 * time.Second
	shortQueue = 16  // jobs; with more of them the indexer waits
	atATime    = 128 // conversations of one piece

	// While messages flow, the indexer takes one part in so many of the writer's time: it keeps up with some, and with
	// many it gives way.
	someShare, manyShare = 10, 50
	many                 = 200 // messages a second
)

// Indexer makes new messages findable. To index a message costs more than to store it, so nobody who sends waits for
// that: it happens in the background, in short pieces, with pauses by how much comes in, and never while the writer's
// queue is long. How far it has come stands in the conversation's row and is written together with the index, so it goes
// on after a restart. What a busy hour leaves is worked off in a quiet one; who searches does not wait for that, his own
// conversations are indexed first.
//
// Rejected: a partial index over the rows that have something to index (every batch of messages would change it).
type Indexer struct {
	messages *Messages
	work     Work
	log      *slog.Logger

	seen int64 // messages that had come when it looked last
	at   time.Time
}

// NewIndexer returns the indexer of the messages.
func NewIndexer(m *Messages, work Work, log *slog.Logger) *Indexer {
	return &Indexer{messages: m, work: work, log: log}
}

// Run works until the context ends or the database is closed. With the search switched off it does nothing.
func (x *Indexer) Run(ctx context.Context) {
	if !x.messages.rules.Search {
		return
	}
	x.at = time.Now()
	if err := x.remember(ctx); err != nil {
		x.complain(ctx, err)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-x.messages.late.wake:
		}
		if !pause(ctx, gatherTime) || !x.drain(ctx) {
			return
		}
	}
}

// remember finds what earlier runs have left.
func (x *Indexer) remember(ctx context.Context) error {
	for _, query := range []string{
		`SELECT id FROM pair WHERE id>? AND indexed_seq<max_seq ORDER BY id LIMIT 1000`,
		`SELECT -gid FROM room WHERE gid>? AND indexed_seq<max_seq ORDER BY gid LIMIT 1000`,
	} {
		for last, more := int64(0), true; more; {
			var convs []int64
			if err := x.work.Read(ctx, func(q sqlite.Queryer) (err error) {
				convs, err = ids(q, query, last)
				return err
			}); err != nil {
				return err
			}
			x.messages.late.add(convs...)
			if more = len(convs) > 0 && ctx.Err() == nil; more {
				last = max(convs[len(convs)-1], -convs[len(convs)-1])
			}
		}
	}
	return nil
}

func ids(q sqlite.Queryer, query string, args ...any) (list []int64, err error) {
	err = q.Query(query, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		list = append(list, id)
		return err
	}, args...)
	return list, err
}

// drain indexes until nothing is left. It returns false when the indexer has to end.
func (x *Indexer) drain(ctx context.Context) bool {
	late := x.messages.late
	for {
		if x.work.Queued() > shortQueue {
			if !pause(ctx, busyPause) {
				return false
			}
			continue
		}
		convs := late.take(atATime)
		if len(convs) == 0 {
			return true
		}
		begun := time.Now()
		left, err := x.piece(ctx, convs)
		if err != nil && !x.complain(ctx, err) {
			return false
		}
		late.put(left)
		rest := time.Since(begun) * time.Duration(x.share()-1)
		if err != nil {
			rest = failPause
		}
		if !pause(ctx, rest) {
			return false
		}
	}
}

// share is which part of the writer's time the indexer may take now, as a divisor. It goes by the messages that came since
// it was asked last.
func (x *Indexer) share() int {
	n, now := x.messages.late.stored.Load(), time.Now()
	came, passed := n-x.seen, now.Sub(x.at).Seconds()
	x.seen, x.at = n, now
	switch {
	case came == 0:
		return 2
	case float64(came) <= many*passed:
		return someShare
	}
	return manyShare
}

// piece returns the conversations that are not done; after an error, all.
func (x *Indexer) piece(ctx context.Context, convs []int64) ([]int64, error) {
	var left []int64
	err := x.work.Write(ctx, func(tx *sqlite.Tx) (err error) {
		left, err = x.messages.IndexSome(tx, convs)
		return err
	})
	if err != nil { // when the context ends, the change may still be under way
		return convs, err
	}
	return left, nil
}

// complain logs an error, unless it says that it is time to end.
func (x *Indexer) complain(ctx context.Context, err error) (goOn bool) {
	if ctx.Err() != nil || errors.Is(err, sqlite.ErrClosed) {
		return false
	}
	x.log.Error("messages could not be indexed for searching", "error", err)
	return true
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// backlog is the conversations that have messages to index.
type backlog struct {
	wake chan struct{} // has a token when something was added

	stored atomic.Int64 // messages, since the start

	mu    sync.Mutex
	convs map[int64]struct{}
}

func newBacklog() *backlog {
	return &backlog{wake: make(chan struct{}, 1), convs: map[int64]struct{}{}}
}

// add notes new messages. It may be called before their commit, for a piece that is submitted later runs later; if the
// commit fails, the piece finds nothing.
func (b *backlog) add(convs ...int64) {
	if len(convs) == 0 {
		return
	}
	b.mu.Lock()
	for _, conv := range convs {
		b.convs[conv] = struct{}{}
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// put brings back what was taken and is not done.
func (b *backlog) put(convs []int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conv := range convs {
		b.convs[conv] = struct{}{}
	}
}

// take removes some conversations and returns them.
func (b *backlog) take(limit int) (convs []int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conv := range b.convs {
		if len(convs) == limit {
			break
		}
		convs = append(convs, conv)
		delete(b.convs, conv)
	}
	return convs
}
