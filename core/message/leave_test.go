package message

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// wrote is a message of bob's as a snapshot brings it.
func wrote(seq uint64) []json.RawMessage {
	m := protocol.Message{Seq: seq, From: "bob", To: "ann", Time: int64(seq) * 1000, Count: seq,
		Content: []byte(`{"id":"b` + string(rune('0'+seq)) + `","el":[{"elem_type":0}]}`)}
	return []json.RawMessage{m.Append(nil)}
}

func (m *Messages) snapshot(t *testing.T, c protocol.Conversation) *conversation.Conversation {
	t.Helper()
	c.Peer, c.PeerCount = "bob", c.Max
	m.write(t, func(tx *store.Tx) error { return m.Snapshot(tx, &c) })
	return m.withBob(t)
}

func (m *Messages) withBob(t *testing.T) (c *conversation.Conversation) {
	t.Helper()
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		c, err = conversation.Find(q, tim.ConvC2C, "bob")
		return err
	})
	if err != nil || c == nil {
		t.Fatal(c, err)
	}
	return c
}

// A conversation of a snapshot stands in the list if there is something newer than what was hidden, in its place even if
// none of its messages can be shown.
func TestSnapshotListsWhatIsNotHidden(t *testing.T) {
	for _, c := range []struct {
		state   protocol.Conversation
		visible bool
		active  int64
	}{
		{protocol.Conversation{Max: 3, Time: 3000, Msgs: wrote(3)}, true, 3000},
		{protocol.Conversation{Max: 3, ClearSeq: 3, ReadSeq: 3, ReadCount: 3, Time: 3000}, true, 3000},
		{protocol.Conversation{Max: 3, HideSeq: 2, Time: 3000, Msgs: wrote(3)}, true, 3000},
		{protocol.Conversation{Max: 3, HideSeq: 3, ReadSeq: 3, ReadCount: 3, Time: 3000, Msgs: wrote(3)}, false, 0},
		{protocol.Conversation{Max: 3, HideSeq: 3, ClearSeq: 3, ReadSeq: 3, ReadCount: 3, Time: 3000}, false, 0},
	} {
		got := drafting(t).snapshot(t, c.state)
		if got.Visible != c.visible || c.visible && got.Active/1024 != c.active {
			t.Errorf("%+v: visible %v at %d", c.state, got.Visible, got.Active)
		}
		if read := c.state.ReadSeq == 3; read != (got.ReadTime == 3) {
			t.Errorf("%+v: read at %d", c.state, got.ReadTime)
		}
	}
}

// What another device hid while this one was away goes here too, unless a draft keeps it; what was put into the list again
// since then stays.
func TestSnapshotHides(t *testing.T) {
	hidden := protocol.Conversation{Max: 3, HideSeq: 3, ReadSeq: 3, ReadCount: 3, Time: 3000}
	for _, draft := range []ConversationDraft{"", "{}"} {
		m := drafting(t)
		m.snapshot(t, protocol.Conversation{Max: 3, Time: 3000, Msgs: wrote(3)})
		m.SetDraft(tim.ConvC2C, "bob", draft)
		if c := m.snapshot(t, hidden); c.Visible != (draft != "") || c.Unread() != 0 {
			t.Errorf("with draft %q: visible %v, %d unread", draft, c.Visible, c.Unread())
		}
		m.CreateConversation(tim.ConvC2C, "bob", func(int, string, string) {})
		if c := m.snapshot(t, hidden); !c.Visible {
			t.Errorf("with draft %q: made again, it has gone once more", draft)
		}
	}
}

// A snapshot that the server made before it knew of an own deletion brings nothing back.
func TestSnapshotOlderThanAnOwnDeletion(t *testing.T) {
	for _, clear := range []bool{true, false} {
		m := drafting(t)
		m.outbox = nil
		m.snapshot(t, protocol.Conversation{Max: 3, Time: 3000, Msgs: wrote(3)})
		m.write(t, func(tx *store.Tx) error {
			m.arrivals(tx)
			e, err := m.book.Open(tx, tim.ConvC2C, "bob")
			if err == nil && clear {
				return m.wipe(tx, e)
			}
			m.leave(tx, e)
			return err
		})
		if c := m.snapshot(t, protocol.Conversation{Max: 3, Time: 3000, Msgs: wrote(3)}); c.Visible || c.Unread() != 0 {
			t.Errorf("clear %v: visible %v, %d unread", clear, c.Visible, c.Unread())
		}
		if c := m.snapshot(t, protocol.Conversation{Max: 4, Time: 4000, Msgs: wrote(4)}); !c.Visible || c.Unread() != 1 {
			t.Errorf("clear %v: something newer, visible %v, %d unread", clear, c.Visible, c.Unread())
		}
	}
}

// History of a conversation that was taken out of the list does not bring it back.
func TestHistoryOfWhatIsHidden(t *testing.T) {
	m := drafting(t)
	m.snapshot(t, protocol.Conversation{Max: 3, HideSeq: 3, ReadSeq: 3, ReadCount: 3, Time: 3000})
	m.write(t, func(tx *store.Tx) error {
		return m.ranged(tx, tim.ConvC2C, "bob", &protocol.Ranged{Lo: 3, Hi: 3, Max: 3, Min: 1, Msgs: wrote(3)})
	})
	if c := m.withBob(t); c.Visible {
		t.Error("it is in the list")
	}
	m.CreateConversation(tim.ConvC2C, "bob", func(int, string, string) {})
	if c := m.withBob(t); !c.Visible || c.LastMsg == 0 {
		t.Errorf("made again: visible %v, last message %d", c.Visible, c.LastMsg)
	}
}

