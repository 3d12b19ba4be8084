package message

import (
	"errors"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// metaForgot is set in a database where numbers were forgotten: elsewhere nobody looks for messages that have lost theirs.
const metaForgot = "forgot numbers"

// forgetNumbers makes a conversation's messages local ones, in the order of their times and before everything that the
// server will number. Own ones keep their keys, by which they are known again; the others are known by their ids.
func (m *Messages) forgetNumbers(tx *store.Tx, e *conversation.Entry) error {
	if err := tx.Exec(`UPDATE message SET seq=NULL, sort=? WHERE conv=? AND status<>?`, after(0), e.ID, tim.MsgSending); err != nil {
		return err
	}
	if err := errors.Join(m.forgetRanges(tx.Tx, e.ID), m.hasForgottenNow(tx)); err != nil {
		return err
	}
	fromTheBeginning(e)
	e.Touch(tx, false)
	return nil
}

// fromTheBeginning makes a conversation one whose messages are numbered anew.
func fromTheBeginning(e *conversation.Entry) {
	e.MaxSeq, e.PeerCount, e.ReadSeq, e.ReadCount, e.SeenSeq, e.ClearSeq, e.HideSeq, e.OwnSeq, e.OwnCount, e.At = 0, 0, 0, 0, 0, 0, 0, 0, 0, ""
}

// hasForgottenNow notes that there are messages that have lost their numbers.
func (m *Messages) hasForgottenNow(tx *store.Tx) error {
	forgot := true
	m.forgot.Store(&forgot)
	return store.SetMeta(tx.Tx, metaForgot, "1")
}

// hasForgotten says whether numbers were ever forgotten here.
func (m *Messages) hasForgotten(q sqlite.Queryer) (bool, error) {
	if known := m.forgot.Load(); known != nil {
		return *known, nil
	}
	word, err := store.Meta(q, metaForgot)
	forgot := word != ""
	if err == nil {
		m.forgot.Store(&forgot)
	}
	return forgot, err
}

// forgotten finds a message of the server's that is here and lost its number, nil when there is none.
func (m *Messages) forgotten(tx *store.Tx, e *conversation.Entry, id string) (*Row, error) {
	if forgot, err := m.hasForgotten(tx); !forgot || err != nil {
		return nil, err
	}
	return one(tx, `WHERE msg_id=? AND conv=? AND seq IS NULL AND status NOT IN (?,?)`, id, e.ID, tim.MsgSending, tim.MsgSendFail)
}

// numberAgain gives a message that is here and lost its number the one that the server shows it with now. It returns no row
// when there is none: the message is new here.
func (m *Messages) numberAgain(tx *store.Tx, row *Row) (*Row, error) {
	if forgot, err := m.hasForgotten(tx); !forgot || err != nil {
		return nil, err
	}
	old, err := one(tx, `WHERE msg_id=? AND conv=? AND sender=? AND seq IS NULL AND status NOT IN (?,?)`, row.MsgID, row.Conv, row.Sender,
		tim.MsgSending, tim.MsgSendFail)
	if old == nil || err != nil {
		return nil, err
	}
	old.Seq, old.Sort, old.ServerTime, old.Count = row.Seq, row.Sort, row.ServerTime, row.Count
	return old, old.settle(tx)
}

// admit stores a message that the server shows: anew, or in its row from before. known says that the host has had it.
func (m *Messages) admit(tx *store.Tx, e *conversation.Entry, row *Row, msg *protocol.Message) (stored *Row, known bool, err error) {
	old, err := m.numberAgain(tx, row)
	switch {
	case err != nil:
		return nil, false, err
	case old != nil:
		return old, true, m.amend(tx, e, old, msg)
	}
	if known, err = m.remember(tx, e, row); err != nil {
		return nil, false, err
	}
	if err := row.insert(tx); err != nil || row.Status == tim.MsgDeleted {
		return row, known, err
	}
	return row, known, m.index(tx, row)
}

// removeForgotten deletes what lost its number and is older than a deletion of everything, whose time is in milliseconds:
// the deletion names a number, which says nothing of these.
func (m *Messages) removeForgotten(tx *store.Tx, e *conversation.Entry, time int64) error {
	if forgot, err := m.hasForgotten(tx); !forgot || err != nil {
		return err
	}
	const where = `WHERE conv=? AND seq IS NULL AND server_time BETWEEN 1 AND ?`
	if err := m.unindex(tx, where, e.ID, time); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM message `+where, e.ID, time)
}
