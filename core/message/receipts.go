package message

import (
	"context"
	"encoding/json"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// receipt is what a read receipt says.
type receipt struct {
	conv         *conversation.Conversation
	msgID        string
	peerRead     bool
	time         int64 // milliseconds
	read, unread uint64
}

func (r receipt) json() string {
	w := writer{b: []byte{'{'}}
	w.text(tim.KeyMsgReceiptConvId, r.conv.Peer)
	w.num(tim.KeyMsgReceiptConvType, int64(r.conv.Type))
	w.flag(tim.KeyMsgReceiptIsPeerRead, r.peerRead)
	w.text(tim.KeyMsgReceiptMsgId, r.msgID)
	w.num(tim.KeyMsgReceiptTimeStamp, r.time/1000)
	for _, k := range []struct {
		key string
		n   uint64
	}{{tim.KeyMsgReceiptReadCount, r.read}, {tim.KeyMsgReceiptUnreadCount, r.unread}} {
		w.uint(k.key, k.n)
		for _, older := range tim.OlderKeys(k.key) {
			w.uint(older, k.n)
		}
	}
	if r.conv.Type == tim.ConvGroup { // what version 6 called them
		w.text(tim.KeyMsgGroupMessageReceiptGroupId, r.conv.Peer)
		w.text(tim.KeyMsgGroupMessageReceiptMsgId, r.msgID)
		w.uint(tim.KeyMsgGroupMessageReceiptReadCount, r.read)
		w.uint(tim.KeyMsgGroupMessageReceiptUnreadCount, r.unread)
	}
	return string(append(w.b, '}'))
}

// tellReceipts emits the event that somebody has read.
func (m *Messages) tellReceipts(tx *store.Tx, list ...receipt) {
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = r.json()
	}
	text := array(texts)
	tx.After(func() {
		m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgReadedReceiptCallback, Args: []event.Arg{event.Text(text)}})
	})
}

// confirmed applies that somebody sent a receipt for an own message. Counts move one way only.
func (m *Messages) confirmed(tx *store.Tx, entry *protocol.Entry) error {
	var n protocol.ReceiptCount
	if err := json.Unmarshal(entry.Data, &n); err != nil {
		return err
	}
	typ, peer := named(entry)
	e, err := m.book.Open(tx, typ, peer)
	if err != nil {
		return err
	}
	row, err := one(tx, `WHERE conv=? AND seq=?`, e.ID, int64(entry.Seq))
	if row == nil || err != nil {
		return err
	}
	before := *row
	row.counted(&n, typ)
	if *row == before {
		return nil
	}
	if err := row.amend(tx); err != nil {
		return err
	}
	if e.LastMsg == row.ID {
		e.Touch(tx, false)
	}
	m.tellReceipts(tx, row.receipt(&e.Conversation, entry.Time))
	return nil
}

func (r *Row) counted(n *protocol.ReceiptCount, typ int) {
	if typ == tim.ConvC2C {
		if n.PeerRead {
			r.Flags |= flagPeerRead
		}
		return
	}
	r.Readers = max(r.Readers, n.Read)
	if unread := int64(n.Unread); r.Unread < 0 || unread < r.Unread {
		r.Unread = unread
	}
}

func (r *Row) receipt(c *conversation.Conversation, time int64) receipt {
	return receipt{conv: c, msgID: r.MsgID, peerRead: r.Flags&flagPeerRead != 0, time: time, read: r.Readers,
		unread: uint64(max(r.Unread, 0))}
}

// Confirm sends receipts for messages of one conversation.
func (m *Messages) Confirm(list []Subject, done event.Done) {
	for i := range list {
		if bad := list[i].Unknown(); bad != nil {
			done(bad.Code, bad.Text, "")
			return
		}
	}
	numbers := seqs(list)
	for len(numbers) > 0 {
		n := min(len(numbers), protocol.MaxRange)
		if bad := m.ask(protocol.OpConfirm, m.newKey(), protocol.Seqs{Target: list[0].target(), Seqs: numbers[:n]}, nil); bad != nil {
			done(bad.Code, bad.Text, "")
			return
		}
		numbers = numbers[n:]
	}
	m.change(done, func(tx *store.Tx) (string, error) {
		e, err := m.book.Open(tx, list[0].Type, list[0].Peer)
		if err != nil {
			return "", err
		}
		for _, s := range list {
			if s.row == nil || s.row.Sender == m.self.User {
				continue
			}
			if err := tx.Exec(`UPDATE message SET flags=flags|? WHERE id=?`, flagConfirmed, s.row.ID); err != nil {
				return "", err
			}
			if e.LastMsg == s.row.ID {
				e.Touch(tx, false)
			}
		}
		return "", nil
	})
}

