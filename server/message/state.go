package message

import (
	"encoding/json"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// State describes a group's history as a member sees it. The group itself is the caller's to add.
func (m *Messages) State(q sqlite.Queryer, user User, gid int64) (*protocol.GroupState, error) {
	pos, err := changelog.Head(q, changelog.GroupLog(gid)) // first: what is committed meanwhile comes again with the log
	if err != nil {
		return nil, err
	}
	at, err := m.find(q, user, Where{GID: gid})
	if err != nil {
		return nil, err
	}
	return m.stateOf(q, at, pos)
}

func (m *Messages) stateOf(q sqlite.Queryer, at *place, pos uint64) (*protocol.GroupState, error) {
	s := &protocol.GroupState{Pos: pos, Changed: at.room.changed, Max: at.room.maxSeq, PeerCount: at.seat.others(at.room),
		Own: at.seat.own, ReadSeq: at.seat.read, ReadCount: at.seat.readCount, ClearSeq: at.min() - 1, HideSeq: at.seat.hide,
		Hidden: at.seat.hidden && at.room.maxSeq == 0, Msgs: []json.RawMessage{}}
	msgs, err := m.last(q, at)
	for _, b := range msgs {
		s.Msgs = append(s.Msgs, b)
	}
	if err == nil && s.Max > s.ReadSeq { // not by the counts: in a meeting nothing counts
		s.At, err = mentions(q, at)
	}
	return s, err
}

// Values of protocol.Mention.Type, TIMGroupAtType.
const (
	atMe  = 1
	atAll = 2
)

// mentions returns the unread messages that speak to the user.
func mentions(q sqlite.Queryer, at *place) (list []protocol.Mention, err error) {
	err = q.Query(`SELECT seq, min(uid), max(uid) FROM mention WHERE gid=? AND uid IN (0,?) AND seq>? GROUP BY seq ORDER BY seq`,
		func(scan func(...any) error) error {
			var m protocol.Mention
			var lo, hi int64
			err := scan(&m.Seq, &lo, &hi)
			if lo == 0 {
				m.Type |= atAll
			}
			if hi != 0 {
				m.Type |= atMe
			}
			list = append(list, m)
			return err
		}, at.room.gid, at.user.UID, int64(at.seat.read))
	return list, err
}
