package group

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

func write(t *testing.T, g *Groups, attrs map[string]string) int {
	t.Helper()
	_, code := call(t, func(done func(int, string, string)) {
		g.WriteAttributes(protocol.SetGroupAttributes{Group: "g", Way: protocol.AttributesSet, Attrs: attrs}, done)
	})
	return code
}

// A write carries the version that the host has been shown last; the first one reads it.
func TestAttributeVersions(t *testing.T) {
	g, s := rig(t, map[string][]protocol.Answer{
		protocol.OpGroupAttributes:    {ok(protocol.GroupAttributes{Version: 5, Attrs: map[string]string{"b": "2", "a": "1"}})},
		protocol.OpGroupSetAttributes: {{Code: tim.ErrSVRGroupAttributeWriteConfilct}, ok(protocol.GroupAttributes{Version: 7}), {Code: 1}},
	})
	versions := func() (all []string) {
		for _, q := range s.asked {
			if q.op == protocol.OpGroupSetAttributes {
				all = append(all, q.body.Get("v").String())
			}
		}
		return all
	}
	attrs := map[string]string{"k": "v"}
	if code := write(t, g, attrs); code != tim.ErrSVRGroupAttributeWriteConfilct {
		t.Errorf("code %d", code)
	}
	if s.asked[0].op != protocol.OpGroupAttributes || s.asked[0].key != "" || s.asked[1].key == "" {
		t.Errorf("asked %+v", s.asked)
	}
	got, code := call(t, func(done func(int, string, string)) { g.Attributes(protocol.AskGroupAttributes{Group: "g"}, done) })
	if code != 0 || got.Raw != `[{"group_atrribute_key":"a","group_atrribute_value":"1","group_attribute_key":"a","group_attribute_value":"1"},`+
		`{"group_atrribute_key":"b","group_atrribute_value":"2","group_attribute_key":"b","group_attribute_value":"2"}]` {
		t.Errorf("code %d, %s", code, got)
	}
	_ = write(t, g, attrs)
	_ = write(t, g, attrs)
	changed := entry(protocol.EntryGroupAttributes, "g", protocol.GroupAttributes{Version: 9, Attrs: map[string]string{"k": "v"}})
	applied(t, g, changed, changed)
	_ = write(t, g, attrs)
	applied(t, g, entry(protocol.EntryGroup, "g", protocol.Membership{}))
	_ = write(t, g, attrs) // in again: reads again
	same(t, "versions", versions(), "5", "5", "7", "9", "5")
	if e := heard(g).events; len(e) != 1 || e[0].Args[0].Text != "g" || gjson.Get(e[0].Args[1].Text, "0.group_attribute_key").String() != "k" {
		t.Errorf("events: %+v", e)
	}
}

func TestAttributeRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupSetAttributes: {ok(protocol.GroupAttributes{Version: 1})},
			protocol.OpGroupAttributes: {ok(protocol.GroupAttributes{})}, protocol.OpGroupCounters: {ok(protocol.GroupCounters{})}})
		for i := range 11 {
			want := 0
			if i == 10 {
				want = tim.ErrSDKGroupAttrFrequencyLimit
			}
			if code := write(t, g, map[string]string{"k": "v"}); code != want {
				t.Fatalf("write %d: code %d", i, code)
			}
		}
		asked := len(s.asked)
		time.Sleep(5 * time.Second)
		if code := write(t, g, map[string]string{"k": "v"}); code != 0 || len(s.asked) != asked+1 {
			t.Errorf("after a while: code %d", code)
		}
		for i := range 21 {
			var read, count int
			_, read = call(t, func(done func(int, string, string)) { g.Attributes(protocol.AskGroupAttributes{Group: "g"}, done) })
			_, count = call(t, func(done func(int, string, string)) { g.Counters(protocol.AskGroupAttributes{Group: "g"}, done) })
			if limited := i == 20; limited != (read == tim.ErrSDKGroupAttrFrequencyLimit) || limited != (count == model.CodeCounterRate) {
				t.Fatalf("question %d: codes %d, %d", i, read, count)
			}
		}
	})
}

