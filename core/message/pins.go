package message

import (
	"encoding/json"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// Pin pins a message of a group, or takes the pin away.
func (m *Messages) Pin(s Subject, on bool, done event.Done) {
	bad := s.Unknown()
	if bad == nil {
		bad = m.ask(protocol.OpPin, m.newKey(), protocol.Pin{Group: s.Peer, Seq: s.Seq, On: on}, nil)
	}
	if bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	done(0, "", "")
}

// Pinned answers a group's pinned messages, the newest pin first.
func (m *Messages) Pinned(group string, done event.Done) {
	var a protocol.Pinned
	if bad := m.ask(protocol.OpPinned, "", protocol.Target{Group: group}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	c, err := m.findConversation(tim.ConvGroup, group)
	if err != nil {
		m.failing(done, "")(err)
		return
	}
	if c == nil {
		c = &conversation.Conversation{Type: tim.ConvGroup, Peer: group, GroupType: conversation.NoGroup}
	}
	texts := make([]string, 0, len(a.List))
	for _, p := range a.List {
		if msg, ok := protocol.ParseMessage(p.Msg); ok {
			texts = append(texts, received(c.ID, &msg).pinned(c, m.self.User, pinner{p.By.User, p.By.Nick, p.By.Face}))
		}
	}
	done(0, "", array(texts))
}

// pinChanged tells the host that a message was pinned or not any more.
func (m *Messages) pinChanged(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.Pinning
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	typ, peer := named(entry)
	c, err := conversation.Find(tx, typ, peer)
	if c == nil || err != nil {
		return err
	}
	row, err := one(tx, `WHERE conv=? AND seq=?`, c.ID, int64(entry.Seq))
	if err != nil {
		return err
	}
	text := ""
	switch {
	case row != nil && d.On:
		text = row.pinned(c, m.self.User, pinner{user: d.By})
	case row != nil:
		text = row.locator(c)
	default: // it is not here: its number is all that is known
		text = (&Row{Seq: entry.Seq}).locator(c)
	}
	who := member(peer, protocol.Profile{User: d.By})
	tx.After(func() {
		m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgGroupPinnedMessageChangedCallback,
			Args: []event.Arg{event.Text(peer), event.Text(text), event.Num(map[bool]int{true: 1}[d.On]), event.Text(who)}})
	})
	return nil
}

// locator is the keys that identify a message.
func (r *Row) locator(c *conversation.Conversation) string {
	w := writer{b: []byte{'{'}}
	w.num(tim.KeyMsgClientTime, r.ClientTime)
	w.text(tim.KeyMsgConvId, c.Peer)
	w.num(tim.KeyMsgConvType, int64(c.Type))
	w.text(tim.KeyMsgMsgId, r.MsgID)
	w.uint(tim.KeyMsgRand, uint64(r.Rand))
	w.uint(tim.KeyMsgSeq, r.publicSeq())
	w.num(tim.KeyMsgServerTime, r.ServerTime/1000)
	w.uint(tim.KeyMsgUniqueId, r.uniqueID())
	return string(append(w.b, '}'))
}
