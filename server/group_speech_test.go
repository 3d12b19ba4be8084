package server_test

import (
	"fmt"
	"testing"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// content is a message with further keys.
func extended(extra string) []byte {
	return fmt.Appendf(nil, `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"x"}],"x":{%s}}`, extra)
}

func TestWhatMayBeSaidInCommunities(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupCommunity)
	for extra, want := range map[string]int{
		`"message_need_read_receipt":true`:                      tim.ErrSVRGroupInvalidParameters,
		`"message_target_group_member_array":["member"]`:        tim.ErrSVRGroupInvalidParameters,
		`"message_group_at_user_array":["` + model.AtAll + `"]`: 0,
		`"message_priority":1`:                                  0,
	} {
		if got := who["member"].call(protocol.OpSend, extra, protocol.AppendSend(nil, group, true, extended(extra))).Code; got != want {
			t.Errorf("%s: code %d, want %d", extra, got, want)
		}
	}
	seqs := protocol.Seqs{Target: protocol.Target{Group: group}, Seqs: []uint64{1}}
	if got := who["member"].code(protocol.OpReceipts, "", seqs); got != tim.ErrSVRGroupInvalidParameters {
		t.Errorf("receipts of a community: code %d", got)
	}
	if got := who["other"].code(protocol.OpReceipts, "", seqs); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("receipts by a stranger: code %d", got)
	}
	if got := who["member"].code(protocol.OpGroupSetCounters, "c", protocol.SetGroupCounters{Group: group, Counters: []protocol.Counter{{Key: "k"}}}); got != tim.ErrSVRGroupInvalidParameters {
		t.Errorf("counters of a community: code %d", got)
	}
}

func TestRevokingByType(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	for typ, want := range map[int]map[string]int{
		tim.GroupPublic:  {"owner": 0, "admin": 0, "other": tim.ErrSVRGroupPermissionDeny},
		tim.GroupPrivate: {"owner": 0, "admin": tim.ErrSVRGroupPermissionDeny}, // an ordinary member there
	} {
		who := map[string]*client{}
		for _, name := range []string{"owner", "admin", "member", "other"} {
			who[name] = s.login(t, fmt.Sprint(name, typ))
		}
		members := []protocol.NewMember{{User: fmt.Sprint("admin", typ), Role: map[bool]int{true: 300, false: 200}[typ == tim.GroupPublic]}, {User: fmt.Sprint("member", typ)}}
		group := who["owner"].create(protocol.CreateGroup{Type: typ, Name: "n", Members: members})
		for name, code := range want {
			sent := who["member"].post(group, "m"+name, "x")
			if got := who[name].code(protocol.OpRevoke, "r", protocol.Revoke{Target: protocol.Target{Group: group}, Seq: sent.Seq}); got != code {
				t.Errorf("type %d: %s revoked with code %d, want %d", typ, name, got, code)
			}
		}
	}
}

// Who was muted or removed after his message was stored learns that it was, when the answer was lost and he sends it again.
func TestRepeatedAfterASanction(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	first := who["member"].post(group, "m", "x")
	ask[struct{}](who["admin"], protocol.OpGroupSetMember, "mute", protocol.SetMember{Group: group, User: "member", Mute: ptr(uint32(60))})
	if again := who["member"].post(group, "m", "x"); again != first {
		t.Errorf("%+v, and again %+v", first, again)
	}
	if got := who["member"].postCode(group, "new", "x"); got != tim.ErrSVRGroupShutupDeny {
		t.Errorf("a new message: code %d", got)
	}
	ask[protocol.Invited](who["owner"], protocol.OpGroupKick, "k", protocol.KickMembers{Group: group, Users: []string{"member"}})
	if again := who["member"].post(group, "m", "x"); again != first {
		t.Errorf("%+v, and again %+v", first, again)
	}
	if got := who["member"].postCode(group, "new", "x"); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a new message: code %d", got)
	}
}

func TestRepeatedReactionAfterRemoval(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	sent := who["owner"].post(group, "m", "x")
	react := protocol.React{Target: protocol.Target{Group: group}, Seq: sent.Seq, ID: "like", On: true}
	first := ask[protocol.Reacted](who["member"], protocol.OpReact, "r", react)
	ask[protocol.Invited](who["owner"], protocol.OpGroupKick, "k", protocol.KickMembers{Group: group, Users: []string{"member"}})
	if again := ask[protocol.Reacted](who["member"], protocol.OpReact, "r", react); again.Pos != first.Pos {
		t.Errorf("%+v, and again %+v", first, again)
	}
	if got := who["member"].code(protocol.OpReact, "r2", react); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("another reaction: code %d", got)
	}
}
