package group

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// applied applies entries of logs, each in a transaction of its own.
func applied(t *testing.T, g *Groups, entries ...protocol.Entry) {
	t.Helper()
	for i := range entries {
		if err := g.Store.Write(context.Background(), func(tx *store.Tx) error { return g.Apply(tx, &entries[i]) }); err != nil {
			t.Fatal(err)
		}
	}
}

func entry(kind, group string, data any) protocol.Entry {
	return protocol.Entry{Kind: kind, Group: group, Time: 7_000, Data: protocol.Marshal(data)}
}

func came(r protocol.Group) protocol.Entry {
	if r.Self == nil {
		r.Self = &protocol.Self{Role: tim.MemberRoleNormal}
	}
	return entry(protocol.EntryGroup, r.ID, protocol.Membership{In: true, Group: &r})
}

// offline is the list as it is known without a network.
func offline(t *testing.T, g *Groups) gjson.Result {
	t.Helper()
	got, code := call(t, func(done func(int, string, string)) { g.Joined(false, done) })
	if code != 0 {
		t.Fatalf("code %d", code)
	}
	return got
}

func ids(list gjson.Result) (all []string) {
	for _, v := range list.Array() {
		all = append(all, v.Get(tim.KeyGroupBaseInfoGroupId).String()+v.Get(tim.KeyGroupDetailInfoGroupId).String())
	}
	return all
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %q, want %q", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
}

func TestTheLogKeepsTheList(t *testing.T) {
	g, _ := rig(t, nil)
	applied(t, g, came(protocol.Group{ID: "a", Name: "A"}), came(protocol.Group{ID: "b", Name: "B"}),
		came(protocol.Group{ID: "room", Type: tim.GroupAVChatRoom}), came(protocol.Group{ID: "a@TOPIC#_1", Parent: "a"}),
		came(protocol.Group{ID: "c", Type: tim.GroupCommunity, Topics: true}))
	same(t, "the list", ids(offline(t, g)), "a", "b")
	communities, _ := call(t, func(done func(int, string, string)) { g.JoinedCommunities(false, done) })
	same(t, "communities with topics", ids(communities), "c")

	info := entry(protocol.EntryGroupInfo, "a", protocol.Group{ID: "a", Name: "new", Face: "f", MuteAll: true})
	applied(t, g, info, info, entry(protocol.EntryGroupInfo, "unknown", protocol.Group{ID: "unknown"}),
		entry(protocol.EntryMembers, "a", protocol.MembersChange{Members: []protocol.Member{{User: "me", Role: tim.MemberRoleAdmin}}, Count: 3}))
	first := offline(t, g).Get("0")
	for key, want := range map[string]string{tim.KeyGroupBaseInfoGroupName: "new", tim.KeyGroupBaseInfoFaceUrl: "f",
		tim.KeyGroupBaseInfoIsShutupAll: "true", tim.KeyGroupBaseInfoSelfInfo + "." + tim.KeyGroupSelfInfoRole: "300"} {
		if v := first.Get(key).String(); v != want {
			t.Errorf("%s is %q, want %q", key, v, want)
		}
	}
	applied(t, g, entry(protocol.EntryGroup, "a", protocol.Membership{}))
	same(t, "after leaving", ids(offline(t, g)), "b")
	if err := g.Store.Write(context.Background(), func(tx *store.Tx) error {
		return g.GroupState(tx, &protocol.GroupState{Group: protocol.Group{ID: "d"}}, false)
	}); err != nil {
		t.Fatal(err)
	}
	same(t, "after a state", ids(offline(t, g)), "b", "d")
	if err := g.Store.Write(context.Background(), func(tx *store.Tx) error { return g.GroupGone(tx, "b") }); err != nil {
		t.Fatal(err)
	}
	same(t, "after one is gone", ids(offline(t, g)), "d")
	if err := g.Store.Write(context.Background(), g.Forget); err != nil {
		t.Fatal(err)
	}
	same(t, "after other logs", ids(offline(t, g)))
}

// slowServer lets something happen while it is asked.
type slowServer struct {
	*server
	meanwhile func()
}

