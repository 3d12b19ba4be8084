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

func TestCreateGroupWithMembers(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	id := alice.create(protocol.CreateGroup{Type: tim.GroupPrivate, Name: "team", Members: []protocol.NewMember{
		{User: "bob"}, {User: "carol", Role: tim.MemberRoleNormal}, {User: "alice"}, {User: "bob"}}})
	if !strings.HasPrefix(id, model.GroupPrefix) || len(id) > model.MaxGroupID {
		t.Errorf("the server made the id %q", id)
	}
	for _, c := range []*client{alice, bob, carol} {
		log := c.heard(4)
		m := membershipOf(t, log[0])
		want := map[bool]int{true: tim.GroupReportCreate, false: tim.GroupReportInvite}[c == alice]
		if r := reportOf(t, log[3]); r.Type != want || r.Operator.User != "alice" || r.Operator.Role != tim.MemberRoleOwner || r.Name != "team" || r.Platform != "linux" {
			t.Errorf("report %+v, want %d", r, want)
		}
		if change := membersOf(t, log[1]); log[1].pos != 1 || change.Count != 3 || len(change.Members) != 3 || change.Members[0].Role != tim.MemberRoleOwner {
			t.Errorf("at %d %+v", log[1].pos, change)
		}
		if !m.In || m.Pos != 0 || m.Changed || m.Group == nil || m.Group.ID != id || m.Group.Name != "team" || m.Group.Members != 3 ||
			m.Group.Owner != "alice" || m.Group.MaxMembers != 200 || m.Group.Self == nil {
			t.Fatalf("membership %+v of %+v", m, m.Group)
		}
		if want := map[bool]int{true: tim.MemberRoleOwner, false: tim.MemberRoleNormal}[c == alice]; m.Group.Self.Role != want {
			t.Errorf("role %d, want %d", m.Group.Self.Role, want)
		}
		tip := tipOf(t, log[2])
		if log[2].pos != 2 || log[2].log != id || log[2].Message.Seq != 1 || log[2].Message.Count != 0 {
			t.Errorf("the tip stands at %d of %s as number %d", log[2].pos, log[2].log, log[2].Message.Seq)
		}
		if got := texts(tip.Get(tim.KeyGroupTipsElemUserArray)); !slices.Equal(got, []string{"bob", "carol"}) {
			t.Errorf("the tip is about %v", got)
		}
		for key, want := range map[string]string{
			tim.KeyGroupTipsElemTipType: "1", tim.KeyGroupTipsElemJoinType: "2", tim.KeyGroupTipsElemOpUser: "alice",
			tim.KeyGroupTipsElemMemberNum: "3", tim.KeyGroupTipsElemPlatform: "Linux", tim.KeyGroupTipsElemGroupName: "team",
			tim.KeyGroupTipsElemOpUserInfo + "." + tim.KeyUserProfileIdentifier:                     "alice",
			tim.KeyGroupTipsElemOpGroupMemberInfo + "." + tim.KeyGroupMemberInfoMemberRole:          "400",
			tim.KeyGroupTipsElemChangedGroupMemberInfoArray + ".1." + tim.KeyGroupMemberInfoGroupId: id,
			tim.KeyGroupTipsElemChangedUserInfoArray + ".0." + tim.KeyUserProfileIdentifier:         "bob",
		} {
			if got := tip.Get(key).String(); got != want {
				t.Errorf("the tip's %s is %q, want %q", key, got, want)
			}
		}
	}
	if sent := bob.post(id, "m", "hello"); sent.Seq != 2 || sent.Count != 1 {
		t.Errorf("the first message got %+v", sent)
	}
	for _, c := range []*client{alice, carol} {
		if e := c.logged(1)[0]; e.log != id || e.pos != 3 || e.Message.From != "bob" {
			t.Errorf("got %+v", e)
		}
	}
	bob.quiet()
}