func TestCounters(t *testing.T) {
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupSetCounters: {ok(protocol.GroupCounters{
		Counters: []protocol.Counter{{Key: "k", Value: math.MinInt64}}})}})
	counters, bad := ParseCounters(gjson.Parse(`[{"group_counter_key":"k","group_counter_value":9007199254740993}]`))
	if bad != nil {
		t.Fatal(bad)
	}
	got, code := call(t, func(done func(int, string, string)) {
		g.SetCounters(protocol.SetGroupCounters{Group: "g", Counters: counters}, done)
	})
	if code != 0 || got.Raw != `[{"group_counter_key":"k","group_counter_value":-9223372036854775808}]` {
		t.Errorf("code %d, %s", code, got)
	}
	_, _ = call(t, func(done func(int, string, string)) { g.AddToCounter("g", "k", 3, done) })
	_, _ = call(t, func(done func(int, string, string)) { g.TakeFromCounter("g", "k", 3, done) })
	for i, want := range []string{`{"group":"g","counters":[{"key":"k","value":9007199254740993}]}`,
		`{"group":"g","add":true,"counters":[{"key":"k","value":3}]}`, `{"group":"g","add":true,"counters":[{"key":"k","value":-3}]}`} {
		if s.asked[i].body.Raw != want || s.asked[i].key == "" {
			t.Errorf("asked %+v, want %s", s.asked[i], want)
		}
	}
	if _, code := call(t, func(done func(int, string, string)) { g.TakeFromCounter("g", "k", math.MinInt64, done) }); code != tim.ErrInvalidParameters {
		t.Errorf("the number without an opposite: code %d", code)
	}
	if _, code := call(t, func(done func(int, string, string)) { g.AddToCounter("g", "", 1, done) }); code != tim.ErrInvalidParameters {
		t.Errorf("no key: code %d", code)
	}
	applied(t, g, entry(protocol.EntryGroupCounter, "g", protocol.Counter{Key: "k", Value: -1}))
	if e := heard(g).events; len(e) != 1 || e[0].Args[1].Text != "k" || int64(e[0].Args[2].Num) != -1 {
		t.Errorf("events: %+v", e)
	}
	for _, text := range []string{`[]`, `[{}]`, `[{"group_counter_key":"k"}]`, `[{"group_counter_key":"","group_counter_value":1}]`,
		`[{"group_counter_key":"k","group_counter_value":"1"}]`} {
		if _, bad := ParseCounters(gjson.Parse(text)); bad == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestOnlineIsGoodForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupOnline: {ok(protocol.OnlineMembers{Online: 3}), ok(protocol.OnlineMembers{Online: 4})}})
		ask := func(group string) string {
			got, code := call(t, func(done func(int, string, string)) { g.Online(group, done) })
			if code != 0 {
				t.Fatalf("code %d", code)
			}
			return got.Raw
		}
		const three = `{"group_get_online_member_count_result":3}`
		if first, second := ask("g"), ask("g"); first != three || second != three || len(s.asked) != 1 {
			t.Errorf("%s, then %s, %d questions", first, second, len(s.asked))
		}
		ask("h")
		time.Sleep(time.Minute + time.Second)
		if later := ask("g"); later == three || len(s.asked) != 3 {
			t.Errorf("later %s, %d questions", later, len(s.asked))
		}
	})
}

