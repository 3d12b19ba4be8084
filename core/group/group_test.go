package group

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// question is what the fake server was asked.
type question struct {
	op, key string
	body    gjson.Result
}

// server answers from a script, by operation.
type server struct {
	answers map[string][]protocol.Answer // one a question; the last one stays
	err     error
	asked   []question
}

func (s *server) Request(op, key string, body []byte, _ time.Duration, done func(protocol.Answer, error)) {
	s.asked = append(s.asked, question{op, key, gjson.ParseBytes(body)})
	if s.err != nil {
		done(protocol.Answer{}, s.err)
		return
	}
	list := s.answers[op]
	if len(list) > 1 {
		s.answers[op] = list[1:]
	}
	done(list[0], nil)
}

func ok(body any) protocol.Answer { return protocol.Answer{Body: protocol.Marshal(body)} }

func rig(t *testing.T, answers map[string][]protocol.Answer) (*Groups, *server) {
	t.Helper()
	st, err := store.Open("", conversation.Schema, Schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s := &server{answers: answers}
	h := &host{}
	return New(Config{User: "me", Link: s, Store: st, Messages: h, Rooms: h, Sink: h, Log: slog.New(slog.DiscardHandler),
		Timeout: func() time.Duration { return time.Second }, Ended: func() int { return tim.ErrSDKCommInterrupt }}), s
}

// host is what the program that uses the library hears.
type host struct {
	events  []event.Event
	reports []string
	rooms   []string
}

func (h *host) Emit(e event.Event)                { h.events = append(h.events, e) }
func (h *host) Waiting() int                      { return 0 }
func (h *host) Announce(elements string, _ int64) { h.reports = append(h.reports, elements) }
func (h *host) Entering(room string)              { h.rooms = append(h.rooms, "?"+room) }
func (h *host) Entered(room *protocol.Group, _ []string, told func()) {
	h.rooms = append(h.rooms, "+"+room.ID)
	told()
}
func (h *host) Leaving(room string) bool { return slices.Contains(h.rooms, room) }
func (h *host) Stays(room string)        { h.rooms = append(h.rooms, "="+room) }
func (h *host) Left(room string)         { h.rooms = append(h.rooms, "-"+room) }

func heard(g *Groups) *host { return g.Sink.(*host) }

// result is what a call answered.
type result struct {
	code  int
	json  string
	calls int
}

func (r *result) done(code int, _, json string) { r.code, r.json, r.calls = code, json, r.calls+1 }

func call(t *testing.T, fn func(done func(int, string, string))) (gjson.Result, int) {
	t.Helper()
	var r result
	fn(r.done)
	if r.calls != 1 {
		t.Fatalf("answered %d times", r.calls)
	}
	if r.json != "" && !json.Valid([]byte(r.json)) {
		t.Fatalf("not JSON: %s", r.json)
	}
	return gjson.Parse(r.json), r.code
}

func TestCreate(t *testing.T) {
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupCreate: {ok(protocol.CreatedGroup{ID: "made"})}})
	param, bad := ParseCreate(gjson.Parse(`{"create_group_param_group_name":"n","create_group_param_group_type":1,
		"create_group_param_add_option":0,"create_group_param_approve_option":3,"create_group_param_max_member_num":7,
		"create_group_param_group_member_array":[{"group_member_info_identifier":"bob","group_member_info_member_role":300}]}`))
	if bad != nil {
		t.Fatal(bad)
	}
	got, code := call(t, func(done func(int, string, string)) { g.Create(param, done) })
	if code != 0 || got.Get(tim.KeyCreateGroupResultGroupId).String() != "made" {
		t.Errorf("code %d, %s", code, got)
	}
	want := `{"type":1,"name":"n","add":0,"max_members":7,"members":[{"user":"bob","role":300}]}`
	if q := s.asked[0]; q.op != protocol.OpGroupCreate || q.key == "" || q.body.Raw != want {
		t.Errorf("asked %+v", q)
	}
	_, _ = call(t, func(done func(int, string, string)) { g.Create(param, done) })
	if s.asked[0].key == s.asked[1].key {
		t.Error("two groups have one key")
	}
}

