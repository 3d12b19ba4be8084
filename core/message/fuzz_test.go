package message

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// deaf is a host that does not listen.
type deaf struct{}

func (deaf) Emit(event.Event) {}
func (deaf) Waiting() int     { return 0 }

// drafting returns messages that can make drafts and nothing else.
func drafting(t testing.TB) *Messages {
	st, err := store.Open("", conversation.Schema, Schema, SearchSchema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return New(Self{User: "ann", TinyID: func() uint64 { return 7 }, Device: "device", Platform: func() int { return tim.PlatformOther },
		Now: time.Now}, st, conversation.New(deaf{}, func(sqlite.Queryer, *conversation.Conversation) string { return "{}" }), deaf{}, slog.New(slog.DiscardHandler))
}

// FuzzDraft gives a message of the caller's JSON, which the face has made strict, its way to the receiver.
func FuzzDraft(f *testing.F) {
	for _, s := range []string{
		`{"message_elem_array":[{"elem_type":0,"text_elem_content":"hello"}]}`,
		`{"message_elem_array":[{"elem_type":0}],"message_cloud_custom_str":"x","message_need_read_receipt":true}`,
		`{"message_elem_array":[{"elem_type":1,"image_elem_orig_path":"/nowhere","image_elem_level":0}],"message_custom_int":-1}`,
		`{"message_elem_array":[{"elem_type":4,"file_elem_file_path":"/nowhere","file_elem_file_name":"n"},{"elem_type":3,"custom_elem_data":"\u0000"}]}`,
		`{"message_elem_array":[{"elem_type":12,"merge_elem_title":"t","merge_elem_message_array":[{"message_elem_array":[{"elem_type":0}]}]}]}`,
		`{"message_msg_id":"1-2-3","message_group_at_user_array":["a",7,null],"message_elem_array":[{"elem_type":7.0,"elem_type.x":1}]}`,
		`{"message_elem_array":[{"elem_type":-1}]}`, `{"message_elem_array":[{}]}`, `[]`, ``,
	} {
		f.Add(s)
	}
	m := drafting(f)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := m.NewDraft(tim.ConvC2C, "bob", text)
		if err != nil || !json.Valid([]byte(text)) {
			return
		}
		if again, err := complete(gjson.Parse(d.row.Elements)); err != nil || again != d.row.Elements {
			t.Errorf("%q, complete once more, is %q: %v", d.row.Elements, again, err)
		}
		if extra := extraOf(gjson.Parse(d.row.Extra)); extra != d.row.Extra {
			t.Errorf("the keys %q, picked once more, are %q", d.row.Extra, extra)
		}
		if !json.Valid([]byte(d.JSON())) {
			t.Errorf("the public JSON is %q", d.JSON())
		}
		travel(t, d.row)
	})
}

// travel sends a row over the wire and back.
func travel(t *testing.T, r *Row) {
	t.Helper()
	content := r.content()
	if !json.Valid(content) {
		t.Fatalf("on the wire it is %q", content)
	}
	body := protocol.AppendSend(nil, "bob", false, content)
	msg := protocol.Message{Seq: 1, From: r.Sender, To: "bob", Content: protocol.ParseSend(body).Content}
	there, ok := protocol.ParseMessage(msg.Append(nil))
	if !ok {
		t.Fatalf("the receiver cannot read %q", msg.Append(nil))
	}
	got := received(0, &there)
	if got.MsgID != r.MsgID || got.ClientTime != r.ClientTime || got.Rand != r.Rand || got.Elements != withoutPaths(r.Elements) ||
		got.Extra != r.Extra || got.Flags != r.Flags {
		t.Fatalf("%+v arrived as %+v", r, got)
	}
}

// FuzzEdit changes one message by the JSON of another.
func FuzzEdit(f *testing.F) {
	f.Add(`[{"elem_type":0,"text_elem_content":"a"}]`, ``, `{"message_elem_array":[{"elem_type":0,"text_elem_content":"b"}]}`)
	f.Add(`[{"elem_type":3}]`, `{"message_priority":2}`, `{"message_cloud_custom_str":"c"}`)
	f.Fuzz(func(t *testing.T, elements, extra, change string) {
		fresh, err := complete(gjson.Parse(elements))
		if err != nil || !json.Valid([]byte(elements)) || extra != "" && !json.Valid([]byte(extra)) || !json.Valid([]byte(change)) {
			return
		}
		r := &Row{MsgID: "1-2-3", Sender: "ann", Elements: fresh, Extra: extraOf(gjson.Parse(extra)), Unread: -1}
		if r.edit(gjson.Parse(change)) != nil {
			return
		}
		once := *r
		if bad := r.edit(gjson.Parse(change)); bad != nil || *r != once {
			t.Fatalf("%+v, edited once more, is %+v: %v", once, r, bad)
		}
		if r.flag(); !json.Valid([]byte(r.json(&conversation.Conversation{}, "ann"))) {
			t.Fatalf("the public JSON is %q", r.json(&conversation.Conversation{}, "ann"))
		}
		travel(t, r)
	})
}

func FuzzParsePage(f *testing.F) {
	f.Add(`{"msg_getmsglist_param_count":20,"msg_getmsglist_param_last_msg":{},"msg_getmsglist_param_is_ramble":true}`, false)
	f.Add(`{"msg_getmsglist_param_count":-1,"msg_getmsglist_param_time_begin":9223372036854775807,"msg_getmsglist_param_time_period":5,"msg_getmsglist_param_is_forward":true}`, true)
	f.Add(`{"msg_getmsglist_param_message_seq_array":[1,-1,"2",null,1e99],"msg_getmsglist_message_type_array":[0]}`, true)
	f.Fuzz(func(t *testing.T, text string, group bool) {
		typ := tim.ConvC2C
		if group {
			typ = tim.ConvGroup
		}
		p, bad := ParsePage(typ, "x", text)
		again, _ := ParsePage(typ, "x", text)
		if !reflect.DeepEqual(p, again) {
			t.Fatalf("%q is read in two ways: %+v and %+v", text, p, again)
		}
		if bad != nil {
			return
		}
		if p.Count < 0 || p.Count > maxPage || p.Count == 0 && len(p.Seqs) == 0 || len(p.Seqs) > protocol.MaxRange ||
			!group && len(p.Seqs) > 0 {
			t.Fatalf("%q gave %+v", text, p)
		}
		if from, to := window(p); to > 0 && from > to {
			t.Fatalf("%q gave the window %d..%d", text, from, to)
		}
	})
}

func FuzzParseSearch(f *testing.F) {
	f.Add(`{"msg_search_param_keyword_array":["a","b"],"msg_search_param_keyword_list_match_type":1,"msg_search_param_page_size":10}`)
	f.Add(`{"msg_search_param_send_identifier_array":["ann"],"msg_search_param_search_time_position":9223372036854775807,"msg_search_param_search_time_period":1}`)
	f.Add(`{"msg_search_param_message_type_array":[0,"1"],"msg_search_param_page_index":-1,"msg_search_param_conv_id":"x","msg_search_param_conv_type":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, bad := ParseSearch(text)
		if bad != nil {
			return
		}
		if s.Page < 0 || s.Size < 0 || s.Count < 0 || s.Count > protocol.MaxRange || s.From < 0 || s.To < 0 || s.To > 0 && s.From > s.To {
			t.Fatalf("%q gave %+v", text, s)
		}
		if len(s.Keywords)+len(s.Senders)+len(s.Types) == 0 {
			t.Fatalf("%q asks for nothing: %+v", text, s)
		}
	})
}
