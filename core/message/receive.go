package message

import (
	"encoding/json"
	"errors"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Apply implements sync.Applier.
func (m *Messages) Apply(tx *store.Tx, e *protocol.Entry) error {
	m.arrivals(tx)
	if apply, ok := appliers[e.Kind]; ok {
		return apply(m, tx, e)
	}
	return nil // a kind of a later server means nothing to this client
}

// appliers is what an entry of each kind does.
var appliers = map[string]func(*Messages, *store.Tx, *protocol.Entry) error{
	protocol.EntryMessage: func(m *Messages, tx *store.Tx, e *protocol.Entry) error {
		_, err := m.receive(tx, &e.Message, live)
		return err
	},
	protocol.EntryUpdate:     (*Messages).updated,
	protocol.EntryRead:       (*Messages).readElsewhere,
	protocol.EntryClear:      (*Messages).clearedElsewhere,
	protocol.EntrySeen:       (*Messages).seen,
	protocol.EntryDelete:     (*Messages).deletedElsewhere,
	protocol.EntryReceipt:    (*Messages).confirmed,
	protocol.EntryExtensions: (*Messages).extended,
	protocol.EntryReaction:   (*Messages).reacted,
	protocol.EntryPin:        (*Messages).pinChanged,
	protocol.EntryOption:     (*Messages).optionChanged,
	protocol.EntryGroup:      (*Messages).membership,
	protocol.EntryGroupInfo:  (*Messages).informed,
	protocol.EntryMembers:    (*Messages).membersChanged,
	protocol.EntryGone:       (*Messages).goneElsewhere,
	protocol.EntryAttributes: (*Messages).attributed,
	protocol.EntryConvGroup:  (*Messages).grouped,
	entryOwnAttributes:       (*Messages).ownAttributed,
}

// whose is the conversation of a message.
func (m *Messages) whose(msg *protocol.Message) (typ int, peer string) {
	switch {
	case msg.Group != "":
		return tim.ConvGroup, msg.Group
	case msg.From == m.self.User:
		return tim.ConvC2C, msg.To
	}
	return tim.ConvC2C, msg.From
}

// named is the conversation that an entry is about.
func named(e *protocol.Entry) (typ int, peer string) {
	if e.Group != "" {
		return tim.ConvGroup, e.Group
	}
	return tim.ConvC2C, e.Peer
}

// origin is why a message comes from the server.
type origin int

const (
	live   origin = iota // it is the next one in the log
	listed               // a snapshot shows it: it does not rise to the top of the list
	pulled               // history that somebody asked for: nobody is told
)

// receive stores a message of the server, or what became of one that is there already. It returns no row for one that the
// user has deleted with everything up to it.
func (m *Messages) receive(tx *store.Tx, msg *protocol.Message, from origin) (*Row, error) {
	news := m.arrivals(tx)
	typ, peer := m.whose(msg)
	e, err := m.book.Open(tx, typ, peer)
	if err != nil {
		return nil, err
	}
	if msg.Seq <= e.MaxSeq { // nothing has a greater number
		known, err := one(tx, `WHERE conv=? AND seq=?`, e.ID, int64(msg.Seq))
		if err != nil {
			return nil, err
		}
		if known != nil && from == live {
			err = m.recount(tx, e, known, msg)
		}
		if known != nil {
			return known, errors.Join(err, m.amend(tx, e, known, msg))
		}
	}
	if own, err := m.comeBack(tx, e, msg); own != nil || err != nil {
		return own, err
	}
	row := received(e.ID, msg)
	if row.Count, err = m.count(tx, e, msg, from); err != nil {
		return nil, err
	}
	if msg.Seq <= e.ClearSeq { // the user has deleted it while it was on its way
		if m.unreadChanged(e, msg, row) {
			e.Touch(tx, false)
		}
		return nil, nil
	}
	row, known, err := m.admit(tx, e, row, msg)
	if err != nil {
		return nil, err
	}
	m.extend(tx, e.ID, msg.Seq)
	newest := msg.Seq >= e.MaxSeq
	e.MaxSeq = max(e.MaxSeq, msg.Seq)
	if unread := m.unreadChanged(e, msg, row); from == live && !newest { // the answer to an own later message has overtaken it
		if err := m.overtaken(tx, e, msg.Seq, unread); err != nil {
			return nil, err
		}
	}
	unread := msg.From != m.self.User && msg.Seq > e.ReadSeq
	if from == listed && unread && !known {
		if known, err = wasTrimmed(tx, e.ID, msg.Time); err != nil {
			return nil, err
		}
	}
	if (from == live || from == listed && unread) && row.Status != tim.MsgRevoked && !known {
		m.tips(tx, row)
		news.rows = append(news.rows, arrival{row, e, tx})
	}
	if unread && from == live {
		m.mentioned(e, row)
	}
	if newest {
		if row.last() && row.Status != tim.MsgDeleted {
			e.LastMsg = row.ID
		}
		switch {
		case e.Away() && msg.Seq <= e.HideSeq: // history of a conversation that was taken out of the list
		case from != live:
			e.Place(tx, msg.Time)
		default:
			e.Touch(tx, row.last() || e.Away())
		}
	} else if from == listed { // history has come before the state: the later ones may not be to be shown as the last
		return row, m.relast(tx, e)
	}
	return row, nil
}

// recount counts a message that history brought before the log did: by now it is known how many of a group's messages are
// this user's.
func (m *Messages) recount(tx *store.Tx, e *conversation.Entry, row *Row, msg *protocol.Message) error {
	count, err := m.count(tx, e, msg, live)
	if err != nil {
		return err
	}
	if count > row.Count {
		row.Count = count
		if err := tx.Exec(`UPDATE message SET count=? WHERE id=?`, int64(count), row.ID); err != nil {
			return err
		}
	}
	if msg.From != m.self.User && msg.Seq > e.ReadSeq {
		m.mentioned(e, row)
	}
	appears := e.Away() && msg.Seq > e.HideSeq
	if m.unreadChanged(e, msg, row) || appears {
		e.Touch(tx, appears)
	}
	return nil
}

// overtaken shows a message that is not the newest: it counts, and it is the last one where the later ones are not to be
// shown as such.
func (m *Messages) overtaken(tx *store.Tx, e *conversation.Entry, seq uint64, unread bool) error {
	if appears := e.Away() && seq > e.HideSeq; appears || unread {
		e.Touch(tx, appears)
	}
	return m.relast(tx, e)
}

// comeBack recognises an own message that was sent from here.
func (m *Messages) comeBack(tx *store.Tx, e *conversation.Entry, msg *protocol.Message) (*Row, error) {
	if msg.From != m.self.User || msg.Key == "" {
		return nil, nil
	}
	own, err := one(tx, `WHERE msg_id=? AND key=?`, gjson.GetBytes(msg.Content, protocol.ContentID).String(), msg.Key)
	if own == nil || err != nil {
		return nil, err
	}
	if err := m.sent(tx, own, &protocol.Sent{Seq: msg.Seq, Time: msg.Time, Count: msg.Count, Own: msg.Own, Group: msg.Group != "",
		Card: gjson.GetBytes(msg.Content, protocol.ContentCard).String()}); err != nil {
		return nil, err
	}
	return own, m.amend(tx, e, own, msg)
}

// count is the number that a row of this message carries: of the countable messages of others up to it, or, for own
// messages, of this user's. Where it is not known exactly it is too small: what the server says later can raise it.
func (m *Messages) count(q sqlite.Queryer, e *conversation.Entry, msg *protocol.Message, from origin) (uint64, error) {
	if e.Type != tim.ConvGroup {
		return msg.Count, nil
	}
	own := msg.Own
	if msg.From == m.self.User {
		return own, nil
	}
	if from == pulled && e.OwnSeq < msg.Seq { // asked for before the group's state was here
		return 0, nil
	}
	if own = e.OwnCount; e.OwnSeq > msg.Seq { // history, or overtaken by the answer to an own message
		later, err := one(q, `WHERE conv=? AND sender=? AND seq>? ORDER BY seq`, e.ID, m.self.User, int64(msg.Seq))
		if err != nil {
			return 0, err
		}
		if later != nil {
			if own = later.Count; later.counts() && later.Status != tim.MsgRevoked && own > 0 { // revoked: nobody knows whether it counted
				own--
			}
		}
	}
	return msg.Count - min(own, msg.Count), nil
}

// unreadChanged brings the conversation's counts up to the message.
func (m *Messages) unreadChanged(e *conversation.Entry, msg *protocol.Message, row *Row) bool {
	before := e.PeerCount
	switch {
	case msg.From != m.self.User:
		grow(e, row.Count)
	case e.Type == tim.ConvGroup:
		m.ownCount(e, msg.Seq, msg.Count, msg.Own)
	}
	return e.PeerCount > before
}

// ownCount takes over how many of a group's countable messages are this user's.
func (m *Messages) ownCount(e *conversation.Entry, seq, count, own uint64) {
	if seq > e.OwnSeq {
		e.OwnSeq, e.OwnCount = seq, own
	}
	grow(e, count-min(own, count))
}

// goneElsewhere counts a message that came and was deleted on this user's other devices while this one was away.
func (m *Messages) goneElsewhere(tx *store.Tx, entry *protocol.Entry) error {
	typ, peer := named(entry)
	e, err := m.book.Open(tx, typ, peer)
	if err != nil {
		return err
	}
	before := e.PeerCount
	switch {
	case len(entry.Data) > 0:
		var d protocol.OwnMessage
		if err := json.Unmarshal(entry.Data, &d); err != nil {
			return err
		}
		m.ownCount(e, entry.Seq, entry.Count, d.Own)
	case typ != tim.ConvGroup:
		grow(e, entry.Count)
	case entry.Seq >= e.OwnSeq:
		grow(e, entry.Count-min(e.OwnCount, entry.Count))
	}
	e.MaxSeq = max(e.MaxSeq, entry.Seq)
	if appears := e.Away() && entry.Seq > e.HideSeq; appears || e.PeerCount != before {
		e.Touch(tx, appears)
	}
	return nil
}

// grow raises how many countable messages of others there are. While the user does not want to hear of a group, what he
// learns of it in passing, as by a message of his own, counts for nothing.
func grow(e *conversation.Entry, count uint64) {
	if e.Type != tim.ConvGroup || e.Option != tim.RecvMsgOptNotReceive {
		e.PeerCount = max(e.PeerCount, count)
	}
}

// mentioned notes that an unread message speaks to this user.
func (m *Messages) mentioned(e *conversation.Entry, row *Row) {
	if row.Extra == "" || e.Type != tim.ConvGroup {
		return
	}
	typ := 0
	for _, v := range gjson.Get(row.Extra, tim.KeyMsgGroupAtUserArray).Array() {
		switch {
		case model.IsAtAll(v.String()):
			typ |= tim.GroupAtAll
		case v.String() == m.self.User:
			typ |= tim.GroupAtMe
		}
	}
	if typ != 0 {
		e.Mention(protocol.Mention{Seq: row.Seq, Type: typ})
	}
}

// tips tells the host of a group tip by its own event too.
func (m *Messages) tips(tx *store.Tx, row *Row) {
	if len(tipsOf(row)) > 0 {
		tx.After(func() { m.emitTips(row) })
	}
}

// tipsOf is the tips that a message of the system carries.
func tipsOf(row *Row) (texts []string) {
	if row.Sender != model.SystemSender {
		return nil
	}
	for _, e := range gjson.Parse(row.Elements).Array() {
		if e.Get(tim.KeyElemType).Int() == tim.ElemGroupTips {
			texts = append(texts, e.Raw)
		}
	}
	return texts
}

// readElsewhere applies a read position that another device of this user, or this one, has set.
func (m *Messages) readElsewhere(tx *store.Tx, entry *protocol.Entry) error {
	typ, peer := named(entry)
	e, err := m.book.Open(tx, typ, peer)
	if err != nil || entry.Seq <= e.ReadSeq && entry.Count <= e.ReadCount {
		return err
	}
	at := entry.Time / 1000
	if at == 0 {
		at = m.self.Now().Unix()
	}
	e.MarkRead(entry.Seq, entry.Count, at)
	e.Touch(tx, false)
	if typ == tim.ConvGroup {
		m.reportRead(tx, e, at*1000)
	}
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
	m.tellReceipts(tx, receipt{conv: &e.Conversation, peerRead: true, time: e.SeenTime})
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