func TestCreateIsRefusedEarly(t *testing.T) {
	g, s := rig(t, nil)
	for text, want := range map[string]int{
		`{"create_group_param_group_type":0}`:                                                                                  tim.ErrSDKGroupInvalidName,
		`{"create_group_param_group_name":"n","create_group_param_group_type":3}`:                                              tim.ErrSVRGroupInvalidParameters,
		`{"create_group_param_group_name":"n","create_group_param_group_id":"@TGS#x"}`:                                         tim.ErrSDKGroupInvalidID,
		`{"create_group_param_group_name":"` + strings.Repeat("x", 101) + `"}`:                                                 tim.ErrSDKGroupInvalidName,
		`{"create_group_param_group_name":"n","create_group_param_group_member_array":["bob"]}`:                                tim.ErrInvalidParameters,
		`{"create_group_param_group_name":"n","create_group_param_group_type":9}`:                                              tim.ErrSVRGroupInvalidParameters,
		`{"create_group_param_group_name":"n","create_group_param_custom_info":[{"group_info_custom_string_info_value":"v"}]}`: tim.ErrInvalidParameters,
	} {
		param, bad := ParseCreate(gjson.Parse(text))
		code := 0
		if bad != nil {
			code = bad.Code
		} else {
			_, code = call(t, func(done func(int, string, string)) { g.Create(param, done) })
		}
		if code != want {
			t.Errorf("%s: code %d, want %d", text, code, want)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("the server was asked: %+v", s.asked)
	}
}

func TestInvite(t *testing.T) {
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupInvite: {ok(protocol.Invited{
		Results: []protocol.InviteResult{{User: "bob", Result: 1}, {User: "eve", Result: 0}}})}})
	got, code := call(t, func(done func(int, string, string)) {
		g.Invite(protocol.Invite{Group: "g", Users: []string{"bob", "eve"}, Data: "d"}, done)
	})
	if code != 0 || len(got.Array()) != 2 || got.Get("0."+tim.KeyGroupInviteMemberResultIdentifier).String() != "bob" ||
		got.Get("0."+tim.KeyGroupInviteMemberResultResult).Int() != 1 || got.Get("1."+tim.KeyGroupInviteMemberResultResult).Int() != 0 {
		t.Errorf("code %d, %s", code, got)
	}
	if _, code := call(t, func(done func(int, string, string)) { g.Invite(protocol.Invite{Group: "g"}, done) }); code != tim.ErrSDKGroupInviteNoMember {
		t.Errorf("nobody: code %d", code)
	}
	if len(s.asked) != 1 || s.asked[0].key == "" {
		t.Errorf("asked %+v", s.asked)
	}
}

func TestCodes(t *testing.T) {
	for _, c := range []struct {
		answer protocol.Answer
		err    error
		code   int
	}{
		{protocol.Answer{Body: []byte("{}")}, nil, 0},
		{protocol.Answer{Code: tim.ErrSVRGroupNotFound}, nil, tim.ErrSVRGroupNotFound},
		{protocol.Answer{Code: protocol.CodeBusy}, nil, tim.ErrSDKNetWaitAckTimeout},
		{protocol.Answer{Code: protocol.CodeInside}, nil, tim.ErrSDKNetWaitAckTimeout},
		{protocol.Answer{Code: protocol.CodeOp}, nil, tim.ErrSDKInterfaceNotSupport},
		{protocol.Answer{Body: []byte("[")}, nil, tim.ErrParseResponseFailed},
		{protocol.Answer{}, &transport.Error{Code: tim.ErrSDKNetDisconnect}, tim.ErrSDKNetDisconnect},
	} {
		g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupJoin: {c.answer}})
		s.err = c.err
		if got, code := call(t, func(done func(int, string, string)) { g.Join("g", "", done) }); code != c.code || got.Raw != "" {
			t.Errorf("%+v: code %d, %q", c.answer, code, got.Raw)
		}
	}
}

