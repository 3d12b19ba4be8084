package sync

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"

	"timbre/core/store"
	"timbre/protocol"
)

// groups asks for the groups in which something happened and brings their logs up to date. The time to ask from the next
// time is stored when everything is here; an attempt that breaks off is repeated with the old one and finds what it did.
func (e *Engine) groups(ctx context.Context) error {
	since, err := e.since(ctx)
	if err != nil {
		return err
	}
	unnamed := map[string]uint64{}
	if since == 0 {
		if unnamed, err = e.followedGroups(ctx); err != nil {
			return err
		}
	}
	e.mu.Lock()
	clear(e.left)
	inFull := e.caughtUp
	e.mu.Unlock()
	ask, now := protocol.Groups{Since: since}, int64(0)
	for first := true; ; first = false {
		page, err := e.askGroups(ctx, ask)
		if err != nil || page == nil {
			return err
		}
		if first {
			now = page.Time
		}
		for i := range page.Groups {
			delete(unnamed, page.Groups[i].Group.ID)
		}
		if err := e.groupPage(ctx, page, inFull); err != nil {
			return err
		}
		if page.Cursor == "" {
			return e.groupsDone(ctx, now, unnamed)
		}
		ask.Cursor = page.Cursor
	}
}

// askGroups asks for a page; there is none when the server knows no groups.
func (e *Engine) askGroups(ctx context.Context, ask protocol.Groups) (*protocol.GroupsPage, error) {
	if err := e.hostReady(ctx); err != nil {
		return nil, err
	}
	a, err := e.link.Ask(ctx, protocol.OpGroups, "", protocol.Marshal(ask), askTimeout)
	switch {
	case err != nil:
		return nil, err
	case a.Code == protocol.CodeOp:
		return nil, nil
	case a.Code != 0:
		return nil, errors.New(a.Desc)
	}
	page := &protocol.GroupsPage{}
	return page, json.Unmarshal(a.Body, page)
}

// behind is a group whose difference is needed to reach st.
type behind struct {
	st      *protocol.GroupState
	history uint64 // new messages up to there need not come
}

// groupPage brings the groups of one page up to date: at once where the state is enough, else by their differences.
func (e *Engine) groupPage(ctx context.Context, page *protocol.GroupsPage, inFull bool) error {
	var list []behind
	err := e.store.Write(ctx, func(tx *store.Tx) error {
		list = list[:0]
		for i := range page.Groups {
			b, err := e.take(tx, &page.Groups[i], inFull)
			if err != nil {
				return err
			}
			if b.st != nil {
				list = append(list, b)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return each(ctx, list, e.bring)
}

// take applies a group's state, unless everything is here or its difference will say it all. It returns what is still
// needed, if anything.
func (e *Engine) take(tx *store.Tx, st *protocol.GroupState, inFull bool) (need behind, err error) {
	group := st.Group.ID
	_, p, err := e.position(tx.Tx, group)
	switch {
	case err != nil:
		return need, err
	case !p.known && (p.left || e.hasLeft(group)): // the user's own log is ahead of the answer
		return need, nil
	case p.known && p.pos >= st.Pos:
		return need, nil
	case p.known && inFull && st.Pos-p.pos <= maxMissed:
		return behind{st: st}, nil
	}
	if err := e.apply.GroupState(tx, st, false); err != nil {
		return need, err
	}
	if p.known && p.pos < st.Changed {
		return behind{st: st, history: st.Pos}, nil
	}
	e.Follow(tx, group, st.Pos)
	return need, nil
}

func (e *Engine) hasLeft(group string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.left[group]
}

// bring asks for a group's difference. When the log is too short for it, the state has to do.
func (e *Engine) bring(ctx context.Context, b behind) error {
	v, err := e.groupDifference(ctx, b.st.Group.ID, b.history)
	if err != nil || v != tooLong {
		return err
	}
	return e.store.Write(ctx, func(tx *store.Tx) error {
		_, p, err := e.position(tx.Tx, b.st.Group.ID)
		if err != nil || !p.known || p.pos >= b.st.Pos {
			return err
		}
		e.Follow(tx, b.st.Group.ID, b.st.Pos)
		return e.apply.GroupState(tx, b.st, true)
	})
}

// groupDifference is difference for a group; one that is refused is not followed any more.
func (e *Engine) groupDifference(ctx context.Context, group string, history uint64) (verdict, error) {
	v, err := e.difference(ctx, group, history)
	if err != nil || v != refused {
		return v, err
	}
	return v, e.store.Write(ctx, func(tx *store.Tx) error {
		e.Unfollow(tx, group)
		return nil
	})
}

// groupGaps closes the gaps of groups in full. Where the log is too short, all groups are to be asked for.
func (e *Engine) groupGaps(ctx context.Context, list []string) error {
	return each(ctx, list, func(ctx context.Context, group string) error {
		v, err := e.groupDifference(ctx, group, 0)
		if err != nil || v != tooLong {
			return err
		}
		return e.store.Write(ctx, func(tx *store.Tx) error { return store.SetMeta(tx.Tx, metaSince, "") })
	})
}

// groupsDone ends the following of groups that the server did not name although it was asked for all, and stores the time.
// A group that has moved since was the user's in this session, so the user's own log tells of its end.
func (e *Engine) groupsDone(ctx context.Context, now int64, unnamed map[string]uint64) error {
	return e.store.Write(ctx, func(tx *store.Tx) error {
		for group, pos := range unnamed {
			_, p, err := e.position(tx.Tx, group)
			if err != nil {
				return err
			}
			if !p.known || p.pos != pos {
				continue
			}
			if err := e.apply.GroupGone(tx, group); err != nil {
				return err
			}
			e.Unfollow(tx, group)
		}
		return store.SetMeta(tx.Tx, metaSince, strconv.FormatInt(now, 10))
	})
}

// each does something for all of a list, a few at a time, and stops at the first error.
func each[T any](ctx context.Context, list []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(atOnce, len(list)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(list) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, list[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