func TestTipHasAllKeys(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	s.login(t, "bob")
	alice.create(protocol.CreateGroup{Type: tim.GroupPrivate, Name: "team", Members: []protocol.NewMember{{User: "bob"}}})
	tip := tipOf(t, alice.logged(2)[1])
	for _, key := range []string{
		tim.KeyGroupTipsElemTipType, tim.KeyGroupTipsElemJoinType, tim.KeyGroupTipsElemOpUser, tim.KeyGroupTipsElemGroupId,
		tim.KeyGroupTipsElemUserArray, tim.KeyGroupTipsElemGroupChangeInfoArray, tim.KeyGroupTipsElemMemberChangeInfoArray,
		tim.KeyGroupTipsElemOpUserInfo, tim.KeyGroupTipsElemOpGroupMemberInfo, tim.KeyGroupTipsElemChangedUserInfoArray,
		tim.KeyGroupTipsElemChangedGroupMemberInfoArray, tim.KeyGroupTipsElemMemberNum, tim.KeyGroupTipsElemPlatform,
		tim.KeyGroupTipsElemMemberMarkInfoArray, tim.KeyGroupTipsElemPinnedMessageList, tim.KeyGroupTipsElemGroupName,
		tim.KeyGroupTipsElemTime,
	} {
		if !tip.Get(key).Exists() {
			t.Errorf("the tip has no %s", key)
		}
	}
}

func TestRefusedGroups(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	alice.create(protocol.CreateGroup{ID: "taken", Type: tim.GroupPublic, Name: "n"})
	many := make([]protocol.NewMember, 21)
	for i, c := range []struct {
		g    protocol.CreateGroup
		code int
	}{
		{protocol.CreateGroup{Type: tim.GroupAVChatRoom, Name: "n", Members: []protocol.NewMember{{User: "alice"}}}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Type: tim.GroupBChatRoom, Name: "n"}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Type: tim.GroupPublic, Name: "n", Topics: true}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Type: tim.GroupPublic, Name: "n", ByRights: true}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Type: 77, Name: "n"}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Type: tim.GroupPublic}, tim.ErrSDKGroupInvalidName},
		{protocol.CreateGroup{Name: strings.Repeat("x", 101)}, tim.ErrSDKGroupInvalidName},
		{protocol.CreateGroup{Name: "n", Introduction: strings.Repeat("x", 401)}, tim.ErrSDKGroupInvalidIntroduction},
		{protocol.CreateGroup{Name: "n", Notification: strings.Repeat("x", 401)}, tim.ErrSDKGroupInvalidNotification},
		{protocol.CreateGroup{Name: "n", Face: strings.Repeat("x", 501)}, tim.ErrSDKGroupInvalidFaceURL},
		{protocol.CreateGroup{Name: "n", Custom: map[string]string{strings.Repeat("k", 17): "v"}}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Name: "n", Custom: map[string]string{"k": strings.Repeat("v", 513)}}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Name: "n", Members: []protocol.NewMember{{User: "alice", Custom: map[string]string{"k": strings.Repeat("v", 65)}}}}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Name: "n", ID: "@TGS#_mine"}, tim.ErrSDKGroupInvalidID},
		{protocol.CreateGroup{Type: tim.GroupCommunity, Name: "n", ID: "@TGS#_"}, tim.ErrSDKGroupInvalidID},
		{protocol.CreateGroup{Type: tim.GroupCommunity, Name: "n", ID: "@TGS#_a@TOPIC#_b"}, tim.ErrSDKGroupInvalidID},
		{protocol.CreateGroup{Name: "n", ID: "@TGS#mine"}, tim.ErrSDKGroupInvalidID},
		{protocol.CreateGroup{Name: "n", ID: "团队"}, tim.ErrSDKGroupInvalidID},
		{protocol.CreateGroup{Name: "n", ID: strings.Repeat("x", 49)}, tim.ErrSDKGroupInvalidID},
		{protocol.CreateGroup{Name: "n", ID: "taken"}, tim.ErrSVRGroupGroupidInUsed},
		{protocol.CreateGroup{Name: "n", MaxMembers: 2001}, tim.ErrSDKGroupMemberCountLimit},
		{protocol.CreateGroup{Name: "n", Type: tim.GroupPrivate, MaxMembers: 201}, tim.ErrSDKGroupMemberCountLimit},
		{protocol.CreateGroup{Name: "n", MaxMembers: 1, Members: []protocol.NewMember{{User: "alice"}}}, tim.ErrSVRGroupFullMemberCount},
		{protocol.CreateGroup{Name: "n", AddOption: number(3)}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Name: "n", Members: many}, tim.ErrSVRGroupAcountCountLimit},
		{protocol.CreateGroup{Name: "n", Members: []protocol.NewMember{{User: "nobody"}}}, tim.ErrSVRGroupAccountNotFound},
		{protocol.CreateGroup{Name: "n", Members: []protocol.NewMember{{User: "alice", Role: 400}}}, tim.ErrSDKGroupInviteSuperDeny},
		{protocol.CreateGroup{Name: "n", Members: []protocol.NewMember{{User: "alice", Role: 7}}}, tim.ErrSVRGroupInvalidParameters},
		{protocol.CreateGroup{Name: "n", Type: tim.GroupPrivate, Members: []protocol.NewMember{{User: "alice", Role: 300}}}, tim.ErrSVRGroupInvalidParameters},
	} {
		if got := bob.code(protocol.OpGroupCreate, fmt.Sprint("k", i), c.g); got != c.code {
			t.Errorf("%+v: code %d, want %d", c.g, got, c.code)
		}
	}
	if got := alice.code(protocol.OpGroupCreate, "mine", protocol.CreateGroup{Name: "n", ID: "taken"}); got != tim.ErrSVRGroupGroupidInUsedForSuper {
		t.Errorf("an own id again: code %d", got)
	}
	if got := bob.code(protocol.OpGroupCreate, "", protocol.CreateGroup{Name: "n"}); got != tim.ErrInvalidParameters {
		t.Errorf("no key: code %d", got)
	}
	bob.quiet()
	if page := ask[protocol.JoinedPage](bob, protocol.OpGroupJoined, "", nil); len(page.Groups) != 0 {
		t.Errorf("refused groups are there: %+v", page)
	}
}

