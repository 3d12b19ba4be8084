package sync

import (
	"context"
	"strconv"

	"timbre/core/store"
	"timbre/sqlite"
)

// place is where the database stands in a log.
type place struct {
	epoch   string
	partial bool
	pos     uint64
	known   bool
}

func (e *Engine) stored(ctx context.Context, group string) (place, error) {
	var at place
	err := e.store.Write(ctx, func(tx *store.Tx) error { // a write: it must see the batch that is under way
		c, p, err := e.position(tx.Tx, group)
		if err == nil {
			at = place{epoch: c.epoch, partial: c.partial, pos: p.pos, known: p.known}
		}
		return err
	})
	if err != nil {
		return place{}, err // the change may still run: at is its
	}
	return at, nil
}

// since is the time to ask for groups from, 0 for all of them.
func (e *Engine) since(ctx context.Context) (int64, error) {
	var word string
	err := e.store.Read(ctx, func(q sqlite.Queryer) (err error) {
		word, err = store.Meta(q, metaSince)
		return err
	})
	if err != nil {
		return 0, err
	}
	if word == "" {
		return 0, nil
	}
	return strconv.ParseInt(word, 10, 64)
}

// followedGroups returns the groups with their positions.
func (e *Engine) followedGroups(ctx context.Context) (map[string]uint64, error) {
	all := map[string]uint64{}
	err := e.store.Read(ctx, func(q sqlite.Queryer) error {
		return q.Query(`SELECT grp,pos FROM group_log`, func(scan func(...any) error) error {
			var group string
			var pos int64
			err := scan(&group, &pos)
			all[group] = uint64(pos)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// split tells the groups that are followed from the others.
func (e *Engine) split(ctx context.Context, groups []string) (followed, unknown []string, err error) {
	known := make([]bool, len(groups))
	err = e.store.Write(ctx, func(tx *store.Tx) error {
		for i, group := range groups {
			_, p, err := e.position(tx.Tx, group)
			if err != nil {
				return err
			}
			known[i] = p.known
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i, group := range groups {
		if known[i] {
			followed = append(followed, group)
		} else {
			unknown = append(unknown, group)
		}
	}
	return followed, unknown, nil
}
