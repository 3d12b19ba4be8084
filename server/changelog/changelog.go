// Package changelog keeps, for every user, the list of what changed for him: messages to and from him, conversations
// that he or his peer read, conversations that he deleted; and for every group the list of what changed in it, once for
// all its members. Both are logs of the same kind in one table; a group's has the negative of its number. Positions are dense and start at 1, so a client that applied
// everything up to n asks for what came after n, and a push that carries n+2 shows that n+1 is missing.
//
// A log holds pointers; messages stay in their own table. The entries that one commit adds for one user share a row,
// named by the position of the last one: in a busy conversation that saves most of the rows.
//
// Positions are given in the transaction of the change itself, in memory, and written once before its commit. So there
// is never a hole and never a position for something that did not happen.
//
// Rejected: a log of one row per entry (the same pages written for a tenth of the entries), positions from a clock (a
// client cannot see that one is missing), copies of messages in the log (twice the writing).
package changelog

import (
	"time"

	"timbre/server/store"
	"timbre/sqlite"
)

// How far back a log reaches. Whoever missed more takes a snapshot. A user's log reaches far, because a snapshot brings only
// the newest of his unread messages; a group's need not, because who was away asks for its history anyway.
const (
	KeepUser  = 200_000
	KeepGroup = 10_000
)

func keep(owner int64) uint64 {
	if owner < 0 {
		return KeepGroup
	}
	return KeepUser
}

// trimEvery is after how many positions the part that lies too far back is deleted.
const trimEvery = 1_000

// Schema is the tables of this module.
func Schema() sqlite.Schema {
	return sqlite.Schema{Module: "changelog", Steps: []string{`
		CREATE TABLE user_log (uid INTEGER PRIMARY KEY, pos INTEGER NOT NULL) STRICT;
		CREATE TABLE change_log (
			uid INTEGER NOT NULL,
			pos INTEGER NOT NULL,  -- of the last entry
			n INTEGER NOT NULL,    -- number of entries
			entries BLOB NOT NULL, -- JSON array of pointers
			time INTEGER NOT NULL,
			PRIMARY KEY (uid, pos)
		) STRICT, WITHOUT ROWID;`}}
}

// Log writes the change logs of all users.
type Log struct{ now func() time.Time }

// New returns the log.
func New(now func() time.Time) *Log { return &Log{now} }

// Append adds an entry to the log of a user or, with GroupLog, of a group, and returns its position.
func (l *Log) Append(tx *sqlite.Tx, owner int64, p Pointer) (uint64, error) {
	t, err := l.pending(tx).tail(tx, owner)
	if err != nil {
		return 0, err
	}
	t.pos++
	t.n++
	if t.n > 1 {
		t.entries = append(t.entries, ',')
	}
	t.entries = p.append(t.entries)
	return t.pos, nil
}

// Note is Append for an entry that is no message. It returns the entry as the log's readers get it.
func (l *Log) Note(tx *sqlite.Tx, owner int64, p Pointer) (Change, error) {
	pos, err := l.Append(tx, owner, p)
	return Change{Owner: owner, Pos: pos, Entry: NewEncoded(p.Entry())}, err
}

// Head returns the newest position of a log, counting what this transaction has added.
func (l *Log) Head(tx *sqlite.Tx, uid int64) (uint64, error) {
	t, err := l.pending(tx).tail(tx, uid)
	if err != nil {
		return 0, err
	}
	return t.pos, nil
}

// Cut deletes a log's entries. The next one gets the next position.
func (l *Log) Cut(tx *sqlite.Tx, owner int64) error {
	t, err := l.pending(tx).tail(tx, owner)
	if err != nil {
		return err
	}
	t.n, t.entries = 0, t.entries[:1]
	if err := tx.Exec(`DELETE FROM change_log WHERE uid=?`, owner); err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO user_log (uid, pos) VALUES (?,?) ON CONFLICT (uid) DO UPDATE SET pos=excluded.pos`, owner, int64(t.pos))
}

// End deletes a log.
func (l *Log) End(tx *sqlite.Tx, owner int64) error {
	if err := l.Cut(tx, owner); err != nil {
		return err
	}
	delete(l.pending(tx).tails, owner)
	return tx.Exec(`DELETE FROM user_log WHERE uid=?`, owner)
}

func (l *Log) pending(tx *sqlite.Tx) *pending {
	return tx.Batch(l, func() sqlite.Flusher { return &pending{log: l, tails: map[int64]*tail{}} }).(*pending)
}

// pending is what one transaction adds to the logs.
type pending struct {
	log   *Log
	tails map[int64]*tail
}

// tail is what it adds to one of them.
type tail struct {
	pos     uint64
	n       int
	entries []byte
}

func (p *pending) tail(tx *sqlite.Tx, uid int64) (*tail, error) {
	if t, ok := p.tails[uid]; ok {
		return t, nil
	}
	t := &tail{entries: []byte{'['}}
	if _, err := tx.Get(selectHead, []any{&t.pos}, uid); err != nil {
		return nil, err
	}
	p.tails[uid] = t
	return t, nil
}

const selectHead = `SELECT pos FROM user_log WHERE uid=?`

// Flush implements sqlite.Flusher.
func (p *pending) Flush(tx *sqlite.Tx) error {
	heads := store.NewRows(`INSERT OR FAIL INTO user_log (uid, pos) VALUES`, 2, `ON CONFLICT (uid) DO UPDATE SET pos=excluded.pos`)
	rows := store.NewRows(`INSERT OR FAIL INTO change_log (uid, pos, n, entries, time) VALUES`, 5, ``)
	now := p.log.now().UnixMilli()
	for uid, t := range p.tails {
		if t.n == 0 {
			continue
		}
		heads.Add(uid, int64(t.pos))
		rows.Add(uid, int64(t.pos), t.n, append(t.entries, ']'), now)
		if err := t.trim(tx, uid); err != nil {
			return err
		}
	}
	if err := heads.Write(tx); err != nil {
		return err
	}
	return rows.Write(tx)
}

// trim deletes what fell behind, each time the log has grown by another trimEvery.
func (t *tail) trim(tx *sqlite.Tx, uid int64) error {
	if t.pos < keep(uid) || t.pos/trimEvery == (t.pos-uint64(t.n))/trimEvery {
		return nil
	}
	return tx.Exec(`DELETE FROM change_log WHERE uid=? AND pos<=?`, uid, int64(Oldest(uid, t.pos)))
}

// Oldest is the oldest position of an owner's log that a client may continue from when the newest is head.
func Oldest(owner int64, head uint64) uint64 { return head - min(head, keep(owner)) }