func TestRepeatedGroupRequests(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	body := protocol.Marshal(protocol.CreateGroup{Type: tim.GroupPrivate, Name: "n"})
	first, again := alice.start(protocol.OpGroupCreate, "c", body), alice.start(protocol.OpGroupCreate, "c", body)
	a, b := alice.await(first), alice.await(again)
	if a.Code != 0 || string(a.Body) != string(b.Body) {
		t.Fatalf("one key got %s and %s", a.Body, b.Body)
	}
	group := gjson.GetBytes(a.Body, "id").String()
	alice.logged(1)
	invite := protocol.Invite{Group: group, Users: []string{"bob"}}
	for range 2 {
		r := ask[protocol.Invited](alice, protocol.OpGroupInvite, "i", invite)
		if len(r.Results) != 1 || r.Results[0].Result != tim.GroupMemberHandledSuc {
			t.Errorf("invited: %+v", r)
		}
	}
	bob.logged(2)
	for range 2 {
		ask[struct{}](bob, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: group})
	}
	bob.logged(3)
	alice.logged(2)
	alice.quiet()
	bob.quiet()
	if page := ask[protocol.JoinedPage](alice, protocol.OpGroupJoined, "", nil); len(page.Groups) != 1 || page.Groups[0].Members != 1 {
		t.Errorf("groups %+v", page.Groups)
	}
}