func (s *slowServer) Request(op, key string, body []byte, d time.Duration, done func(protocol.Answer, error)) {
	s.meanwhile()
	s.server.Request(op, key, body, d, done)
}

func TestAListThatTheLogHasOvertaken(t *testing.T) {
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupJoined: {
		ok(protocol.JoinedPage{Groups: []protocol.Group{{ID: "left"}, {ID: "stays", Name: "as the server has it"}}})}})
	stays := protocol.Group{ID: "stays", Introduction: "intro"}
	applied(t, g, came(protocol.Group{ID: "left"}), came(stays))
	once := true
	g.Link = &slowServer{s, func() {
		if once {
			once = false
			applied(t, g, entry(protocol.EntryGroup, "left", protocol.Membership{}), came(protocol.Group{ID: "new"}))
		}
	}}
	got, code := call(t, func(done func(int, string, string)) { g.Joined(true, done) })
	if code != 0 || got.Get("1."+tim.KeyGroupBaseInfoGroupName).String() != "as the server has it" {
		t.Errorf("code %d, %s", code, got)
	}
	same(t, "the list", ids(got), "new", "stays")
	found, _ := call(t, func(done func(int, string, string)) {
		g.SearchGroups(Search{Keywords: []string{"stays"}, Fields: 1}, done)
	})
	if v := found.Get("0." + tim.KeyGroupDetailInfoIntroduction).String(); v != "intro" {
		t.Errorf("the introduction is %q", v) // which the list does not carry
	}
}

func TestSearchGroups(t *testing.T) {
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupJoined: {ok(protocol.JoinedPage{Groups: []protocol.Group{
		{ID: "team-1", Name: "产品讨论组"}, {ID: "team-2", Name: "My iPhone"}, {ID: "x_y%", Name: "ＡＢＣ"}}})}})
	for text, want := range map[string][]string{
		`"group_search_params_keyword_list":["讨论"]`:                                             {"team-1"},
		`"group_search_params_keyword_list":["论"]`:                                              {"team-1"},
		`"group_search_params_keyword_list":["PHONE"]`:                                          {"team-2"},
		`"group_search_params_keyword_list":["abc","产品"]`:                                       {"team-1", "x_y%"},
		`"group_search_params_keyword_list":["team"]`:                                           {"team-1", "team-2"},
		`"group_search_params_keyword_list":["team"],"group_search_params_field_list":[2]`:      {},
		`"group_search_params_keyword_list":["team","讨"],"group_search_params_field_list":[2]`:  {"team-1"},
		`"group_search_params_keyword_list":["_y%"],"group_search_params_field_list":[1]`:       {"x_y%"},
		`"group_search_params_keyword_list":["%"]`:                                              {"x_y%"},
		`"group_search_params_keyword_list":["nothing"],"group_search_params_field_list":[1,2]`: {},
	} {
		ask, bad := ParseSearchGroups(gjson.Parse("{" + text + "}"))
		if bad != nil {
			t.Fatalf("%s: %v", text, bad)
		}
		got, code := call(t, func(done func(int, string, string)) { g.SearchGroups(ask, done) })
		if code != 0 {
			t.Errorf("%s: code %d", text, code)
		}
		same(t, text, ids(got), want...)
	}
	if len(s.asked) != 1 {
		t.Errorf("the server was asked %d times for its list", len(s.asked))
	}
	for _, text := range []string{`{}`, `{"group_search_params_keyword_list":[]}`, `{"group_search_params_keyword_list":["",7]}`,
		`{"group_search_params_keyword_list":["1","2","3","4","5","6"]}`,
		`{"group_search_params_keyword_list":["a"],"group_search_params_field_list":[4]}`} {
		if _, bad := ParseSearchGroups(gjson.Parse(text)); bad == nil || bad.Code != tim.ErrInvalidParameters {
			t.Errorf("%s: %v", text, bad)
		}
	}
}

