package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/config"
)

func peer(name string) protocol.Target      { return protocol.Target{Peer: name} }
func groupConv(name string) protocol.Target { return protocol.Target{Group: name} }

// data reads what the only entry of the next push says, which must be of this kind.
func data[T any](c *client, kind string) (v T) {
	c.t.Helper()
	e := c.entries(1)
	if len(e) != 1 || e[0].Kind != kind {
		c.t.Fatalf("got %+v, want one %s", e, kind)
	}
	if err := json.Unmarshal(e[0].Data, &v); err != nil {
		c.t.Fatal(err)
	}
	return v
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if a, b := string(protocol.Marshal(got)), string(protocol.Marshal(want)); a != b {
		t.Errorf("%s\ngot  %s\nwant %s", what, a, b)
	}
}

func (c *client) attached() protocol.AllAttributes {
	c.t.Helper()
	return ask[protocol.AllAttributes](c, protocol.OpAttributes, "", nil)
}

func pinned(on bool, convs ...protocol.Target) protocol.SetAttributes {
	return protocol.SetAttributes{Convs: convs, Pin: &on}
}

func TestAttributesOnTwoDevices(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	s.login(t, "bob")
	a, b := s.mustDevice(t, "A", "linux"), s.mustDevice(t, "B", "ios")
	marks := protocol.SetAttributes{Convs: []protocol.Target{peer("bob"), peer("nobody"), groupConv("none"), peer("alice"), {}},
		Mark: &protocol.Mark{Bits: 1<<63 | 1, On: true}}
	const failed = tim.ErrSVRConvConvMarkOperateFailed
	got := ask[protocol.ConvsSet](a, protocol.OpSetAttributes, "m", marks)
	want := protocol.ConvsSet{Pos: 1, Codes: []int{0, failed, failed, 0, failed}}
	same(t, "the answer", got, want)
	change := protocol.AttributesChange{Convs: []protocol.Attributes{
		{Target: peer("bob"), Marks: 1<<63 | 1}, {Target: peer("alice"), Marks: 1<<63 | 1}}}
	same(t, "the other device", data[protocol.AttributesChange](b, protocol.EntryAttributes), change)
	same(t, "a repetition", ask[protocol.ConvsSet](a, protocol.OpSetAttributes, "m", marks), want)
	same(t, "nothing new", ask[protocol.ConvsSet](b, protocol.OpSetAttributes, "m2", protocol.SetAttributes{
		Convs: marks.Convs[:1], Mark: marks.Mark}), protocol.ConvsSet{Codes: []int{0}})
	ask[protocol.ConvsSet](b, protocol.OpSetAttributes, "p", pinned(true, peer("bob")))
	change.Convs = []protocol.Attributes{{Target: peer("bob"), Marks: 1<<63 | 1, Pinned: true}}
	same(t, "back again", data[protocol.AttributesChange](a, protocol.EntryAttributes), change)
	a.quiet()
	b.quiet()
	all := s.mustDevice(t, "C", "web").attached()
	if len(all.Convs) != 2 || len(all.Groups) != 0 || all.Cursor != "" {
		t.Errorf("a new device gets %+v", all)
	}
	if len(s.login(t, "bob").attached().Convs) != 0 {
		t.Error("attributes reached another user")
	}
}

func TestRefusedAttributes(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	many := pinned(true, slices.Repeat([]protocol.Target{peer("alice")}, model.MaxConvs+1)...)
	if code := alice.code(protocol.OpSetAttributes, "k", many); code != tim.ErrSVRConvConvMarkReqCountExceedLimit {
		t.Errorf("101 conversations: code %d", code)
	}
	if code := alice.code(protocol.OpSetAttributes, "", pinned(true, peer("alice"))); code != tim.ErrInvalidParameters {
		t.Errorf("without a key: code %d", code)
	}
	if code := alice.code(protocol.OpAttributes, "", protocol.AskAttributes{Cursor: "x"}); code != tim.ErrInvalidParameters {
		t.Errorf("a bad cursor: code %d", code)
	}
	if code := alice.code(protocol.OpClear, "c", protocol.Clear{Target: peer("alice"), Keep: true, Hide: true}); code != tim.ErrInvalidParameters {
		t.Errorf("keep and hide: code %d", code)
	}
	alice.quiet()
}