func TestJoinAndHistory(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	for _, typ := range []int{tim.GroupPublic, tim.GroupChatRoom} {
		meeting := typ == tim.GroupChatRoom
		group := alice.create(protocol.CreateGroup{ID: fmt.Sprint("g", typ), Type: typ, Name: "n", AddOption: anyone})
		alice.logged(1)
		alice.post(group, group+"1", "before")
		alice.post(group, group+"2", "before too")
		if got := bob.postCode(group, group+"3", "x"); got != tim.ErrSVRGroupPermissionDeny {
			t.Errorf("who is not in the group sent with code %d", got)
		}
		ask[struct{}](bob, protocol.OpGroupJoin, "j"+group, protocol.OneGroup{Group: group})
		log := bob.logged(map[bool]int{true: 1, false: 2}[meeting])
		m := membershipOf(t, log[0])
		if !m.In || m.Pos != 2 || m.Group.Members != 2 || m.Group.Max != 2 || m.Group.Self.Role != tim.MemberRoleNormal ||
			m.Group.Self.ReadSeq != 2 || m.Group.Self.Unread != 0 {
			t.Errorf("type %d: %+v of %+v, self %+v", typ, m, m.Group, m.Group.Self)
		}
		if meeting {
			if h := bob.history(group); len(h.Msgs) != 2 || h.Min != 1 {
				t.Errorf("in a meeting a newcomer sees %d messages from %d", len(h.Msgs), h.Min)
			}
			if m.Group.Self.Option != tim.RecvMsgOptNotNotify || m.Group.Self.ClearSeq != 0 {
				t.Errorf("a newcomer's part in a meeting: %+v", m.Group.Self)
			}
			alice.quiet()
		} else {
			tip := tipOf(t, log[1])
			if log[1].pos != 4 || tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipInvite ||
				tip.Get(tim.KeyGroupTipsElemJoinType).Int() != tim.GroupJoinApply || tip.Get(tim.KeyGroupTipsElemOpUser).String() != "bob" {
				t.Errorf("at %d: %s", log[1].pos, tip)
			}
			tipOf(t, alice.logged(1)[0])
			if h := bob.history(group); len(h.Msgs) != 1 || h.Min != 3 || m.Group.Self.ClearSeq != 2 {
				t.Errorf("a newcomer sees %d messages from %d, cleared to %d", len(h.Msgs), h.Min, m.Group.Self.ClearSeq)
			}
		}
		if got := bob.code(protocol.OpGroupJoin, "again"+group, protocol.OneGroup{Group: group}); got != tim.ErrSVRGroupAllreadyMember {
			t.Errorf("joining twice: code %d", got)
		}
		sent := alice.post(group, group+"4", "after")
		if e := bob.logged(1)[0]; e.log != group || e.pos != sent.Pos || e.Message.Seq != sent.Seq {
			t.Errorf("a member got %+v for %+v", e, sent)
		}
	}
}

func TestWhoMayJoin(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	for i, c := range []struct {
		g    protocol.CreateGroup
		code int
	}{
		{protocol.CreateGroup{Type: tim.GroupPrivate}, tim.ErrSDKGroupJoinPrivateGroupDeny},
		{protocol.CreateGroup{Type: tim.GroupPublic}, 0}, // somebody has to agree first
		{protocol.CreateGroup{Type: tim.GroupPublic, AddOption: number(tim.GroupAddOptForbid)}, tim.ErrSVRGroupPermissionDeny},
		{protocol.CreateGroup{Type: tim.GroupPublic, AddOption: anyone, MaxMembers: 1}, tim.ErrSVRGroupFullMemberCount},
		{protocol.CreateGroup{Type: tim.GroupChatRoom}, 0},
	} {
		c.g.ID, c.g.Name = fmt.Sprint("g", i), "n"
		alice.create(c.g)
		if got := bob.code(protocol.OpGroupJoin, c.g.ID, protocol.OneGroup{Group: c.g.ID}); got != c.code {
			t.Errorf("%+v: code %d, want %d", c.g, got, c.code)
		}
	}
	for group, want := range map[string]int{"none": tim.ErrSVRGroupNotFound, "": tim.ErrSVRGroupInvalidGroupid} {
		for _, op := range []string{protocol.OpGroupJoin, protocol.OpGroupQuit, protocol.OpGroupInvite, protocol.OpGroupSetMember} {
			if got := bob.code(op, "k"+op+group, protocol.SetMember{Group: group, User: "bob"}); got != want {
				t.Errorf("%s of %q: code %d, want %d", op, group, got, want)
			}
		}
	}
}

