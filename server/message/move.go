package message

import (
	"encoding/json"
	"time"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// Move is a user's wish to read or to delete a conversation up to a message.
type Move struct {
	User, Peer User
	Key        string
	Seq        uint64
}

// Read moves the user's read position forward. His other devices learn it, and so does the peer.
func (m *Messages) Read(tx *sqlite.Tx, v *Move) (protocol.Changed, []changelog.Change, error) {
	return m.once(tx, v, func(p *pending, c *pair) (a protocol.Changed, changes []changelog.Change, err error) {
		me := c.side(v.User.UID)
		seq := min(v.Seq, c.maxSeq)
		if seq <= me.read {
			return protocol.Changed{Seq: me.read, Count: me.readCount}, nil, nil
		}
		if err = p.moveRead(tx, c, v.User.UID, seq); err != nil {
			return a, nil, err
		}
		me.seen, me.seenTime = seq, m.now().UnixMilli()
		own := changelog.Pointer{Kind: protocol.EntryRead, Peer: v.Peer.Name, Seq: seq, Count: me.readCount, Time: me.seenTime}
		changes, err = m.note(tx, changes, v.User.UID, own)
		if err != nil {
			return a, nil, err
		}
		if c.lo != c.hi {
			seen := changelog.Pointer{Kind: protocol.EntrySeen, Peer: v.User.Name, Seq: seq, Time: me.seenTime}
			if changes, err = m.note(tx, changes, v.Peer.UID, seen); err != nil {
				return a, nil, err
			}
		}
		return protocol.Changed{Pos: changes[0].Pos, Seq: seq, Count: me.readCount}, changes, nil
	})
}

// Clear deletes the conversation for this user up to a message. What is deleted counts as read, but the peer does not
// learn of it: deleting is not reading.
func (m *Messages) Clear(tx *sqlite.Tx, v *Move) (protocol.Changed, []changelog.Change, error) {
	return m.once(tx, v, func(p *pending, c *pair) (a protocol.Changed, changes []changelog.Change, err error) {
		me := c.side(v.User.UID)
		seq := min(v.Seq, c.maxSeq)
		if seq <= me.clear {
			return protocol.Changed{Seq: me.clear, Count: me.readCount}, nil, nil
		}
		if seq > me.read {
			if err = p.moveRead(tx, c, v.User.UID, seq); err != nil {
				return a, nil, err
			}
		}
		me.clear, c.moved = seq, true
		entry := changelog.Pointer{Kind: protocol.EntryClear, Peer: v.Peer.Name, Seq: seq, Count: me.readCount,
			Time: m.now().UnixMilli()}
		if changes, err = m.note(tx, changes, v.User.UID, entry); err != nil {
			return a, nil, err
		}
		return protocol.Changed{Pos: changes[0].Pos, Seq: seq, Count: me.readCount}, changes, nil
	})
}

func (p *pending) moveRead(tx *sqlite.Tx, c *pair, uid int64, seq uint64) error {
	count, err := p.countAt(tx, c, uid, seq)
	if err != nil {
		return err
	}
	me := c.side(uid)
	me.read, me.readCount, c.moved = seq, count, true
	return nil
}

// note adds an entry to a log and to the list of changes.
func (m *Messages) note(tx *sqlite.Tx, list []changelog.Change, uid int64, p changelog.Pointer) ([]changelog.Change, error) {
	pos, err := m.log.Append(tx, uid, p)
	if err != nil {
		return nil, err
	}
	return append(list, changelog.Change{UID: uid, Pos: pos, Entry: changelog.NewEncoded(p.Entry())}), nil
}

// once makes a change unless its key was answered before. Only answers to real changes are remembered: the others can
// be given again at any time.
func (m *Messages) once(tx *sqlite.Tx, v *Move, change func(*pending, *pair) (protocol.Changed, []changelog.Change, error)) (
	a protocol.Changed, changes []changelog.Change, err error) {
	var before []byte
	found, err := tx.Get(`SELECT answer FROM answered WHERE uid=? AND key=?`, []any{&before}, v.User.UID, v.Key)
	if err != nil {
		return a, nil, err
	}
	if found {
		return a, nil, json.Unmarshal(before, &a)
	}
	p := m.pending(tx)
	c, err := p.find(tx, v.User.UID, v.Peer.UID)
	if c == nil || err != nil {
		return a, nil, err
	}
	if a, changes, err = change(p, c); err != nil || a.Pos == 0 {
		return a, nil, err
	}
	return a, changes, tx.Exec(`INSERT INTO answered (uid, key, answer, time) VALUES (?,?,?,?)`,
		v.User.UID, v.Key, protocol.Marshal(a), m.now().UnixMilli())
}

// keepAnswers is how long a key of Read or Clear is known.
const keepAnswers = 7 * 24 * time.Hour

// Sweep forgets keys that nobody repeats any more.
func (m *Messages) Sweep(tx *sqlite.Tx) error {
	return tx.Exec(`DELETE FROM answered WHERE time<?`, m.now().Add(-keepAnswers).UnixMilli())
}