func TestConversationGroupsOnTwoDevices(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	s.login(t, "bob")
	a, b := s.mustDevice(t, "A", "linux"), s.mustDevice(t, "B", "ios")
	id := a.create(protocol.CreateGroup{ID: "g", Type: tim.GroupPublic, Name: "g"})
	a.logged(1)
	b.logged(1)
	for i, c := range []struct{ change, told protocol.ConvGroupChange }{
		{protocol.ConvGroupChange{Change: "create", Name: "work", Convs: []protocol.Target{peer("bob"), peer("nobody")}},
			protocol.ConvGroupChange{Change: "create", Name: "work", Convs: []protocol.Target{peer("bob")}}},
		{protocol.ConvGroupChange{Change: "create", Name: "work", Convs: []protocol.Target{peer("bob"), groupConv(id)}},
			protocol.ConvGroupChange{Change: "add", Name: "work", Convs: []protocol.Target{groupConv(id)}}},
		{protocol.ConvGroupChange{Change: "remove", Name: "work", Convs: []protocol.Target{peer("bob"), peer("alice")}},
			protocol.ConvGroupChange{Change: "remove", Name: "work", Convs: []protocol.Target{peer("bob")}}},
		{protocol.ConvGroupChange{Change: "rename", Name: "work", New: "工作"}, protocol.ConvGroupChange{Change: "rename", Name: "work", New: "工作"}},
		{protocol.ConvGroupChange{Change: "create", Name: "work"}, protocol.ConvGroupChange{Change: "create", Name: "work"}},
		{protocol.ConvGroupChange{Change: "delete", Name: "work", New: "x"}, protocol.ConvGroupChange{Change: "delete", Name: "work"}},
	} {
		if pos := ask[protocol.ConvsSet](a, protocol.OpSetConvGroup, fmt.Sprint("k", i), c.change).Pos; pos != uint64(i+3) { // behind the membership and the report of the new group
			t.Errorf("%+v stands at %d", c.change, pos)
		}
		same(t, "the other device", data[protocol.ConvGroupChange](b, protocol.EntryConvGroup), c.told)
	}
	same(t, "at the end", b.attached(), protocol.AllAttributes{Convs: []protocol.Attributes{},
		Groups: []protocol.ConvGroup{{Name: "工作", Convs: []protocol.Target{groupConv(id)}}}})
	if code := a.code(protocol.OpSetConvGroup, "k", protocol.ConvGroupChange{Change: "add", Name: "work"}); code != tim.ErrSVRConvConvGroupNotExist {
		t.Errorf("no such group: code %d", code)
	}
	a.quiet()
}

// list returns the conversations of a snapshot by peer.
func (c *client) list(deleted bool) map[string]protocol.Conversation {
	c.t.Helper()
	convs := map[string]protocol.Conversation{}
	for _, conv := range ask[protocol.SnapshotPage](c, protocol.OpSnapshot, "", protocol.Snapshot{Deleted: deleted}).Convs {
		convs[conv.Peer] = conv
	}
	return convs
}

func TestHidingKeepsTheHistory(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	bob := s.login(t, "bob")
	a, b := s.mustDevice(t, "A", "linux"), s.mustDevice(t, "B", "ios")
	for i := range 3 {
		bob.send("alice", fmt.Sprint(i), "x")
	}
	b.entries(3)
	ask[protocol.ConvsSet](a, protocol.OpSetAttributes, "p", pinned(true, peer("bob")))
	b.entries(1)
	got := ask[protocol.Changed](a, protocol.OpClear, "h", protocol.Clear{Target: peer("bob"), Seq: 9, Hide: true})
	if got.Seq != 3 || got.Count != 3 || got.Pos != 5 {
		t.Errorf("%+v", got)
	}
	same(t, "the other device", data[protocol.Cleared](b, protocol.EntryClear), protocol.Cleared{Hide: true})
	if len(a.list(false)) != 0 || len(a.attached().Convs) != 0 {
		t.Errorf("after hiding there are %v with %v", a.list(false), a.attached())
	}
	c := a.list(true)["bob"]
	if c.HideSeq != 3 || c.ClearSeq != 0 || c.ReadSeq != 3 || c.ReadCount != c.PeerCount || c.Time == 0 || len(c.Msgs) != 1 {
		t.Errorf("hidden: %+v", c)
	}
	if r := ask[protocol.Ranged](a, protocol.OpRange, "", protocol.Range{Target: peer("bob"), Limit: 10}); len(r.Msgs) != 3 {
		t.Errorf("%d messages are left", len(r.Msgs))
	}
	if again := ask[protocol.Changed](a, protocol.OpClear, "h2", protocol.Clear{Target: peer("bob"), Seq: 2, Hide: true}); again.Pos != 0 {
		t.Errorf("hiding what is hidden: %+v", again)
	}
	bob.send("alice", "4", "x")
	if c := a.list(false)["bob"]; c.Max != 4 || c.HideSeq != 3 || c.PeerCount-c.ReadCount != 1 {
		t.Errorf("with a newer message: %+v", c)
	}
}

