package model

import (
	"slices"
	"testing"

	"github.com/tidwall/gjson"
)

// TestFileIDs holds that a merger names the files of its messages too, at any depth, and the one in which its messages are.
func TestFileIDs(t *testing.T) {
	const file = `{"elem_type":4,"file_elem_file_id":"f"}`
	const video = `{"elem_type":9,"video_elem_video_id":"v","video_elem_image_id":""}`
	const relayed = `{"elem_type":12,"merge_elem_relay_json_key":"r"}`
	within := func(elements string) string {
		return `{"elem_type":12,"merge_elem_message_array":[{"message_elem_array":[` + elements + `]},{}]}`
	}
	for element, want := range map[string][]string{
		`{"elem_type":0,"file_elem_file_id":"f"}`: nil,
		file:                               {"f"},
		video:                              {"v"},
		relayed:                            {"r"},
		within(file + `,` + relayed):       {"f", "r"},
		within(within(video) + `,` + file): {"v", "f"},
		`{"elem_type":1,"image_elem_orig_id":"o","image_elem_large_id":"l","image_elem_thumb_id":"t"}`: {"o", "l", "t"},
	} {
		if got := FileIDs(gjson.Parse(element)); !slices.Equal(got, want) {
			t.Errorf("%s names %q, not %q", element, got, want)
		}
	}
}