func TestJoinedList(t *testing.T) {
	first := protocol.Group{ID: "a", Type: 1, Name: "A", Face: "f", LastInfo: 5, Max: 9,
		Self: &protocol.Self{Role: 400, Joined: 3, Option: 2, Unread: 4, ReadSeq: 5}}
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupJoined: {
		ok(protocol.JoinedPage{Groups: []protocol.Group{first}, Cursor: "7"}),
		ok(protocol.JoinedPage{Groups: []protocol.Group{{ID: "b"}}}),
		{Code: tim.ErrSVRGroupInternalError},
	}})
	joined := func(online bool) (gjson.Result, int) {
		return call(t, func(done func(int, string, string)) { g.Joined(online, done) })
	}
	if got, code := joined(false); code != 0 || got.Raw != "[]" || len(s.asked) != 0 {
		t.Errorf("before the first login: code %d, %s", code, got)
	}
	got, code := joined(true)
	if code != 0 || len(got.Array()) != 2 || got.Get("1."+tim.KeyGroupBaseInfoGroupId).String() != "b" {
		t.Fatalf("code %d, %s", code, got)
	}
	if s.asked[0].body.Raw != `{}` || s.asked[1].body.Get("cursor").String() != "7" {
		t.Errorf("asked %+v", s.asked)
	}
	for key, want := range map[string]string{
		tim.KeyGroupBaseInfoGroupId: "a", tim.KeyGroupBaseInfoGroupType: "1", tim.KeyGroupBaseInfoGroupName: "A",
		tim.KeyGroupBaseInfoFaceUrl: "f", tim.KeyGroupBaseInfoLatestSeq: "9", "group_base_info_lastest_seq": "9",
		tim.KeyGroupBaseInfoReadedSeq: "5", tim.KeyGroupBaseInfoMsgFlag: "2", tim.KeyGroupBaseInfoIsShutupAll: "false",
		tim.KeyGroupBaseInfoSelfInfo + "." + tim.KeyGroupSelfInfoJoinTime:  "3",
		tim.KeyGroupBaseInfoSelfInfo + "." + tim.KeyGroupSelfInfoRole:      "400",
		tim.KeyGroupBaseInfoSelfInfo + "." + tim.KeyGroupSelfInfoUnReadNum: "4",
		tim.KeyGroupBaseInfoSelfInfo + "." + tim.KeyGroupSelfInfoMsgFlag:   "2",
	} {
		if v := got.Get("0." + key).String(); v != want {
			t.Errorf("%s is %q, want %q", key, v, want)
		}
	}
	if _, code := joined(true); code != tim.ErrSVRGroupInternalError {
		t.Errorf("a refusal became %d", code)
	}
	s.err = &transport.Error{Code: tim.ErrSDKNetWaitAckTimeoutNoNetwork}
	for _, online := range []bool{true, false} {
		if kept, code := joined(online); code != 0 || kept.Raw != got.Raw {
			t.Errorf("without a network: code %d, %s", code, kept)
		}
	}
}

