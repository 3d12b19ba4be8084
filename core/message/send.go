package message

import (
	"encoding/json"
	"strings"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// KindSend is the outbox kind of a message; its reference is the message's row.
const KindSend = "send"

// Send stores the draft and its intent and sends it. done gets the message as it ended.
func (m *Messages) Send(d *Draft, done event.Done) {
	if d.bad != nil {
		d.row.Status = tim.MsgSendFail
		m.Refuse(d, d.bad, done)
		return
	}
	if d.online || d.live != conversation.NoGroup {
		m.sendOnline(d, done)
		return
	}
	if err := m.accepted.remember(d); err != nil {
		m.log.Warn("an accepted message is not protected until it is stored", "err", err)
	}
	m.store.Submit(store.Change{
		Durable: true,
		Apply: func(tx *store.Tx) error {
			tx.After(m.accepted.stored)
			return m.accept(tx, d, done)
		},
		Failed: func(err error) {
			m.accepted.stored()
			d.row.Status = tim.MsgSendFail
			m.Refuse(d, m.dbError(err), done)
		},
	})
}

// accept stores a draft and sends it after the commit.
func (m *Messages) accept(tx *store.Tx, d *Draft, done event.Done) error {
	m.arrivals(tx) // keeps the order of events: messages first
	in := &outbox.Intent{Op: protocol.OpSend, Timeout: m.self.Timeout(), Keep: m.self.Patient()}
	known, err := m.keepIntent(tx, d, in)
	if err != nil {
		return err
	}
	if known != nil {
		return m.already(tx, known, done)
	}
	tx.After(func() {
		m.wait(in.Ref, done)
		if len(d.uploads) > 0 {
			m.startUpload(in.Ref)
			return
		}
		m.outbox.Enter(in)
	})
	return nil
}

// keepIntent writes the draft's row, its conversation and its intent, which it completes. It returns the row of a
// message that is on its way or sent already, and then it writes nothing.
func (m *Messages) keepIntent(tx *store.Tx, d *Draft, in *outbox.Intent) (*Row, error) {
	e, err := m.book.Open(tx, d.typ, d.peer)
	if err != nil {
		return nil, err
	}
	row := *d.row // the draft stays as it is: Apply may run twice
	if d.again {
		known, err := m.known(tx, e.ID, row.MsgID)
		if err == nil && known != nil {
			err = known.revive(tx)
		}
		if err != nil || known != nil && known.Status != tim.MsgSendFail && known.Status != tim.MsgCancel {
			return known, err
		}
		if known != nil {
			row.ID, row.Key, row.Rand = known.ID, known.Key, known.Rand
		}
	}
	row.Conv, row.Sort = e.ID, after(e.MaxSeq)
	if row.ID != 0 {
		err = tx.Exec(`UPDATE message SET status=?,sort=?,elements=?,extra=?,client_time=? WHERE id=?`,
			row.Status, row.Sort, row.Elements, row.Extra, row.ClientTime, row.ID)
	} else {
		err = row.insert(tx)
	}
	if err != nil {
		return nil, err
	}
	in.Lane, in.Kind, in.Ref, in.Key = lane(d.typ, d.peer), KindSend, row.ID, row.Key
	if len(d.uploads) > 0 {
		if err := m.keepUploads(tx, row.ID); err != nil {
			return nil, err
		}
	} else {
		in.Body = protocol.AppendSend(nil, d.peer, d.typ == tim.ConvGroup, row.content())
		if err := outbox.Add(tx, in); err != nil {
			return nil, err
		}
	}
	if row.last() {
		e.LastMsg = row.ID
	}
	e.Touch(tx, row.last() || e.Away())
	return nil, nil
}

// lane is the name of a conversation's lane in the outbox.
func lane(typ int, peer string) string {
	if typ == tim.ConvGroup {
		return "grp " + peer
	}
	return "msg " + peer
}

// known finds the own message that the caller sends again.
func (m *Messages) known(q sqlite.Queryer, conv int64, msgID string) (*Row, error) {
	return one(q, `WHERE msg_id=? AND conv=? AND sender=? ORDER BY id DESC`, msgID, conv, m.self.User)
}

// revive brings a message back that was deleted here before the server had it: it failed, or it is still on its way.
func (r *Row) revive(tx *store.Tx) error {
	if r.Status != tim.MsgDeleted || r.Seq > 0 {
		return nil
	}
	var leaving bool
	if _, err := tx.Get(`SELECT EXISTS (SELECT 1 FROM outbox WHERE kind=? AND ref=?) OR EXISTS (SELECT 1 FROM upload WHERE ref=?)`,
		[]any{&leaving}, KindSend, r.ID, r.ID); err != nil {
		return err
	}
	if r.Status = tim.MsgSendFail; leaving {
		r.Status = tim.MsgSending
	}
	return tx.Exec(`UPDATE message SET status=? WHERE id=?`, r.Status, r.ID)
}

// already answers the repeat of a message that was sent, or joins it while it is on its way.
func (m *Messages) already(tx *store.Tx, row *Row, done event.Done) error {
	if row.Status == tim.MsgSending {
		tx.After(func() { m.wait(row.ID, done) })
		return nil
	}
	text, err := m.publicJSON(tx, row)
	if err == nil {
		tx.After(func() { done(0, "", text) })
	}
	return err
}

// Sender is the outbox kind of messages.
type Sender struct{ M *Messages }

// Request implements outbox.Kind.
func (s Sender) Request(q sqlite.Queryer, ref int64) (string, []byte, error) {
	row, err := byID(q, ref)
	if err != nil || row == nil || row.Status != tim.MsgSending {
		return "", nil, err
	}
	c, err := conversation.ByID(q, row.Conv)
	if err != nil || c == nil {
		return "", nil, err
	}
	return protocol.OpSend, protocol.AppendSend(nil, c.Peer, c.Type == tim.ConvGroup, row.content()), nil
}

// Confirmed implements outbox.Kind.
func (s Sender) Confirmed(tx *store.Tx, in *outbox.Intent, body []byte) error {
	var sent protocol.Sent
	if err := json.Unmarshal(body, &sent); err != nil {
		return err
	}
	row, err := byID(tx, in.Ref)
	if err != nil {
		return err
	}
	if row == nil { // deleted meanwhile
		tx.After(func() { s.M.tell(in.Ref, 0, "", "") })
		return s.M.pos.Applied(tx, groupOf(in.Lane), sent.Pos)
	}
	sent.Group = groupOf(in.Lane) != ""
	if err := s.M.pos.Applied(tx, groupOf(in.Lane), sent.Pos); err != nil {
		return err
	}
	return s.M.sent(tx, row, &sent)
}

// groupOf is the group of a lane, "" when it is no group's.
func groupOf(lane string) string {
	group, _ := strings.CutPrefix(lane, "grp ")
	if group == lane {
		return ""
	}
	return group
}

// Failed implements outbox.Kind.
func (s Sender) Failed(tx *store.Tx, in *outbox.Intent, why *transport.Error) error {
	m := s.M
	m.arrivals(tx)
	row, err := byID(tx, in.Ref)
	if err != nil {
		return err
	}
	if row == nil { // deleted meanwhile
		tx.After(func() { m.tell(in.Ref, why.Code, why.Text, "") })
		return nil
	}
	before := row.Status
	forsaken := in.Keep && in.Timeout == 0 // only the waiting has ended: the message is still on its way
	if row.Status == tim.MsgSending && !forsaken {
		row.Status = tim.MsgSendFail
		if why.Code == tim.ErrSDKSendMessageFailedWithCancel {
			row.Status = tim.MsgCancel
		}
		if err := row.settle(tx); err != nil {
			return err
		}
	}
	return m.settled(tx, row, before, nil, why.Code, why.Text)
}

// Lost implements outbox.Kind.
func (s Sender) Lost(in *outbox.Intent, why *transport.Error) {
	s.M.tell(in.Ref, why.Code, why.Text, "")
}

// sent turns an own row to sent. The answer to the request and the entry in the log both come here; the second finds
// nothing to do.
func (m *Messages) sent(tx *store.Tx, row *Row, as *protocol.Sent) error {
	m.arrivals(tx)
	before := row.Status
	if row.Status != tim.MsgDeleted && row.Status != tim.MsgRevoked {
		row.Status = tim.MsgSendSucc
	}
	row.ServerTime, row.Count, row.Card = as.Time, as.Count, as.Card
	if as.Group {
		row.Count = as.Own
	}
	if as.Unread != nil && row.Unread < 0 {
		row.Unread = *as.Unread
	}
	if as.Seq > 0 { // else the server dropped it: the group had too many
		row.Seq, row.Sort = as.Seq, sortOf(as.Seq)
	}
	if err := m.settle(tx, row); err != nil {
		return err
	}
	if as.Seq > 0 {
		m.extend(tx, row.Conv, as.Seq)
	}
	if err := m.index(tx, row); err != nil {
		return err
	}
	return m.settled(tx, row, before, as, 0, "")
}

// settle writes a row, whose number may be taken by a log that the server has lost.
func (m *Messages) settle(tx *store.Tx, row *Row) error {
	err := row.settle(tx)
	if err == nil {
		return nil
	}
	e, findErr := m.book.OpenByID(tx, row.Conv)
	if findErr != nil || e == nil {
		return err
	}
	if err := m.forgetNumbers(tx, e); err != nil {
		return err
	}
	return row.settle(tx)
}

// settled tells the conversation and whoever waits that the row, which had the status before, has its final state. When
// nobody waits, because the caller was told of a failure or belonged to an earlier process, the change is an event.
func (m *Messages) settled(tx *store.Tx, row *Row, before int, as *protocol.Sent, code int, desc string) error {
	e, err := m.book.OpenByID(tx, row.Conv)
	if err != nil || e == nil {
		return err
	}
	if as != nil && as.Seq > 0 && e.Type == tim.ConvGroup {
		m.ownCount(e, as.Seq, as.Count, as.Own)
	}
	e.MaxSeq = max(e.MaxSeq, row.Seq)
	text := row.json(&e.Conversation, m.self.User)
	changed := row.Status != before
	tx.After(func() {
		if !m.tell(row.ID, code, desc, text) && changed {
			m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgUpdateCallback, Args: []event.Arg{event.Text("[" + text + "]")}})
		}
	})
	if e.LastMsg == row.ID || e.LastMsg == 0 && row.last() && row.Status != tim.MsgDeleted {
		returned := e.LastMsg == 0 || e.Away() && as != nil // the conversation was deleted while the message was on its way
		e.LastMsg = row.ID
		e.Touch(tx, returned)
		return nil
	}
	last, err := latest(tx, &e.Conversation)
	if err == nil && last != e.LastMsg {
		e.LastMsg = last
		e.Touch(tx, false)
	}
	return err
}
