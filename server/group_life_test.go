package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/config"
)

// told waits for the next report and drops what came before it.
func (c *client) told() protocol.Report {
	c.t.Helper()
	for {
		for _, e := range entriesOf(c.push(protocol.PushLog)) {
			if e.Kind == protocol.EntryReport {
				return reportOf(c.t, e)
			}
		}
	}
}

// settled drops everything that was pushed so far.
func (c *client) settled() {
	c.t.Helper()
	ask[protocol.Pong](c, protocol.OpPing, "", nil)
	for len(c.pushes) > 0 {
		<-c.pushes
	}
}

func (c *client) members(group string) (names []string) {
	c.t.Helper()
	for _, m := range ask[protocol.MemberPage](c, protocol.OpGroupMembers, "", protocol.AskMembers{Group: group}).Members {
		names = append(names, m.User)
	}
	return names
}

func (c *client) decide(key string, p protocol.Pendency, accept bool, answer string) int {
	c.t.Helper()
	return c.code(protocol.OpDecidePendency, key, protocol.DecidePendency{Pendency: p, Accept: accept, Answer: answer})
}

func (c *client) requests(q protocol.AskPendencies) protocol.Pendencies {
	c.t.Helper()
	return ask[protocol.Pendencies](c, protocol.OpPendencies, "", q)
}

// team is a public group of alice with bob as its admin and carol, which the others have heard of already.
func team(t *testing.T, s *running, change func(*protocol.CreateGroup)) (group string, alice, bob, carol *client) {
	t.Helper()
	alice, bob, carol = s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	c := protocol.CreateGroup{ID: "team", Type: tim.GroupPublic, Name: "n", Members: []protocol.NewMember{
		{User: "bob", Role: tim.MemberRoleAdmin}, {User: "carol"}}}
	if change != nil {
		change(&c)
	}
	group = alice.create(c)
	for _, m := range []*client{alice, bob, carol} {
		m.settled()
	}
	return group, alice, bob, carol
}

func TestApplyAndDecide(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, alice, bob, carol := team(t, s, nil) // whoever joins a public group needs an approval
	dave := s.login(t, "dave")
	join := func(key, reason string) protocol.Joined {
		t.Helper()
		return ask[protocol.Joined](dave, protocol.OpGroupJoin, key, protocol.JoinGroup{Group: group, Reason: reason})
	}
	if !join("j1", "please").Pending || !join("j1", "please").Pending {
		t.Fatal("nobody has to decide")
	}
	var p protocol.Pendency
	for _, c := range []*client{alice, bob} {
		r := c.told()
		if r.Type != tim.GroupReportAddRequest || r.Operator.User != "dave" || r.Text != "please" || r.Pendency == nil {
			t.Fatalf("those who decide are told %+v", r)
		}
		p = *r.Pendency
		c.settled()
	}
	if p.From != "dave" || p.Group != group || p.Type != tim.GroupPendencyRequestJoin || p.Added == 0 || p.Key == "" || p.Handled != 0 {
		t.Errorf("request %+v", p)
	}
	dave.quiet()
	carol.quiet()
	if got := carol.decide("d", p, true, ""); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("an ordinary member decided with code %d", got)
	}
	if got := bob.decide("refuse", p, false, "not now"); got != 0 {
		t.Fatalf("refused with code %d", got)
	}
	if r := dave.told(); r.Type != tim.GroupReportAddRefuse || r.Text != "not now" || r.Operator.User != "bob" {
		t.Errorf("the applicant is told %+v", r)
	}
	if got := alice.decide("late", p, true, ""); got != tim.ErrSVRGroupReqAllreadyBeenProcessed {
		t.Errorf("deciding twice: code %d", got)
	}
	join("j2", "again")
	join("j3", "and again")
	list := alice.requests(protocol.AskPendencies{})
	if len(list.List) != 2 || list.List[0].Text != "and again" || list.List[0].Handled != tim.GroupPendencyNotHandle ||
		list.List[1].Handled != tim.GroupPendencyOtherHandle || list.List[1].Decider != "bob" || list.List[1].Answer != "not now" || list.Unread != 2 {
		t.Errorf("the requests are %+v", list)
	}
	if own := bob.requests(protocol.AskPendencies{}).List[1]; own.Handled != tim.GroupPendencyOperatorHandle {
		t.Errorf("who decided sees %+v", own)
	}
	alice.settled()
	dave.settled()
	p = list.List[0]
	p.Key = "" // found by who asked when, too
	if got := alice.decide("accept", p, true, "welcome"); got != 0 {
		t.Fatalf("accepted with code %d", got)
	}
	log := dave.heard(4)
	if m := membershipOf(t, log[0]); !m.In || m.Group.Members != 4 {
		t.Errorf("membership %+v", m)
	}
	if tip := tipOf(t, log[2]); tip.Get(tim.KeyGroupTipsElemJoinType).Int() != tim.GroupJoinApply || tip.Get(tim.KeyGroupTipsElemOpUser).String() != "dave" {
		t.Errorf("tip %s", tip)
	}
	if r := reportOf(t, log[3]); r.Type != tim.GroupReportAddAccept || r.Text != "welcome" || r.Operator.User != "alice" || !r.Pendency.Accepted {
		t.Errorf("the applicant is told %+v", r)
	}
	if got := carol.requests(protocol.AskPendencies{}); len(got.List) != 0 || got.Unread != 0 {
		t.Errorf("who does not decide sees %+v", got)
	}
}

