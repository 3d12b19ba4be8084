package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/config"
)

// kinds waits for entries of these kinds, in this order, and passes over all others.
func (c *client) kinds(want ...string) (list []pushed) {
	c.t.Helper()
	for len(want) > 0 {
		for _, e := range entriesOf(c.push(protocol.PushLog)) {
			if len(want) > 0 && e.Kind == want[0] {
				list, want = append(list, e), want[1:]
			}
		}
	}
	return list
}

// drop forgets what was pushed so far.
func (c *client) drop() {
	c.t.Helper()
	ask[protocol.Pong](c, protocol.OpPing, "", nil)
	for {
		select {
		case <-c.pushes:
		default:
			return
		}
	}
}

func dataOf[T any](t *testing.T, e pushed) (v T) {
	t.Helper()
	if err := json.Unmarshal(e.Data, &v); err != nil {
		t.Fatalf("%v in %s", err, e.Data)
	}
	return v
}

func ptr[T any](v T) *T { return &v }

func (c *client) info(group string) protocol.FoundGroup {
	c.t.Helper()
	return ask[protocol.GroupInfos](c, protocol.OpGroupInfo, "", protocol.GroupInfo{Groups: []string{group}}).List[0]
}

// trio is a group of three: its owner, an admin and an ordinary member, and somebody who is not in it.
func trio(t *testing.T, s *running, typ int) (group string, who map[string]*client) {
	t.Helper()
	who = map[string]*client{}
	for _, name := range []string{"owner", "admin", "member", "other"} {
		who[name] = s.login(t, name)
	}
	role := tim.MemberRoleAdmin
	if typ == tim.GroupPrivate {
		role = tim.MemberRoleNormal
	}
	group = who["owner"].create(protocol.CreateGroup{ID: "trio", Type: typ, Name: "n", Introduction: "i", Notification: "s", Face: "f",
		Members: []protocol.NewMember{{User: "admin", Role: role}, {User: "member"}}})
	for _, c := range who {
		c.drop()
	}
	return group, who
}

func TestSetGroup(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	set := protocol.SetGroup{Group: group, Name: ptr("new"), Introduction: ptr("i"), Custom: map[string]string{"a": "1", "b": "2"},
		AddOption: ptr(tim.GroupAddOptAny), MuteAll: ptr(true), MaxMembers: ptr(10)}
	for range 2 { // the second one is the repetition of a lost answer
		ask[struct{}](who["admin"], protocol.OpGroupSet, "s", set)
	}
	for _, name := range []string{"owner", "admin", "member"} {
		c := who[name]
		got := c.kinds(protocol.EntryGroupInfo, protocol.EntryMessage)
		g := dataOf[protocol.Group](t, got[0])
		if g.Name != "new" || g.Owner != "owner" || !g.MuteAll || g.AddOption != tim.GroupAddOptAny || g.MaxMembers != 10 || g.Custom["b"] != "2" || g.Self != nil {
			t.Errorf("%s got %+v", name, g)
		}
		tip := tipOf(t, got[1])
		var changes []string
		for _, ch := range tip.Get(tim.KeyGroupTipsElemGroupChangeInfoArray).Array() {
			changes = append(changes, fmt.Sprintf("%d %s%s", ch.Get(tim.KeyGroupTipGroupChangeInfoFlag).Int(), ch.Get(tim.KeyGroupTipGroupChangeInfoKey), ch.Get(tim.KeyGroupTipGroupChangeInfoValue)))
		}
		if want := []string{"1 new", "6 a1", "6 b2"}; !slices.Equal(changes, want) || tip.Get(tim.KeyGroupTipsElemOpUser).String() != "admin" ||
			tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipGroupInfoChange {
			t.Errorf("%s was told of %v by %s", name, changes, tip)
		}
		c.quiet()
	}
	who["other"].quiet()
	ask[struct{}](who["owner"], protocol.OpGroupSet, "same", protocol.SetGroup{Group: group, Name: ptr("new"), Custom: map[string]string{"a": "1"}})
	ask[struct{}](who["owner"], protocol.OpGroupSet, "gone", protocol.SetGroup{Group: group, Custom: map[string]string{"a": ""}})
	g := dataOf[protocol.Group](t, who["member"].kinds(protocol.EntryGroupInfo)[0])
	if len(g.Custom) != 1 || g.Custom["b"] != "2" {
		t.Errorf("a field without a value stays: %v", g.Custom)
	}
	if f := who["member"].info(group).Group; f.Name != "new" || f.Custom["b"] != "2" || f.Notification != "s" || !f.MuteAll {
		t.Errorf("the group is %+v", f)
	}
}

