package message

import (
	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// Delete removes a conversation with its messages, here at once and for this user at the server as soon as it can be
// reached.
func (m *Messages) Delete(typ int, peer string, done event.Done) {
	m.deleteAll([]Target{{Type: typ, Peer: peer}}, true, func(int) event.Done { return done }, done)
}

// DeleteMany removes conversations, with their messages or without, and answers what became of each.
func (m *Messages) DeleteMany(ids []string, clear bool, done event.Done) {
	n := conversations(ids)
	if bad := n.count(tim.ErrInvalidParameters); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	m.deleteAll(n.to, clear, n.each(done), done)
}

// deleteAll deletes conversations in one transaction. each gives what hears of the one or the other; failed hears when the
// database refused them all.
func (m *Messages) deleteAll(list []Target, clear bool, each func(i int) event.Done, failed event.Done) {
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			m.arrivals(tx)
			for i, t := range list {
				if err := m.deleteOne(tx, t, clear, &gather{done: each(i)}); err != nil {
					return err
				}
			}
			return nil
		},
		Failed: m.failing(failed, ""),
	})
}

func (m *Messages) deleteOne(tx *store.Tx, t Target, clear bool, all *gather) error {
	tx.After(all.seal)
	known, err := conversation.Find(tx, t.Type, t.Peer)
	if known == nil || err != nil {
		return err
	}
	e, err := m.book.Open(tx, t.Type, t.Peer)
	if err != nil {
		return err
	}
	silent := e.Type == tim.ConvGroup && e.GroupType != conversation.NoGroup && !e.Topic() // it is in the list without a message
	tell := e.MaxSeq > 0 || e.Attributed() || silent                                       // else the server knows nothing of it
	kind := KindHide
	if clear {
		kind, err = KindClear, m.wipe(tx, e)
	} else {
		m.leave(tx, e)
	}
	if err != nil || !tell {
		return err
	}
	return m.intend(tx, kind, e.ID, all)
}

// leave takes a conversation out of the list, with what belongs to its place there. What is not seen any more counts as
// read.
func (m *Messages) leave(tx *store.Tx, e *conversation.Entry) {
	e.HideSeq, e.Draft = e.MaxSeq, ""
	e.MarkRead(e.MaxSeq, e.PeerCount, m.self.Now().Unix())
	m.book.Detach(tx, e)
	e.Leave(tx)
}

// wipe deletes everything that is here. Messages on their way keep their intents and come back as sent ones.
func (m *Messages) wipe(tx *store.Tx, e *conversation.Entry) error {
	m.leave(tx, e)
	e.ClearSeq, e.LastMsg = e.MaxSeq, 0
	if err := m.unindex(tx, `WHERE conv=? AND status<>?`, e.ID, tim.MsgSending); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM message WHERE conv=? AND status<>?`, e.ID, tim.MsgSending)
}

// clearing is the entry that the server's answer to an own deletion stands for. What was deleted here is gone already: it
// says what else the deletion took away, at its place among the changes of other devices.
func (m *Messages) clearing(e *conversation.Entry, seq, count uint64, hide bool) protocol.Entry {
	entry := protocol.Entry{Kind: protocol.EntryClear, Seq: seq, Count: count, Time: m.self.Now().UnixMilli(),
		Data: protocol.Marshal(protocol.Cleared{Hide: hide})}
	if entry.Group = group(e.Type, e.Peer); entry.Group == "" {
		entry.Peer = e.Peer
	}
	return entry
}
