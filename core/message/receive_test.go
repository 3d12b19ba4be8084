package message

import (
	"context"
	"encoding/json"
	"testing"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// said is a message of a group as a page of history brings it.
func said(from string, seq, count, own uint64) json.RawMessage {
	m := protocol.Message{Seq: seq, From: from, Group: "g", Time: 1, Count: count, Own: own, Content: []byte(`{"id":"` + from + `","el":[{"elem_type":0}]}`)}
	return m.Append(nil)
}

func (m *Messages) write(t *testing.T, apply func(tx *store.Tx) error) {
	t.Helper()
	if err := m.store.Write(context.Background(), apply); err != nil {
		t.Fatal(err)
	}
}

func (m *Messages) inGroup(t *testing.T) (c *conversation.Conversation, n int) {
	t.Helper()
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		if c, err = conversation.Find(q, tim.ConvGroup, "g"); err == nil {
			_, err = q.Get(`SELECT count(*) FROM message`, []any{&n})
		}
		return err
	})
	if err != nil || c == nil {
		t.Fatal(c, err)
	}
	return c, n
}

// A host may open a group before the group's state has come. How many of the messages are this user's is not known then.
func TestHistoryBeforeTheGroupsState(t *testing.T) {
	m := drafting(t)
	page := &protocol.Ranged{Lo: 2, Hi: 3, Max: 3, Min: 1, Msgs: []json.RawMessage{said("bob", 2, 2, 1), said("bob", 3, 3, 2)}}
	m.write(t, func(tx *store.Tx) error { return m.ranged(tx, tim.ConvGroup, "g", page) })
	m.write(t, func(tx *store.Tx) error {
		return m.GroupState(tx, &protocol.GroupState{Group: protocol.Group{ID: "g"}, Max: 3, PeerCount: 2, Own: 1}, false)
	})
	if c, _ := m.inGroup(t); c.Unread() != 2 {
		t.Errorf("%d are unread, want 2: the first message is this user's own", c.Unread())
	}
}

// A page that was asked for before the user deleted everything, and that comes afterwards, brings nothing back.
func TestHistoryThatComesAfterItsDeletion(t *testing.T) {
	m := drafting(t)
	page := &protocol.Ranged{Lo: 1, Hi: 3, Max: 3, Min: 1, Msgs: []json.RawMessage{said("ann", 1, 1, 1), said("bob", 2, 2, 1), said("bob", 3, 3, 2)}}
	m.write(t, func(tx *store.Tx) error {
		e, err := m.book.Open(tx, tim.ConvGroup, "g")
		if err == nil {
			e.ClearSeq, e.MaxSeq = 2, 2
			err = m.ranged(tx, tim.ConvGroup, "g", page)
		}
		return err
	})
	if _, n := m.inGroup(t); n != 1 {
		t.Errorf("%d messages are here, want the one behind what was deleted", n)
	}
}

// A user may write to a group as soon as he is in it, and hear of his coming in by the log afterwards.
func TestComingInAfterTheFirstOwnMessage(t *testing.T) {
	m := drafting(t)
	m.pos = nowhere{}
	m.write(t, func(tx *store.Tx) error {
		e, err := m.book.Open(tx, tim.ConvGroup, "g")
		if err == nil {
			m.ownCount(e, 2, 1, 1)
		}
		return err
	})
	in := protocol.Membership{In: true, Pos: 1, Group: &protocol.Group{ID: "g", Max: 1, Self: &protocol.Self{}}}
	m.write(t, func(tx *store.Tx) error {
		return m.Apply(tx, &protocol.Entry{Kind: protocol.EntryGroup, Group: "g", Data: protocol.Marshal(in)})
	})
	msg, _ := protocol.ParseMessage(said("bob", 3, 2, 1))
	m.write(t, func(tx *store.Tx) error {
		return m.Apply(tx, &protocol.Entry{Kind: protocol.EntryMessage, Message: msg})
	})
	if c, _ := m.inGroup(t); c.Unread() != 1 {
		t.Errorf("%d are unread, want bob's alone", c.Unread())
	}
}

// A host may open a group while the log is on its way, so that history brings messages before the log does. They count all
// the same.
func TestHistoryAheadOfTheLog(t *testing.T) {
	m := drafting(t)
	page := &protocol.Ranged{Lo: 2, Hi: 3, Max: 3, Min: 1, Msgs: []json.RawMessage{said("bob", 2, 2, 2), said("bob", 3, 3, 3)}}
	m.write(t, func(tx *store.Tx) error { return m.ranged(tx, tim.ConvGroup, "g", page) })
	for seq := range uint64(3) {
		msg, _ := protocol.ParseMessage(said("bob", seq+1, seq+1, seq+1))
		m.write(t, func(tx *store.Tx) error {
			return m.Apply(tx, &protocol.Entry{Kind: protocol.EntryMessage, Message: msg})
		})
	}
	if c, n := m.inGroup(t); c.Unread() != 3 || n != 3 {
		t.Errorf("%d of %d messages are unread, want 3 of 3", c.Unread(), n)
	}
}

// The newest page may bring only messages that are not to be shown as the last one, and the group's state the one that is.
func TestStateBehindItsHistory(t *testing.T) {
	m := drafting(t)
	quiet := protocol.Message{Seq: 2, From: "bob", Group: "g", Time: 1, Count: 2,
		Content: []byte(`{"id":"quiet","el":[{"elem_type":0}],"x":{"` + tim.KeyMsgExcludedFromLastMessage + `":true}}`)}
	page := &protocol.Ranged{Lo: 2, Hi: 2, Max: 2, Min: 1, Msgs: []json.RawMessage{quiet.Append(nil)}}
	m.write(t, func(tx *store.Tx) error { return m.ranged(tx, tim.ConvGroup, "g", page) })
	m.write(t, func(tx *store.Tx) error {
		return m.GroupState(tx, &protocol.GroupState{Group: protocol.Group{ID: "g"}, Max: 2, PeerCount: 2,
			Msgs: []json.RawMessage{said("bob", 1, 1, 1)}}, false)
	})
	if c, _ := m.inGroup(t); c.LastMsg == 0 {
		t.Error("the conversation shows no last message")
	}
}
