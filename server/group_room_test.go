package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/config"
)

// filled is a live room of alice's with bob and carol in it, and dave outside.
func (s *running) filled(t *testing.T) (room string, who map[string]*client) {
	t.Helper()
	alice, room := s.studio(t)
	who = map[string]*client{"alice": alice}
	for _, name := range []string{"bob", "carol", "dave"} {
		who[name] = s.login(t, name)
		if name != "dave" {
			who[name].join(room)
			who[name].hear(room, 1) // that he came
		}
	}
	for _, c := range who {
		c.drop()
	}
	return room, who
}

// inRoom waits for an entry of this kind in a live room.
func (c *client) inRoom(kind string) pushed {
	c.t.Helper()
	for {
		p := c.push(protocol.PushLive)
		for _, e := range protocol.ParseLog(p.Body).Entries {
			if e.Kind == kind {
				return pushed{Entry: e, log: e.Message.Group}
			}
		}
	}
}

func TestMarks(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	room, who := s.filled(t)
	n := 0
	mark := func(by string, mark uint32, on bool, want int, users ...string) {
		t.Helper()
		n++
		key := fmt.Sprint("mark", n)
		if got := who[by].code(protocol.OpGroupMark, key, protocol.MarkMembers{Group: room, Users: users, Mark: mark, On: on}); got != want {
			t.Errorf("%s: code %d, want %d", key, got, want)
		}
	}
	listed := func(roles uint64) (names []string) {
		t.Helper()
		page := ask[protocol.MemberPage](who["alice"], protocol.OpGroupMembers, "", protocol.AskMembers{Group: room, Roles: roles})
		for _, m := range page.Members {
			names = append(names, m.User)
		}
		slices.Sort(names)
		return names
	}
	mark("bob", 1000, true, tim.ErrSVRGroupPermissionDeny, "bob")
	mark("dave", 1000, true, tim.ErrSVRGroupPermissionDeny, "bob")
	mark("alice", 999, true, tim.ErrSVRGroupInvalidParameters, "bob")
	mark("alice", 1000, true, tim.ErrSVRGroupAcountCountLimit, make([]string, model.MaxMarkUsers+1)...)
	mark("alice", 1000, true, 0, "dave", "nobody") // who is not there is passed over
	if got := listed(1000); len(got) != 0 {
		t.Errorf("marked are %v", got)
	}
	mark("alice", 1000, true, 0, "bob", "carol", "bob", "dave")
	change := tipOf(t, who["bob"].inRoom(protocol.EntryMessage))
	info := change.Get(tim.KeyGroupTipsElemMemberMarkInfoArray + ".0")
	if change.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipMemberMarkChange || !info.Get(tim.KeyGroupTipMemberChangeInfoEnableMark).Bool() ||
		info.Get(tim.KeyGroupTipMemberMarkChangeInfoMarkType).Int() != 1000 ||
		!slices.Equal(texts(info.Get(tim.KeyGroupTipMemberMarkChangeInfoUserIDList)), []string{"bob", "carol"}) {
		t.Errorf("told %s", change)
	}
	if got := listed(1000); !slices.Equal(got, []string{"bob", "carol"}) {
		t.Errorf("marked are %v", got)
	}
	mark("alice", 1000, false, 0, "carol")
	if got := listed(1000); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("marked are %v", got)
	}
	if got := listed(0); !slices.Equal(got, []string{"alice", "bob", "carol"}) {
		t.Errorf("there are %v", got)
	}
	for i := range uint32(model.MaxMarks - 1) {
		mark("alice", 1001+i, true, 0, "bob")
	}
	mark("alice", 2000, true, tim.ErrSVRGroupInvalidParameters, "carol")
	ask[struct{}](who["bob"], protocol.OpGroupQuit, "q", protocol.OneGroup{Group: room})
	mark("alice", 2000, true, 0, "carol") // nobody has the others any more
	if got := listed(2000); !slices.Equal(got, []string{"carol"}) {
		t.Errorf("marked are %v", got)
	}
}