func TestClearingKeepsThePlaceInTheList(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.SyncDeletions = true })
	bob, a, b := s.login(t, "bob"), s.mustDevice(t, "A", "linux"), s.mustDevice(t, "B", "ios")
	last := bob.send("alice", "1", "x")
	b.entries(1)
	ask[protocol.ConvsSet](a, protocol.OpSetAttributes, "p", pinned(true, peer("bob")))
	b.entries(1)
	ask[protocol.Changed](a, protocol.OpClear, "k", protocol.Clear{Target: peer("bob"), Seq: 1, Keep: true})
	same(t, "the other device", data[protocol.Cleared](b, protocol.EntryClear), protocol.Cleared{All: true, Keep: true})
	c := a.list(false)["bob"]
	if c.ClearSeq != 1 || c.HideSeq != 0 || c.Time != last.Time || len(c.Msgs) != 0 || len(a.attached().Convs) != 1 {
		t.Errorf("cleared: %+v", c)
	}
	if got := ask[protocol.Changed](a, protocol.OpClear, "d", protocol.Clear{Target: peer("bob"), Seq: 1}); got.Pos != 4 {
		t.Errorf("deleting what is cleared: %+v", got)
	}
	same(t, "the other device", data[protocol.Cleared](b, protocol.EntryClear), protocol.Cleared{All: true})
	if len(a.list(false)) != 0 || len(a.attached().Convs) != 0 {
		t.Errorf("after deleting there are %v", a.list(false))
	}
	ask[protocol.ConvsSet](a, protocol.OpSetAttributes, "p2", pinned(true, peer("bob")))
	ask[protocol.Changed](a, protocol.OpClear, "d", protocol.Clear{Target: peer("bob"), Seq: 1})
	if len(a.attached().Convs) != 1 {
		t.Error("a repetition took away what was attached since")
	}
}

func TestDeletingAConversationWithoutMessages(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	s.login(t, "bob")
	a, b := s.mustDevice(t, "A", "linux"), s.mustDevice(t, "B", "ios")
	ask[protocol.ConvsSet](a, protocol.OpSetAttributes, "p", pinned(true, peer("bob")))
	b.entries(1)
	if got := ask[protocol.Changed](a, protocol.OpClear, "c", protocol.Clear{Target: peer("bob")}); got.Pos != 2 || got.Seq != 0 {
		t.Errorf("%+v", got)
	}
	if e := b.entries(1)[0]; e.Kind != protocol.EntryClear || e.Peer != "bob" || e.Seq != 0 || e.Count != 0 {
		t.Errorf("%+v", e)
	}
	if got := ask[protocol.Changed](a, protocol.OpClear, "c2", protocol.Clear{Target: peer("bob")}); got.Pos != 0 || len(a.attached().Convs) != 0 {
		t.Errorf("again: %+v", got)
	}
}

func TestGroupsAreHiddenAndLeft(t *testing.T) {
	for _, follow := range []bool{false, true} {
		t.Run(fmt.Sprint("deletions follow: ", follow), func(t *testing.T) { testGroupsAreHiddenAndLeft(t, follow) })
	}
}

func testGroupsAreHiddenAndLeft(t *testing.T, follow bool) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.SyncDeletions = follow })
	a := s.mustDevice(t, "A", "linux")
	bob := s.login(t, "bob")
	id := bob.create(protocol.CreateGroup{ID: "g", Type: tim.GroupPrivate, Name: "g", Members: []protocol.NewMember{{User: "alice"}}})
	a.logged(2)
	sent := bob.post(id, "1", "x")
	state := func() protocol.GroupState {
		return ask[protocol.GroupsPage](a, protocol.OpGroups, "", protocol.Groups{}).Groups[0]
	}
	if st := state(); st.HideSeq != 0 || st.Max != sent.Seq || st.PeerCount-st.ReadCount != 1 {
		t.Errorf("before: %+v", st)
	}
	ask[protocol.Changed](a, protocol.OpClear, "h", protocol.Clear{Target: groupConv(id), Seq: sent.Seq, Hide: true})
	if st := state(); st.HideSeq != sent.Seq || st.ClearSeq != 0 || st.PeerCount != st.ReadCount || len(st.Msgs) != 1 {
		t.Errorf("hidden: %+v", st)
	}
	ask[protocol.Changed](a, protocol.OpClear, "c", protocol.Clear{Target: groupConv(id), Seq: sent.Seq})
	if st := state(); st.HideSeq != sent.Seq || st.ClearSeq != sent.Seq || len(st.Msgs) != 0 {
		t.Errorf("cleared: %+v", st)
	}
	ask[protocol.ConvsSet](a, protocol.OpSetConvGroup, "g", protocol.ConvGroupChange{Change: "create", Name: "x", Convs: []protocol.Target{groupConv(id)}})
	ask[json.RawMessage](a, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: id})
	if got := ask[protocol.Changed](a, protocol.OpClear, "c2", protocol.Clear{Target: groupConv(id), Seq: 99}); got.Pos == 0 || got.Seq != 0 {
		t.Errorf("a group that was left: %+v", got)
	}
	if all := a.attached(); len(all.Groups) != 1 || len(all.Groups[0].Convs) != 0 {
		t.Errorf("%+v", all)
	}
	nothing := map[bool]int{false: tim.ErrSVRGroupPermissionDeny, true: 0}[follow] // the other devices have its messages still
	if code := a.code(protocol.OpClear, "c3", protocol.Clear{Target: groupConv(id), Seq: 99}); code != nothing {
		t.Errorf("with nothing to delete here: code %d, want %d", code, nothing)
	}
}