func TestInvite(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	s.login(t, "dave")
	group := alice.create(protocol.CreateGroup{ID: "work", Type: tim.GroupPrivate, Name: "n", MaxMembers: 3, Members: []protocol.NewMember{{User: "bob"}}})
	alice.logged(2)
	bob.logged(2)
	r := ask[protocol.Invited](bob, protocol.OpGroupInvite, "i", protocol.Invite{Group: group, Users: []string{"alice", "nobody", "carol", "dave", "carol"}})
	want := []protocol.InviteResult{{User: "alice", Result: 2}, {User: "nobody", Result: 0}, {User: "carol", Result: 1}, {User: "dave", Result: 0}, {User: "carol", Result: 1}}
	if !slices.Equal(r.Results, want) { // the group is full before dave
		t.Errorf("got %+v, want %+v", r.Results, want)
	}
	log := carol.logged(2)
	if m := membershipOf(t, log[0]); m.Pos != 2 || m.Group.Members != 3 {
		t.Errorf("%+v of %+v", m, m.Group)
	}
	if got := texts(tipOf(t, log[1]).Get(tim.KeyGroupTipsElemUserArray)); !slices.Equal(got, []string{"carol"}) {
		t.Errorf("the tip is about %v", got)
	}
	for _, c := range []*client{alice, bob} {
		if got := tipOf(t, c.logged(1)[0]).Get(tim.KeyGroupTipsElemOpUser).String(); got != "bob" {
			t.Errorf("the tip names %q", got)
		}
	}
	public := alice.create(protocol.CreateGroup{ID: "public", Type: tim.GroupPublic, Name: "n"})
	open := alice.create(protocol.CreateGroup{ID: "open", Type: tim.GroupPublic, Name: "n", Approve: anyone})
	asked := alice.create(protocol.CreateGroup{ID: "asked", Type: tim.GroupPublic, Name: "n", AddOption: anyone, Approve: number(tim.GroupAddOptAuth)})
	ask[struct{}](bob, protocol.OpGroupJoin, "j", protocol.OneGroup{Group: asked})
	for i, c := range []struct {
		who   *client
		group string
		users []string
		code  int
	}{
		{alice, group, []string{"dave"}, tim.ErrSVRGroupFullMemberCount},
		{alice, public, []string{"bob"}, tim.ErrSVRGroupPermissionDeny},
		{carol, open, []string{"bob"}, tim.ErrSVRGroupPermissionDeny},
		{alice, open, nil, tim.ErrSDKGroupInviteNoMember},
		{alice, open, make([]string, 21), tim.ErrSVRGroupAcountCountLimit},
		{alice, open, []string{"bob"}, 0},
		{bob, asked, []string{"carol"}, 0}, // somebody has to agree first
		{alice, asked, []string{"carol"}, 0},
	} {
		if got := c.who.code(protocol.OpGroupInvite, fmt.Sprint("i", i), protocol.Invite{Group: c.group, Users: c.users}); got != c.code {
			t.Errorf("inviting %v to %s: code %d, want %d", c.users, c.group, got, c.code)
		}
	}
}

func TestQuit(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	group := alice.create(protocol.CreateGroup{Type: tim.GroupPrivate, Name: "n", Members: []protocol.NewMember{{User: "bob"}}})
	alice.logged(2)
	bob.heard(4)
	ask[struct{}](bob, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: group})
	log := bob.heard(4)
	for i, e := range log[:2] {
		if e.Kind != protocol.EntryNone || e.log != group || e.pos != uint64(3+i) {
			t.Errorf("who leaves got %+v of the group's log", e)
		}
	}
	if r := reportOf(t, log[2]); r.Type != tim.GroupReportQuit || !r.Gone || r.Operator.User != "bob" || r.Operator.Role != tim.MemberRoleNormal {
		t.Errorf("who left is told %+v", r)
	}
	if m := membershipOf(t, log[3]); m.In || log[3].Group != group {
		t.Errorf("who left got %+v", m)
	}
	tip := tipOf(t, alice.logged(1)[0])
	if tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipQuit || tip.Get(tim.KeyGroupTipsElemOpUser).String() != "bob" ||
		tip.Get(tim.KeyGroupTipsElemMemberNum).Int() != 1 ||
		tip.Get(tim.KeyGroupTipsElemOpGroupMemberInfo+"."+tim.KeyGroupMemberInfoMemberRole).Int() != tim.MemberRoleNormal {
		t.Errorf("tip %s", tip)
	}
	alice.post(group, "m", "alone")
	bob.quiet()
	if got := bob.postCode(group, "m2", "x"); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("who left sent with code %d", got)
	}
	if got := bob.code(protocol.OpGroupQuit, "q2", protocol.OneGroup{Group: group}); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("quitting twice: code %d", got)
	}
	if got := bob.code(protocol.OpDiff, "", protocol.Diff{Group: group, Epoch: bob.epoch()}); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("the log after quitting: code %d", got)
	}
	ask[protocol.Invited](alice, protocol.OpGroupInvite, "i", protocol.Invite{Group: group, Users: []string{"bob"}})
	if m := membershipOf(t, bob.logged(2)[0]); m.Pos != 5 || m.Group.Self.Unread != 0 || m.Group.Self.ClearSeq != 3 {
		t.Errorf("back again: %+v, %+v", m, m.Group.Self)
	}
	ask[struct{}](alice, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: group}) // a work group goes on without an owner
	if g := ask[protocol.GroupInfos](bob, protocol.OpGroupInfo, "", protocol.GroupInfo{Groups: []string{group}}).List[0].Group; g.Owner != "" || g.Members != 1 {
		t.Errorf("without its owner the group is %+v", g)
	}
	public := alice.create(protocol.CreateGroup{Type: tim.GroupPublic, Name: "n"})
	if got := alice.code(protocol.OpGroupQuit, "p", protocol.OneGroup{Group: public}); got != tim.ErrSVRGroupSuperNotAllowQuit {
		t.Errorf("the owner of a public group quit with code %d", got)
	}
}