// Receipts answers how many have confirmed messages of one conversation.
func (m *Messages) Receipts(list []Subject, done event.Done) {
	for i := range list {
		if bad := list[i].Unknown(); bad != nil {
			done(bad.Code, bad.Text, "")
			return
		}
	}
	var a protocol.Receipts
	if bad := m.ask(protocol.OpReceipts, "", protocol.Seqs{Target: list[0].target(), Seqs: seqs(list)}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	byseq := map[uint64]protocol.ReceiptCount{}
	asked := false
	for _, n := range a.List {
		byseq[n.Seq] = n
		asked = asked || n.Code == 0
	}
	if !asked {
		done(model.CodeReceiptNotAsked, "the messages do not ask for receipts", "")
		return
	}
	m.change(done, func(tx *store.Tx) (string, error) {
		e, err := m.book.Open(tx, list[0].Type, list[0].Peer)
		if err != nil {
			return "", err
		}
		texts := make([]string, 0, len(list))
		for _, s := range list {
			n := byseq[s.Seq]
			if n.Code != 0 {
				continue
			}
			text, err := m.receiptOf(tx, e, s, &n)
			if err != nil {
				return "", err
			}
			if text != "" {
				texts = append(texts, text)
			}
		}
		return array(texts), nil
	})
}

// receiptOf renders one receipt and takes the counts over. It is "" for a message that is gone meanwhile.
func (m *Messages) receiptOf(tx *store.Tx, e *conversation.Entry, s Subject, n *protocol.ReceiptCount) (string, error) {
	row := &Row{MsgID: s.ID, Unread: -1}
	if s.row != nil {
		var err error
		if row, err = byID(tx, s.row.ID); row == nil || err != nil {
			return "", err
		}
	}
	before := *row
	row.counted(n, s.Type)
	if s.row != nil && *row != before {
		if err := row.amend(tx); err != nil {
			return "", err
		}
		if e.LastMsg == row.ID {
			e.Touch(tx, false)
		}
	}
	return row.receipt(&e.Conversation, n.Time).json(), nil
}

// ReadersDone gets a page of members: their JSON, the number for the next page and whether it was the last.
type ReadersDone func(members string, next uint64, finished bool)

// Readers answers who has confirmed a group message, or who has not. Whatever fails, the page is empty and the last.
func (m *Messages) Readers(s Subject, unread bool, next uint64, count int, done ReadersDone) {
	if s.Unknown() != nil || s.Type != tim.ConvGroup {
		done("[]", 0, true)
		return
	}
	var page protocol.Page
	if bad := m.ask(protocol.OpReaders, "", protocol.Readers{Target: s.target(), Seq: s.Seq, Unread: unread, Next: next, Count: count}, &page); bad != nil {
		m.log.Warn("the readers of a message could not be had", "code", bad.Code, "why", bad.Text)
		done("[]", 0, true)
		return
	}
	texts := make([]string, len(page.Users))
	for i, p := range page.Users {
		texts[i] = member(s.Peer, p)
	}
	done(array(texts), page.Next, page.Next == 0)
}

// member is a user as a member of a group.
func member(group string, p protocol.Profile) string {
	return (&Row{Sender: p.User}).memberInfo(&conversation.Conversation{Peer: group})
}

func (m *Messages) findConversation(typ int, peer string) (c *conversation.Conversation, err error) {
	err = m.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		c, err = conversation.Find(q, typ, peer)
		return err
	})
	return c, err
}

// counts says whether the message counts as unread for others.
func (r *Row) counts() bool {
	if r.Extra == "" {
		return true
	}
	extra := gjson.Parse(r.Extra)
	return !extra.Get(tim.KeyMsgIsExcludedFromUnreadCount).Bool() && len(extra.Get(tim.KeyMsgTargetGroupMemberArray).Array()) == 0
}
