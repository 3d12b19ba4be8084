package server_test

import (
	"encoding/json"
	"testing"

	"timbre/model/tim"
	"timbre/protocol"
)

// TestDeletedMessagesCount reads a group's log after the user deleted what he had said: he sees nothing of it, but his
// other devices are told that it was his, or they would take it for unread messages of others.
func TestDeletedMessagesCount(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	group := alice.create(protocol.CreateGroup{Type: tim.GroupPrivate, Name: "n", Members: []protocol.NewMember{{User: "bob"}}})
	alice.post(group, "a1", "one")
	alice.post(group, "a2", "two")
	sent := alice.post(group, "a3", "three")
	ask[protocol.Changed](alice, protocol.OpDelete, "d", protocol.Delete{Target: protocol.Target{Group: group}, Seqs: []uint64{sent.Seq - 2}})
	ask[protocol.Changed](alice, protocol.OpClear, "c", protocol.Clear{Target: protocol.Target{Group: group}, Seq: sent.Seq - 1})
	for _, c := range []struct {
		who  *client
		want []string
	}{
		{alice, []string{protocol.EntryGone, protocol.EntryGone, protocol.EntryMessage}},
		{bob, []string{protocol.EntryMessage, protocol.EntryMessage, protocol.EntryMessage}},
	} {
		a := c.who.call(protocol.OpDiff, "", protocol.Marshal(protocol.Diff{Group: group, Epoch: c.who.epoch(), Pos: sent.Pos - 3}))
		log := protocol.ParseLog(a.Body)
		if len(log.Entries) != 3 {
			t.Fatalf("%d entries, code %d", len(log.Entries), a.Code)
		}
		for i, e := range log.Entries {
			if e.Kind != c.want[i] {
				t.Errorf("entry %d is %s, want %s", i, e.Kind, c.want[i])
			}
			if e.Kind != protocol.EntryGone {
				continue
			}
			var d protocol.OwnMessage
			if err := json.Unmarshal(e.Data, &d); err != nil || d.Own != uint64(i+1) || e.Count != d.Own || e.Seq != sent.Seq-2+uint64(i) || e.Group != group {
				t.Errorf("entry %d: %+v %s", i, e, e.Data)
			}
		}
	}
}
