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
	User  User
	Where Where
	Key   string
	Seq   uint64
	Keep  bool // only the history goes, the conversation stays in the list
}

// Read moves the user's read position forward. His other devices learn it, and so does the peer.
func (m *Messages) Read(tx *sqlite.Tx, v *Move) (protocol.Changed, []changelog.Change, error) {
	return m.once(tx, v, func(p *pending, at *place) (a protocol.Changed, changes []changelog.Change, err error) {
		seq := min(v.Seq, at.max())
		if was, count := at.position(); seq <= was {
			return protocol.Changed{Seq: was, Count: count}, nil, nil
		}
		count, err := p.moveRead(tx, at, seq)
		if err != nil {
			return a, nil, err
		}
		now := m.now().UnixMilli()
		own, err := m.own(tx, at, changelog.Pointer{Kind: protocol.EntryRead, Seq: seq, Count: count, Time: now})
		if err != nil {
			return a, nil, err
		}
		changes = append(changes, own)
		if c := at.pair; c != nil {
			me := c.side(v.User.UID)
			me.seen, me.seenTime = seq, now
			if c.lo != c.hi {
				seen, err := m.note(tx, at.peer.UID, changelog.Pointer{Kind: protocol.EntrySeen, Peer: v.User.Name, Seq: seq, Time: now})
				if err != nil {
					return a, nil, err
				}
				changes = append(changes, seen)
			}
		}
		return protocol.Changed{Pos: own.Pos, Seq: seq, Count: count}, changes, nil
	})
}

// Clear deletes the conversation for this user up to a message. What is deleted counts as read, but the peer does not
// learn of it: deleting is not reading.
func (m *Messages) Clear(tx *sqlite.Tx, v *Move) (protocol.Changed, []changelog.Change, error) {
	return m.once(tx, v, func(p *pending, at *place) (a protocol.Changed, changes []changelog.Change, err error) {
		seq := min(v.Seq, at.max())
		read, count := at.position()
		if seq < at.min() {
			return protocol.Changed{Seq: at.min() - 1, Count: count}, nil, nil
		}
		if seq > read {
			if count, err = p.moveRead(tx, at, seq); err != nil {
				return a, nil, err
			}
		}
		at.clear(seq)
		entry := changelog.Pointer{Kind: protocol.EntryClear, Seq: seq, Count: count, Time: m.now().UnixMilli()}
		if m.rules.SyncDeletions {
			entry.Data = protocol.Marshal(protocol.Cleared{All: true, Keep: v.Keep})
		}
		own, err := m.own(tx, at, entry)
		return protocol.Changed{Pos: own.Pos, Seq: seq, Count: count}, []changelog.Change{own}, err
	})
}

// position is how far the user has read, and the count of others there.
func (p *place) position() (seq, count uint64) {
	if p.room != nil {
		return p.seat.read, p.seat.readCount
	}
	me := p.pair.side(p.user.UID)
	return me.read, me.readCount
}

func (p *place) clear(seq uint64) {
	if p.room != nil {
		p.seat.clear, p.seat.dirty = seq, true
		return
	}
	p.pair.side(p.user.UID).clear, p.pair.moved = seq, true
}

func (p *pending) moveRead(tx *sqlite.Tx, at *place, seq uint64) (uint64, error) {
	count, err := p.countAt(tx, at, seq)
	if err != nil {
		return 0, err
	}
	if at.room != nil {
		at.seat.read, at.seat.readCount, at.seat.dirty = seq, count, true
		return count, tx.Exec(`DELETE FROM mention WHERE gid=? AND uid=? AND seq<=?`, at.seat.gid, at.seat.uid, int64(seq))
	}
	me := at.pair.side(at.user.UID)
	me.read, me.readCount, at.pair.moved = seq, count, true
	return count, nil
}

// once makes a change unless its key was answered before. Only answers to real changes are remembered: the others can
// be given again at any time.
func (m *Messages) once(tx *sqlite.Tx, v *Move, change func(*pending, *place) (protocol.Changed, []changelog.Change, error)) (
	a protocol.Changed, changes []changelog.Change, err error) {
	if found, err := answered(tx, v.User, v.Key, &a); found || err != nil {
		return a, nil, err
	}
	p := m.pending(tx)
	at, err := p.place(tx, v.User, v.Where)
	if at == nil || err != nil {
		return a, nil, err
	}
	if a, changes, err = change(p, at); err != nil || a.Pos == 0 {
		return a, nil, err
	}
	return a, changes, m.remember(tx, v.User, v.Key, a)
}

// answered returns the answer that a key got before.
func answered(tx *sqlite.Tx, user User, key string, answer any) (bool, error) {
	var before []byte
	found, err := tx.Get(`SELECT answer FROM answered WHERE uid=? AND key=?`, []any{&before}, user.UID, key)
	if !found || err != nil {
		return false, err
	}
	return true, json.Unmarshal(before, answer)
}

// remember keeps an answer for a repetition.
func (m *Messages) remember(tx *sqlite.Tx, user User, key string, answer any) error {
	return tx.Exec(`INSERT INTO answered (uid, key, answer, time) VALUES (?,?,?,?)`,
		user.UID, key, protocol.Marshal(answer), m.now().UnixMilli())
}

// keepAnswers is how long a key of anything but a message is known.
const keepAnswers = 7 * 24 * time.Hour
