// Package sync brings the account's database to the server's state and keeps it there.
//
// The server writes a change log per user and one per group, each with dense positions. An entry is applied when its
// position is the next one of its log, in the transaction that also stores the position: so nothing is applied twice and
// nothing is passed over, whatever is killed whenever. An older position is a duplicate. A newer one means that something
// is missing: the piece is held, and if the gap does not close within a moment the difference is asked for.
//
// The server's epoch says which logs they are. With another epoch, or when the user's log does not reach back far enough,
// the client takes a snapshot: all conversations, newest first, page by page, each page usable at once; then the
// difference since the snapshot began.
//
// After the user's own log the groups are asked for, those in which something happened since the last time. A program
// that lost its connection gets what it missed in full, because it has announced everything before and its host must not
// lose a message; one that starts gets the state of each group, and of what happened in between only the changes of older
// messages: new ones are history that somebody may ask for, and thousands of them in groups that nobody opens would
// delay the login.
//
// Sync knows no module: an Applier makes the changes.
//
// Rejected: positions in memory that run ahead of the database (a crash loses what lies between), asking for the
// difference at every reconnect of every conversation (the user's log answers for all but the groups, and one question
// tells which groups changed), an entry per member and group message in the users' logs (ten thousand for one message).
package sync

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"timbre/core/store"
	"timbre/core/transport"
	"timbre/protocol"
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
	// maxHeld bounds what is held behind gaps; the difference brings the rest again.
	maxHeld = 1000
	// maxMissed is how many entries of a group a program that was cut off gets in full.
	maxMissed = 500
	// atOnce is how many groups' differences are asked for at the same time.
	atOnce = 4
)

// Applier makes the changes.
type Applier interface {
	// Apply makes the change of one entry. It may see the effect of an entry a second time and must then do nothing.
	Apply(tx *store.Tx, e *protocol.Entry) error
	// Forget is called when the server has other logs than before: positions and numbers of the old ones mean nothing.
	Forget(tx *store.Tx) error
	// Snapshot brings one conversation to the given state.
	Snapshot(tx *store.Tx, c *protocol.Conversation) error
	// Attributes makes everything that the user has attached to his conversations what all says. Entries that tell of earlier
	// changes of it may follow.
	Attributes(tx *store.Tx, all *protocol.AllAttributes) error
	// GroupState brings a group to the given state, without the messages between. stale says that changes of messages
	// which are here already may have been missed. It may see the same state more than once.
	GroupState(tx *store.Tx, st *protocol.GroupState, stale bool) error
	// GroupGone is called for a group in which the user is not any more, when no entry has told so.
	GroupGone(tx *store.Tx, group string) error
}

// Progress is told of the beginning and the end of catching up.
type Progress interface {
	Started()
	Finished()
}

// Engine is the sync of one account. All methods may be called from any goroutine.
type Engine struct {
	store    *store.Store
	link     *transport.Link
	log      *slog.Logger
	apply    Applier
	progress Progress
	waiting  func() int // callbacks waiting for the host
	copied   copied

	mu       sync.Mutex
	gaps     map[string]*gap // by group; "" is the user's own log
	held     int             // pieces in gaps
	missed   map[string]bool // groups that were not followed and whose pieces were dropped
	left     map[string]bool // groups that were left since they were asked for
	due      map[string]bool // logs whose patience has ended
	asked    bool            // Catch was called
	catching bool            // questions are on their way
	caughtUp bool            // a login has been caught up: what is missed from now on must come in full
	cancel   context.CancelFunc
	running  int        // catch-ups that have not ended; one that is about to end may overlap with the next
	ended    *sync.Cond // one of them has
	stopped  bool
}

// New returns an engine that waits for Begin. The store must have Schema.
func New(st *store.Store, link *transport.Link, log *slog.Logger, apply Applier, progress Progress, waiting func() int) *Engine {
	e := &Engine{store: st, link: link, log: log, apply: apply, progress: progress, waiting: waiting,
		gaps: map[string]*gap{}, missed: map[string]bool{}, left: map[string]bool{}, due: map[string]bool{}}
	e.ended = sync.NewCond(&e.mu)
	return e
}