func TestParseSet(t *testing.T) {
	for text, want := range map[string]string{
		`1,"group_modify_info_param_group_name":"n"`:                                                                                        `{"group":"g","name":"n"}`,
		`6,"group_modify_info_param_notification":"","group_modify_info_param_introduction":"i"`:                                            `{"group":"g","intro":"i","notice":""}`,
		`8,"group_modify_info_param_face_url":"f","group_modify_info_param_group_name":"not this"`:                                          `{"group":"g","face":"f"}`,
		`4144,"group_modify_info_param_add_option":0,"group_modify_info_param_max_member_num":9,"group_modify_info_param_approve_option":2`: `{"group":"g","add":0,"approve":2,"max_members":9}`,
		`192,"group_modify_info_param_visible":0,"group_modify_info_param_searchable":2`:                                                    `{"group":"g","visible":0,"searchable":2}`,
		`256,"group_modify_info_param_is_shutup_all":false`:                                                                                 `{"group":"g","mute_all":false}`,
		`512,"group_modify_info_param_custom_info":[{"group_info_custom_string_info_key":"k","group_info_custom_string_info_value":""}]`:    `{"group":"g","custom":{"k":""}}`,
		`24576,"group_modify_info_param_enable_permission_group":true,"group_modify_info_param_default_permissions":18446744073709551615`:   `{"group":"g","by_rights":true,"rights":18446744073709551615}`,
		`2147483648,"group_modify_info_param_owner":"bob"`:                                                                                  `{"group":"g","owner":"bob"}`,
		`-2147483648,"group_modify_info_param_owner":"bob"`:                                                                                 `{"group":"g","owner":"bob"}`,
	} {
		s, bad := ParseSet(gjson.Parse(`{"group_modify_info_param_group_id":"g","group_modify_info_param_modify_flag":` + text + "}"))
		if got := string(protocol.Marshal(s)); bad != nil || got != want {
			t.Errorf("%s: %v, %s", text, bad, got)
		}
	}
	for _, text := range []string{`0`, `1`, `2048`, `32768`, `2147483649,"group_modify_info_param_owner":"bob","group_modify_info_param_group_name":"n"`,
		`2147483648`, `2147483648,"group_modify_info_param_owner":""`, `256,"group_modify_info_param_is_shutup_all":"yes"`,
		`512,"group_modify_info_param_custom_info":[]`, `1,"group_modify_info_param_group_name":7`} {
		if _, bad := ParseSet(gjson.Parse(`{"group_modify_info_param_modify_flag":` + text + "}")); bad == nil || bad.Code != tim.ErrInvalidParameters {
			t.Errorf("%s: %v", text, bad)
		}
	}
}

func TestSetIsCheckedEarly(t *testing.T) {
	g, s := rig(t, nil)
	long, none := string(make([]byte, 501)), ""
	for want, c := range map[int]protocol.SetGroup{tim.ErrSDKGroupInvalidName: {Name: &none}, tim.ErrSDKGroupInvalidIntroduction: {Introduction: &long},
		tim.ErrSDKGroupInvalidNotification: {Notification: &long}, tim.ErrSDKGroupInvalidFaceURL: {Face: &long}} {
		if _, code := call(t, func(done func(int, string, string)) { g.Set(c, done) }); code != want {
			t.Errorf("%+v: code %d, want %d", c, code, want)
		}
	}
	if _, code := call(t, func(done func(int, string, string)) { g.SetMember(protocol.SetMember{Card: &long}, done) }); code != tim.ErrSDKGroupInvalidNameCard {
		t.Errorf("a long card: code %d", code)
	}
	if len(s.asked) != 0 {
		t.Errorf("the server was asked %+v", s.asked)
	}
}