func TestPendencyPages(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	dave := s.login(t, "dave")
	for i := range 5 {
		group := alice.create(protocol.CreateGroup{ID: fmt.Sprint("g", i), Type: tim.GroupPublic, Name: "n"})
		ask[protocol.Joined](dave, protocol.OpGroupJoin, group, protocol.JoinGroup{Group: group})
	}
	var groups []string
	before := int64(0)
	for more := true; more; more = before != 0 {
		page := alice.requests(protocol.AskPendencies{Before: before, Limit: 2})
		if len(page.List) == 0 || len(page.List) > 2 || page.Unread != 5 {
			t.Fatalf("page %+v", page)
		}
		for _, p := range page.List {
			groups = append(groups, p.Group)
		}
		before = page.Next
	}
	if want := []string{"g4", "g3", "g2", "g1", "g0"}; !slices.Equal(groups, want) {
		t.Errorf("the pages have %v, want %v", groups, want)
	}
	third := alice.requests(protocol.AskPendencies{}).List[2].Added
	for _, at := range []int64{third, third - 1} { // it does not go back
		ask[struct{}](alice, protocol.OpReadPendencies, fmt.Sprint("r", at), protocol.ReadPendencies{Time: at})
	}
	if page := alice.requests(protocol.AskPendencies{}); page.Unread != 2 || page.Read != third || len(page.List) != 5 {
		t.Errorf("after reading: %+v", page)
	}
}

func TestInviteThatAdminsApprove(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, alice, bob, carol := team(t, s, func(c *protocol.CreateGroup) { c.Approve = number(tim.GroupAddOptAuth) })
	dave := s.login(t, "dave")
	invite := func(c *client, key string, users ...string) []protocol.InviteResult {
		t.Helper()
		return ask[protocol.Invited](c, protocol.OpGroupInvite, key, protocol.Invite{Group: group, Users: users, Data: "a friend"}).Results
	}
	if got := invite(carol, "i", "dave", "bob"); got[0].Result != tim.GroupMemberInvited || got[1].Result != tim.GroupMemberIncluded {
		t.Fatalf("invited: %+v", got)
	}
	r := bob.told()
	if r.Type != tim.GroupReportInviteReqToAdmin || r.Operator.User != "carol" || r.Data != "a friend" || r.Pendency.To != "dave" || r.Pendency.From != "carol" {
		t.Errorf("admins are told %+v", r)
	}
	alice.settled()
	if got := dave.decide("own", *r.Pendency, true, ""); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("the invited decided with code %d", got)
	}
	if got := alice.decide("yes", *r.Pendency, true, "fine"); got != 0 {
		t.Fatalf("accepted with code %d", got)
	}
	if r := carol.told(); r.Type != tim.GroupReportInviteAccept || r.Text != "fine" || r.Operator.User != "alice" {
		t.Errorf("the inviter is told %+v", r)
	}
	log := dave.heard(4)
	if tip := tipOf(t, log[2]); tip.Get(tim.KeyGroupTipsElemJoinType).Int() != tim.GroupJoinInvite || tip.Get(tim.KeyGroupTipsElemOpUser).String() != "carol" {
		t.Errorf("tip %s", tip)
	}
	if r := reportOf(t, log[3]); r.Type != tim.GroupReportInvite || r.Operator.User != "carol" || r.Data != "a friend" {
		t.Errorf("the invited is told %+v", r)
	}
	s.login(t, "erin")
	if got := invite(bob, "by an admin", "erin"); got[0].Result != tim.GroupMemberHandledSuc { // he would only ask himself
		t.Errorf("invited by an admin: %+v", got)
	}
}