func TestInfo(t *testing.T) {
	answer := func(ids ...string) protocol.Answer {
		var a protocol.GroupInfos
		for _, id := range ids {
			a.List = append(a.List, protocol.FoundGroup{Group: protocol.Group{ID: id}})
		}
		return ok(a)
	}
	ids := make([]string, 51)
	for i := range ids {
		ids[i] = "g" + string(rune('0'+i))
	}
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupInfo: {answer(ids[:50]...), answer(ids[50:]...), ok(protocol.GroupInfos{
		List: []protocol.FoundGroup{
			{Code: tim.ErrSVRGroupNotFound, Desc: "gone", Group: protocol.Group{ID: "x"}},
			{Group: protocol.Group{ID: "y", Owner: "alice", Max: 4, LastTime: 5999, Members: 2, Introduction: "i", Self: &protocol.Self{}}},
		}})}})
	got, code := call(t, func(done func(int, string, string)) { g.Info(ids, done) })
	var names []string
	for _, v := range got.Array() {
		names = append(names, v.Get(tim.KeyGetGroupInfoResultInfo+"."+tim.KeyGroupDetailInfoGroupId).String())
	}
	if code != 0 || len(s.asked) != 2 || !slices.Equal(names, ids) {
		t.Errorf("code %d, %d questions, %v", code, len(s.asked), names)
	}
	got, _ = call(t, func(done func(int, string, string)) { g.Info([]string{"x", "y"}, done) })
	for path, want := range map[string]string{
		"0." + tim.KeyGetGroupInfoResultCode: "10010", "0." + tim.KeyGetGroupInfoResultDesc: "gone",
		"1." + tim.KeyGetGroupInfoResultCode:                                                 "0",
		"1." + tim.KeyGetGroupInfoResultInfo + "." + tim.KeyGroupDetailInfoOwnerIdentifier:   "alice",
		"1." + tim.KeyGetGroupInfoResultInfo + ".group_detial_info_owener_identifier":        "alice",
		"1." + tim.KeyGetGroupInfoResultInfo + "." + tim.KeyGroupDetailInfoNextMsgSeq:        "5",
		"1." + tim.KeyGetGroupInfoResultInfo + "." + tim.KeyGroupDetailInfoLastMsgTime:       "5",
		"1." + tim.KeyGetGroupInfoResultInfo + "." + tim.KeyGroupDetailInfoMemberNum:         "2",
		"1." + tim.KeyGetGroupInfoResultInfo + "." + tim.KeyGroupDetailInfoIntroduction:      "i",
		"1." + tim.KeyGetGroupInfoResultInfo + "." + tim.KeyGroupDetailInfoIsSupportTopic:    "false",
		"1." + tim.KeyGetGroupInfoResultInfo + "." + tim.KeyGroupDetailInfoOnlineMemberNum:   "0",
		"1." + tim.KeyGetGroupInfoResultInfo + "." + tim.KeyGroupDetailInfoCustomInfo + ".#": "0",
	} {
		if v := got.Get(path).String(); v != want {
			t.Errorf("%s is %q, want %q", path, v, want)
		}
	}
}

func TestMembers(t *testing.T) {
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupMembers: {ok(protocol.MemberPage{Next: 9007199254740993,
		Members: []protocol.Member{{User: "bob", Nick: "B", Role: 300, Joined: 5, Option: 1}}})}})
	param := gjson.Parse(`{"group_get_members_info_list_param_group_id":"g","group_get_members_info_list_param_next_seq":9007199254740995,
		"group_get_members_info_list_param_option":{"group_member_get_info_option_role_flag":2}}`)
	got, code := call(t, func(done func(int, string, string)) { g.Members(ParseMembers(param, nil), done) })
	if want := `{"group":"g","roles":2,"next":9007199254740995}`; s.asked[0].body.Raw != want || s.asked[0].key != "" {
		t.Errorf("asked %+v", s.asked[0])
	}
	for path, want := range map[string]string{
		tim.KeyGroupGetMemberInfoListResultNexSeq: "9007199254740993", "group_get_memeber_info_list_result_next_seq": "9007199254740993",
		tim.KeyGroupGetMemberInfoListResultInfoArray + ".0." + tim.KeyGroupMemberInfoIdentifier:        "bob",
		tim.KeyGroupGetMemberInfoListResultInfoArray + ".0." + tim.KeyGroupMemberInfoNickName:          "B",
		tim.KeyGroupGetMemberInfoListResultInfoArray + ".0." + tim.KeyGroupMemberInfoMemberRole:        "300",
		tim.KeyGroupGetMemberInfoListResultInfoArray + ".0." + tim.KeyGroupMemberInfoGroupId:           "g",
		tim.KeyGroupGetMemberInfoListResultInfoArray + ".0." + tim.KeyGroupMemberInfoJoinTime:          "5",
		"group_get_memeber_info_list_result_info_array.0." + tim.KeyGroupMemberInfoMsgFlag:             "1",
		tim.KeyGroupGetMemberInfoListResultInfoArray + ".0." + tim.KeyGroupMemberInfoCustomInfo + ".#": "0",
	} {
		if v := got.Get(path); v.Raw != want && v.String() != want {
			t.Errorf("%s is %s, want %s (code %d)", path, v.Raw, want, code)
		}
	}
}

