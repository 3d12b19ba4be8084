package message

import (
	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// metaKept is set in a database that keeps something about messages which are not here: elsewhere nobody looks.
const metaKept = "kept about messages"

// beside is what this device alone knew of a message that the server has: custom data, or that the message is deleted here.
// A damaged database leaves it behind, and it waits until the message comes again.
type beside struct {
	typ      int
	peer     string
	msgID    string
	localInt uint32
	localStr string
	deleted  bool
}

// keepBeside stores what waits for messages. What is there already stays.
func (m *Messages) keepBeside(tx *store.Tx, list []beside) error {
	for _, b := range list {
		if err := tx.Exec(`INSERT OR IGNORE INTO kept (type,peer,msg_id,local_int,local_str,deleted) VALUES (?,?,?,?,?,?)`,
			b.typ, b.peer, b.msgID, b.localInt, b.localStr, b.deleted); err != nil {
			return err
		}
	}
	keeps := true
	m.keeps.Store(&keeps)
	return store.SetMeta(tx.Tx, metaKept, "1")
}

// hasKept says whether anything waits for messages here, or ever did.
func (m *Messages) hasKept(q sqlite.Queryer) (bool, error) {
	if known := m.keeps.Load(); known != nil {
		return *known, nil
	}
	word, err := store.Meta(q, metaKept)
	keeps := word != ""
	if err == nil {
		m.keeps.Store(&keeps)
	}
	return keeps, err
}

// remember gives a message that comes from the server what was kept of it, before it is inserted. was says that the host has
// had it.
func (m *Messages) remember(tx *store.Tx, e *conversation.Entry, row *Row) (was bool, err error) {
	if keeps, err := m.hasKept(tx); !keeps || err != nil {
		return false, err
	}
	var deleted bool
	const this = `WHERE type=? AND peer=? AND msg_id=?`
	was, err = tx.Get(`SELECT local_int,local_str,deleted FROM kept `+this, []any{&row.LocalInt, &row.LocalStr, &deleted}, e.Type, e.Peer, row.MsgID)
	if !was || err != nil {
		return was, err
	}
	if deleted {
		row.Status = tim.MsgDeleted
	}
	return true, tx.Exec(`DELETE FROM kept `+this, e.Type, e.Peer, row.MsgID)
}