func TestInviteThatTheInvitedApproves(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.GroupConsent = []string{"work"} })
	group, alice, _, carol := team(t, s, func(c *protocol.CreateGroup) { c.Type, c.Members[0].Role = tim.GroupPrivate, 0 })
	dave := s.login(t, "dave")
	for i, accept := range []bool{false, true} {
		key := fmt.Sprint("i", i)
		if got := ask[protocol.Invited](carol, protocol.OpGroupInvite, key, protocol.Invite{Group: group, Users: []string{"dave"}}); got.Results[0].Result != tim.GroupMemberInvited {
			t.Fatalf("invited: %+v", got)
		}
		r := dave.told()
		if r.Type != tim.GroupReportInviteReqToInvitee || r.Operator.User != "carol" || r.Pendency.Type != tim.GroupPendencyInviteJoin {
			t.Errorf("the invited is told %+v", r)
		}
		if got := alice.decide("owner"+key, *r.Pendency, true, ""); got != tim.ErrSVRGroupPermissionDeny {
			t.Errorf("the owner decided for the invited with code %d", got)
		}
		if list := dave.requests(protocol.AskPendencies{}); len(list.List) != 1+i || list.List[0].To != "dave" {
			t.Errorf("the invited may decide %+v", list)
		}
		if got := dave.decide("own"+key, *r.Pendency, accept, "well"); got != 0 {
			t.Errorf("decided with code %d", got)
		}
		want := map[bool]int{true: tim.GroupReportInviteAccept, false: tim.GroupReportInviteRefuse}[accept]
		if r := carol.told(); r.Type != want || r.Text != "well" || r.Operator.User != "dave" {
			t.Errorf("the inviter is told %+v", r)
		}
	}
	if got := alice.members(group); !slices.Contains(got, "dave") {
		t.Errorf("members %v", got)
	}
}