func TestSetMember(t *testing.T) {
	who := `"group_modify_member_info_group_id":"g","group_modify_member_info_identifier":"bob","group_modify_member_info_modify_flag":`
	for text, want := range map[string]string{
		`2,"group_modify_member_info_member_role":300,"group_modify_member_info_msg_flag":1`:                                                            `{"group":"g","user":"bob","role":300}`,
		`1,"group_modify_member_info_msg_flag":0`:                                                                                                       `{"group":"g","user":"bob","opt":0}`,
		`3,"group_modify_member_info_member_role":200,"group_modify_member_info_msg_flag":1`:                                                            `{"group":"g","user":"bob","role":200,"opt":1}`,
		`4,"group_modify_member_info_shutup_time":4294967295`:                                                                                           `{"group":"g","user":"bob","mute":4294967295}`,
		`8,"group_modify_member_info_name_card":""`:                                                                                                     `{"group":"g","user":"bob","card":""}`,
		`16,"group_modify_member_info_custom_info":[{"group_member_info_custom_string_info_key":"k","group_member_info_custom_string_info_value":"v"}]`: `{"group":"g","user":"bob","custom":{"k":"v"}}`,
	} {
		m, bad := ParseSetMember(gjson.Parse("{" + who + text + "}"))
		if got := string(protocol.Marshal(m)); bad != nil || got != want {
			t.Errorf("%s: %v, %s", text, bad, got)
		}
	}
	for text, want := range map[string]int{`0`: tim.ErrInvalidParameters, `2`: tim.ErrInvalidParameters,
		`32`: tim.ErrInvalidParameters, `16,"group_modify_member_info_custom_info":[{}]`: tim.ErrInvalidParameters,
		`4,"group_modify_member_info_shutup_time":4294967296`: tim.ErrInvalidParameters, `4,"group_modify_member_info_shutup_time":-1`: tim.ErrInvalidParameters,
		`4,"group_modify_member_info_shutup_time":1.5`: tim.ErrInvalidParameters, `8,"group_modify_member_info_name_card":7`: tim.ErrInvalidParameters} {
		if _, bad := ParseSetMember(gjson.Parse("{" + who + text + "}")); bad == nil || bad.Code != want {
			t.Errorf("%s: %v, want %d", text, bad, want)
		}
	}
	if _, bad := ParseSetMember(gjson.Parse(`{}`)); bad == nil {
		t.Error("nothing to change was taken")
	}
}

// Of a live room the device is told in an order that spoils no later stay.
func TestComingAndGoing(t *testing.T) {
	yes := ok(struct{}{})
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupJoin: {ok(protocol.Joined{Live: true}), yes},
		protocol.OpGroupQuit: {yes, {Code: tim.ErrSVRGroupPermissionDeny}}, protocol.OpGroupDismiss: {yes}})
	rooms := func(what string, fn func(event.Done), want ...string) {
		t.Helper()
		heard(g).rooms = nil
		if _, code := call(t, func(done func(int, string, string)) { fn(done) }); code != 0 && what != "a refusal" {
			t.Errorf("%s: code %d", what, code)
		}
		same(t, what, heard(g).rooms, want...)
	}
	rooms("a room", func(done event.Done) { g.Join("room", "", done) }, "?room", "+room")
	rooms("a group", func(done event.Done) { g.Join("group", "", done) }, "?group")
	rooms("quit", func(done event.Done) { g.Quit("room", done) }, "-room")
	rooms("a refusal", func(done event.Done) { g.Quit("room", done) }, "=room")
	rooms("the end", func(done event.Done) { g.Dismiss("room", done) }) // the room itself tells of it
	if len(s.asked) != 5 {
		t.Errorf("asked %+v", s.asked)
	}
}
