package message

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
	"timbre/protocol"
)

func TestTyped(t *testing.T) {
	for given, want := range map[string]string{
		`{"elem_type":0,"text_elem_content":"x", "other":{"a":1}}`: `{"elem_type":0,"text_elem_content":"x", "other":{"a":1}}`,
		`{"elem_type":0, "text_elem_content":5}`:                   `{"elem_type":0,"text_elem_content":"5"}`,
		`{"text_elem_content":{"a":1},"b":2}`:                      `{"text_elem_content":"","b":2}`,
		`{"message_priority":0, "image_elem_level":2}`:             `{"message_priority":0, "image_elem_level":2}`,
		`{"text_elem_content":null}`:                               `{"text_elem_content":""}`,
		`{"text_elem_content":"x","text_elem_content":true}`:       `{"text_elem_content":"x","text_elem_content":"true"}`,
		`{"face_elem_index":"7"}`:                                  `{"face_elem_index":7}`,
		`{"face_elem_index":"7x","location_elem_latitude":true}`:   `{"face_elem_index":0,"location_elem_latitude":1}`,
		`{"image_elem_level":"high","sound_elem_url":5}`:           `{"image_elem_level":1,"sound_elem_url":"5"}`,
		`{"file_elem_url":[],"ext_elem_hash":"h"}`:                 `{"ext_elem_hash":"h"}`,
		`{"message_priority":"x","message_need_read_receipt":1}`:   `{"message_priority":1,"message_need_read_receipt":true}`,
		`{"message_is_online_msg":"no"}`:                           `{"message_is_online_msg":false}`,
		`{"message_group_at_user_array":["a",7,null,{}]}`:          `{"message_group_at_user_array":["a","7"]}`,
		`{"message_group_at_user_array":"a"}`:                      `{}`,
		`{"merge_elem_abstract_array":"a"}`:                        `{"merge_elem_abstract_array":[]}`,
		`{"merge_elem_message_array":[5,{"message_elem_array":[{"text_elem_content":1}]}]}`: `{"merge_elem_message_array":` +
			`[{"message_elem_array":[{"text_elem_content":"1"}]}]}`,
	} {
		got := typed(gjson.Parse(given))
		if got != want {
			t.Errorf("%s became %s, not %s", given, got, want)
		}
		if again := typed(gjson.Parse(got)); again != got || !json.Valid([]byte(got)) {
			t.Errorf("%s became %s", got, again)
		}
	}
}

// TestTypedFromAnywhere holds that no value of a wrong type is carried, whether the caller or the wire brings it.
func TestTypedFromAnywhere(t *testing.T) {
	const elements, extra = `[{"elem_type":0,"text_elem_content":5},7]`, `{"message_cloud_custom_str":12,"message_priority":"x"}`
	r := received(1, &protocol.Message{Content: []byte(`{"id":"1-2-3","el":` + elements + `,"x":` + extra + `}`)})
	if r.Elements != `[{"elem_type":0,"text_elem_content":"5"}]` || r.Extra != `{"message_cloud_custom_str":"12","message_priority":1}` {
		t.Errorf("from the wire came %s and %s", r.Elements, r.Extra)
	}
	if got, err := complete(gjson.Parse(`[{"elem_type":6,"face_elem_index":"x"}]`)); err != nil || got != `[{"elem_type":6,"face_elem_index":0,"face_elem_buf":""}]` {
		t.Errorf("from the caller came %s, %v", got, err)
	}
	if got := extraOf(gjson.Parse(extra)); got != `{"message_cloud_custom_str":"12"}` {
		t.Errorf("from the caller came %s", got)
	}
}

// TestTypedDeep ends: a wrong type at the bottom of many mergers does not double the work with each of them.
func TestTypedDeep(t *testing.T) {
	deep := `{"text_elem_content":5}`
	for range 200 {
		deep = `{"` + tim.KeyMergerElemMsgArray + `":[{"` + tim.KeyMsgElemArray + `":[` + deep + `]}]}`
	}
	if got := typed(gjson.Parse(deep)); got != strings.Replace(deep, "5", `"5"`, 1) {
		t.Errorf("%d bytes became %d", len(deep), len(got))
	}
}
