package message

import (
	"fmt"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// ear notes what the host hears.
type ear struct{ events []event.Event }

func (e *ear) Emit(x event.Event) { e.events = append(e.events, x) }
func (e *ear) Waiting() int       { return 0 }

func liveMessage(from string, seq uint64, element string) *protocol.Message {
	return &protocol.Message{Seq: seq, From: from, Group: "room", Time: 5000,
		Content: fmt.Appendf(nil, `{"id":"i%d","ct":4,"r":7,"p":1,"el":[%s],"x":{"message_priority":0}}`, seq, element)}
}

// What is pushed of a live room is shown like any other message, all of a push at once; tips are not messages.
func TestLiveMessagesAreShown(t *testing.T) {
	host := &ear{}
	m := &Messages{self: Self{User: "me"}, sink: host}
	tip := fmt.Sprintf(`{"elem_type":%d,"group_tips_elem_tip_type":1}`, tim.ElemGroupTips)
	m.Show(tim.GroupAVChatRoom, []*protocol.Message{liveMessage("ann", 3, `{"elem_type":0,"text_elem_content":"x"}`),
		liveMessage(model.SystemSender, 4, tip), liveMessage("me", 5, `{"elem_type":0,"text_elem_content":"y"}`)})
	m.Show(tim.GroupAVChatRoom, []*protocol.Message{liveMessage(model.SystemSender, 6, tip)})
	if len(host.events) != 3 || host.events[0].Setter != tim.OpTIMSetGroupTipsEventCallback || host.events[0].Args[0].Text != tip ||
		host.events[1].Setter != tim.OpTIMAddRecvNewMsgCallback || host.events[2].Setter != tim.OpTIMSetGroupTipsEventCallback {
		t.Fatalf("events %+v", host.events)
	}
	list := gjson.Parse(host.events[1].Args[0].Text).Array()
	if len(list) != 2 {
		t.Fatalf("%d messages", len(list))
	}
	for i, want := range []map[string]any{
		{tim.KeyMsgSeq: 3.0, tim.KeyMsgConvId: "room", tim.KeyMsgConvType: float64(tim.ConvGroup), tim.KeyMsgMsgId: "i3",
			tim.KeyMsgSender: "ann", tim.KeyMsgIsFormSelf: false, tim.KeyMsgIsRead: true, tim.KeyMsgPriority: 0.0,
			tim.KeyMsgServerTime: 5.0, KeyGroupType: float64(tim.GroupAVChatRoom), tim.KeyMsgUniqueId: float64(5<<32 + 7)},
		{tim.KeyMsgSeq: 5.0, tim.KeyMsgSender: "me", tim.KeyMsgIsFormSelf: true, tim.KeyMsgIsRead: true},
	} {
		for key, value := range want {
			if got := list[i].Get(key).Value(); got != value {
				t.Errorf("message %d: %s is %v, want %v", i, key, got, value)
			}
		}
	}
}

func TestBroadcastsAreMarked(t *testing.T) {
	host := &ear{}
	m := &Messages{self: Self{User: "me"}, sink: host}
	msg := liveMessage("administrator", 3, `{"elem_type":0,"text_elem_content":"x"}`)
	msg.Content = []byte(`{"id":"i","el":[{"elem_type":0}],"x":{"message_is_broadcast_message":true}}`)
	m.Show(tim.GroupAVChatRoom, []*protocol.Message{msg})
	if !gjson.Get(host.events[0].Args[0].Text, "0."+tim.KeyMsgIsBroadcastMessage).Bool() {
		t.Error(host.events[0].Args[0].Text)
	}
	param := gjson.Parse(`{"message_is_broadcast_message":true,"message_elem_array":[]}`)
	if extra := extraOf(param); extra != "" {
		t.Errorf("a host's message says %s", extra)
	}
}

func TestFlagsOfAParameter(t *testing.T) {
	yes, no := true, false
	for text, want := range map[string]struct {
		flags protocol.SetReceiveFlags
		code  int
	}{
		`{"ext_opt_conv_type":1,"ext_opt_conv_id":"bob","ext_opt_shield":true}`:        {protocol.SetReceiveFlags{Target: protocol.Target{Peer: "bob"}, Shield: &yes}, 0},
		`{"ext_opt_conv_type":2,"ext_opt_conv_id":"g","ext_opt_no_disturb":false}`:     {protocol.SetReceiveFlags{Target: protocol.Target{Group: "g"}, NoDisturb: &no}, 0},
		`{"ext_opt_no_disturb":true}`:                                                  {protocol.SetReceiveFlags{NoDisturb: &yes}, 0},
		`{"ext_opt_shield":true}`:                                                      {code: tim.ErrInvalidParameters},
		`{"ext_opt_conv_type":1,"ext_opt_shield":true}`:                                {code: tim.ErrInvalidParameters},
		`{"ext_opt_conv_type":3,"ext_opt_conv_id":"x","ext_opt_shield":true}`:          {code: tim.ErrInvalidParameters},
		`{"ext_opt_conv_type":1,"ext_opt_conv_id":"bob"}`:                              {code: tim.ErrInvalidParameters},
		`{"ext_opt_conv_type":1,"ext_opt_conv_id":"bob","ext_opt_shield":1}`:           {code: tim.ErrInvalidParameters},
		`{"ext_opt_conv_id":"bob","ext_opt_no_disturb":true}`:                          {code: tim.ErrInvalidParameters},
		`{"ext_opt_conv_type":1,"ext_opt_conv_id":"bob","ext_opt_no_disturb":"maybe"}`: {code: tim.ErrInvalidParameters},
	} {
		got, bad := ParseFlags(gjson.Parse(text))
		code := 0
		if bad != nil {
			code = bad.Code
		}
		if code != want.code || code == 0 && string(protocol.Marshal(got)) != string(protocol.Marshal(want.flags)) {
			t.Errorf("%s: %s and code %d", text, protocol.Marshal(got), code)
		}
	}
}
