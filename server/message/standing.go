package message

import (
	"timbre/protocol"
	"timbre/sqlite"
)

// Standing is where a group's history is, and how far a member has come in it.
type Standing struct {
	Max      uint64 // newest seq
	LastTime int64  // of the newest message, milliseconds
	// The rest is 0 for who is no member.
	Read      uint64 // he has read up to this seq
	ReadCount uint64 // countable messages of others up to there
	Unread    uint64
	Clear     uint64 // he sees nothing up to here
}

// Standing returns how far a user has come in a group. Inside a transaction the batch's picture counts.
func (m *Messages) Standing(q sqlite.Queryer, gid, uid int64) (Standing, error) {
	r, s, err := m.roomAndSeat(q, gid, uid)
	if r == nil || err != nil {
		return Standing{}, err
	}
	st := Standing{Max: r.maxSeq, LastTime: r.lastTime}
	if s != nil {
		others := s.others(r)
		st.Read, st.ReadCount, st.Unread = s.read, s.readCount, others-min(s.readCount, others)
		st.Clear = max(s.clear+1, r.minSeq) - 1
	}
	return st, nil
}

func (m *Messages) roomAndSeat(q sqlite.Queryer, gid, uid int64) (r *room, s *seat, err error) {
	if tx, ok := q.(*sqlite.Tx); ok {
		p := m.pending(tx)
		if r, err = p.room(tx, gid); r != nil && err == nil {
			s, err = p.seat(tx, r, uid)
		}
		return r, s, err
	}
	if r, err = findRoom(q, gid); r != nil && err == nil {
		s, err = seatIn(q, r, uid)
	}
	return r, s, err
}

// TouchedSince says whether a group's log got an entry at or after a time in milliseconds.
func (m *Messages) TouchedSince(q sqlite.Queryer, gid, since int64) (bool, error) {
	return q.Get(`SELECT 1 FROM room WHERE gid=? AND touched>=?`, []any{new(int)}, gid, since)
}

// Find returns the message that a change is about and who may hear of it, nil for all.
func (m *Messages) Find(tx *sqlite.Tx, c *Change) (*protocol.Message, []int64, error) {
	t, err := m.target(tx, c, notFound)
	if t == nil || err != nil {
		return nil, nil, err
	}
	return &t.msg.Message, t.msg.audienceOf(), nil
}

// Answered returns the answer that the key of another module's change got before.
func (m *Messages) Answered(tx *sqlite.Tx, user User, key string, answer any) (bool, error) {
	return answered(tx, user, key, answer)
}

// Remember keeps the answer to another module's change for a repetition.
func (m *Messages) Remember(tx *sqlite.Tx, user User, key string, answer any) error {
	return m.remember(tx, user, key, answer)
}
