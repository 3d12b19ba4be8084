package sync

import (
	"strconv"
	"sync/atomic"

	"timbre/core/store"
	"timbre/sqlite"
)

// Schema is the table of the positions in the groups' logs. That of the user's own log is a word about the database.
var Schema = sqlite.Schema{Module: "sync", Steps: []string{
	`CREATE TABLE group_log (grp TEXT PRIMARY KEY, pos INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
}}

const (
	metaEpoch, metaPos, metaPartial = "log_epoch", "log_pos", "log_partial"
	// metaSince is the server's time up to which it has named every group that changed; "" asks for all of them.
	metaSince = "groups_since"
)

// position is how far one log has been applied.
type position struct {
	pos   uint64
	known bool // the log is followed
	left  bool // it was until this batch
	dirty bool
}

func (p *position) set(pos uint64) { *p = position{pos: pos, known: true, dirty: true} }

func (p *position) forget() { *p = position{left: true, dirty: true} }

// cursor is the positions as one batch sees them. Each is read once and written once.
type cursor struct {
	tx      *sqlite.Tx
	shown   *atomic.Pointer[mark]
	epoch   string               // of all logs
	partial bool                 // a snapshot was begun and not finished
	logs    map[string]*position // by group; "" is the user's own
	err     error                // a position could not be read: the batch must not commit
}

func (e *Engine) cursor(tx *sqlite.Tx) (*cursor, error) {
	c := tx.Batch(e, func() sqlite.Flusher {
		c := &cursor{tx: tx, shown: &e.copied.own, logs: map[string]*position{}}
		c.err = c.load()
		return c
	}).(*cursor)
	return c, c.err
}

// position returns the cursor with the position in one log.
func (e *Engine) position(tx *sqlite.Tx, group string) (*cursor, *position, error) {
	c, err := e.cursor(tx)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.at(group)
	return c, p, err
}

// load reads the position in the user's own log.
func (c *cursor) load() error {
	words := map[string]string{metaEpoch: "", metaPos: "", metaPartial: ""}
	for key := range words {
		var err error
		if words[key], err = store.Meta(c.tx, key); err != nil {
			return err
		}
	}
	own := &position{}
	c.logs[""] = own
	if words[metaEpoch] == "" {
		return nil
	}
	var err error
	own.pos, err = strconv.ParseUint(words[metaPos], 10, 64)
	own.known, c.epoch, c.partial = true, words[metaEpoch], words[metaPartial] != ""
	return err
}

// at returns the position in a log.
func (c *cursor) at(group string) (*position, error) {
	if p := c.logs[group]; p != nil || c.err != nil {
		return p, c.err
	}
	p, pos := &position{}, int64(0)
	p.known, c.err = c.tx.Get(`SELECT pos FROM group_log WHERE grp=?`, []any{&pos}, group)
	if c.err != nil {
		return nil, c.err
	}
	p.pos = uint64(pos)
	c.logs[group] = p
	return p, nil
}

// forgetGroups ends the following of all groups.
func (c *cursor) forgetGroups() error {
	own := c.logs[""]
	clear(c.logs)
	c.logs[""] = own
	return c.tx.Exec(`DELETE FROM group_log`)
}

// Flush stores the positions with the effects of the batch.
func (c *cursor) Flush(tx *sqlite.Tx) error {
	if c.err != nil {
		return c.err
	}
	c.shown.Store(&mark{epoch: c.epoch, pos: c.logs[""].pos})
	for group, p := range c.logs {
		if !p.dirty {
			continue
		}
		if err := c.write(tx, group, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *cursor) write(tx *sqlite.Tx, group string, p *position) error {
	switch {
	case group == "":
		return c.writeOwn(tx, p.pos)
	case p.known:
		return tx.Exec(`INSERT INTO group_log VALUES (?,?) ON CONFLICT(grp) DO UPDATE SET pos=excluded.pos`, group, int64(p.pos))
	}
	return tx.Exec(`DELETE FROM group_log WHERE grp=?`, group)
}

func (c *cursor) writeOwn(tx *sqlite.Tx, pos uint64) error {
	if err := store.SetMeta(tx, metaEpoch, c.epoch); err != nil {
		return err
	}
	partial := map[bool]string{true: "yes"}[c.partial]
	if err := store.SetMeta(tx, metaPartial, partial); err != nil {
		return err
	}
	return store.SetMeta(tx, metaPos, strconv.FormatUint(pos, 10))
}