func TestOptionTips(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.GroupOptionTips = true })
	group, who := trio(t, s, tim.GroupPublic)
	ask[struct{}](who["owner"], protocol.OpGroupSet, "s", protocol.SetGroup{Group: group, MuteAll: ptr(true), Approve: ptr(tim.GroupAddOptAny), AddOption: ptr(0)})
	tip := tipOf(t, who["member"].kinds(protocol.EntryMessage)[0]).Get(tim.KeyGroupTipsElemGroupChangeInfoArray)
	if tip.Get("0."+tim.KeyGroupTipGroupChangeInfoFlag).Int() != tim.GroupTipChangeFlagGroupAddOpt || tip.Get("0."+tim.KeyGroupTipGroupChangeInfoIntValue).Int() != 0 ||
		tip.Get("1."+tim.KeyGroupTipGroupChangeInfoFlag).Int() != tim.GroupTipChangeFlagGroupApproveOpt || tip.Get("1."+tim.KeyGroupTipGroupChangeInfoIntValue).Int() != 2 ||
		tip.Get("2."+tim.KeyGroupTipGroupChangeInfoFlag).Int() != tim.GroupTipChangeFlagShutupAll || !tip.Get("2."+tim.KeyGroupTipGroupChangeInfoBoolValue).Bool() {
		t.Errorf("told %s", tip)
	}
}

func TestRefusedSetGroup(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	many := map[string]string{}
	for i := range 11 {
		many[fmt.Sprint(i)] = "x"
	}
	long := func(n int) *string { return ptr(strings.Repeat("x", n)) }
	for i, c := range []struct {
		who  string
		set  protocol.SetGroup
		code int
	}{
		{"member", protocol.SetGroup{Name: ptr("x")}, tim.ErrSVRGroupPermissionDeny},
		{"member", protocol.SetGroup{MuteAll: ptr(true)}, tim.ErrSVRGroupPermissionDeny},
		{"other", protocol.SetGroup{Name: ptr("x")}, tim.ErrSVRGroupPermissionDeny},
		{"owner", protocol.SetGroup{Name: ptr("")}, tim.ErrSDKGroupInvalidName},
		{"owner", protocol.SetGroup{Name: long(101)}, tim.ErrSDKGroupInvalidName},
		{"owner", protocol.SetGroup{Introduction: long(401)}, tim.ErrSDKGroupInvalidIntroduction},
		{"owner", protocol.SetGroup{Notification: long(401)}, tim.ErrSDKGroupInvalidNotification},
		{"owner", protocol.SetGroup{Face: long(501)}, tim.ErrSDKGroupInvalidFaceURL},
		{"owner", protocol.SetGroup{Name: ptr("fine"), AddOption: ptr(3)}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetGroup{Approve: ptr(-1)}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetGroup{Searchable: ptr(3)}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetGroup{MaxMembers: ptr(2)}, tim.ErrSVRGroupMemberCountLimit},
		{"owner", protocol.SetGroup{MaxMembers: ptr(2001)}, tim.ErrSDKGroupMemberCountLimit},
		{"owner", protocol.SetGroup{Custom: many}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetGroup{Custom: map[string]string{"12345678901234567": "x"}}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetGroup{Custom: map[string]string{"k": *long(513)}}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetGroup{ByRights: ptr(true)}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetGroup{Owner: ptr("member"), Name: ptr("x")}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetGroup{Group: "none", Name: ptr("x")}, tim.ErrSVRGroupNotFound},
	} {
		if c.set.Group == "" {
			c.set.Group = group
		}
		if got := who[c.who].code(protocol.OpGroupSet, fmt.Sprint(i), c.set); got != c.code {
			t.Errorf("%d by %s: code %d, want %d", i, c.who, got, c.code)
		}
	}
	for _, c := range who {
		c.quiet()
	}
	if g := who["owner"].info(group).Group; g.Name != "n" || g.MaxMembers != 2000 || g.AddOption != tim.GroupAddOptAuth {
		t.Errorf("refused changes left %+v", g)
	}
}

