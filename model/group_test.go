package model

import (
	"strings"
	"testing"

	"timbre/model/tim"
)

func TestGroupIDs(t *testing.T) {
	for id, want := range map[string]bool{"team": true, "a b~!": true, "": false, "@TGS#x": false, "@TGS#_x": false, "x@TGS#": true,
		"é": false, strings.Repeat("x", MaxGroupID): true, strings.Repeat("x", MaxGroupID+1): false} {
		if ValidGroupID(tim.GroupPublic, id) != want {
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
		if code, _ := ShortGroupTexts.Check(c.texts[0], c.texts[1], c.texts[2], c.texts[3]); code != c.code {
			t.Errorf("%.20q: code %d, want %d", c.texts, code, c.code)
		}
	}
	if code, _ := LongGroupTexts.Check(long(100), long(400), long(400), long(500)); code != 0 {
		t.Errorf("long texts got %d", code)
	}
}

// Every type says for every action what each role may: a verdict that is missing would allow everything.
func TestGroupTablesAreWhole(t *testing.T) {
	for _, typ := range GroupTypes() {
		r, ok := RulesOf(typ)
		if !ok || r.Name == "" || len(r.may) != len(GroupActions()) {
			t.Errorf("type %d: %+v has %d verdicts, want %d", typ, r, len(r.may), len(GroupActions()))
		}
		for _, a := range GroupActions() {
			if _, ok := r.may[a]; !ok || r.May(a, 0) == 0 {
				t.Errorf("%s: %s: no verdict, or whoever is not in the group may", r.Name, a)
			}
		}
	}
}

func TestGroupSwitches(t *testing.T) {
	s := DefaultGroupSwitches()
	s.OwnerMayQuit, s.LiveAdmins, s.CommunityInvites = true, true, false
	r, _ := s.Rules(tim.GroupPublic)
	if r.May(GroupQuit, tim.MemberRoleOwner) != 0 || !r.Successor {
		t.Error("the owner may not quit")
	}
	r, _ = s.Rules(tim.GroupAVChatRoom)
	if !r.Admins || r.May(GroupSetRole, tim.MemberRoleOwner) != 0 {
		t.Error("a live room has no admins")
	}
	r, _ = s.Rules(tim.GroupCommunity)
	if r.ApproveOption != tim.GroupAddOptForbid {
		t.Error("members of a community may invite")
	}
	if r, _ = RulesOf(tim.GroupPublic); r.May(GroupQuit, tim.MemberRoleOwner) != tim.ErrSVRGroupSuperNotAllowQuit {
		t.Error("a switch changed the table itself")
	}
}
