package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

func TestGroupLists(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	const groups = 103
	for i := range groups {
		alice.create(protocol.CreateGroup{ID: fmt.Sprintf("g%03d", i), Type: tim.GroupPublic, Name: fmt.Sprint("name ", i), AddOption: anyone,
			Introduction: "about", Notification: "news", Face: "http://x/y.png"})
	}
	alice.post("g007", "m", "hello")
	var got []string
	cursor, pages := "", 0
	for more := true; more; more, pages = cursor != "", pages+1 {
		page := ask[protocol.JoinedPage](alice, protocol.OpGroupJoined, "", protocol.JoinedGroups{Cursor: cursor})
		for _, g := range page.Groups {
			got = append(got, g.ID)
			if g.Self == nil || g.Self.Role != tim.MemberRoleOwner || g.Introduction != "" {
				t.Fatalf("%+v", g)
			}
		}
		cursor = page.Cursor
	}
	if pages != 2 || len(got) != groups || !slices.IsSorted(got) || len(slices.Compact(got)) != groups {
		t.Errorf("%d pages of %d groups", pages, len(got))
	}
	if got := alice.code(protocol.OpGroupJoined, "", protocol.JoinedGroups{Cursor: "x"}); got != tim.ErrInvalidParameters {
		t.Errorf("a wrong cursor: code %d", got)
	}

	for _, c := range []*client{alice, bob} {
		list := ask[protocol.GroupInfos](c, protocol.OpGroupInfo, "", protocol.GroupInfo{Groups: []string{"g007", "none"}}).List
		if len(list) != 2 || list[1].Code != tim.ErrSVRGroupNotFound || list[1].Group.ID != "none" {
			t.Fatalf("%+v", list)
		}
		g := list[0].Group
		news := map[bool]string{true: "news"}[c == alice]
		if g.ID != "g007" || g.Name != "name 7" || g.Introduction != "about" || g.Notification != news || g.Face != "http://x/y.png" ||
			g.Owner != "alice" || g.Members != 1 || g.MaxMembers != 2000 || g.Created == 0 || g.AddOption != tim.GroupAddOptAny {
			t.Errorf("%+v", g)
		}
		if in := c == alice; (g.Self != nil) != in || (g.Max == 1) != in || (g.LastTime > 0) != in {
			t.Errorf("member %v: %+v", in, g)
		}
	}
	if got := bob.code(protocol.OpGroupInfo, "", protocol.GroupInfo{Groups: make([]string, 51)}); got != tim.ErrInvalidParameters {
		t.Errorf("51 groups at once: code %d", got)
	}
}

func TestGroupMembers(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, eve := s.login(t, "alice"), s.login(t, "eve")
	group := alice.create(protocol.CreateGroup{ID: "m", Type: tim.GroupChatRoom, Name: "n"})
	const members = 55
	for i := range members {
		c := s.login(t, fmt.Sprintf("u%02d", i))
		ask[struct{}](c, protocol.OpGroupJoin, "j", protocol.OneGroup{Group: group})
		c.close()
	}
	ask[struct{}](alice, protocol.OpGroupSetMember, "r", protocol.SetMember{Group: group, User: "u50", Role: number(tim.MemberRoleAdmin)})
	list := func(q protocol.AskMembers) protocol.MemberPage {
		q.Group = group
		return ask[protocol.MemberPage](alice, protocol.OpGroupMembers, "", q)
	}
	names := func(p protocol.MemberPage) (list []string) {
		for _, m := range p.Members {
			list = append(list, m.User)
		}
		return list
	}
	first := list(protocol.AskMembers{})
	second := list(protocol.AskMembers{Next: first.Next})
	all := append(names(first), names(second)...)
	if len(first.Members) != model.MemberPage || first.Next == 0 || second.Next != 0 || len(all) != members+1 ||
		!slices.IsSorted(all) || first.Members[0].Role != tim.MemberRoleOwner || first.Members[0].Option != tim.RecvMsgOptNotNotify ||
		first.Members[1].Option != 0 || first.Members[1].Joined == 0 {
		t.Errorf("pages of %d and %d, %+v", len(first.Members), len(second.Members), first.Members[:2])
	}
	for roles, want := range map[uint64][]string{tim.GroupMemberRoleFlagOwner: {"alice"}, tim.GroupMemberRoleFlagAdmin: {"u50"},
		tim.GroupMemberRoleFlagOwner | tim.GroupMemberRoleFlagAdmin: {"alice", "u50"}} {
		if got := names(list(protocol.AskMembers{Roles: roles})); !slices.Equal(got, want) {
			t.Errorf("roles %d: %v", roles, got)
		}
	}
	if got := list(protocol.AskMembers{Roles: tim.GroupMemberRoleFlagMember}); len(got.Members) != model.MemberPage || got.Members[0].User != "u00" {
		t.Errorf("ordinary members: %v", names(got))
	}
	if got := names(list(protocol.AskMembers{Users: []string{"u03", "eve", "nobody", "alice"}})); !slices.Equal(got, []string{"u03", "alice"}) {
		t.Errorf("by name: %v", got)
	}
	if got := eve.code(protocol.OpGroupMembers, "", protocol.AskMembers{Group: group}); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("who is no member: code %d", got)
	}
	if got := alice.code(protocol.OpGroupMembers, "", protocol.AskMembers{Group: group, Users: make([]string, 101)}); got != tim.ErrSVRGroupAcountCountLimit {
		t.Errorf("101 names: code %d", got)
	}
	if got := alice.code(protocol.OpGroupMembers, "", protocol.AskMembers{}); got != tim.ErrSVRGroupInvalidGroupid {
		t.Errorf("no group: code %d", got)
	}
}

