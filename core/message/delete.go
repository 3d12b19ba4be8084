package message

import (
	"encoding/json"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// Erase deletes messages of one conversation: here, and with cloud for this user at the server too.
func (m *Messages) Erase(list []Subject, cloud bool, done event.Done) {
	var numbered []uint64
	for _, s := range list {
		if s.row == nil && (s.Seq == 0 || !cloud) {
			done(tim.ErrInvalidParameters, "no such message", "")
			return
		}
		if s.Seq > 0 {
			numbered = append(numbered, s.Seq)
		}
	}
	at := list[0]
	var a protocol.Changed
	if cloud && len(numbered) > 0 {
		if bad := m.ask(protocol.OpDelete, m.newKey(), protocol.Delete{Target: at.target(), Seqs: numbered}, &a); bad != nil {
			done(bad.Code, bad.Text, "")
			return
		}
	}
	m.change(done, func(tx *store.Tx) (string, error) {
		e, err := m.book.Open(tx, at.Type, at.Peer)
		if err != nil {
			return "", err
		}
		for _, s := range list {
			if s.row == nil {
				continue
			}
			if err := m.strike(tx, s.row.ID); err != nil {
				return "", err
			}
		}
		if err := m.relast(tx, e); err != nil {
			return "", err
		}
		return "", m.pos.Applied(tx, "", a.Pos)
	})
}

// strike marks a message as deleted: it stands in no list any more and is still found by its id.
func (m *Messages) strike(tx *store.Tx, id int64) error {
	if err := m.unindex(tx, `WHERE id=?`, id); err != nil {
		return err
	}
	return tx.Exec(`UPDATE message SET status=? WHERE id=?`, tim.MsgDeleted, id)
}

// relast finds the conversation's last message anew.
func (m *Messages) relast(tx *store.Tx, e *conversation.Entry) error {
	last, err := latest(tx, &e.Conversation)
	if err == nil && last != e.LastMsg {
		e.LastMsg = last
		e.Touch(tx, false)
	}
	return err
}

// EraseLocal deletes every message of a conversation that is here, and nothing at the server.
func (m *Messages) EraseLocal(typ int, peer string, done event.Done) {
	m.eraseLocal(typ, peer, 0, 0, done)
}

// eraseLocal deletes the messages between two times in seconds, 0 meaning no limit.
func (m *Messages) eraseLocal(typ int, peer string, from, to int64, done event.Done) {
	m.change(done, func(tx *store.Tx) (string, error) {
		known, err := conversation.Find(tx, typ, peer)
		if known == nil || err != nil {
			return "", err
		}
		e, err := m.book.Open(tx, typ, peer)
		if err != nil {
			return "", err
		}
		return "", m.strikeBetween(tx, e, from, to)
	})
}

func (m *Messages) strikeBetween(tx *store.Tx, e *conversation.Entry, from, to int64) error {
	where := `WHERE conv=? AND status NOT IN (?,?) AND moment>=? AND moment<?`
	args := []any{e.ID, tim.MsgDeleted, tim.MsgSending, from * 1000, farthest}
	if to > 0 {
		args[4] = (to + 1) * 1000
	}
	if err := m.unindex(tx, where, args...); err != nil {
		return err
	}
	if err := tx.Exec(`UPDATE message SET status=`+deleted+` `+where, args...); err != nil {
		return err
	}
	return m.relast(tx, e)
}

// deleted is tim.MsgDeleted in SQL.
const deleted = "4"

// ClearHistory empties a conversation here and for this user at the server; it stays in the list.
func (m *Messages) ClearHistory(typ int, peer string, done event.Done) {
	known, err := m.findConversation(typ, peer)
	if err != nil {
		m.failing(done, "")(err)
		return
	}
	var a protocol.Changed
	if known != nil && known.MaxSeq > 0 {
		if bad := m.ask(protocol.OpClear, m.newKey(), protocol.Clear{Target: target(typ, peer), Seq: known.MaxSeq, Keep: true}, &a); bad != nil {
			done(bad.Code, bad.Text, "")
			return
		}
	}
	m.change(done, func(tx *store.Tx) (string, error) {
		if known == nil {
			return "", nil
		}
		e, err := m.book.Open(tx, typ, peer)
		if err != nil {
			return "", err
		}
		if err := m.empty(tx, e, known.MaxSeq); err != nil {
			return "", err
		}
		e.MarkRead(max(a.Seq, e.ReadSeq), max(a.Count, e.ReadCount), m.self.Now().Unix())
		e.Touch(tx, false)
		return "", m.pos.Applied(tx, "", a.Pos)
	})
}

// empty removes a conversation's messages up to seq and those that have no number.
func (m *Messages) empty(tx *store.Tx, e *conversation.Entry, seq uint64) error {
	e.ClearSeq = max(e.ClearSeq, seq)
	where := `WHERE conv=? AND status<>? AND (seq IS NULL OR seq<=?)`
	args := []any{e.ID, tim.MsgSending, int64(seq)}
	if err := m.unindex(tx, where, args...); err != nil {
		return err
	}
	if err := tx.Exec(`DELETE FROM message `+where, args...); err != nil {
		return err
	}
	return m.relast(tx, e)
}

// clearedElsewhere applies that another device deleted a conversation, its history or its place in the list. What was
// attached to the conversation goes with it. The rest stays here, unless the server says otherwise; what was deleted counts
// as read.
func (m *Messages) clearedElsewhere(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.Cleared
	if len(entry.Data) > 0 {
		if err := json.Unmarshal(entry.Data, &d); err != nil {
			return err
		}
	}
	if err := m.readElsewhere(tx, entry); err != nil {
		return err
	}
	typ, peer := named(entry)
	known, err := conversation.Find(tx, typ, peer)
	if known == nil || err != nil {
		return err
	}
	e, err := m.book.Open(tx, typ, peer)
	if err != nil {
		return err
	}
	if !d.Keep {
		m.book.Detach(tx, e)
	}
	switch {
	case !d.All:
		return nil
	case d.Hide:
		m.hidden(tx, e, entry.Seq)
		return nil
	}
	if err := m.removeForgotten(tx, e, entry.Time); err != nil {
		return err
	}
	return m.cleared(tx, e, entry.Seq, d.Keep)
}

// hidden takes a conversation out of the list that was hidden up to seq, unless something newer or only known here shows it.
func (m *Messages) hidden(tx *store.Tx, e *conversation.Entry, seq uint64) {
	e.HideSeq = max(e.HideSeq, seq)
	if e.MaxSeq <= seq && e.Draft == "" && e.Visible {
		e.Leave(tx)
	}
}

// deletedElsewhere applies that another device deleted messages.
func (m *Messages) deletedElsewhere(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.Deleted
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	typ, peer := named(entry)
	e, err := m.book.Open(tx, typ, peer)
	if err != nil {
		return err
	}
	for i, seq := range d.Seqs {
		row, err := one(tx, `WHERE conv=? AND seq=?`, e.ID, int64(seq))
		if row == nil && err == nil && i < len(d.IDs) {
			row, err = m.forgotten(tx, e, d.IDs[i])
		}
		if err != nil {
			return err
		}
		if row != nil {
			if err := m.strike(tx, row.ID); err != nil {
				return err
			}
		}
	}
	return m.relast(tx, e)
}