func TestPendencies(t *testing.T) {
	request := protocol.Pendency{Group: "g", Type: 1, From: "bob", To: "me", Added: 1700000000123, Text: "come", Handled: 2, Accepted: true,
		Answer: "yes", Key: "k", Signature: "s"}
	g, s := rig(t, map[string][]protocol.Answer{
		protocol.OpPendencies:     {ok(protocol.Pendencies{List: []protocol.Pendency{request}, Next: 9, Read: 8, Unread: 1})},
		protocol.OpProfiles:       {ok(protocol.Profiles{Profiles: []protocol.Profile{{User: "bob", Nick: "B", Face: "f"}}})},
		protocol.OpDecidePendency: {ok(struct{}{})}, protocol.OpReadPendencies: {ok(struct{}{})},
	})
	ask := ParsePendencies(gjson.Parse(`{"group_pendency_option_start_time":1700000000123,"group_pendency_option_max_limited":500}`))
	got, code := call(t, func(done func(int, string, string)) { g.Pendencies(ask, done) })
	if code != 0 || s.asked[0].body.Raw != `{"before":1700000000123,"limit":50}` {
		t.Errorf("code %d, asked %s", code, s.asked[0].body)
	}
	one := got.Get(tim.KeyGroupPendencyResultPendencyArray + ".0")
	for key, want := range map[string]string{tim.KeyGroupPendencyGroupId: "g", tim.KeyGroupPendencyFromIdentifier: "bob",
		tim.KeyGroupPendencyFromNickName: "B", tim.KeyGroupPendencyFromFaceUrl: "f", tim.KeyGroupPendencyToIdentifier: "me",
		tim.KeyGroupPendencyAddTime: "1700000000123", tim.KeyGroupPendencyPendencyType: "1", tim.KeyGroupPendencyHandled: "2",
		tim.KeyGroupPendencyHandleResult: "1", tim.KeyGroupPendencyApplyInviteMsg: "come", tim.KeyGroupPendencyFromUserDefinedData: "come",
		tim.KeyGroupPendencyApprovalMsg: "yes", tim.KeyGroupPendencySelfIdentifier: "me"} {
		if v := one.Get(key).String(); v != want {
			t.Errorf("%s is %q, want %q", key, v, want)
		}
	}
	back := ParseDecision(gjson.Parse(`{"group_handle_pendency_param_is_accept":true,"group_handle_pendency_param_handle_msg":"ok",
		"group_handle_pendency_param_pendency":` + one.Raw + `}`))
	_, _ = call(t, func(done func(int, string, string)) { g.Decide(back, done) })
	if q := s.asked[2]; q.key == "" || q.body.Raw != `{"pend":{"group":"g","type":1,"from":"bob","to":"me","t":1700000000123,"key":"k","auth":"s"},"ok":true,"answer":"ok"}` {
		t.Errorf("asked %s", q.body)
	}
	for at, want := range map[uint64]string{0: `{"t":0}`, 1700000000: `{"t":1700000000999}`, 1700000000123: `{"t":1700000000123}`} {
		_, _ = call(t, func(done func(int, string, string)) { g.ReadPendencies(at, done) })
		if q := s.asked[len(s.asked)-1]; q.body.Raw != want {
			t.Errorf("%d: asked %s, want %s", at, q.body, want)
		}
	}
}

func TestKickAndMark(t *testing.T) {
	g, s := rig(t, map[string][]protocol.Answer{protocol.OpGroupMark: {ok(struct{}{})}, protocol.OpGroupKick: {ok(protocol.Invited{
		Results: []protocol.InviteResult{{User: "bob", Result: 1}, {User: "eve", Result: 2}}})}})
	kick, bad := ParseKick(gjson.Parse(`{"group_delete_member_param_group_id":"g","group_delete_member_param_user_data":"why","group_delete_member_param_duration":60}`),
		[]string{"bob", "eve"})
	for _, seconds := range []string{`-1`, `4294967296`, `1.5`} {
		if _, bad := ParseKick(gjson.Parse(`{"group_delete_member_param_duration":`+seconds+`}`), nil); bad == nil {
			t.Errorf("%s seconds were taken", seconds)
		}
	}
	if bad != nil {
		t.Fatal(bad)
	}
	got, code := call(t, func(done func(int, string, string)) { g.Kick(kick, done) })
	if code != 0 || got.Get("1."+tim.KeyGroupDeleteMemberResultResult).Int() != 2 || got.Get("0."+tim.KeyGroupDeleteMemberResultIdentifier).String() != "bob" ||
		s.asked[0].body.Raw != `{"group":"g","users":["bob","eve"],"reason":"why","sec":60}` {
		t.Errorf("code %d, %s, asked %s", code, got, s.asked[0].body)
	}
	for want, m := range map[int]protocol.MarkMembers{0: {Group: "g", Users: []string{"bob"}, Mark: 1000, On: true}, tim.ErrInvalidParameters: {Users: []string{"bob"}, Mark: 999}} {
		if _, code := call(t, func(done func(int, string, string)) { g.Mark(m, done) }); code != want {
			t.Errorf("%+v: code %d", m, code)
		}
	}
	if _, code := call(t, func(done func(int, string, string)) { g.Kick(protocol.KickMembers{}, done) }); code != tim.ErrInvalidParameters {
		t.Errorf("nobody removed: code %d", code)
	}
}
