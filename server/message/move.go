package message

import (
	"encoding/json"
	"time"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Move is a user's wish to read or to delete a conversation up to a message.
type Move struct {
	User  User
	Where Where
	Key   string
	Seq   uint64
	Keep  bool // Clear: only the history goes, the conversation stays in the list
	Hide  bool // Clear: only the place in the list goes, the history stays
	Gone  bool // Clear: something that he had attached to the conversation is gone, and his other devices must hear of it
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
				seen, err := m.log.Note(tx, at.peer.UID, changelog.Pointer{Kind: protocol.EntrySeen, Peer: v.User.Name, Seq: seq, Time: now})
				if err != nil {
					return a, nil, err
				}
				changes = append(changes, seen)
			}
		}
		return protocol.Changed{Pos: own.Pos, Seq: seq, Count: count}, changes, nil
	})
}

// Clear deletes the conversation for this user up to a message, or only its history, or only its place in the list. What is
// deleted or hidden counts as read, but the peer does not learn of it: deleting is not reading.
func (m *Messages) Clear(tx *sqlite.Tx, v *Move) (a protocol.Changed, changes []changelog.Change, err error) {
	if found, err := answered(tx, v.User, v.Key, &a); found || err != nil {
		return a, nil, err
	}
	p := m.pending(tx)
	at, err := p.place(tx, v.User, v.Where)
	if err != nil && (refusal.Of(err) == nil || !v.Gone && !m.rules.SyncDeletions) {
		return a, nil, err
	}
	moved := false
	if at != nil {
		if a, moved, err = p.moveDeleted(tx, at, v); err != nil {
			return a, nil, err
		}
	}
	left := at == nil && v.Where.GID != 0 // he may still delete what he sees of a group, and his devices with him
	if !moved && !v.Gone && !left {
		return a, nil, nil
	}
	entry := changelog.Pointer{Kind: protocol.EntryClear, Peer: v.Where.Peer.Name, Group: v.Where.Group, Seq: a.Seq, Count: a.Count,
		Time: m.now().UnixMilli(), Data: protocol.Marshal(protocol.Cleared{All: m.rules.SyncDeletions, Keep: v.Keep, Hide: v.Hide})}
	own, err := m.log.Note(tx, v.User.UID, entry)
	if err != nil {
		return a, nil, err
	}
	a.Pos = own.Pos
	return a, []changelog.Change{own}, m.remember(tx, v.User, v.Key, a)
}

// moveDeleted moves how far a place is deleted, hidden and read, never back, and says whether anything moved.
func (p *pending) moveDeleted(tx *sqlite.Tx, at *place, v *Move) (a protocol.Changed, moved bool, err error) {
	read, count := at.position()
	a = protocol.Changed{Seq: min(v.Seq, at.max()), Count: count}
	if a.Seq > read {
		if a.Count, err = p.moveRead(tx, at, a.Seq); err != nil {
			return a, false, err
		}
		moved = true
	}
	clear, hide := at.deleted()
	if !v.Hide && a.Seq > *clear {
		*clear, moved = a.Seq, true
	}
	if !v.Keep && a.Seq > *hide {
		*hide, moved = a.Seq, true
	}
	if at.room != nil && at.room.parent == 0 && at.max() == 0 && !v.Keep && !at.seat.hidden {
		at.seat.hidden, moved = true, true
	}
	if moved {
		at.touch()
	}
	return a, moved, nil
}

// position is how far the user has read, and the count of others there.
func (p *place) position() (seq, count uint64) {
	if p.room != nil {
		return p.seat.read, p.seat.readCount
	}
	me := p.pair.side(p.user.UID)
	return me.read, me.readCount
}

// deleted is up to where the user has deleted the history, and up to where the conversation is out of his list.
func (p *place) deleted() (clear, hide *uint64) {
	if p.room != nil {
		return &p.seat.clear, &p.seat.hide
	}
	me := p.pair.side(p.user.UID)
	return &me.clear, &me.hide
}

// touch has the user's positions written.
func (p *place) touch() {
	if p.room != nil {
		p.seat.dirty = true
		return
	}
	p.pair.moved = true
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