func TestWhatALiveRoomHas(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	room, who := s.filled(t)
	attrs := ask[protocol.GroupAttributes](who["bob"], protocol.OpGroupSetAttributes, "a", protocol.SetGroupAttributes{Group: room, Way: protocol.AttributesSet, Attrs: map[string]string{"song": "x"}})
	if e := dataOf[protocol.GroupAttributes](t, who["carol"].inRoom(protocol.EntryGroupAttributes)); e.Attrs["song"] != "x" || e.Version != attrs.Version {
		t.Errorf("carol got %+v", e)
	}
	ask[protocol.GroupCounters](who["bob"], protocol.OpGroupSetCounters, "c", protocol.SetGroupCounters{Group: room, Add: true, Counters: []protocol.Counter{{Key: "likes", Value: 3}}})
	if e := dataOf[protocol.Counter](t, who["carol"].inRoom(protocol.EntryGroupCounter)); e != (protocol.Counter{Key: "likes", Value: 3}) {
		t.Errorf("carol got %+v", e)
	}
	ask[struct{}](who["alice"], protocol.OpGroupSet, "s", protocol.SetGroup{Group: room, Name: ptr("new"), Custom: map[string]string{"k": "v"}})
	if e := dataOf[protocol.Group](t, who["carol"].inRoom(protocol.EntryGroupInfo)); e.Name != "new" || e.Custom["k"] != "v" || e.Owner != "alice" {
		t.Errorf("carol got %+v", e)
	}
	if n := ask[protocol.OnlineMembers](who["carol"], protocol.OpGroupOnline, "", protocol.OneGroup{Group: room}).Online; n != 3 {
		t.Errorf("%d are online", n)
	}
	for role, want := range map[int]string{0: "alice bob carol dave", 1: "bob carol alice", 2: "alice"} {
		for name, c := range who {
			page := ask[protocol.AppGroups](c, protocol.OpAppGroups, "", protocol.AskAppGroups{Role: role})
			if found := len(page.Groups) == 1; found != slices.Contains(strings.Fields(want), name) {
				t.Errorf("list %d of %s has %d groups", role, name, len(page.Groups))
			}
		}
	}
}

func TestSilencedInALiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	room, who := s.filled(t)
	mute := protocol.SetMember{Group: room, User: "bob", Mute: ptr(uint32(600))}
	if got := who["carol"].code(protocol.OpGroupSetMember, "c", mute); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("carol mutes with code %d", got)
	}
	ask[struct{}](who["alice"], protocol.OpGroupSetMember, "a", mute)
	if r := who["bob"].report(); r.Type != tim.GroupReportShutUpMember || r.Mute != 600 {
		t.Errorf("reported %+v", r)
	}
	if m := dataOf[protocol.MembersChange](t, who["carol"].inRoom(protocol.EntryMembers)); m.Count != 3 || m.Members[0].User != "bob" || m.Members[0].MuteUntil == 0 {
		t.Errorf("carol got %+v", m)
	}
	if got := who["bob"].postCode(room, "m", "x"); got != tim.ErrSVRGroupShutupDeny {
		t.Errorf("who is muted sent with code %d", got)
	}
	who["carol"].post(room, "m", "x")
	ask[struct{}](who["alice"], protocol.OpGroupSet, "all", protocol.SetGroup{Group: room, MuteAll: ptr(true)})
	if got := who["carol"].postCode(room, "m2", "x"); got != tim.ErrSVRGroupShutupDeny {
		t.Errorf("while all are muted carol sent with code %d", got)
	}
	who["alice"].post(room, "m", "x")
}

