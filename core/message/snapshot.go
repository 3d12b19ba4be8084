package message

import (
	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Forget implements sync.Applier: the messages stay as local ones.
func (m *Messages) Forget(tx *store.Tx) error {
	m.arrivals(tx)
	var convs []int64
	err := tx.Query(`SELECT id FROM conversation WHERE max_seq>0`, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		convs = append(convs, id)
		return err
	})
	for _, id := range convs {
		if err != nil {
			return err
		}
		var e *conversation.Entry
		if e, err = m.book.OpenByID(tx, id); err == nil {
			err = m.forgetNumbers(tx, e)
		}
	}
	return err
}

// Snapshot implements sync.Applier.
func (m *Messages) Snapshot(tx *store.Tx, c *protocol.Conversation) error {
	m.arrivals(tx)
	e, err := m.book.Open(tx, tim.ConvC2C, c.Peer)
	if err != nil {
		return err
	}
	if c.ClearSeq > e.ClearSeq {
		if err := m.cleared(tx, e, c.ClearSeq, true); err != nil {
			return err
		}
	}
	// Changes of what is here may have been missed: history asks again.
	if err := m.forgetRanges(tx.Tx, e.ID); err != nil {
		return err
	}
	e.PeerCount = max(e.PeerCount, c.PeerCount)
	e.Option = c.Option
	e.MarkRead(c.ReadSeq, c.ReadCount, 0)
	e.SeenSeq, e.SeenTime = max(e.SeenSeq, c.SeenSeq), max(e.SeenTime, c.SeenTime)
	for _, raw := range c.Msgs {
		msg, ok := protocol.ParseMessage(raw)
		if !ok {
			continue
		}
		if _, err := m.receive(tx, &msg, listed); err != nil {
			return err
		}
	}
	e.MaxSeq = max(e.MaxSeq, c.Max)
	if e.ReadTime == 0 && c.ReadSeq == c.Max {
		e.ReadTime = c.Time / 1000
	}
	m.show(tx, e, c.Max, c.HideSeq, c.Time)
	return nil
}

// show puts a conversation into the list, or takes it out, as the server has it: there is something newer than what was
// hidden, even if the messages themselves are deleted. What is only known here lets a conversation stay.
func (m *Messages) show(tx *store.Tx, e *conversation.Entry, newest, hidden uint64, time int64) {
	e.TouchChanged(tx)
	switch {
	case newest > max(hidden, e.HideSeq):
		e.Place(tx, time)
	case hidden > e.HideSeq:
		m.hidden(tx, e, hidden)
	}
}

// cleared removes what the user deleted up to seq. keep leaves the conversation in the list.
func (m *Messages) cleared(tx *store.Tx, e *conversation.Entry, seq uint64, keep bool) error {
	if seq < e.ClearSeq {
		return nil
	}
	e.ClearSeq = max(e.ClearSeq, seq)
	if !keep {
		e.HideSeq = max(e.HideSeq, seq)
	}
	e.MarkRead(seq, e.ReadCount, 0)
	if err := m.remove(tx, e.ID, seq); err != nil {
		return err
	}
	last, err := latest(tx, &e.Conversation)
	if err != nil {
		return err
	}
	if last == 0 && !keep && e.Draft == "" && e.MaxSeq <= seq {
		e.Hide(tx)
		return nil
	}
	e.LastMsg = last
	e.Touch(tx, false)
	return nil
}

// remove deletes a conversation's messages up to seq for good.
func (m *Messages) remove(tx *store.Tx, conv int64, seq uint64) error {
	if err := m.unindex(tx, `WHERE conv=? AND seq<=?`, conv, int64(seq)); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM message WHERE conv=? AND seq<=?`, conv, int64(seq))
}

// forgetRanges makes a hole of everything that is known of a conversation, so that history asks for it again.
func (m *Messages) forgetRanges(tx *sqlite.Tx, conv int64) error {
	if n, ok := tx.Batch(numbersOf{m}, newNumbers).(*numbers); ok {
		n.byConv[conv] = nil
	}
	return tx.Exec(`DELETE FROM msg_range WHERE conv=?`, conv)
}
