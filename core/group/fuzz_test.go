package group

import (
	"testing"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/protocol"
)

// Whatever JSON a host gives, what is read of it can be sent, and what is not refused has what it needs.
func FuzzParams(f *testing.F) {
	for _, seed := range []string{`{}`, `[]`, `[{"group_attribute_key":"k","group_atrribute_value":"v"}]`,
		`[{"group_counter_key":"k","group_counter_value":-9223372036854775808}]`,
		`{"group_modify_info_param_modify_flag":-2147483648,"group_modify_info_param_owner":"bob"}`,
		`{"group_modify_info_param_modify_flag":29695,"group_modify_info_param_group_name":"n","group_modify_info_param_custom_info":[{}]}`,
		`{"group_modify_member_info_modify_flag":31,"group_modify_member_info_shutup_time":4294967296,"group_modify_member_info_custom_info":[1]}`,
		`{"create_group_param_group_name":"n","create_group_param_group_member_array":[{"group_member_info_identifier":"b"}]}`,
		`{"group_search_params_keyword_list":["组",""],"group_search_params_field_list":[1,2]}`,
		`{"group_pendency_option_start_time":1e300,"group_pendency_option_max_limited":-1}`,
		`{"group_handle_pendency_param_pendency":{"group_pendency_add_time":"x"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !gjson.Valid(text) { // the face gives strict JSON only
			return
		}
		v := gjson.Parse(text)
		if s, why := ParseSet(v); why == nil && string(protocol.Marshal(s)) == string(protocol.Marshal(protocol.SetGroup{Group: s.Group})) {
			t.Errorf("%s changes nothing", text)
		}
		if m, why := ParseSetMember(v); why == nil && string(protocol.Marshal(m)) == string(protocol.Marshal(protocol.SetMember{Group: m.Group, User: m.User})) {
			t.Errorf("%s changes nothing of a member", text)
		}
		if c, why := ParseCreate(v); why == nil {
			for _, m := range c.Members {
				if m.User == "" {
					t.Errorf("%s has a member without a name", text)
				}
			}
		}
		if all, why := ParseAttributes(v); why == nil && (len(all) == 0 || hasEmptyKey(all)) {
			t.Errorf("%s: attributes %q", text, all)
		}
		if all, why := ParseCounters(v); why == nil && (len(all) == 0 || len(all) > model.MaxCounters) {
			t.Errorf("%s: %d counters", text, len(all))
		}
		if s, why := ParseSearchGroups(v); why == nil && (len(s.Keywords) == 0 || len(s.Keywords) > model.MaxKeywords || s.Fields == 0) {
			t.Errorf("%s: %+v", text, s)
		}
		if s, why := ParseSearchMembers(v, nil); why == nil && (len(s.Keywords) == 0 || len(s.Keywords) > model.MaxKeywords || s.Fields == 0) {
			t.Errorf("%s: %+v", text, s)
		}
		if p := ParsePendencies(v); p.Limit < 0 || p.Limit > model.PendencyPage {
			t.Errorf("%s: a page of %d", text, p.Limit)
		}
		protocol.Marshal(ParseDecision(v))
		if k, why := ParseKick(v, nil); why == nil {
			protocol.Marshal(k)
		}
	})
}

func hasEmptyKey(all map[string]string) bool { _, has := all[""]; return has }