func TestWorkGroupIsEverybodys(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPrivate)
	for i, c := range []struct {
		who  string
		set  protocol.SetGroup
		code int
	}{
		{"member", protocol.SetGroup{Group: group, Name: ptr("x")}, 0},
		{"member", protocol.SetGroup{Group: group, Custom: map[string]string{"k": "v"}}, tim.ErrSVRGroupPermissionDeny},
		{"owner", protocol.SetGroup{Group: group, Custom: map[string]string{"k": "v"}}, 0},
		{"owner", protocol.SetGroup{Group: group, MuteAll: ptr(true)}, tim.ErrSVRGroupInvalidParameters},
	} {
		if got := who[c.who].code(protocol.OpGroupSet, fmt.Sprint(i), c.set); got != c.code {
			t.Errorf("%d by %s: code %d, want %d", i, c.who, got, c.code)
		}
	}
	mute := protocol.SetMember{Group: group, User: "member", Mute: ptr(uint32(60))}
	if got := who["owner"].code(protocol.OpGroupSetMember, "m", mute); got != tim.ErrSVRGroupInvalidParameters {
		t.Errorf("nobody is muted in a work group: code %d", got)
	}
}

func TestInfoOfStrangers(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	ask[struct{}](who["owner"], protocol.OpGroupSet, "c", protocol.SetGroup{Group: group, Custom: map[string]string{"k": "v"}})
	who["member"].post(group, "m", "x")
	g := who["other"].info(group).Group
	if g.Name != "n" || g.Introduction != "i" || g.Face != "f" || g.Owner != "owner" || g.Members != 3 || g.MaxMembers != 2000 || g.AddOption != tim.GroupAddOptAuth {
		t.Errorf("a stranger sees %+v", g)
	}
	if g.Notification != "" || g.Custom != nil || g.Self != nil || g.Max != 0 || g.LastTime != 0 || g.Online != 0 {
		t.Errorf("a stranger sees what is for members: %+v", g)
	}
	if g := who["member"].info(group).Group; g.Online != 3 || g.Max == 0 || g.Notification != "s" || g.Custom["k"] != "v" {
		t.Errorf("a member sees %+v", g)
	}
	ask[struct{}](who["owner"], protocol.OpGroupSet, "v", protocol.SetGroup{Group: group, Visible: ptr(1)})
	if f := who["other"].info(group); f.Code != tim.ErrSVRGroupPermissionDeny || f.Group.ID != group || f.Group.Name != "" {
		t.Errorf("of a group that does not show itself: %+v", f)
	}
	if f := who["member"].info(group); f.Code != 0 || f.Group.Name != "n" {
		t.Errorf("its member gets %+v", f)
	}
}

func TestOnlineMembers(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	ask[struct{}](who["member"], protocol.OpGroupSetMember, "o", protocol.SetMember{Group: group, User: "member", Option: ptr(tim.RecvMsgOptNotReceive)})
	who["admin"].close()
	s.waitMetric(t, "timbred_connections 3")
	if n := ask[protocol.OnlineMembers](who["owner"], protocol.OpGroupOnline, "", protocol.OneGroup{Group: group}).Online; n != 2 {
		t.Errorf("%d members are online, want the owner and who does not want to hear of the group", n)
	}
	page := ask[protocol.MemberPage](who["owner"], protocol.OpGroupMembers, "", protocol.AskMembers{Group: group})
	for _, m := range page.Members {
		if m.Online != (m.User != "admin") {
			t.Errorf("%s online: %v", m.User, m.Online)
		}
	}
	if got := who["other"].code(protocol.OpGroupOnline, "", protocol.OneGroup{Group: group}); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a stranger asked with code %d", got)
	}
}