func TestWhatALiveRoomHasNot(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	room, who := s.filled(t)
	sent := who["bob"].post(room, "m", "x")
	in := protocol.Target{Group: room}
	seqs := protocol.Seqs{Target: in, Seqs: []uint64{sent.Seq}}
	for i, c := range []struct {
		op   string
		body any
	}{
		{protocol.OpRange, protocol.Range{Target: in, Limit: 10}},
		{protocol.OpGet, protocol.Get{Target: in, Seqs: []uint64{1}}},
		{protocol.OpReceipts, seqs},
		{protocol.OpExtensions, seqs},
		{protocol.OpReactions, seqs},
		{protocol.OpPinned, in},
		{protocol.OpRevoke, protocol.Revoke{Target: in, Seq: sent.Seq}},
		{protocol.OpReact, protocol.React{Target: in, Seq: sent.Seq, ID: "x", On: true}},
		{protocol.OpPin, protocol.Pin{Group: room, Seq: sent.Seq, On: true}},
		{protocol.OpSetExtensions, protocol.SetExtensions{Target: in, Seq: sent.Seq}},
		{protocol.OpGroupSetMember, protocol.SetMember{Group: room, User: "bob", Card: ptr("x")}},
		{protocol.OpGroupSetMember, protocol.SetMember{Group: room, User: "bob", Option: ptr(1)}},
		{protocol.OpGroupSet, protocol.SetGroup{Group: room, AddOption: ptr(0)}},
		{protocol.OpGroupSet, protocol.SetGroup{Group: room, MaxMembers: ptr(10)}},
	} {
		by := who["bob"]
		if c.op == protocol.OpGroupSet {
			by = who["alice"]
		}
		if got := by.code(c.op, fmt.Sprint("k", i), c.body); got != tim.ErrSVRGroupInvalidParameters {
			t.Errorf("%s: code %d", c.op, got)
		}
	}
	for extra, want := range map[string]int{
		`"message_need_read_receipt":true`:              tim.ErrSVRGroupInvalidParameters,
		`"message_target_group_member_array":["carol"]`: tim.ErrSVRGroupInvalidParameters,
	} {
		if got := who["bob"].call(protocol.OpSend, extra, protocol.AppendSend(nil, room, true, extended(extra))).Code; got != want {
			t.Errorf("%s: code %d, want %d", extra, got, want)
		}
	}
}
func TestAdminsOfALiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.LiveAdmins = true })
	room, who := s.filled(t)
	ask[struct{}](who["alice"], protocol.OpGroupSetMember, "r", protocol.SetMember{Group: room, User: "bob", Role: ptr(tim.MemberRoleAdmin)})
	ask[struct{}](who["bob"], protocol.OpGroupSetMember, "m", protocol.SetMember{Group: room, User: "carol", Mute: ptr(uint32(60))})
	if page := ask[protocol.JoinedPage](who["bob"], protocol.OpGroupJoined, "", nil); len(page.Groups) != 0 {
		t.Errorf("he is in %+v", page.Groups)
	}
	if page := ask[protocol.GroupsPage](who["bob"], protocol.OpGroups, "", protocol.Groups{}); len(page.Groups) != 0 {
		t.Errorf("he follows %+v", page.Groups)
	}
	ask[struct{}](who["bob"], protocol.OpGroupQuit, "q", protocol.OneGroup{Group: room})
	if got := who["bob"].code(protocol.OpGroupSetMember, "m2", protocol.SetMember{Group: room, User: "carol", Mute: ptr(uint32(0))}); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("an admin who is not there: code %d", got)
	}
	who["bob"].join(room)
	ask[struct{}](who["bob"], protocol.OpGroupSetMember, "m3", protocol.SetMember{Group: room, User: "carol", Mute: ptr(uint32(0))})
	again := s.login(t, "bob") // his sessions follow no room
	if page := ask[protocol.GroupsPage](again, protocol.OpGroups, "", protocol.Groups{}); len(page.Groups) != 0 {
		t.Errorf("he follows %+v", page.Groups)
	}
	if page := ask[protocol.AppGroups](again, protocol.OpAppGroups, "", protocol.AskAppGroups{Role: 2}); len(page.Groups) != 1 {
		t.Errorf("he administers %+v", page.Groups)
	}
}
