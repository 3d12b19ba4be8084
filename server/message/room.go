package message

import (
	"timbre/server/changelog"
	"timbre/sqlite"
)

// room is the history of a group as its row says, with the changes of the running transaction.
type room struct {
	gid      int64
	parent   int64 // the community whose topic has this history, 0: none, or closed
	name     string
	maxSeq   uint64
	minSeq   uint64
	count    uint64 // messages that count as unread
	lastTime int64
	changed  uint64 // newest position of the group's log that is not just a new message
	touched  int64  // time of the newest entry of the group's log, milliseconds

	dirty bool
	grown bool // messages were added
}

// seat is a member's place in a room. In a topic it has a row only when there is something to remember: whoever has a seat in
// the community and none in a topic has not read, said or deleted anything there, and may see all of it. So a new topic costs
// nothing, however many members there are.
type seat struct {
	gid, uid  int64
	read      uint64
	readCount uint64 // countable messages of others up to there
	own       uint64 // countable messages of this member
	clear     uint64 // he sees nothing up to here
	hide      uint64 // the conversation is in his list if this is 0 or the newest seq is greater
	hidden    bool   // but not while nothing has been said

	fresh bool // it has no row
	dirty bool
}

// others is how many countable messages of others there are.
func (s *seat) others(r *room) uint64 { return r.count - min(s.own, r.count) }

func (r *room) conv() int64 { return changelog.GroupLog(r.gid) }

func findRoom(q sqlite.Queryer, gid int64) (*room, error) {
	r := &room{gid: gid}
	found, err := q.Get(`SELECT parent, name, max_seq, min_seq, count, last_time, changed, touched FROM room WHERE gid=?`,
		[]any{&r.parent, &r.name, &r.maxSeq, &r.minSeq, &r.count, &r.lastTime, &r.changed, &r.touched}, gid)
	if !found || err != nil {
		return nil, err
	}
	return r, nil
}

// closed stands in a room's parent when the topic is no more.
const closed = -1

// seatIn returns a user's place, nil when he is not a member.
func seatIn(q sqlite.Queryer, r *room, uid int64) (*seat, error) {
	if r.parent == closed {
		return nil, nil
	}
	s, err := findSeat(q, r.gid, uid)
	if s != nil || err != nil || r.parent == 0 {
		return s, err
	}
	if s, err = findSeat(q, r.parent, uid); s == nil || err != nil {
		return nil, err
	}
	return &seat{gid: r.gid, uid: uid, fresh: true}, nil
}

func findSeat(q sqlite.Queryer, gid, uid int64) (*seat, error) {
	s := &seat{gid: gid, uid: uid}
	found, err := q.Get(`SELECT read_seq, read_count, own, clear_seq, hide_seq, hidden FROM seat WHERE gid=? AND uid=?`,
		[]any{&s.read, &s.readCount, &s.own, &s.clear, &s.hide, &s.hidden}, gid, uid)
	if !found || err != nil {
		return nil, err
	}
	return s, nil
}

func (r *room) write(tx *sqlite.Tx) error {
	if !r.dirty {
		return nil
	}
	r.dirty = false
	return tx.Exec(`UPDATE room SET max_seq=?, min_seq=?, count=?, last_time=?, changed=?, touched=? WHERE gid=?`,
		int64(r.maxSeq), int64(r.minSeq), int64(r.count), r.lastTime, int64(r.changed), r.touched, r.gid)
}

func (s *seat) write(tx *sqlite.Tx) error {
	if !s.dirty {
		return nil
	}
	s.dirty = false
	statement := `UPDATE seat SET read_seq=?, read_count=?, own=?, clear_seq=?, hide_seq=?, hidden=? WHERE gid=? AND uid=?`
	if s.fresh {
		statement, s.fresh = `INSERT INTO seat (read_seq, read_count, own, clear_seq, hide_seq, hidden, gid, uid) VALUES (?,?,?,?,?,?,?,?)`, false
	}
	return tx.Exec(statement, int64(s.read), int64(s.readCount), int64(s.own), int64(s.clear), int64(s.hide), s.hidden, s.gid, s.uid)
}

// touch notes the moment when the group's log got its newest entry.
func (r *room) touch(now int64) { r.touched, r.dirty = max(r.touched, now), true }

// change notes an entry of the group's log that is not just a new message.
func (r *room) change(pos uint64, now int64) {
	r.changed = pos
	r.touch(now)
}

// Changed says that the entry at this position of a group's log is not just a new message.
func (m *Messages) Changed(tx *sqlite.Tx, gid int64, pos uint64) error {
	r, err := m.pending(tx).room(tx, gid)
	if err == nil && r != nil {
		r.change(pos, m.Moment())
	}
	return err
}