func TestMuteMember(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	mute := func(by, user string, seconds uint32, want int) {
		t.Helper()
		if got := who[by].code(protocol.OpGroupSetMember, fmt.Sprint(by, user, seconds), protocol.SetMember{Group: group, User: user, Mute: &seconds}); got != want {
			t.Errorf("%s mutes %s: code %d, want %d", by, user, got, want)
		}
	}
	mute("member", "admin", 60, tim.ErrSVRGroupPermissionDeny)
	mute("admin", "owner", 60, tim.ErrSVRGroupPermissionDeny)
	mute("admin", "admin", 60, tim.ErrSVRGroupPermissionDeny)
	mute("admin", "other", 60, tim.ErrSVRGroupInvalidParameters)
	mute("other", "member", 60, tim.ErrSVRGroupPermissionDeny)
	who["member"].quiet()
	mute("admin", "member", model.MuteForever, 0)
	got := who["member"].kinds(protocol.EntryGroup, protocol.EntryMembers, protocol.EntryMessage, protocol.EntryReport)
	if m := membershipOf(t, got[0]); !m.In || !m.Changed || m.Group.Self.MuteUntil != model.MuteForever {
		t.Errorf("the muted one knows %+v", m.Group.Self)
	}
	if m := dataOf[protocol.MembersChange](t, got[1]); len(m.Members) != 1 || m.Members[0].User != "member" || m.Members[0].MuteUntil != model.MuteForever || m.Count != 3 {
		t.Errorf("everybody knows %+v", m)
	}
	change := tipOf(t, got[2]).Get(tim.KeyGroupTipsElemMemberChangeInfoArray + ".0")
	if change.Get(tim.KeyGroupTipMemberChangeInfoIdentifier).String() != "member" || change.Get(tim.KeyGroupTipMemberChangeInfoShutupTime).Uint() != model.MuteForever {
		t.Errorf("the tip says %s", change)
	}
	if r := reportOf(t, got[3]); r.Type != tim.GroupReportShutUpMember || r.Mute != model.MuteForever || r.Operator.User != "admin" || r.Name != "n" {
		t.Errorf("reported %+v", r)
	}
	if code := who["member"].postCode(group, "m1", "x"); code != tim.ErrSVRGroupShutupDeny {
		t.Errorf("who is muted sent with code %d", code)
	}
	ask[struct{}](who["member"], protocol.OpGroupQuit, "q", protocol.OneGroup{Group: group})
	ask[struct{}](who["owner"], protocol.OpGroupSet, "open", protocol.SetGroup{Group: group, AddOption: ptr(tim.GroupAddOptAny)})
	ask[struct{}](who["member"], protocol.OpGroupJoin, "j", protocol.JoinGroup{Group: group})
	if code := who["member"].postCode(group, "m2", "x"); code != tim.ErrSVRGroupShutupDeny {
		t.Errorf("who came back sent with code %d", code)
	}
	mute("owner", "member", 0, 0)
	who["member"].post(group, "m3", "x")
}

func TestEverybodyMuted(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	ask[struct{}](who["admin"], protocol.OpGroupSet, "m", protocol.SetGroup{Group: group, MuteAll: ptr(true)})
	for name, want := range map[string]int{"owner": 0, "admin": 0, "member": tim.ErrSVRGroupShutupDeny, "other": tim.ErrSVRGroupPermissionDeny} {
		if got := who[name].postCode(group, "m"+name, "x"); got != want {
			t.Errorf("%s sent with code %d, want %d", name, got, want)
		}
	}
}

