package message

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// heard is the ids of the messages that the host was told of as new.
func (e *ear) heard() (ids []string) {
	for _, x := range e.events {
		if x.Setter != tim.OpTIMAddRecvNewMsgCallback {
			continue
		}
		for _, m := range gjson.Parse(x.Args[0].Text).Array() {
			ids = append(ids, m.Get(tim.KeyMsgMsgId).String())
		}
	}
	return ids
}

// old is bob's message of so many days ago, in a group or to this user.
func (a *attic) old(group string, seq uint64, days int64) *protocol.Message {
	m := &protocol.Message{Seq: seq, From: "bob", To: "ann", Group: group, Time: a.now.UnixMilli() - days*day, Count: seq,
		Content: fmt.Appendf(nil, `{"id":"i%d","el":[{"elem_type":0}]}`, seq)}
	if group != "" {
		m.To = ""
	}
	return m
}

// fail leaves a message that could not be sent at the end of a conversation: that stays as its last one.
func (a *attic) fail(tx *store.Tx, typ int, peer string) error {
	a.arrivals(tx)
	e, err := a.book.Open(tx, typ, peer)
	if err != nil {
		return err
	}
	r := &Row{Conv: e.ID, Sort: after(e.MaxSeq), MsgID: "own", Sender: "ann", Status: tim.MsgSendFail, ClientTime: a.now.Unix(), Elements: "[]"}
	err = r.insert(tx)
	e.LastMsg = r.ID
	e.Touch(tx, true)
	return err
}

// shown is what the server says of the conversation to a device that is far behind, or of a group that has changed.
func (a *attic) shown(tx *store.Tx, group string, list []*protocol.Message) error {
	var all []json.RawMessage
	for _, m := range list {
		all = append(all, m.Append(nil))
	}
	n := uint64(len(list))
	if group == "" {
		return a.Snapshot(tx, &protocol.Conversation{Peer: "bob", Max: n, PeerCount: n, Msgs: all})
	}
	return a.GroupState(tx, &protocol.GroupState{Group: protocol.Group{ID: group}, Max: n, PeerCount: n, Msgs: all[n-1:]}, false)
}

// What was told and then deleted by a trimming, unread, is not new when the server shows it once more; what is newer is.
func TestTrimmedMessagesAreNotToldAgain(t *testing.T) {
	for _, group := range []string{"", "g"} {
		a, host := newAttic(t), &ear{}
		a.sink = host
		list := []*protocol.Message{a.old(group, 1, 20), a.old(group, 2, 10), a.old(group, 3, 9)}
		for _, m := range list[:2] {
			a.write(t, func(tx *store.Tx) error {
				return a.Apply(tx, &protocol.Entry{Kind: protocol.EntryMessage, Message: *m})
			})
		}
		typ, peer := a.whose(list[0])
		a.write(t, func(tx *store.Tx) error { return a.fail(tx, typ, peer) })
		if done, err := a.Trim(t.Context(), Retention{KeepDays: 5}, false); err != nil || done.Deleted != 2 {
			t.Fatalf("%+v, %v; want both gone", done, err)
		}
		for n := 2; n <= 3; n++ {
			a.write(t, func(tx *store.Tx) error { return a.shown(tx, group, list[:n]) })
		}
		if got := host.heard(); !slices.Equal(got, []string{"i1", "i2", "i3"}) {
			t.Errorf("in group %q the host heard %v", group, got)
		}
	}
}

// aside is a message that is not kept.
func aside(from, to, group, id string) []byte {
	m := protocol.Message{From: from, To: to, Group: group, Time: 1, Content: fmt.Appendf(nil, `{"id":"%s","el":[{"elem_type":0}]}`, id)}
	return m.Append(nil)
}

// The server passes a message on again that nobody keeps when its sender did not get the answer.
func TestWhispersAreHeardOnce(t *testing.T) {
	m, host := drafting(t), &ear{}
	m.sink = host
	for _, body := range [][]byte{aside("bob", "ann", "", "1"), aside("bob", "ann", "", "1"), aside("bob", "ann", "", "2"),
		aside("cid", "ann", "", "1"), aside("bob", "", "g", "1"), aside("bob", "", "g", "1"), aside("ann", "bob", "", "3"),
		aside("ann", "bob", "", "3"), aside("bob", "ann", "", ""), aside("bob", "ann", "", "")} {
		m.Whisper(body)
	}
	if got := host.heard(); !slices.Equal(got, []string{"1", "2", "1", "1", "3", "", ""}) {
		t.Errorf("heard %q", got)
	}
}

// What is remembered of them has an end, and the last ones are in it.
func TestWhispersAreForgotten(t *testing.T) {
	var all whispers
	for range 2 {
		for i := range 3 * maxWhispers {
			if w := (whisper{sender: "bob", id: fmt.Sprint(i)}); !all.add(w) || all.add(w) {
				t.Fatal("message", i)
			}
			if i >= maxWhispers-1 && all.add(whisper{sender: "bob", id: fmt.Sprint(i - maxWhispers + 1)}) {
				t.Fatal("the oldest one is forgotten at message", i)
			}
		}
	}
	if len(all.known) != maxWhispers || len(all.order) != maxWhispers {
		t.Errorf("%d and %d are remembered", len(all.known), len(all.order))
	}
}