// Deleting elsewhere takes away what is attached here, whether or not the deletion itself follows; clearing the history
// takes nothing.
func TestClearedElsewhereDetaches(t *testing.T) {
	for _, c := range []struct {
		data    string
		stays   bool
		visible bool
	}{{"", false, true}, {`{"all":false}`, false, true}, {`{"all":false,"hide":true}`, false, true}, {`{"all":false,"keep":true}`, true, true},
		{`{"all":true,"keep":true}`, true, true}, {`{"all":true}`, false, false}, {`{"all":true,"hide":true}`, false, false}} {
		m := drafting(t)
		m.snapshot(t, protocol.Conversation{Max: 3, Time: 3000, Msgs: wrote(3)})
		apply := func(kind, peer, data string, seq uint64) {
			m.write(t, func(tx *store.Tx) error {
				return m.Apply(tx, &protocol.Entry{Kind: kind, Peer: peer, Seq: seq, Count: seq, Time: 9000, Data: []byte(data)})
			})
		}
		apply(protocol.EntryAttributes, "", `{"convs":[{"peer":"bob","pin":true,"marks":9223372036854775809,"custom":"x"}]}`, 0)
		apply(protocol.EntryConvGroup, "", `{"do":"create","name":"work","convs":[{"peer":"bob"}]}`, 0)
		want := conversation.Attributes{Pinned: true, Marks: 1<<63 | 1, Custom: "x", Groups: `["work"]`}
		if got := m.withBob(t); got.Attributes != want {
			t.Fatalf("attached is %+v", got.Attributes)
		}
		apply(protocol.EntryClear, "bob", c.data, 3)
		got := m.withBob(t)
		if stays := got.Attributed(); stays != c.stays || stays && got.Attributes != want || got.Visible != c.visible || got.Unread() != 0 {
			t.Errorf("%s: %+v, visible %v, %d unread", c.data, got.Attributes, got.Visible, got.Unread())
		}
		if got.ReadTime != 9 {
			t.Errorf("%s: read at %d, want when the other device did", c.data, got.ReadTime)
		}
	}
}

// told notes the events of conversations.
type told struct{ kinds []uint64 }

func (h *told) Waiting() int { return 0 }
func (h *told) Emit(e event.Event) {
	if e.Setter == tim.OpTIMSetConvEventCallback {
		h.kinds = append(h.kinds, e.Args[0].Num)
	}
}

// A snapshot that brings nothing new tells nothing.
func TestSnapshotTellsWhatChanged(t *testing.T) {
	m, host := drafting(t), &told{}
	m.book = conversation.New(host, func(sqlite.Queryer, *conversation.Conversation) string { return "{}" })
	state := protocol.Conversation{Max: 3, Time: 3000, Msgs: wrote(3)}
	m.snapshot(t, state)
	m.snapshot(t, state)
	if want := []uint64{tim.ConvEventAdd}; !slices.Equal(host.kinds, want) {
		t.Errorf("told %v, want %v", host.kinds, want)
	}
	state.ReadSeq, state.ReadCount = 3, 3
	m.snapshot(t, state)
	m.snapshot(t, protocol.Conversation{Max: 4, Time: 4000, Msgs: wrote(4)})
	if want := []uint64{tim.ConvEventAdd, tim.ConvEventUpdate, tim.ConvEventUpdate}; !slices.Equal(host.kinds, want) {
		t.Errorf("told %v, want %v", host.kinds, want)
	}
}

// standing is Positions whose next entry is always the one that an answer stands for.
type standing struct {
	nowhere
	m *Messages
}

func (s standing) Stands(tx *store.Tx, _ uint64, entry protocol.Entry) error {
	return s.m.Apply(tx, &entry)
}

// Attributes that the server still had when it was asked go when it confirms the deletion.
func TestConfirmedDeletionDetaches(t *testing.T) {
	for _, kind := range []string{KindClear, KindHide} {
		m := drafting(t)
		m.pos = standing{m: m}
		m.snapshot(t, protocol.Conversation{Max: 3, Time: 3000, Msgs: wrote(3)})
		m.write(t, func(tx *store.Tx) error {
			m.arrivals(tx)
			e, err := m.book.Open(tx, tim.ConvC2C, "bob")
			if err == nil {
				m.leave(tx, e)
			}
			return err
		})
		m.write(t, func(tx *store.Tx) error {
			return m.Attributes(tx, &protocol.AllAttributes{Convs: []protocol.Attributes{{Target: protocol.Target{Peer: "bob"}, Pinned: true}}})
		})
		before := m.withBob(t)
		m.write(t, func(tx *store.Tx) error {
			return Position{M: m, Kind: kind}.Confirmed(tx, &outbox.Intent{ID: 1, Ref: before.ID}, []byte(`{"pos":5,"seq":3,"count":3}`))
		})
		if after := m.withBob(t); !before.Pinned || after.Pinned || after.Visible {
			t.Errorf("%s: pinned %v and then %v, visible %v", kind, before.Pinned, after.Pinned, after.Visible)
		}
	}
}
