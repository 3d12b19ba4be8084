package message

import (
	"encoding/json"
	"slices"

	"timbre/model"
	"timbre/protocol"
	"timbre/sqlite"
)

// Values of msg.flags.
const (
	flagCounts     = 1 << iota // towards unread
	flagReceipt                // its sender wants to know who reads it
	flagExtensions             // it may have extensions
	flagNotLast                // it is not shown as a conversation's last message
	flagTip                    // the server made it
)

// stored is a message as its row says.
type stored struct {
	protocol.Message
	sender   int64
	other    uint64
	flags    int
	audience uint64
	targets  []int64 // nil: all
}

const selectStored = `SELECT seq, sender, key, time, count, other, content, version, state, flags, audience, targets FROM msg `

func (s *stored) scan(scan func(...any) error) error {
	var targets string
	err := scan(&s.Seq, &s.sender, &s.Key, &s.Time, &s.Count, &s.other, &s.Content, &s.Version, &s.State, &s.flags, &s.audience, &targets)
	if err == nil && targets != "" {
		err = json.Unmarshal([]byte(targets), &s.targets)
	}
	return err
}

// visible says whether a member may see the message.
func (s *stored) visible(uid int64) bool {
	return s.targets == nil || s.sender == uid || slices.Contains(s.targets, uid)
}

func (s *stored) is(flag int) bool { return s.flags&flag != 0 }

// state returns what became of the message, for everybody.
func (s *stored) state() (st protocol.State) {
	if len(s.State) > 0 {
		_ = json.Unmarshal(s.State, &st) // it was written by this package
	}
	return st
}

// name fills in who speaks to whom.
func (m *Messages) name(q sqlite.Queryer, conv int64, c *pair, group string, s *stored) (err error) {
	if s.From, err = m.nameOf(q, s.sender); err != nil {
		return err
	}
	if conv < 0 {
		s.Group, s.Own = group, s.other
		return nil
	}
	to := c.peer(s.sender)
	s.To, err = m.nameOf(q, to)
	return err
}

// nameOf also knows the server's own voice.
func (m *Messages) nameOf(q sqlite.Queryer, uid int64) (string, error) {
	if uid == 0 {
		return model.SystemSender, nil
	}
	return m.names.Name(q, uid)
}

// decorate adds what the viewer may know about confirmations.
func (m *Messages) decorate(q sqlite.Queryer, viewer, conv int64, s *stored) error {
	if !s.is(flagReceipt) {
		return nil
	}
	st := s.state()
	if s.sender != viewer {
		found, err := q.Get(`SELECT 1 FROM receipt WHERE conv=? AND seq=? AND uid=?`, []any{new(int)}, conv, int64(s.Seq), viewer)
		st.Confirmed = found
		s.State = protocol.Marshal(st)
		return err
	}
	c, err := count(q, conv, s)
	if conv < 0 {
		unread := int64(c.Unread)
		st.Read, st.Unread = c.Read, &unread
	} else {
		st.PeerRead = c.Read > 0
	}
	s.State = protocol.Marshal(st)
	return err
}

// count is how many have confirmed a message.
func count(q sqlite.Queryer, conv int64, s *stored) (c protocol.ReceiptCount, err error) {
	c.Seq = s.Seq
	_, err = q.Get(`SELECT count(*), coalesce(max(time),0) FROM receipt WHERE conv=? AND seq=?`, []any{&c.Read, &c.Time}, conv, int64(s.Seq))
	c.Unread = s.audience - min(s.audience, c.Read)
	if conv > 0 {
		c.PeerRead, c.Unread = c.Read > 0, 0
	}
	return c, err
}

// one reads a message that the user may see, nil when there is none.
func (m *Messages) one(q sqlite.Queryer, at *place, seq uint64) (*stored, error) {
	if at == nil || !at.sees(seq) {
		return nil, nil
	}
	var s *stored
	err := q.Query(selectStored+`WHERE pair=? AND seq=?`, func(scan func(...any) error) error {
		s = &stored{}
		return s.scan(scan)
	}, at.conv(), int64(seq))
	if err != nil || s == nil || !s.visible(at.user.UID) {
		return nil, err
	}
	return s, m.name(q, at.conv(), at.pair, at.group(), s)
}
