package message

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Confirm notes that the user has read messages and tells their senders. Messages that do not ask for it are passed over.
func (m *Messages) Confirm(tx *sqlite.Tx, user User, w Where, seqs []uint64) ([]changelog.Change, error) {
	p := m.pending(tx)
	at, err := p.place(tx, user, w)
	if at == nil || err != nil {
		return nil, err
	}
	if err := p.writeRows(tx); err != nil {
		return nil, err
	}
	var changes []changelog.Change
	for _, seq := range seqs {
		msg, err := m.one(tx, at, seq)
		if err != nil {
			return nil, err
		}
		if msg == nil || msg.sender == user.UID || !msg.is(flagReceipt) || msg.state().Revoked != nil {
			continue
		}
		more, err := m.confirm(tx, at, msg)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
	}
	return changes, nil
}

func (m *Messages) confirm(tx *sqlite.Tx, at *place, msg *stored) ([]changelog.Change, error) {
	now := m.now().UnixMilli()
	n, err := tx.Change(`INSERT OR IGNORE INTO receipt (conv, seq, uid, time) VALUES (?,?,?,?)`, at.conv(), int64(msg.Seq), at.user.UID, now)
	if n == 0 || err != nil {
		return nil, err
	}
	c, err := count(tx, at.conv(), msg)
	if err != nil {
		return nil, err
	}
	// A group counts in the sender's own log: nobody else is told.
	entry := changelog.Pointer{Kind: protocol.EntryReceipt, Seq: msg.Seq, Time: now, Group: at.group(), Data: protocol.Marshal(c)}
	if at.room == nil {
		entry.Peer = at.user.Name
	}
	change, err := m.log.Note(tx, msg.sender, entry)
	return []changelog.Change{change}, err
}

// Receipts answers how many have confirmed messages.
func (m *Messages) Receipts(q sqlite.Queryer, user User, w Where, seqs []uint64) ([]byte, error) {
	at, err := m.find(q, user, w)
	if err != nil {
		return nil, err
	}
	list := make([]protocol.ReceiptCount, 0, len(seqs))
	for _, seq := range seqs {
		msg, err := m.one(q, at, seq)
		if err != nil {
			return nil, err
		}
		if msg == nil || !msg.is(flagReceipt) {
			list = append(list, protocol.ReceiptCount{Seq: seq, Code: model.CodeReceiptNotAsked})
			continue
		}
		c, err := count(q, at.conv(), msg)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return protocol.Marshal(protocol.Receipts{List: list}), nil
}

// Readers answers who has confirmed a group message, or which present members have not, page by page.
func (m *Messages) Readers(q sqlite.Queryer, user User, w Where, r protocol.Readers) ([]byte, error) {
	at, err := m.find(q, user, w)
	if err != nil {
		return nil, err
	}
	msg, err := m.one(q, at, r.Seq)
	switch {
	case err != nil:
		return nil, err
	case msg == nil || at.room == nil || !msg.is(flagReceipt):
		return nil, refusal.New(model.CodeReceiptNotAsked, "the message does not ask for receipts")
	case msg.sender != user.UID:
		return nil, refusal.New(tim.ErrSVRGroupPermissionDeny, "only the sender may know")
	}
	query := `SELECT uid FROM receipt WHERE conv=? AND seq=? AND uid>? ORDER BY uid LIMIT ?`
	args := []any{at.conv(), int64(r.Seq), int64(r.Next)}
	if r.Unread {
		query = `SELECT uid FROM seat WHERE gid=? AND uid>? AND uid<>? AND uid NOT IN (SELECT uid FROM receipt WHERE conv=? AND seq=?)
			ORDER BY uid LIMIT ?`
		args = []any{at.room.gid, int64(r.Next), user.UID, at.conv(), int64(r.Seq)}
	}
	return m.page(q, r.Count, query, args...)
}

// maxPage is the largest page of users.
const maxPage = 100

// page answers the users that a query finds, whose last parameter is a limit and which continues behind a number.
func (m *Messages) page(q sqlite.Queryer, limit int, query string, args ...any) ([]byte, error) {
	limit = min(max(limit, 1), maxPage)
	var uids []int64
	if err := q.Query(query, func(scan func(...any) error) error {
		var uid int64
		err := scan(&uid)
		uids = append(uids, uid)
		return err
	}, append(args, limit+1)...); err != nil {
		return nil, err
	}
	page := protocol.Page{Users: []protocol.Profile{}}
	if len(uids) > limit {
		uids = uids[:limit]
		page.Next = uint64(uids[limit-1])
	}
	for _, uid := range uids {
		p, err := m.names.Profile(q, uid)
		if err != nil {
			return nil, err
		}
		page.Users = append(page.Users, p)
	}
	return protocol.Marshal(page), nil
}
