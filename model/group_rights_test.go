package model

import (
	"strings"
	"testing"

	"timbre/model/tim"
)

// Every bit that the interface knows opens something, but for those that are asked for by themselves.
func TestEveryRightIsGoodForSomething(t *testing.T) {
	var community, topic uint64 = tim.CommunityPermissionManagePermissionGroupMember | tim.CommunityPermissionGetHistoryMessage,
		tim.TopicPermissionGetHistoryMessage
	for _, a := range append(GroupActions(), GroupKeepOut) {
		r, decided := GroupRightTo(a)
		if decided != (r != GroupRight{}) {
			t.Errorf("%s is decided (%v) by %+v", a, decided, r)
		}
		community, topic = community|r.Community|r.Everywhere, topic|r.Topic
	}
	if community != 1<<11-1 || topic != 1<<7-1 {
		t.Errorf("rights in use: %b and %b", community, topic)
	}
}

func TestTopicIDs(t *testing.T) {
	for id, valid := range map[string]bool{
		"c@TOPIC#_x": true, "c@TOPIC#_" + strings.Repeat("x", 48): true, "c@TOPIC#_" + strings.Repeat("x", 49): false, "c@TOPIC#_": false,
		"c": false, "d@TOPIC#_x": false, "c@TOPIC#_x@TOPIC#_y": false, "c@TOPIC#_é": false, "": false,
	} {
		if ValidTopicID("c", id) != valid {
			t.Errorf("%q: valid %v, want %v", id, !valid, valid)
		}
		if community := CommunityOf(id); valid && community != "c" {
			t.Errorf("%q is a topic of %q", id, community)
		}
	}
}