func TestNameCardsAndFields(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	six := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6"}
	for i, c := range []struct {
		who string
		set protocol.SetMember
		out int
	}{
		{"member", protocol.SetMember{User: "member", Card: ptr("M"), Custom: map[string]string{"k": "v"}}, 0},
		{"admin", protocol.SetMember{User: "member", Card: ptr("by admin")}, 0},
		{"admin", protocol.SetMember{User: "owner", Card: ptr("x")}, tim.ErrSVRGroupPermissionDeny},
		{"member", protocol.SetMember{User: "admin", Card: ptr("x")}, tim.ErrSVRGroupPermissionDeny},
		{"other", protocol.SetMember{User: "member", Card: ptr("x")}, tim.ErrSVRGroupPermissionDeny},
		{"member", protocol.SetMember{User: "member", Card: ptr(strings.Repeat("x", 51))}, tim.ErrSDKGroupInvalidNameCard},
		{"member", protocol.SetMember{User: "member", Custom: six}, tim.ErrSVRGroupInvalidParameters},
		{"member", protocol.SetMember{User: "member", Custom: map[string]string{"k": strings.Repeat("x", 65)}}, tim.ErrSVRGroupInvalidParameters},
		{"owner", protocol.SetMember{User: "member", Role: ptr(tim.MemberRoleAdmin), Mute: ptr(uint32(9)), Card: ptr(strings.Repeat("x", 51))}, tim.ErrSDKGroupInvalidNameCard},
	} {
		c.set.Group = group
		if got := who[c.who].code(protocol.OpGroupSetMember, fmt.Sprint("k", i), c.set); got != c.out {
			t.Errorf("%d by %s: code %d, want %d", i, c.who, got, c.out)
		}
	}
	page := ask[protocol.MemberPage](who["admin"], protocol.OpGroupMembers, "", protocol.AskMembers{Group: group, Users: []string{"member"}})
	if m := page.Members[0]; m.NameCard != "by admin" || m.Custom["k"] != "v" || m.Role != tim.MemberRoleNormal || m.MuteUntil != 0 {
		t.Errorf("the member is %+v", m)
	}
	changes := who["owner"].kinds(protocol.EntryMembers, protocol.EntryMembers)
	if m := dataOf[protocol.MembersChange](t, changes[1]).Members[0]; m.NameCard != "by admin" || m.Custom["k"] != "v" {
		t.Errorf("everybody knows %+v", m)
	}
	ask[struct{}](who["owner"], protocol.OpGroupSetMember, "all", protocol.SetMember{Group: group, User: "member", Role: ptr(tim.MemberRoleAdmin),
		Mute: ptr(uint32(600)), Card: ptr(""), Custom: map[string]string{"k": ""}})
	page = ask[protocol.MemberPage](who["admin"], protocol.OpGroupMembers, "", protocol.AskMembers{Group: group, Users: []string{"member"}})
	if m := page.Members[0]; m.NameCard != "" || len(m.Custom) != 0 || m.Role != tim.MemberRoleAdmin || m.MuteUntil == 0 || m.MuteUntil == model.MuteForever {
		t.Errorf("after a change of everything the member is %+v", m)
	}
}

func TestMemberPagesByRole(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	sent := who["owner"].post(group, "m", "x")
	ask[struct{}](who["member"], protocol.OpRead, "r", protocol.Read{Target: protocol.Target{Group: group}, Seq: sent.Seq})
	for flags, want := range map[uint64]string{0: "owner admin member", 1: "owner", 2: "admin", 4: "member", 3: "owner admin", 5: "owner member", 7: "owner admin member"} {
		page := ask[protocol.MemberPage](who["member"], protocol.OpGroupMembers, "", protocol.AskMembers{Group: group, Roles: flags})
		var names []string
		for _, m := range page.Members {
			names = append(names, m.User)
			if m.User == "member" && m.ReadSeq != sent.Seq {
				t.Errorf("the member has read up to %d, want %d", m.ReadSeq, sent.Seq)
			}
		}
		slices.Sort(names)
		if expected := strings.Fields(want); !slices.Equal(names, slices.Sorted(slices.Values(expected))) || page.Next != 0 {
			t.Errorf("roles %d: %v, want %s", flags, names, want)
		}
	}
}

