package model

import (
	"strings"

	"timbre/model/tim"
)

// Limits of groups.
const (
	MaxGroupID           = 48 // bytes
	MaxGroupName         = 30 // bytes
	MaxGroupIntroduction = 240
	MaxGroupNotification = 300
	MaxGroupFace         = 100
	MaxInvites           = 20    // users in one invitation, and first members of a new group
	MaxGroups            = 1_000 // that a user is in
	MaxGroupsAsk         = 50    // groups in one question
	MemberPage           = 50    // members in one answer
)

// GroupPrefix begins the ids that the server makes.
const GroupPrefix = "@TGS#"

// GroupRules is what differs between the types of groups.
type GroupRules struct {
	MaxMembers    int
	Admins        bool // there may be admins
	OwnerMayQuit  bool // the group goes on without an owner then
	History       bool // newcomers see what was said before they came
	MemberTips    bool // the group says who comes, goes, and becomes admin
	AddOption     int  // TIMGroupAddOption: who may join, unless the creator chooses
	ApproveOption int  // likewise: who may be invited
	ReceiveOption int  // TIMReceiveMessageOpt of a new member
}

// RulesOf returns the rules of a type of groups. It returns false for types that do not exist or are not built.
func RulesOf(groupType int) (GroupRules, bool) {
	switch groupType {
	case tim.GroupPrivate: // Work
		return GroupRules{MaxMembers: 200, OwnerMayQuit: true, MemberTips: true, AddOption: tim.GroupAddOptForbid,
			ApproveOption: tim.GroupAddOptAny, ReceiveOption: tim.RecvMsgOptReceive}, true
	case tim.GroupPublic:
		return GroupRules{MaxMembers: 2_000, Admins: true, MemberTips: true, AddOption: tim.GroupAddOptAuth,
			ApproveOption: tim.GroupAddOptForbid, ReceiveOption: tim.RecvMsgOptReceive}, true
	case tim.GroupChatRoom: // Meeting
		return GroupRules{MaxMembers: 6_000, Admins: true, History: true, AddOption: tim.GroupAddOptAny,
			ApproveOption: tim.GroupAddOptForbid, ReceiveOption: tim.RecvMsgOptNotNotify}, true
	}
	return GroupRules{}, false
}

// ValidGroupID says whether an application may give a group this id.
func ValidGroupID(id string) bool {
	return len(id) <= MaxGroupID && printable(id) && !strings.HasPrefix(id, GroupPrefix)
}

// CheckGroupTexts holds the texts of a group against their limits. It returns the code of the first that is wrong, 0 when
// all are right.
func CheckGroupTexts(name, introduction, notification, face string) (code int, desc string) {
	switch {
	case name == "":
		return tim.ErrSDKGroupInvalidName, "a group has a name"
	case len(name) > MaxGroupName:
		return tim.ErrSDKGroupInvalidName, "the name is longer than 30 bytes"
	case len(introduction) > MaxGroupIntroduction:
		return tim.ErrSDKGroupInvalidIntroduction, "the introduction is longer than 240 bytes"
	case len(notification) > MaxGroupNotification:
		return tim.ErrSDKGroupInvalidNotification, "the notification is longer than 300 bytes"
	case len(face) > MaxGroupFace:
		return tim.ErrSDKGroupInvalidFaceURL, "the face's URL is longer than 100 bytes"
	}
	return 0, ""
}