func TestRoles(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	members := []protocol.NewMember{{User: "bob"}, {User: "carol"}}
	group := alice.create(protocol.CreateGroup{ID: "public", Type: tim.GroupPublic, Name: "n", Members: members})
	meeting := alice.create(protocol.CreateGroup{ID: "meeting", Type: tim.GroupChatRoom, Name: "n", Members: members})
	work := alice.create(protocol.CreateGroup{ID: "work", Type: tim.GroupPrivate, Name: "n", Members: members})
	for _, c := range []*client{alice, bob, carol} {
		c.logged(5)
	}
	set := func(c *client, group, user string, role int, want int) {
		t.Helper()
		key := fmt.Sprint("r", group, user, role, want)
		if got := c.code(protocol.OpGroupSetMember, key, protocol.SetMember{Group: group, User: user, Role: &role}); got != want {
			t.Errorf("role %d for %s in %s: code %d, want %d", role, user, group, got, want)
		}
	}
	set(bob, group, "carol", tim.MemberRoleAdmin, tim.ErrSVRGroupPermissionDeny)
	set(alice, group, "alice", tim.MemberRoleAdmin, tim.ErrSVRGroupInvalidParameters)
	set(alice, group, "bob", tim.MemberRoleOwner, tim.ErrSVRGroupInvalidParameters)
	set(alice, work, "bob", tim.MemberRoleAdmin, tim.ErrSVRGroupInvalidParameters)
	set(alice, group, "bob", tim.MemberRoleNormal, 0) // he is
	bob.quiet()
	set(alice, group, "bob", tim.MemberRoleAdmin, 0)
	log := bob.logged(2)
	if m := membershipOf(t, log[0]); !m.In || !m.Changed || m.Pos != 0 || m.Group.Self.Role != tim.MemberRoleAdmin {
		t.Errorf("%+v of %+v", m, m.Group.Self)
	}
	for _, e := range []pushed{log[1], alice.logged(1)[0], carol.logged(1)[0]} {
		tip := tipOf(t, e)
		if tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipSetAdmin || texts(tip.Get(tim.KeyGroupTipsElemUserArray))[0] != "bob" ||
			tip.Get(tim.KeyGroupTipsElemChangedGroupMemberInfoArray+".0."+tim.KeyGroupMemberInfoMemberRole).Int() != tim.MemberRoleAdmin {
			t.Errorf("tip %s", tip)
		}
	}
	set(bob, group, "carol", tim.MemberRoleAdmin, tim.ErrSVRGroupPermissionDeny)
	role := tim.MemberRoleNormal
	ask[struct{}](alice, protocol.OpGroupSetMember, "back", protocol.SetMember{Group: group, User: "bob", Role: &role})
	if got := tipOf(t, carol.logged(1)[0]).Get(tim.KeyGroupTipsElemTipType).Int(); got != tim.GroupTipCancelAdmin {
		t.Errorf("tip of type %d", got)
	}
	alice.logged(1)
	bob.logged(2)
	set(alice, meeting, "bob", tim.MemberRoleAdmin, 0) // no tip in a meeting
	membershipOf(t, bob.logged(1)[0])
	for _, c := range []*client{alice, bob, carol} {
		c.quiet()
	}
}