func TestSearchMembers(t *testing.T) {
	g, _ := rig(t, map[string][]protocol.Answer{protocol.OpGroupMembers: {ok(protocol.MemberPage{Members: []protocol.Member{
		{User: "bob", Nick: "鲍勃", NameCard: "设计师"}, {User: "eve", Nick: "Eve"}}})}})
	applied(t, g, came(protocol.Group{ID: "g"}), came(protocol.Group{ID: "h"}),
		entry(protocol.EntryMembers, "h", protocol.MembersChange{Members: []protocol.Member{{User: "bob", Nick: "鲍勃"}, {User: "zoe"}}}))
	for _, id := range []string{"g", "elsewhere"} {
		_, _ = call(t, func(done func(int, string, string)) { g.Members(protocol.AskMembers{Group: id}, done) })
	}
	search := func(text string, groups ...string) (all []string) {
		t.Helper()
		ask, bad := ParseSearchMembers(gjson.Parse(text), groups)
		if bad != nil {
			t.Fatal(bad)
		}
		got, code := call(t, func(done func(int, string, string)) { g.SearchMembers(ask, done) })
		if code != 0 {
			t.Fatalf("%s: code %d", text, code)
		}
		for _, in := range got.Array() {
			for _, m := range in.Get(tim.KeyGroupSearchGroupMembersResultMemberInfoList).Array() {
				all = append(all, in.Get(tim.KeyGroupSearchGroupMembersResultGroupID).String()+":"+m.Get(tim.KeyGroupMemberInfoIdentifier).String())
			}
		}
		return all
	}
	same(t, "by nick", search(`{"group_search_member_params_keyword_list":["鲍"]}`), "g:bob", "h:bob")
	same(t, "by card", search(`{"group_search_member_params_keyword_list":["设计"],"group_search_member_params_field_list":[8]}`), "g:bob")
	same(t, "by card only", search(`{"group_search_member_params_keyword_list":["鲍"],"group_search_member_params_field_list":[8]}`))
	same(t, "by remark", search(`{"group_search_member_params_keyword_list":["bob"],"group_search_member_params_field_list":[4]}`))
	same(t, "in one group", search(`{"group_search_member_params_keyword_list":["bob"]}`, "h"), "h:bob")
	applied(t, g, entry(protocol.EntryMembers, "h", protocol.MembersChange{Gone: []string{"bob"}, Count: 1}))
	same(t, "after he left one", search(`{"group_search_member_params_keyword_list":["bob","zo"]}`), "g:bob", "h:zoe")
	applied(t, g, entry(protocol.EntryGroup, "h", protocol.Membership{}))
	same(t, "after leaving a group", search(`{"group_search_member_params_keyword_list":["bob","zo"]}`), "g:bob")
}

func TestSearchWithoutAServer(t *testing.T) {
	g, s := rig(t, nil)
	s.err = &transport.Error{Code: tim.ErrSDKNetDisconnect}
	applied(t, g, came(protocol.Group{ID: "here"}))
	got, code := call(t, func(done func(int, string, string)) {
		g.SearchGroups(Search{Keywords: []string{"here"}, Fields: 3}, done)
	})
	if code != 0 || len(got.Array()) != 1 {
		t.Errorf("code %d, %s", code, got)
	}
}

func TestReports(t *testing.T) {
	g, _ := rig(t, nil)
	applied(t, g, entry(protocol.EntryReport, "g", protocol.Report{Type: tim.GroupReportShutUpMember, Operator: protocol.Member{User: "bob", Nick: "B",
		Role: 400}, Text: "why", Data: "d", Mute: 60, Name: "a group", Platform: "linux"}))
	if len(heard(g).reports) != 1 {
		t.Fatalf("%d reports", len(heard(g).reports))
	}
	got := gjson.Parse(heard(g).reports[0]).Get("0")
	for key, want := range map[string]string{tim.KeyElemType: "8", tim.KeyGroupReportElemReportType: "17", tim.KeyGroupReportElemGroupId: "g",
		tim.KeyGroupReportElemGroupName: "a group", tim.KeyGroupReportElemOpUser: "bob", tim.KeyGroupReportElemMsg: "why",
		tim.KeyGroupReportElemUserData: "d", tim.KeyGroupReportElemShutUpTime: "60", tim.KeyGroupReportElemPlatform: "Linux",
		tim.KeyGroupReportElemOpUserInfo + "." + tim.KeyUserProfileNickName:              "B",
		tim.KeyGroupReportElemOpGroupMemberInfo + "." + tim.KeyGroupMemberInfoMemberRole: "400",
		tim.KeyGroupReportElemGroupMessageReceiveOption:                                  "0"} {
		if v := got.Get(key).String(); v != want {
			t.Errorf("%s is %q, want %q", key, v, want)
		}
	}
}

