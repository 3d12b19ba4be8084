package sync

import (
	"context"
	"encoding/json"
	"errors"

	"timbre/core/store"
	"timbre/protocol"
)

// verdict is how asking for a difference ended.
type verdict int

const (
	reached verdict = iota // everything is here, or the log is not followed any more
	tooLong                // the log does not reach back that far
	refused                // the server does not give it to this user
)

// own brings the user's own log up to date.
func (e *Engine) own(ctx context.Context, in *protocol.LoggedIn) error {
	if err := e.ownLog(ctx, in); err != nil {
		return err
	}
	return e.attributes(ctx)
}

func (e *Engine) ownLog(ctx context.Context, in *protocol.LoggedIn) error {
	at, err := e.stored(ctx, "")
	if err != nil {
		return err
	}
	// That the server has less than the position says is for the difference to tell: pushes may be ahead of in already.
	if at.partial || in != nil && (at.epoch != in.Epoch || at.pos < in.Oldest) {
		return e.snapshot(ctx)
	}
	return e.ownDifference(ctx)
}

func (e *Engine) ownDifference(ctx context.Context) error {
	v, err := e.difference(ctx, "", 0)
	if err == nil && v == tooLong {
		return e.snapshot(ctx)
	}
	return err
}

// difference asks for what is missing in a log until nothing is. Of new messages up to the position history only the
// newest one comes, if any: whatever is added while the questions are on their way is no history.
func (e *Engine) difference(ctx context.Context, group string, history uint64) (verdict, error) {
	next := ahead{engine: e}
	defer next.drop()
	for {
		if err := e.hostReady(ctx); err != nil {
			return reached, err
		}
		at, err := e.stored(ctx, group)
		if err != nil || group != "" && !at.known {
			return reached, err
		}
		e.asking(group)
		ask := protocol.Diff{Group: group, Epoch: at.epoch, Pos: at.pos, Limit: protocol.MaxDiff, Newest: at.pos < history}
		a, err := next.take(ctx, ask)
		switch {
		case err != nil:
			return reached, err
		case a.Code != 0 && (group == "" || passing(a.Code)):
			return reached, errors.New(a.Desc)
		case a.Code != 0:
			e.log.Warn("sync: a group's log is refused", "group", group, "code", a.Code, "desc", a.Desc)
			return refused, nil
		}
		piece := protocol.ParseLog(a.Body)
		if piece.TooLong {
			return tooLong, nil
		}
		piece.Group = group
		if ask.Newest {
			piece.Entries = piece.Entries[:min(uint64(len(piece.Entries)), history-at.pos)]
		}
		if end := piece.From + uint64(len(piece.Entries)); group == "" && len(piece.Entries) > 0 && end <= piece.Pos {
			ask.Pos = end - 1
			next.ask(ctx, ask)
		}
		now, err := e.applyNow(ctx, piece)
		if err != nil || now >= piece.Pos {
			return reached, err
		}
		if now == at.pos {
			return reached, errors.New("the difference brought nothing")
		}
	}
}

// passing says that the server could not answer now: it may later.
func passing(code int) bool { return code == protocol.CodeBusy || code == protocol.CodeInside }

func (e *Engine) applyNow(ctx context.Context, piece protocol.Log) (uint64, error) {
	var now uint64
	err := e.store.Write(ctx, func(tx *store.Tx) (err error) {
		now, err = e.applyPiece(tx, piece)
		return err
	})
	if err != nil {
		return 0, err
	}
	return now, nil
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
		var all *protocol.AllAttributes
		if first { // what stands on top of the list is known at once
			if all, err = e.askAttributes(ctx); err != nil {
				return err
			}
		}
		if err := e.page(ctx, &page, first, all); err != nil {
			return err
		}
		if page.Cursor == "" {
			return e.ownDifference(ctx)
		}
		next = page.Cursor
	}
}

// page applies one page. The first one begins the log's new life: from then on its position counts, and only an unfinished
// snapshot is taken again. It comes with all attributes.
func (e *Engine) page(ctx context.Context, page *protocol.SnapshotPage, first bool, all *protocol.AllAttributes) error {
	return e.store.Write(ctx, func(tx *store.Tx) error {
		c, own, err := e.position(tx.Tx, "")
		if err != nil {
			return err
		}
		if first {
			if err := e.newLife(tx, c, page); err != nil {
				return err
			}
		}
		c.partial, own.dirty = page.Cursor != "", true
		if err := e.takeAttributes(tx, all); err != nil {
			return err
		}
		for i := range page.Convs {
			if err := e.apply.Snapshot(tx, &page.Convs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// newLife goes on where the server's log stands. All groups are asked for afterwards: entries that told of the end in a
// group may be among those that are lost.
func (e *Engine) newLife(tx *store.Tx, c *cursor, page *protocol.SnapshotPage) error {
	if c.epoch != "" && c.epoch != page.Epoch {
		if err := e.apply.Forget(tx); err != nil {
			return err
		}
		if err := c.forgetGroups(); err != nil {
			return err
		}
		tx.After(func() { e.copied.groups.Store(0) })
	}
	c.epoch = page.Epoch
	c.logs[""].set(page.Pos)
	return store.SetMeta(tx.Tx, metaSince, "")
}