func TestKick(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, alice, bob, carol := team(t, s, func(c *protocol.CreateGroup) { c.AddOption, c.Approve = anyone, anyone })
	s.login(t, "dave")
	kick := func(c *client, key string, seconds uint32, users ...string) protocol.Answer {
		t.Helper()
		return c.call(protocol.OpGroupKick, key, protocol.Marshal(protocol.KickMembers{Group: group, Users: users, Reason: "enough", Seconds: seconds}))
	}
	for i, c := range []struct {
		who  *client
		user string
		code int
	}{{carol, "bob", tim.ErrSVRGroupPermissionDeny}, {bob, "alice", tim.ErrSVRGroupPermissionDeny}, {bob, "bob", tim.ErrSVRGroupPermissionDeny},
		{alice, "alice", tim.ErrSVRGroupPermissionDeny}} {
		if got := kick(c.who, fmt.Sprint("no", i), 0, c.user).Code; got != c.code {
			t.Errorf("%d removed %s with code %d", i, c.user, got)
		}
	}
	if got := kick(alice, "many", 0, make([]string, model.MaxKicks+1)...).Code; got != tim.ErrSVRGroupAcountCountLimit {
		t.Errorf("too many at once: code %d", got)
	}
	a := kick(bob, "k", 3600, "carol", "dave", "nobody", "alice")
	if want := `{"results":[{"user":"carol","result":1},{"user":"dave","result":2},{"user":"nobody","result":2},{"user":"alice","result":0}]}`; string(a.Body) != want {
		t.Errorf("removed: %s, want %s", a.Body, want)
	}
	log := carol.heard(4)
	if m := membersOf(t, log[0]); !slices.Equal(m.Gone, []string{"carol"}) || m.Count != 2 {
		t.Errorf("the group's log says %+v", m)
	}
	if tip := tipOf(t, log[1]); tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipKick || texts(tip.Get(tim.KeyGroupTipsElemUserArray))[0] != "carol" ||
		tip.Get(tim.KeyGroupTipsElemOpUser).String() != "bob" || tip.Get(tim.KeyGroupTipsElemMemberNum).Int() != 2 {
		t.Errorf("tip %s", tip)
	}
	if r := reportOf(t, log[2]); r.Type != tim.GroupReportBeKicked || r.Text != "enough" || r.Operator.User != "bob" || !r.Gone {
		t.Errorf("who is removed is told %+v", r)
	}
	if m := membershipOf(t, log[3]); m.In {
		t.Errorf("membership %+v", m)
	}
	tipOf(t, alice.heard(2)[1])
	alice.post(group, "m", "without her")
	carol.quiet()
	if got := carol.code(protocol.OpGroupJoin, "back", protocol.JoinGroup{Group: group}); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("she came back with code %d", got)
	}
	ask[protocol.Invited](bob, protocol.OpGroupInvite, "admins bring her back", protocol.Invite{Group: group, Users: []string{"carol"}})
	ask[struct{}](carol, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: group})
	if got := carol.code(protocol.OpGroupJoin, "back again", protocol.JoinGroup{Group: group}); got != 0 {
		t.Errorf("after that she may join by herself: code %d", got)
	}
}

func TestTransfer(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, alice, bob, carol := team(t, s, nil)
	s.login(t, "dave")
	give := func(c *client, key, to string) int {
		t.Helper()
		return c.code(protocol.OpGroupSet, key, protocol.SetGroup{Group: group, Owner: &to})
	}
	if got := give(bob, "admin", "carol"); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("an admin hands the group over with code %d", got)
	}
	if got := give(alice, "stranger", "dave"); got != tim.ErrSVRGroupInvalidParameters {
		t.Errorf("to somebody outside: code %d", got)
	}
	if got := give(alice, "self", "alice"); got != 0 {
		t.Errorf("to herself: code %d", got)
	}
	alice.quiet()
	if got := give(alice, "t", "carol"); got != 0 {
		t.Fatalf("handed over with code %d", got)
	}
	log := carol.heard(4)
	if m := membershipOf(t, log[0]); !m.Changed || m.Group.Self.Role != tim.MemberRoleOwner || m.Group.Owner != "carol" {
		t.Errorf("the new owner is told %+v", m.Group)
	}
	if log[1].Kind != protocol.EntryGroupInfo || !strings.Contains(string(log[1].Data), `"owner":"carol"`) || strings.Contains(string(log[1].Data), "self") {
		t.Errorf("the group's log says %s %s", log[1].Kind, log[1].Data)
	}
	if m := membersOf(t, log[2]); len(m.Members) != 2 || m.Members[0].Role != tim.MemberRoleOwner || m.Members[1].Role != tim.MemberRoleNormal {
		t.Errorf("the group's log says %+v", m)
	}
	change := tipOf(t, log[3]).Get(tim.KeyGroupTipsElemGroupChangeInfoArray + ".0")
	if change.Get(tim.KeyGroupTipGroupChangeInfoFlag).Int() != tim.GroupTipChangeFlagOwner || change.Get(tim.KeyGroupTipGroupChangeInfoValue).String() != "carol" {
		t.Errorf("the tip says %s", change)
	}
	entries := alice.heard(4)
	if m := membershipOf(t, entries[3]); !m.Changed || m.Group.Self.Role != tim.MemberRoleNormal {
		t.Errorf("the owner before is told %+v", m.Group.Self)
	}
}