// The list that older releases kept as one word is there after the update, for searches too.
func TestListOfOldReleases(t *testing.T) {
	folder := t.TempDir()
	old, err := store.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Write(context.Background(), func(tx *store.Tx) error {
		return store.SetMeta(tx.Tx, "groups_joined", `[{"id":"a","type":1,"name":"Team","self":{"role":400,"joined":3,"opt":0}},{"id":"b","type":0,"name":"组"}]`)
	}); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	g, s := rig(t, nil)
	s.err = &transport.Error{Code: tim.ErrSDKNetDisconnect}
	st, err := store.Open(folder, conversation.Schema, Schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	g.Store = st
	list := offline(t, g)
	same(t, "the list", ids(list), "a", "b")
	if role := list.Get("0." + tim.KeyGroupBaseInfoSelfInfo + "." + tim.KeyGroupSelfInfoRole).Int(); role != 400 {
		t.Errorf("role %d", role)
	}
	found, _ := call(t, func(done func(int, string, string)) {
		g.SearchGroups(Search{Keywords: []string{"tea"}, Fields: 2}, done)
	})
	same(t, "the search", ids(found), "a")
}

// Without a network the conversations say how far the user has come.
func TestOfflineListKnowsWhatIsUnread(t *testing.T) {
	g, _ := rig(t, nil)
	applied(t, g, came(protocol.Group{ID: "a", Max: 5, Self: &protocol.Self{ReadSeq: 5}}))
	if err := g.Store.Write(context.Background(), func(tx *store.Tx) error {
		return tx.Exec(`INSERT INTO conversation (type, peer, max_seq, peer_count, read_seq, read_count, option) VALUES (2,'a',9,7,6,4,2)`)
	}); err != nil {
		t.Fatal(err)
	}
	got := offline(t, g).Get("0")
	for key, want := range map[string]int64{tim.KeyGroupBaseInfoLatestSeq: 9, tim.KeyGroupBaseInfoReadedSeq: 6, tim.KeyGroupBaseInfoMsgFlag: 2,
		tim.KeyGroupBaseInfoSelfInfo + "." + tim.KeyGroupSelfInfoUnReadNum: 3} {
		if v := got.Get(key).Int(); v != want {
			t.Errorf("%s is %d, want %d", key, v, want)
		}
	}
}

// The server does not name a group of which the user does not want to hear: he is in it all the same.
func TestGroupThatIsNotReceivedStays(t *testing.T) {
	g, _ := rig(t, nil)
	applied(t, g, came(protocol.Group{ID: "a"}), came(protocol.Group{ID: "b"}))
	if err := g.Store.Write(context.Background(), func(tx *store.Tx) error {
		return tx.Exec(`INSERT INTO conversation (type, peer, option) VALUES (2,'a',?), (2,'b',?)`, tim.RecvMsgOptNotReceive, tim.RecvMsgOptReceive)
	}); err != nil {
		t.Fatal(err)
	}
	if err := g.Store.Write(context.Background(), func(tx *store.Tx) error {
		return errors.Join(g.GroupGone(tx, "a"), g.GroupGone(tx, "b"))
	}); err != nil {
		t.Fatal(err)
	}
	same(t, "the list", ids(offline(t, g)), "a")
	applied(t, g, entry(protocol.EntryGroup, "a", protocol.Membership{}))
	same(t, "after leaving", ids(offline(t, g)))
}

func TestDatabaseThatIsClosed(t *testing.T) {
	g, _ := rig(t, nil)
	if err := g.Store.(*store.Store).Close(); err != nil {
		t.Fatal(err)
	}
	if _, code := call(t, func(done func(int, string, string)) { g.Joined(false, done) }); code != tim.ErrSDKCommInterrupt {
		t.Errorf("code %d, want that of the end", code)
	}
}
