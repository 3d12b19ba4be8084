// Package sync brings the account's database to the server's state and keeps it there.
//
// The server writes a change log per user with dense positions. An entry is applied when its position is the next one,
// in the transaction that also stores the position: so nothing is applied twice and nothing is passed over, whatever is
// killed whenever. An older position is a duplicate. A newer one means that something is missing: the piece is held, and
// if the gap does not close within a moment the difference is asked for.
//
// The server's epoch says which log it is. With another epoch, or when the log does not reach back far enough, the
// client takes a snapshot: all conversations, newest first, page by page, each page usable at once; then the difference
// since the snapshot began.
//
// Sync knows no module: an Applier, registered per kind of entry, makes the change.
//
// Rejected: positions in memory that run ahead of the database (a crash loses what lies between), asking for the
// difference at every reconnect of every conversation (one log answers for all).
package sync

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"timbre/core/store"
	"timbre/core/transport"
	"timbre/protocol"
	"timbre/sqlite"
)

const (
	// gapPatience is how long a gap may stay open before the difference is asked for.
	gapPatience = 300 * time.Millisecond
	// askTimeout is the deadline of one question to the server.
	askTimeout = 30 * time.Second
	// retryPause is the pause after a failed question.
	retryPause = time.Second
	// maxWaiting is the number of callbacks waiting for the host from which on nothing more is pulled.
	maxWaiting = 10000
	// maxHeld bounds what is held behind a gap; the difference brings the rest again.
	maxHeld = 1000
)

// Applier makes the changes of the entries of one or more kinds.
type Applier interface {
	// Apply makes the change of one entry. It may see the effect of an entry a second time and must then do nothing.
	Apply(tx *store.Tx, e *protocol.Entry) error
	// Forget is called when the server has another log than before: positions and numbers of the old one mean nothing.
	Forget(tx *store.Tx) error
	// Snapshot brings one conversation to the given state.
	Snapshot(tx *store.Tx, c *protocol.Conversation) error
}

// Progress is told of the beginning and the end of catching up.
type Progress interface {
	Started()
	Finished()
}

// Engine is the sync of one account.
type Engine struct {
	store    *store.Store
	link     *transport.Link
	log      *slog.Logger
	apply    Applier
	progress Progress
	waiting  func() int // callbacks waiting for the host

	mu       sync.Mutex
	held     []protocol.Log // behind a gap
	catching bool           // a difference or snapshot is on its way
	timer    *time.Timer
	cancel   context.CancelFunc
	running  int        // catch-ups that have not ended; one that is about to end may overlap with the next
	ended    *sync.Cond // one of them has
	stopped  bool
}

// New returns an engine that waits for Begin.
func New(st *store.Store, link *transport.Link, log *slog.Logger, apply Applier, progress Progress, waiting func() int) *Engine {
	e := &Engine{store: st, link: link, log: log, apply: apply, progress: progress, waiting: waiting}
	e.ended = sync.NewCond(&e.mu)
	return e
}

// cursor is the position as one batch sees it.
type cursor struct {
	epoch   string
	pos     uint64
	partial bool // a snapshot was begun and not finished
	dirty   bool
}

const metaEpoch, metaPos, metaPartial = "log_epoch", "log_pos", "log_partial"

func (e *Engine) cursor(tx *sqlite.Tx) (*cursor, error) {
	var err error
	c := tx.Batch(e, func() sqlite.Flusher {
		c := &cursor{}
		err = c.load(tx)
		return c
	}).(*cursor)
	return c, err
}

// load reads the stored position.
func (c *cursor) load(q sqlite.Queryer) error {
	words := map[string]string{metaEpoch: "", metaPos: "", metaPartial: ""}
	for key := range words {
		var err error
		if words[key], err = store.Meta(q, key); err != nil {
			return err
		}
	}
	if words[metaEpoch] == "" {
		return nil
	}
	pos, err := strconv.ParseUint(words[metaPos], 10, 64)
	c.epoch, c.pos, c.partial = words[metaEpoch], pos, words[metaPartial] != ""
	return err
}

// Flush stores the position with the effects of the batch.
func (c *cursor) Flush(tx *sqlite.Tx) error {
	if !c.dirty {
		return nil
	}
	if err := store.SetMeta(tx, metaEpoch, c.epoch); err != nil {
		return err
	}
	partial := map[bool]string{true: "yes"}[c.partial]
	if err := store.SetMeta(tx, metaPartial, partial); err != nil {
		return err
	}
	return store.SetMeta(tx, metaPos, strconv.FormatUint(c.pos, 10))
}

// Applied says that the answer to an own request stands for the entry at pos, and that its effect is part of tx.
func (e *Engine) Applied(tx *store.Tx, pos uint64) error {
	c, err := e.cursor(tx.Tx)
	if err != nil || pos <= c.pos || c.epoch == "" {
		return err
	}
	if pos == c.pos+1 {
		c.pos, c.dirty = pos, true
		return nil
	}
	piece := protocol.Log{Epoch: c.epoch, From: pos, Entries: []protocol.Entry{{Kind: protocol.EntryNone}}}
	tx.After(func() { e.hold(piece) })
	return nil
}

// Pushed takes a piece of the log that the server sent on its own. Call it in the order of arrival.
func (e *Engine) Pushed(piece protocol.Log) {
	e.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			_, err := e.applyPiece(tx, piece)
			return err
		},
		Failed: func(err error) { e.log.Error("sync: entries could not be stored", "from", piece.From, "err", err) },
	})
}

// applyPiece applies what follows the position, skips what is older and holds what lies behind a gap.
func (e *Engine) applyPiece(tx *store.Tx, piece protocol.Log) (uint64, error) {
	c, err := e.cursor(tx.Tx)
	if err != nil {
		return 0, err
	}
	if piece.Epoch != c.epoch {
		tx.After(func() { e.hold(piece) })
		return c.pos, nil
	}
	start := c.pos
	for i := range piece.Entries {
		pos := piece.From + uint64(i)
		if pos <= c.pos {
			continue
		}
		if pos > c.pos+1 {
			rest := protocol.Log{Epoch: piece.Epoch, From: pos, Entries: piece.Entries[i:]}
			tx.After(func() { e.hold(rest) })
			break
		}
		if err := e.apply.Apply(tx, &piece.Entries[i]); err != nil {
			return c.pos, err
		}
		c.pos, c.dirty = pos, true
	}
	if c.pos > start { // without progress the held pieces would only circle
		tx.After(e.retryHeld)
	}
	return c.pos, nil
}

// hold keeps a piece that cannot be applied yet and starts the patience.
func (e *Engine) hold(piece protocol.Log) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped || len(e.held) >= maxHeld {
		return
	}
	e.held = append(e.held, piece)
	if e.timer == nil && !e.catching {
		e.timer = time.AfterFunc(gapPatience, e.gapStayed)
	}
}

// retryHeld offers what is held again.
func (e *Engine) retryHeld() {
	e.mu.Lock()
	held := e.held
	e.held = nil
	if len(held) > 0 && e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	e.mu.Unlock()
	slices.SortFunc(held, func(a, b protocol.Log) int { return cmp.Compare(a.From, b.From) })
	for _, piece := range held {
		e.Pushed(piece)
	}
}

// Catch asks for the difference: something may have happened that the server will not push.
func (e *Engine) Catch() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.start(nil)
}

func (e *Engine) gapStayed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.timer = nil
	if !e.catching && !e.stopped && len(e.held) > 0 {
		e.log.Info("sync: a gap stayed open, asking for the difference")
		e.start(nil)
	}
}