func TestAppGroups(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	for i := range 5 {
		alice.create(protocol.CreateGroup{ID: fmt.Sprint("pub", i), Type: tim.GroupPublic, Name: "n"})
	}
	alice.create(protocol.CreateGroup{ID: "work", Type: tim.GroupPrivate, Name: "n"})
	alice.create(protocol.CreateGroup{ID: "meet", Type: tim.GroupChatRoom, Name: "n", Members: []protocol.NewMember{{User: "bob"}}})
	bob.create(protocol.CreateGroup{ID: "bobs", Type: tim.GroupPublic, Name: "n"})
	ask[struct{}](alice, protocol.OpGroupSet, "s", protocol.SetGroup{Group: "pub1", Searchable: ptr(1)})
	list := func(c *client, a protocol.AskAppGroups) (string, protocol.AppGroups) {
		t.Helper()
		got := ask[protocol.AppGroups](c, protocol.OpAppGroups, "", a)
		var ids []string
		for _, g := range got.Groups {
			ids = append(ids, g.ID)
		}
		return strings.Join(ids, " "), got
	}
	all := []int{tim.GroupPublic, tim.GroupPrivate, tim.GroupChatRoom}
	for _, c := range []struct {
		who  *client
		ask  protocol.AskAppGroups
		want string
	}{
		{bob, protocol.AskAppGroups{Types: all}, "pub0 pub2 pub3 pub4 meet bobs"},
		{alice, protocol.AskAppGroups{Types: all}, "pub0 pub1 pub2 pub3 pub4 meet bobs"},
		{bob, protocol.AskAppGroups{Types: all, Role: 1}, "meet bobs"},
		{bob, protocol.AskAppGroups{Types: all, Role: 2}, "bobs"},
		{alice, protocol.AskAppGroups{Types: []int{tim.GroupPrivate}, Role: 2}, "work"},
		{bob, protocol.AskAppGroups{}, ""},
		{bob, protocol.AskAppGroups{Types: all, Start: 4}, "meet bobs"},
		{bob, protocol.AskAppGroups{Types: all, Start: 1, Limit: 2}, "pub2 pub3"},
	} {
		if ids, got := list(c.who, c.ask); ids != c.want || got.Start != c.ask.Start {
			t.Errorf("%+v: %q, want %q, from %d", c.ask, ids, c.want, got.Start)
		}
	}
	var ids []string
	page := protocol.AppGroups{Cursor: ""}
	for more := true; more; more = page.Cursor != "" {
		var some string
		start := len(ids)
		some, page = list(bob, protocol.AskAppGroups{Types: all, Limit: 2, Cursor: page.Cursor})
		if page.Total != 6 || page.Start != start {
			t.Errorf("of %d from %d, want of 6 from %d", page.Total, page.Start, start)
		}
		ids = append(ids, strings.Fields(some)...)
	}
	if got := strings.Join(ids, " "); got != "pub0 pub2 pub3 pub4 meet bobs" {
		t.Errorf("page by page: %q", got)
	}
	if got := bob.code(protocol.OpAppGroups, "", protocol.AskAppGroups{Types: []int{9}}); got != tim.ErrSVRGroupInvalidParameters {
		t.Errorf("an unknown type: code %d", got)
	}
}

func TestMarksOutsideOfLiveRooms(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	for name, want := range map[string]int{"owner": tim.ErrSVRGroupInvalidParameters, "other": tim.ErrSVRGroupPermissionDeny} {
		if got := who[name].code(protocol.OpGroupMark, "m"+name, protocol.MarkMembers{Group: group, Users: []string{"member"}, Mark: 1000, On: true}); got != want {
			t.Errorf("%s marked with code %d, want %d", name, got, want)
		}
	}
}

func TestPushedInfoIsInTheLog(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	ask[struct{}](who["owner"], protocol.OpGroupSet, "s", protocol.SetGroup{Group: group, Face: ptr("other")})
	ask[protocol.GroupCounters](who["owner"], protocol.OpGroupSetCounters, "c", protocol.SetGroupCounters{Group: group, Counters: []protocol.Counter{{Key: "k", Value: 7}}})
	a := who["member"].call(protocol.OpDiff, "", protocol.Marshal(protocol.Diff{Group: group, Epoch: who["member"].epoch()}))
	var kinds []string
	gjson.GetBytes(a.Body, "entries").ForEach(func(_, e gjson.Result) bool {
		kinds = append(kinds, e.Get("k").String())
		return true
	})
	if !slices.Contains(kinds, protocol.EntryGroupInfo) || !slices.Contains(kinds, protocol.EntryGroupCounter) {
		t.Errorf("the log has %v: %s", kinds, a.Body)
	}
}