func TestOwnerQuitsAndAnotherFollows(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.GroupOwnerMayQuit = true })
	group, alice, bob, carol := team(t, s, nil)
	for _, step := range []struct {
		quits *client
		heirs string
		sees  *client
	}{{alice, "bob", carol}, {bob, "carol", carol}} {
		ask[struct{}](step.quits, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: group})
		g := ask[protocol.GroupInfos](step.sees, protocol.OpGroupInfo, "", protocol.GroupInfo{Groups: []string{group}}).List[0].Group
		if g.Owner != step.heirs {
			t.Errorf("the owner is %q, want %q", g.Owner, step.heirs)
		}
	}
	if g := ask[protocol.JoinedPage](carol, protocol.OpGroupJoined, "", nil).Groups[0]; g.Self.Role != tim.MemberRoleOwner || g.Members != 1 {
		t.Errorf("at the end: %+v, %+v", g, g.Self)
	}
	var tips []int64
	ask[protocol.Pong](carol, protocol.OpPing, "", nil)
	for len(carol.pushes) > 0 {
		for _, e := range slices.DeleteFunc(entriesOf(<-carol.pushes), func(e pushed) bool { return e.Kind != protocol.EntryMessage }) {
			tips = append(tips, tipOf(t, e).Get(tim.KeyGroupTipsElemTipType).Int())
		}
	}
	if want := []int64{tim.GroupTipQuit, tim.GroupTipGroupInfoChange, tim.GroupTipQuit, tim.GroupTipGroupInfoChange}; !slices.Equal(tips, want) {
		t.Errorf("tips %v, want %v", tips, want)
	}
}

func TestDismiss(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, alice, bob, carol := team(t, s, nil)
	work := alice.create(protocol.CreateGroup{ID: "work", Type: tim.GroupPrivate, Name: "n"})
	alice.post(group, "m", "old news")
	ask[protocol.Joined](s.login(t, "dave"), protocol.OpGroupJoin, "j", protocol.JoinGroup{Group: group})
	for _, c := range []*client{alice, bob, carol} {
		c.settled()
	}
	for i, c := range []struct {
		who   *client
		group string
	}{{bob, group}, {carol, group}, {alice, work}} {
		if got := c.who.code(protocol.OpGroupDismiss, fmt.Sprint("no", i), protocol.OneGroup{Group: c.group}); got != tim.ErrSVRGroupPermissionDeny {
			t.Errorf("%d: dismissed with code %d", i, got)
		}
	}
	ask[struct{}](alice, protocol.OpGroupDismiss, "d", protocol.OneGroup{Group: group})
	for _, c := range []*client{alice, bob, carol} {
		log := c.heard(2)
		if r := reportOf(t, log[0]); r.Type != tim.GroupReportDelete || r.Operator.User != "alice" || r.Operator.Role != tim.MemberRoleOwner || !r.Gone || r.Name != "n" {
			t.Errorf("members are told %+v", r)
		}
		if membershipOf(t, log[1]).In {
			t.Error("still a member")
		}
	}
	if got := alice.requests(protocol.AskPendencies{}); len(got.List) != 0 {
		t.Errorf("requests of a group that has ended: %+v", got)
	}
	for op, body := range map[string]any{protocol.OpGroupQuit: protocol.OneGroup{Group: group}, protocol.OpGroupJoin: protocol.JoinGroup{Group: group},
		protocol.OpGroupDismiss: protocol.OneGroup{Group: group}, protocol.OpGroupMembers: protocol.AskMembers{Group: group}} {
		if got := bob.code(op, "gone"+op, body); got != tim.ErrSVRGroupNotFound {
			t.Errorf("%s: code %d", op, got)
		}
	}
	if got := bob.postCode(group, "late", "x"); got != tim.ErrSVRGroupPermissionDeny && got != tim.ErrSVRGroupNotFound {
		t.Errorf("sent with code %d", got)
	}
	if got := ask[protocol.GroupInfos](bob, protocol.OpGroupInfo, "", protocol.GroupInfo{Groups: []string{group}}).List[0]; got.Code != tim.ErrSVRGroupNotFound {
		t.Errorf("information: %+v", got)
	}
	again(t, bob, group)
	m := membershipOf(t, bob.logged(1)[0])
	if m.Group.Max != 2 || m.Group.Self.ClearSeq < 2 || m.Group.Self.Unread != 0 || m.Group.Members != 1 || m.Pos == 0 {
		t.Errorf("the second group of this id is %+v, %+v at %d", m.Group, m.Group.Self, m.Pos)
	}
	if h := bob.history(group); len(h.Msgs) != 0 {
		t.Errorf("it knows what was said in the first one: %s", h.Msgs)
	}
	if sent := bob.post(group, "first", "hello"); sent.Seq != 3 {
		t.Errorf("its first message has the number %d", sent.Seq)
	}
	if got := alice.code(protocol.OpGroupJoin, "j", protocol.JoinGroup{Group: group}); got != 0 {
		t.Errorf("joined with code %d", got)
	}
}

