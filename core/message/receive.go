package message

import (
	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Apply implements sync.Applier.
func (m *Messages) Apply(tx *store.Tx, e *protocol.Entry) error {
	m.arrivals(tx)
	switch e.Kind {
	case protocol.EntryMessage:
		_, err := m.receive(tx, &e.Message, live)
		return err
	case protocol.EntryRead, protocol.EntryClear: // who deletes a conversation has read it; other devices keep theirs
		return m.readElsewhere(tx, e)
	case protocol.EntrySeen:
		return m.seen(tx, e)
	}
	return nil // a kind of a later server means nothing to this client
}

// peerOf is the other side of a one-to-one message.
func (m *Messages) peerOf(msg *protocol.Message) string {
	if msg.From == m.self.User {
		return msg.To
	}
	return msg.From
}

// origin is why a message comes from the server.
type origin int

const (
	live   origin = iota // it is the next one in the log
	listed               // a snapshot shows it: it does not rise to the top of the list
	pulled               // history that somebody asked for: nobody is told
)

// receive stores a message of the server, unless it is there already.
func (m *Messages) receive(tx *store.Tx, msg *protocol.Message, from origin) (*Row, error) {
	news := m.arrivals(tx)
	e, err := m.book.Open(tx, tim.ConvC2C, m.peerOf(msg))
	if err != nil {
		return nil, err
	}
	if known, err := one(tx, `WHERE conv=? AND seq=?`, e.ID, int64(msg.Seq)); err != nil || known != nil {
		return known, err
	}
	if msg.From == m.self.User && msg.Key != "" {
		own, err := one(tx, `WHERE msg_id=? AND key=?`, gjson.GetBytes(msg.Content, protocol.ContentID).String(), msg.Key)
		if err != nil {
			return nil, err
		}
		if own != nil {
			return own, m.sent(tx, own, msg.Seq, msg.Time, msg.Count)
		}
	}
	row := received(e.ID, msg)
	if err := row.insert(tx); err != nil {
		return nil, err
	}
	m.extend(tx, e.ID, msg.Seq)
	newest := msg.Seq >= e.MaxSeq
	e.MaxSeq = max(e.MaxSeq, msg.Seq)
	if msg.From != m.self.User && msg.Count > e.PeerCount {
		e.PeerCount = msg.Count
		if from == live && !newest { // the answer to an own later message has overtaken it: what is unread changes all the same
			e.Touch(tx, false)
		}
	}
	unread := msg.From != m.self.User && msg.Seq > e.ReadSeq
	if from == live || from == listed && unread {
		news.rows = append(news.rows, arrival{row, e, tx})
	}
	if newest && msg.Seq > e.ClearSeq {
		if row.last() {
			e.LastMsg = row.ID
		}
		switch {
		case from != live:
			e.Place(tx, msg.Time)
		default:
			e.Touch(tx, row.last() || !e.Visible)
		}
	}
	return row, nil
}

// readElsewhere applies a read position that another device of this user, or this one, has set.
func (m *Messages) readElsewhere(tx *store.Tx, entry *protocol.Entry) error {
	e, err := m.book.Open(tx, tim.ConvC2C, entry.Peer)
	if err != nil || entry.Seq <= e.ReadSeq && entry.Count <= e.ReadCount {
		return err
	}
	e.MarkRead(entry.Seq, entry.Count, m.self.Now().Unix())
	e.Touch(tx, false)
	return nil
}

// seen applies the peer's read position and tells the host.
func (m *Messages) seen(tx *store.Tx, entry *protocol.Entry) error {
	e, err := m.book.Open(tx, tim.ConvC2C, entry.Peer)
	if err != nil || entry.Seq <= e.SeenSeq {
		return err
	}
	e.SeenSeq, e.SeenTime = entry.Seq, entry.Time
	e.Touch(tx, false)
	text := receipt(&e.Conversation)
	tx.After(func() {
		m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgReadedReceiptCallback, Args: []event.Arg{event.Text(text)}})
	})
	return nil
}

func receipt(c *conversation.Conversation) string {
	w := writer{b: []byte{'[', '{'}}
	w.text(tim.KeyMsgReceiptConvId, c.Peer)
	w.num(tim.KeyMsgReceiptConvType, int64(c.Type))
	w.flag(tim.KeyMsgReceiptIsPeerRead, true)
	w.text(tim.KeyMsgReceiptMsgId, "")
	w.num(tim.KeyMsgReceiptTimeStamp, c.SeenTime/1000)
	for _, k := range []string{tim.KeyMsgReceiptReadCount, tim.KeyMsgReceiptUnreadCount} {
		w.num(k, 0)
		for _, older := range tim.OlderKeys(k) {
			w.num(older, 0)
		}
	}
	return string(append(w.b, "}]"...))
}

// cleared removes what the user deleted up to seq.
func (m *Messages) cleared(tx *store.Tx, peer string, seq uint64) error {
	e, err := m.book.Open(tx, tim.ConvC2C, peer)
	if err != nil || seq < e.ClearSeq {
		return err
	}
	e.ClearSeq = max(e.ClearSeq, seq)
	e.MarkRead(seq, e.ReadCount, 0)
	if err := tx.Exec(`DELETE FROM message WHERE conv=? AND seq<=?`, e.ID, int64(seq)); err != nil {
		return err
	}
	last, err := latest(tx, &e.Conversation)
	if err != nil {
		return err
	}
	if last == 0 {
		e.Hide(tx)
		return nil
	}
	e.LastMsg = last
	e.Touch(tx, false)
	return nil
}

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
		if err := m.cleared(tx, c.Peer, c.ClearSeq); err != nil {
			return err
		}
	}
	e.PeerCount = max(e.PeerCount, c.PeerCount)
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
	e.Touch(tx, false)
	return nil
}

// forgetNumbers makes a conversation's messages local ones, in the order of their times and before everything that the
// server will number. Own ones keep their keys, by which they are known again.
func (m *Messages) forgetNumbers(tx *store.Tx, e *conversation.Entry) error {
	if err := tx.Exec(`UPDATE message SET seq=NULL, sort=? WHERE conv=? AND status<>?`, after(0), e.ID, tim.MsgSending); err != nil {
		return err
	}
	m.numbers(tx).byConv[e.ID] = nil
	if err := tx.Exec(`DELETE FROM msg_range WHERE conv=?`, e.ID); err != nil {
		return err
	}
	e.MaxSeq, e.PeerCount, e.ReadSeq, e.ReadCount, e.SeenSeq, e.ClearSeq = 0, 0, 0, 0, 0, 0
	e.Touch(tx, false)
	return nil
}

// publicJSON renders a row with its conversation as the database has it.
func (m *Messages) publicJSON(q sqlite.Queryer, row *Row) (string, error) {
	c, err := conversation.ByID(q, row.Conv)
	if err != nil || c == nil {
		return "", err
	}
	return row.json(c, m.self.User), nil
}
