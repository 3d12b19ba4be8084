package message

import (
	"timbre/protocol"
	"timbre/sqlite"
)

// OpenRoom begins the history of a new group. One that has the number of a group that has ended goes on behind its history.
func (m *Messages) OpenRoom(tx *sqlite.Tx, gid int64, name string) error {
	return tx.Exec(`INSERT INTO room (gid, name) VALUES (?,?) ON CONFLICT (gid) DO NOTHING`, gid, name)
}

// OpenBranch begins the history of a new topic. Whoever has a place in its community has one here.
func (m *Messages) OpenBranch(tx *sqlite.Tx, gid, parent int64, name string) error {
	return tx.Exec(`INSERT INTO room (gid, parent, name, touched) VALUES (?,?,?,?)`, gid, parent, name, m.Moment())
}

// Sit gives a member his place. Nothing is unread for him yet, and unless history is set he sees only what follows.
func (m *Messages) Sit(tx *sqlite.Tx, gid, uid int64, history bool) error {
	p := m.pending(tx)
	r, err := p.room(tx, gid)
	if err != nil || r == nil {
		return err
	}
	return p.sit(tx, r, uid, history)
}

func (p *pending) sit(tx *sqlite.Tx, r *room, uid int64, history bool) error {
	clear := r.maxSeq
	if history {
		clear = 0
	}
	delete(p.seats, [2]int64{r.gid, uid})
	return tx.Exec(`INSERT INTO seat (gid, uid, read_seq, read_count, clear_seq) VALUES (?,?,?,?,?)
		ON CONFLICT (gid, uid) DO NOTHING`, r.gid, uid, int64(r.maxSeq), int64(r.count), int64(clear))
}

// SitInBranch is Sit for a topic: the member has a place there already when nothing was said yet.
func (m *Messages) SitInBranch(tx *sqlite.Tx, gid, uid int64, history bool) error {
	p := m.pending(tx)
	r, err := p.room(tx, gid)
	if err != nil || r == nil || r.maxSeq == 0 {
		return err
	}
	return p.sit(tx, r, uid, history)
}

// Rise takes a member's place away, with those in the topics of a community.
func (m *Messages) Rise(tx *sqlite.Tx, gid, uid int64) error {
	p := m.pending(tx)
	for key, s := range p.seats {
		if r := p.rooms[s.gid]; s.uid == uid && (s.gid == gid || r != nil && r.parent == gid) {
			delete(p.seats, key)
		}
	}
	return tx.Exec(`DELETE FROM seat WHERE uid=? AND (gid=? OR gid IN (SELECT gid FROM room WHERE parent<>0 AND parent=?))`, uid, gid, gid)
}

// CloseBranch takes the history of a topic away from everybody. It is deleted later, in pieces.
func (m *Messages) CloseBranch(tx *sqlite.Tx, gid int64) error {
	p := m.pending(tx)
	if r := p.rooms[gid]; r != nil {
		r.parent = closed
	}
	for key, s := range p.seats {
		if s.gid == gid {
			delete(p.seats, key)
		}
	}
	return tx.Exec(`UPDATE room SET parent=? WHERE gid=?`, closed, gid)
}

// CloseRoom takes the history of a group away from its members. Its rows are the caller's to delete, in pieces.
func (m *Messages) CloseRoom(tx *sqlite.Tx, gid int64) error {
	p := m.pending(tx)
	if err := p.writeRows(tx); err != nil {
		return err
	}
	delete(p.rooms, gid)
	return tx.Exec(`DELETE FROM room WHERE gid=?`, gid)
}

// StateNow is State inside a transaction, where the batch's picture counts.
func (m *Messages) StateNow(tx *sqlite.Tx, user User, gid int64) (*protocol.GroupState, error) {
	p := m.pending(tx)
	at, err := p.place(tx, user, Where{GID: gid})
	if err != nil {
		return nil, err
	}
	if err := p.writeRows(tx); err != nil {
		return nil, err
	}
	pos, err := m.log.Head(tx, at.conv())
	if err != nil {
		return nil, err
	}
	return m.stateOf(tx, at, pos)
}