// Applied says that the answer to an own request stands for the entry at pos of a group's log, or with group "" of the
// user's own, and that its effect is part of tx. Position 0 stands for none.
func (e *Engine) Applied(tx *store.Tx, group string, pos uint64) error {
	c, p, err := e.position(tx.Tx, group)
	if err != nil || pos <= p.pos || c.epoch == "" {
		return err
	}
	if p.known && pos == p.pos+1 {
		p.set(pos)
		tx.After(func() { e.retry(group) })
		return nil
	}
	piece := protocol.Log{Epoch: c.epoch, Group: group, From: pos, Entries: []protocol.Entry{{Kind: protocol.EntryNone}}}
	tx.After(func() { e.hold(piece) })
	return nil
}

// Stands is Applied for an entry of the user's own log whose effect others could take back: it is applied here, at its place
// in the log. If something is missing before it, it is applied now and once more when that is here. One that has come with
// the log already changes nothing.
func (e *Engine) Stands(tx *store.Tx, pos uint64, entry protocol.Entry) error {
	c, p, err := e.position(tx.Tx, "")
	if err != nil || pos == 0 || c.epoch != "" && pos <= p.pos {
		return err
	}
	if err := e.apply.Apply(tx, &entry); err != nil || c.epoch == "" {
		return err
	}
	if pos == p.pos+1 {
		return e.Applied(tx, "", pos)
	}
	piece := protocol.Log{Epoch: c.epoch, From: pos, Entries: []protocol.Entry{entry}}
	tx.After(func() { e.hold(piece) })
	return nil
}

// Follow begins to follow a group's log behind pos, or goes on there when pos is ahead of what was applied. One that was left
// a while ago may have gone on behind pos, which the list of groups that named it then did not tell: what is missing is asked
// for. An error of the database fails the transaction at its commit.
func (e *Engine) Follow(tx *store.Tx, group string, pos uint64) {
	_, p, err := e.position(tx.Tx, group)
	if err != nil {
		return
	}
	if !p.known {
		tx.After(func() { e.copied.groups.Add(1) })
	}
	again := !p.known && (p.left || e.hasLeft(group))
	if !p.known || pos > p.pos {
		p.set(pos)
	}
	tx.After(func() { e.followed(group, again) })
}

// Unfollow ends the following of a group's log. An error of the database fails the transaction at its commit.
func (e *Engine) Unfollow(tx *store.Tx, group string) {
	_, p, err := e.position(tx.Tx, group)
	if err != nil {
		return
	}
	if p.known {
		tx.After(func() { e.copied.groups.Add(-1) })
	}
	p.forget()
	tx.After(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.left[group] = true
	})
}

// Pushed takes a piece of a log that the server sent on its own. Call it in the order of arrival.
func (e *Engine) Pushed(piece protocol.Log) {
	e.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			_, err := e.applyPiece(tx, piece)
			return err
		},
		Failed: func(err error) {
			e.log.Error("sync: entries could not be stored", "group", piece.Group, "from", piece.From, "err", err)
			if !errors.Is(err, store.ErrClosed) { // a full disk may have room again
				e.Catch()
			}
		},
	})
}

// applyPiece applies what follows the position, skips what is older and holds what lies behind a gap.
func (e *Engine) applyPiece(tx *store.Tx, piece protocol.Log) (uint64, error) {
	c, p, err := e.position(tx.Tx, piece.Group)
	if err != nil {
		return 0, err
	}
	if piece.Epoch != c.epoch || !p.known {
		tx.After(func() { e.hold(piece) })
		return p.pos, nil
	}
	start := p.pos
	for i := range piece.Entries {
		pos := piece.From + uint64(i)
		if !p.known { // the entry before was this user's end in the group
			break
		}
		if pos <= p.pos {
			continue
		}
		if pos > p.pos+1 {
			rest := protocol.Log{Epoch: piece.Epoch, Group: piece.Group, From: pos, Entries: piece.Entries[i:]}
			tx.After(func() { e.hold(rest) })
			break
		}
		if err := e.apply.Apply(tx, &piece.Entries[i]); err != nil {
			return p.pos, err
		}
		if p.known && pos > p.pos {
			p.set(pos)
		}
	}
	if p.pos > start { // without progress the held pieces would only circle
		tx.After(func() { e.retry(piece.Group) })
	}
	return p.pos, nil
}