func TestGroupStates(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	states := func(c *client, since int64) (list []protocol.GroupState, now int64) {
		t.Helper()
		cursor := ""
		for more := true; more; more = cursor != "" {
			page := ask[protocol.GroupsPage](c, protocol.OpGroups, "", protocol.Groups{Since: since, Cursor: cursor})
			list, cursor = append(list, page.Groups...), page.Cursor
			if now == 0 {
				now = page.Time
			}
		}
		return list, now
	}
	const groups = 105
	for i := range groups {
		alice.create(protocol.CreateGroup{ID: fmt.Sprintf("g%03d", i), Type: tim.GroupPublic, Name: "n", Members: []protocol.NewMember{{User: "bob"}}})
	}
	alice.post("g003", "m1", "one")
	sent := alice.post("g003", "m2", "two")
	if page := ask[protocol.GroupsPage](bob, protocol.OpGroups, "", protocol.Groups{}); len(page.Groups) != 100 || page.Cursor == "" {
		t.Errorf("a page of %d groups, cursor %q", len(page.Groups), page.Cursor)
	}
	list, now := states(bob, 0)
	if len(list) != groups || now == 0 {
		t.Fatalf("%d groups at %d", len(list), now)
	}
	st := list[0] // the newest conversation of a page comes first
	if st.Group.ID != "g003" || st.Group.Self == nil || st.Pos != sent.Pos || st.Max != sent.Seq || st.PeerCount != 2 || st.Own != 0 ||
		st.ReadCount != 0 || st.ClearSeq != 0 || len(st.Msgs) != 1 || !strings.Contains(string(st.Msgs[0]), "two") {
		t.Errorf("%+v", st)
	}
	if m, ok := protocol.ParseMessage(list[4].Msgs[0]); !ok || m.From != model.SystemSender || list[4].PeerCount != 0 {
		t.Errorf("the tip is not the last message, or counts: %+v", list[4])
	}
	later, _ := states(bob, now+20_000) // more than clocks may differ
	if len(later) != 0 {
		t.Errorf("%d groups changed in the future", len(later))
	}
	ask[struct{}](bob, protocol.OpGroupSetMember, "o", protocol.SetMember{Group: "g004", User: "bob", Option: number(tim.RecvMsgOptNotReceive)})
	if list, _ := states(bob, 0); len(list) != groups-1 {
		t.Errorf("%d groups with one that bob does not want to hear of", len(list))
	}
	ask[protocol.Changed](bob, protocol.OpRead, "read", protocol.Read{Target: protocol.Target{Group: "g003"}, Seq: sent.Seq})
	if list, _ := states(bob, 0); list[0].ReadSeq != sent.Seq || list[0].ReadCount != 2 {
		t.Errorf("after reading: %+v", list[0])
	}
}

// Large last messages make pages shorter: an answer must fit into a line.
func TestGroupStatesStayUnderTheLimit(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	const groups = 100
	text := strings.Repeat("x", 11<<10)
	for i := range groups {
		group := alice.create(protocol.CreateGroup{ID: fmt.Sprintf("g%03d", i), Type: tim.GroupPrivate, Name: "n"})
		alice.post(group, fmt.Sprint("m", i), text)
	}
	got, cursor := 0, ""
	for more := true; more; more = cursor != "" {
		a := alice.call(protocol.OpGroups, "", protocol.Marshal(protocol.Groups{Cursor: cursor}))
		if a.Code != 0 || len(a.Body) > protocol.MaxLine {
			t.Fatalf("code %d, %d bytes", a.Code, len(a.Body))
		}
		got += len(gjson.GetBytes(a.Body, "groups").Array())
		cursor = gjson.GetBytes(a.Body, "cursor").String()
	}
	if got != groups {
		t.Errorf("%d groups", got)
	}
}

func TestTooManyGroups(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	open := bob.create(protocol.CreateGroup{ID: "open", Type: tim.GroupPublic, Name: "n", AddOption: anyone, Approve: anyone})
	var pending []<-chan protocol.Answer
	for i := range model.MaxGroups {
		pending = append(pending, alice.start(protocol.OpGroupCreate, fmt.Sprint("c", i), protocol.Marshal(protocol.CreateGroup{Name: "n"})))
	}
	for _, ch := range pending {
		if a := alice.await(ch); a.Code != 0 {
			t.Fatalf("%d %s", a.Code, a.Desc)
		}
	}
	if got := alice.code(protocol.OpGroupCreate, "one more", protocol.CreateGroup{Name: "n"}); got != tim.ErrSVRGroupCountLimit {
		t.Errorf("creating: code %d", got)
	}
	if got := alice.code(protocol.OpGroupJoin, "j", protocol.OneGroup{Group: open}); got != tim.ErrSVRGroupCountLimit {
		t.Errorf("joining: code %d", got)
	}
	r := ask[protocol.Invited](bob, protocol.OpGroupInvite, "i", protocol.Invite{Group: open, Users: []string{"alice"}})
	if r.Results[0].Result != model.InviteTooManyGroups {
		t.Errorf("inviting: %+v", r)
	}
}
