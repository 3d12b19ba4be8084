package search_test

import (
	"testing"

	"github.com/tidwall/gjson"

	"timbre/search"
)

func TestTextOfElements(t *testing.T) {
	for _, c := range []struct{ elements, want string }{
		{``, ""},
		{`"text"`, ""},
		{`[]`, ""},
		{`[1,null,{},{"elem_type":"0","text_elem_content":"no"}]`, ""},
		{`[{"elem_type":0,"text_elem_content":"你好\nworld"}]`, "你好\nworld"},
		{`[{"elem_type":0,"text_elem_content":12}]`, ""},
		{`[{"elem_type":3,"custom_elem_data":"data","custom_elem_desc":"desc","custom_elem_ext":"ext"}]`, "desc"},
		{`[{"elem_type":4,"file_elem_file_name":"a.pdf","file_elem_url":"http://x"}]`, "a.pdf"},
		{`[{"elem_type":7,"location_elem_desc":"北京","location_elem_latitude":1.5}]`, "北京"},
		{`[{"elem_type":12,"merge_elem_title":"title","merge_elem_abstract_array":["one","",2,"two"],"merge_elem_compatible_text":"no"}]`, "title\none\ntwo"},
		{`[{"elem_type":1,"text_elem_content":"no"},{"elem_type":2},{"elem_type":9},{"elem_type":6,"face_elem_buf":"no"}]`, ""},
		{`[{"elem_type":0,"text_elem_content":"a"},{"elem_type":1},{"elem_type":0,"text_elem_content":"b"}]`, "a\nb"},
	} {
		if got := search.Text(gjson.Parse(c.elements)); got != c.want {
			t.Errorf("Text(%s) = %q, want %q", c.elements, got, c.want)
		}
	}
}