func TestMemberOption(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	group := alice.create(protocol.CreateGroup{ID: "public", Type: tim.GroupPublic, Name: "n", Members: []protocol.NewMember{{User: "bob"}}})
	alice.logged(2)
	bob.logged(2)
	set := func(c *client, key string, body protocol.SetMember, want int) {
		t.Helper()
		body.Group = group
		if got := c.code(protocol.OpGroupSetMember, key, body); got != want {
			t.Errorf("%s: code %d, want %d", key, got, want)
		}
	}
	set(alice, "others", protocol.SetMember{User: "bob", Option: number(1)}, tim.ErrSVRGroupInvalidParameters)
	set(bob, "both", protocol.SetMember{User: "bob", Option: number(1), Role: number(300)}, tim.ErrSVRGroupPermissionDeny)
	set(bob, "neither", protocol.SetMember{User: "bob"}, tim.ErrSVRGroupInvalidParameters)
	set(bob, "unknown", protocol.SetMember{User: "bob", Option: number(4)}, tim.ErrSVRGroupInvalidParameters)
	set(bob, "off", protocol.SetMember{User: "bob", Option: number(tim.RecvMsgOptNotReceive)}, 0)
	if e := bob.logged(1)[0]; e.Kind != protocol.EntryOption || e.Group != group {
		t.Errorf("got %+v", e)
	}
	alice.post(group, "m", "not for bob")
	bob.quiet()
	set(bob, "on", protocol.SetMember{User: "bob", Option: number(tim.RecvMsgOptNotNotify)}, 0)
	bob.logged(1)
	alice.post(group, "m2", "for bob")
	if e := bob.logged(1)[0]; e.log != group || e.Message.Seq != 3 {
		t.Errorf("got %+v", e)
	}
}

func TestPinnedTip(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	group := alice.create(protocol.CreateGroup{ID: "m", Type: tim.GroupPrivate, Name: "n", Members: []protocol.NewMember{{User: "bob"}, {User: "carol"}}})
	sent := alice.post(group, "m1", "look")
	directed := alice.sent(alice.start(protocol.OpSend, "m2", protocol.AppendSend(nil, group, true, []byte(
		`{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"psst"}],"x":{"message_target_group_member_array":["bob"]}}`))))
	alice.logged(2)
	bob.logged(4)
	carol.logged(4)
	for _, on := range []bool{true, false} {
		ask[protocol.Changed](bob, protocol.OpPin, fmt.Sprint("p", on), protocol.Pin{Group: group, Seq: sent.Seq, On: on})
		log := carol.logged(2)
		if log[0].Kind != protocol.EntryPin || log[0].pos+1 != log[1].pos {
			t.Errorf("before the tip at %d came %+v", log[1].pos, log[0])
		}
		tip := tipOf(t, log[1])
		want := map[bool]int64{true: tim.GroupTipPinnedMessageAdded, false: tim.GroupTipPinnedMessageDeleted}[on]
		pinned := tip.Get(tim.KeyGroupTipsElemPinnedMessageList + ".0")
		if tip.Get(tim.KeyGroupTipsElemTipType).Int() != want || tip.Get(tim.KeyGroupTipsElemOpUser).String() != "bob" ||
			pinned.Get(tim.KeyMsgSender).String() != "alice" || pinned.Get(tim.KeyMsgSeq).Uint() != sent.Seq ||
			pinned.Get(tim.KeyMsgElemArray+".0."+tim.KeyTextElemContent).String() != "look" ||
			pinned.Get(tim.KeyMsgServerTime).Int() != sent.Time/1000 || pinned.Get(tim.KeyMsgConvId).String() != group {
			t.Errorf("tip %s", tip)
		}
	}
	ask[protocol.Changed](bob, protocol.OpPin, "secret", protocol.Pin{Group: group, Seq: directed.Seq, On: true})
	for _, e := range carol.logged(2) {
		if e.Kind == protocol.EntryMessage {
			t.Errorf("a tip shows a message to somebody for whom it is not: %s", e.Message.Content)
		}
	}
	if h := carol.history(group); strings.Contains(string(protocol.Marshal(h)), "psst") {
		t.Errorf("the history shows it: %s", protocol.Marshal(h))
	}
}
