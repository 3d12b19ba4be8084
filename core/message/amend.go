package message

import (
	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// updated applies that a message was edited or revoked. One that is not here will come with its history.
func (m *Messages) updated(tx *store.Tx, entry *protocol.Entry) error {
	typ, peer := m.whose(&entry.Message)
	known, err := conversation.Find(tx, typ, peer)
	if known == nil || err != nil {
		return err
	}
	e, err := m.book.Open(tx, typ, peer)
	if err != nil {
		return err
	}
	row, err := one(tx, `WHERE conv=? AND seq=?`, e.ID, int64(entry.Message.Seq))
	if row == nil && err == nil {
		row, err = m.forgotten(tx, e, gjson.GetBytes(entry.Message.Content, protocol.ContentID).String())
	}
	if row == nil || err != nil {
		return err
	}
	return m.amend(tx, e, row, &entry.Message)
}

// amend brings a message that is here to what the server says of it, and tells the host of what changed.
func (m *Messages) amend(tx *store.Tx, e *conversation.Entry, row *Row, msg *protocol.Message) error {
	before := *row
	row.become(msg.State)
	if msg.Version > row.Version {
		fresh := received(e.ID, msg)
		row.Version, row.Elements, row.Extra = fresh.Version, fresh.Elements, fresh.Extra
		row.Flags &^= flagNotLast
		row.flag()
	}
	if before.Status == tim.MsgDeleted {
		row.Status = tim.MsgDeleted // gone here, whatever it became
	}
	if *row == before {
		return nil
	}
	if err := row.amend(tx); err != nil {
		return err
	}
	if err := m.index(tx, row); err != nil {
		return err
	}
	if e.LastMsg == row.ID {
		e.Touch(tx, false)
	}
	m.tellAmended(tx, e, &before, row)
	return nil
}

// tellAmended emits the event of a change that others made.
func (m *Messages) tellAmended(tx *store.Tx, e *conversation.Entry, before, row *Row) {
	switch {
	case row.Status == tim.MsgDeleted:
	case row.Status == tim.MsgRevoked && before.Status != tim.MsgRevoked:
		text := row.revokeInfo(&e.Conversation, m.self.User)
		tx.After(func() {
			m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgRevokeCallback, Args: []event.Arg{event.Text(text)}})
		})
	case row.Version > before.Version:
		m.tellUpdated(tx, e, row)
	}
}

// tellUpdated emits that a message has another content.
func (m *Messages) tellUpdated(tx *store.Tx, e *conversation.Entry, row *Row) {
	text := "[" + row.json(&e.Conversation, m.self.User) + "]"
	tx.After(func() {
		m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgUpdateCallback, Args: []event.Arg{event.Text(text)}})
	})
}

// revokeInfo is the payload of the event that a message was revoked.
func (r *Row) revokeInfo(c *conversation.Conversation, self string) string {
	w := writer{b: []byte{'[', '{'}}
	w.text(tim.KeyMsgLocatorConvId, c.Peer)
	w.num(tim.KeyMsgLocatorConvType, int64(c.Type))
	w.flag(tim.KeyMsgLocatorIsRevoked, true)
	w.flag(tim.KeyMsgLocatorIsSelf, r.Sender == self)
	w.uint(tim.KeyMsgLocatorRand, uint64(r.Rand))
	w.uint(tim.KeyMsgLocatorSeq, r.publicSeq())
	w.num(tim.KeyMsgLocatorTime, r.moment()/1000)
	w.uint(tim.KeyMsgLocatorUniqueId, r.uniqueID())
	w.text(tim.KeyMsgMsgId, r.MsgID)
	r.revoker(&w)
	return string(append(w.b, "}]"...))
}
