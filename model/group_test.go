package model

import (
	"strings"
	"testing"

	"timbre/model/tim"
)

func TestGroupIDs(t *testing.T) {
	for id, want := range map[string]bool{"team": true, "a b~!": true, "": false, "@TGS#x": false, "@TGS#_x": false, "x@TGS#": true,
		"é": false, strings.Repeat("x", MaxGroupID): true, strings.Repeat("x", MaxGroupID+1): false} {
		if ValidGroupID(id) != want {
			t.Errorf("%q: want %v", id, want)
		}
	}
}

func TestGroupTexts(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		texts [4]string
		code  int
	}{
		{[4]string{long(30), long(240), long(300), long(100)}, 0},
		{[4]string{}, tim.ErrSDKGroupInvalidName},
		{[4]string{long(31)}, tim.ErrSDKGroupInvalidName},
		{[4]string{"n", long(241)}, tim.ErrSDKGroupInvalidIntroduction},
		{[4]string{"n", "", long(301)}, tim.ErrSDKGroupInvalidNotification},
		{[4]string{"n", "", "", long(101)}, tim.ErrSDKGroupInvalidFaceURL},
		{[4]string{strings.Repeat("组", 11)}, tim.ErrSDKGroupInvalidName}, // bytes count
	} {
		if code, _ := CheckGroupTexts(c.texts[0], c.texts[1], c.texts[2], c.texts[3]); code != c.code {
			t.Errorf("%.20q: code %d, want %d", c.texts, code, c.code)
		}
	}
}