// again makes a group with the id of one that was dismissed: of a small one it is free at once.
func again(t *testing.T, c *client, id string) {
	t.Helper()
	if got := c.code(protocol.OpGroupCreate, "again"+id, protocol.CreateGroup{ID: id, Type: tim.GroupPublic, Name: "n"}); got != 0 {
		t.Fatalf("created again with code %d", got)
	}
}

// Where permission groups decide, whoever is in one that may manage members decides who comes in, and an admin does not.
func TestPermissionGroupDecidesWhoComesIn(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, alice, bob, carol := team(t, s, func(c *protocol.CreateGroup) {
		c.Type, c.Topics, c.ByRights, c.AddOption = tim.GroupCommunity, true, true, number(tim.GroupAddOptAuth)
	})
	name, right := "porters", uint64(tim.CommunityPermissionManageGroupMember)
	id := ask[protocol.CreatedGroup](alice, protocol.OpRightsCreate, "r", protocol.SetRights{Community: group, Name: &name, Rights: &right}).ID
	ask[protocol.Results](alice, protocol.OpRightsEnlist, "e", protocol.Enlist{Community: group, ID: id, Users: []string{"carol"}, On: true})
	ask[protocol.Joined](s.login(t, "dave"), protocol.OpGroupJoin, "j", protocol.JoinGroup{Group: group})
	r := carol.told()
	if r.Type != tim.GroupReportAddRequest {
		t.Fatalf("told %+v", r)
	}
	for c, want := range map[*client]int{alice: 1, bob: 0, carol: 1} {
		if list := c.requests(protocol.AskPendencies{}); len(list.List) != want || list.Unread != want {
			t.Errorf("got %+v, want %d", list, want)
		}
	}
	if got := bob.decide("admin", *r.Pendency, true, ""); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("an admin decided with code %d", got)
	}
	if got := carol.decide("porter", *r.Pendency, true, ""); got != 0 {
		t.Errorf("decided with code %d", got)
	}
	if got := alice.members(group); !slices.Contains(got, "dave") {
		t.Errorf("members %v", got)
	}
}

// The end of a live room reaches who is there, and its owner.
func TestDismissLiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	room := alice.create(protocol.CreateGroup{ID: "room", Type: tim.GroupAVChatRoom, Name: "n"})
	ask[protocol.Joined](bob, protocol.OpGroupJoin, "j", protocol.JoinGroup{Group: room})
	if got := bob.code(protocol.OpGroupDismiss, "no", protocol.OneGroup{Group: room}); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("the audience dismissed it with code %d", got)
	}
	alice.settled()
	bob.settled()
	ask[struct{}](alice, protocol.OpGroupDismiss, "d", protocol.OneGroup{Group: room})
	for _, c := range []*client{alice, bob} {
		if !reported(c, tim.GroupReportDelete) {
			t.Error("somebody was not told")
		}
	}
	if got := bob.code(protocol.OpGroupJoin, "late", protocol.JoinGroup{Group: room}); got != tim.ErrSVRGroupNotFound {
		t.Errorf("joined with code %d", got)
	}
	again(t, bob, room)
}

// reported waits for a report among all that is pushed, in a live room too, where it comes with the next tick.
func reported(c *client, kind int) bool {
	c.t.Helper()
	for {
		select {
		case p := <-c.pushes:
			for _, e := range entriesOf(p) {
				if e.Kind == protocol.EntryReport && strings.Contains(string(e.Data), fmt.Sprintf(`"type":%d,`, kind)) {
					return true
				}
			}
		case <-time.After(patience):
			return false
		}
	}
}
