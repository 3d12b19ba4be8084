package community

import (
	"encoding/json"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/protocol"
)

func TestParseSetTopic(t *testing.T) {
	for text, want := range map[string]string{
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":3,"group_topic_info_topic_name":"n",
			"group_topic_info_notification":"","group_topic_info_introduction":"not asked for"}`: `{"topic":"c@TOPIC#_1","name":"n","notice":""}`,
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":33024,"group_topic_info_is_all_muted":false,
			"default_permissions":18446744073709551615}`: `{"topic":"c@TOPIC#_1","mute_all":false,"rights":18446744073709551615}`,
		`{"group_topic_info_topic_id":"c@TOPIC#_1"}`:                                                                                       "",
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":0}`:                                               "",
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":1}`:                                               "",
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":1,"group_topic_info_topic_name":7}`:               "",
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":17,"group_topic_info_topic_name":"n"}`:            "",
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":32768,"default_permissions":1.5}`:                 "",
		`{"group_topic_info_topic_id":"community","group_modify_info_param_modify_flag":1,"group_topic_info_topic_name":"n"}`:              "",
		`{"group_modify_info_param_modify_flag":1,"group_topic_info_topic_name":"n"}`:                                                      "",
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":"1","group_topic_info_topic_name":"n"}`:           "",
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":16384,"group_topic_info_draft_text":"the draft"}`: `{"topic":"c@TOPIC#_1"}`,
	} {
		topic, draft, why := ParseSetTopic(gjson.Parse(text))
		got := string(protocol.Marshal(topic))
		if why != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", text, got, why, want)
		}
		if has := draft != nil && *draft == "the draft"; has != gjson.Get(text, "group_topic_info_draft_text").Exists() {
			t.Errorf("%s: the draft is %v", text, draft)
		}
	}
}

func TestParseTopicRights(t *testing.T) {
	for text, want := range map[string]string{
		`[{"topic_permission_key":"a","topic_permission_value":3},{"topic_permission_key":"b","topic_permission_value":0}]`: `{"a":3,"b":0}`,
		`{"topic_permission_key":"a","topic_permission_value":3}`:                                                           `{"a":3}`,
		`{"a":3,"b":18446744073709551615}`:                                                                                  `{"a":3,"b":18446744073709551615}`,
		`[]`:                                                                                                                `{}`, `{}`: `{}`,
		`[{"topic_permission_key":"a"}]`: "", `[{"topic_permission_value":1}]`: "", `{"a":"3"}`: "", `{"a":-1}`: "", `{"a":1.5}`: "", `["a"]`: "",
		`{"":1}`: "",
	} {
		topics, why := ParseTopicRights(gjson.Parse(text))
		got := string(protocol.Marshal(topics))
		if why != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", text, got, why, want)
		}
	}
}

func TestParseRights(t *testing.T) {
	for text, want := range map[string]string{
		`{"community_group_id":"c","permission_group_name":"n","group_permission":5}`:                                            `{"group":"c","name":"n","rights":5}`,
		`{"community_group_id":"c","permission_group_name":""}`:                                                                  "",
		`{"permission_group_name":"n"}`:                                                                                          "",
		`{"community_group_id":"c","permission_group_name":"n","group_permission":"5"}`:                                          "",
		`{"community_group_id":"c","permission_group_name":"n","permission_group_id":"x","permission_group_modify_info_flag":7}`: `{"group":"c","id":"x","name":"n"}`,
	} {
		r, why := ParseCreateRights(gjson.Parse(text))
		got := string(protocol.Marshal(r))
		if why != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", text, got, why, want)
		}
	}
	r, why := ParseSetRights(gjson.Parse(`{"community_group_id":"c","permission_group_id":"@PMG#_1","permission_group_modify_info_flag":6,
		"group_permission":0,"permission_custom_data":"","permission_group_name":"not asked for"}`))
	if got := string(protocol.Marshal(r)); why != nil || got != `{"group":"c","id":"@PMG#_1","custom":"","rights":0}` {
		t.Errorf("a change: %s (%v)", got, why)
	}
}

// FuzzParams reads whatever the face lets through: nothing that is read may be unfit for the wire.
func FuzzParams(f *testing.F) {
	for _, text := range []string{`{}`, `[]`, `{"a":1}`, `[{"topic_permission_key":"a","topic_permission_value":3}]`,
		`{"group_topic_info_topic_id":"c@TOPIC#_1","group_modify_info_param_modify_flag":51471,"group_topic_info_topic_name":"n"}`,
		`{"community_group_id":"c","permission_group_id":"p","permission_group_modify_info_flag":7,"group_permission":1e30}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !gjson.Valid(text) {
			return
		}
		v := gjson.Parse(text)
		set, draft, bad := ParseSetTopic(v)
		if bad == nil && set == (protocol.SetTopic{Topic: set.Topic}) && draft == nil {
			t.Errorf("a change of nothing is let through: %s", text)
		}
		rights, bad := ParseSetRights(v)
		if bad == nil && rights.Name == nil && rights.Custom == nil && rights.Rights == nil {
			t.Errorf("a change of nothing is let through: %s", text)
		}
		topics, bad := ParseTopicRights(v)
		if _, empty := topics[""]; bad == nil && empty {
			t.Errorf("a topic without an id is let through: %s", text)
		}
		made, _ := ParseCreateRights(v)
		for _, body := range []any{set, rights, topics, made, ParseCreateTopic("c", v)} {
			if !json.Valid(protocol.Marshal(body)) {
				t.Errorf("not fit for the wire: %s", text)
			}
		}
	})
}
