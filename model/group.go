package model

import (
	"fmt"
	"strings"

	"timbre/model/tim"
)

// Limits of groups.
const (
	MaxGroupID    = 48    // bytes
	MaxInvites    = 20    // users in one invitation, and first members of a new group
	MaxKicks      = 100   // users in one removal
	MaxGroups     = 1_000 // that a user is in
	MaxGroupsAsk  = 50    // groups in one question
	MemberPage    = 50    // members in one answer
	BriefPage     = 5_000 // likewise, when only their names and roles are asked for
	MaxNameCard   = 50    // bytes
	MaxJoinReason = 300   // bytes of what somebody says who wants to come in, or who decides it
	PendencyPage  = 50    // requests in one answer

	MaxGroupFields  = 10  // custom fields of a group
	MaxGroupField   = 512 // bytes of one
	MaxMemberFields = 5   // custom fields of a member
	MaxMemberField  = 64  // bytes of one
	MaxFieldKey     = 16  // bytes

	MaxAttributes    = 16     // of a group
	MaxAttributeKey  = 32     // bytes
	MaxAttribute     = 4_000  // bytes of one
	MaxAllAttributes = 16_000 // bytes of all together
	MaxCounters      = 20     // of a group
	MaxCounterKey    = 128    // bytes

	MinMark      = 1_000 // smallest number of a mark of members
	MaxMarks     = 10    // different marks in a group
	MaxMarked    = 1_000 // members with one mark
	MaxMarkUsers = 500   // users in one call

	MaxTopics                = 200 // of a community
	MaxTopicName             = 150 // bytes
	MaxTopicText             = 400 // bytes of an introduction or a notification
	MaxTopicFace             = 500
	MaxTopicCustom           = 3_000
	MaxPermissionGroups      = 100 // of a community
	MaxPermissionGroupName   = 150
	MaxPermissionGroupCustom = 3_000
	MaxPermissionTopics      = 50    // topics in one change of rights
	MaxPermissionMembers     = 20    // users in one change of who is in a permission group
	MaxTrans                 = 4_096 // bytes of a transparent message
	TransRate                = 20    // transparent messages that a device sends in a second
)

// GroupTexts are the longest texts of a group in bytes.
type GroupTexts struct{ Name, Introduction, Notification, Face int }

// The limits that the interface's documents give: the older ones, and those of newer releases.
var (
	ShortGroupTexts = GroupTexts{30, 240, 300, 100}
	LongGroupTexts  = GroupTexts{100, 400, 400, 500}
)

// Texts is how long the texts of a group may be.
func (s *GroupSwitches) Texts() GroupTexts {
	if s.LongTexts {
		return LongGroupTexts
	}
	return ShortGroupTexts
}

// InviteTooManyGroups is what becomes of the invitation of somebody who is in as many groups as one may be: a value of
// HandleGroupMemberResult that newer releases of the interface have.
const InviteTooManyGroups = 4

// MuteForever is for how many seconds somebody is muted, or kept out, who is so until it is taken back.
const MuteForever = 4294967295

// Codes that the vendor's documents name and its headers do not.
const (
	CodeAttributeCount    = 10045 // a group has too many attributes
	CodeAttributeKeySize  = 10046 // an attribute's key is too long
	CodeAttributeSize     = 10047 // an attribute is too long
	CodeAttributesSize    = 10048 // all attributes together are too long
	CodeAttributeRate     = 10049 // attributes are written too often
	CodeAttributeNotFound = 10050 // there is no such attribute
	CodeCounterCount      = 10063 // a group has too many counters
	CodeCommunityOff      = 11000 // the server has no communities
	CodeCounterRate       = 8516
	CodeMarkRate          = 8515
)

// Prefixes of the ids that the server makes for topics and permission groups: a topic's id is its community's, TopicMark
// and a name.
const (
	TopicMark             = "@TOPIC#_"
	PermissionGroupPrefix = "@PMG#_"
)

// GroupPrefix begins the ids that the server makes.
const GroupPrefix = "@TGS#"

// CommunityPrefix begins the ids of communities, those that an application chooses and those that the server makes.
const CommunityPrefix = "@TGS#_"

// ValidGroupID says whether an application may give a group of a type this id. What begins as the server's ids do is for
// communities, and no group's id looks like a topic's.
func ValidGroupID(groupType int, id string) bool {
	if len(id) > MaxGroupID || !printable(id) || strings.Contains(id, TopicMark) {
		return false
	}
	if groupType == tim.GroupCommunity && strings.HasPrefix(id, CommunityPrefix) {
		return len(id) > len(CommunityPrefix)
	}
	return !strings.HasPrefix(id, GroupPrefix)
}

// ValidTopicID says whether a topic of a community may have this id.
func ValidTopicID(community, id string) bool {
	name, ok := strings.CutPrefix(id, community+TopicMark)
	return ok && name != "" && len(name) <= MaxGroupID && printable(name) && !strings.Contains(name, TopicMark)
}

// ValidPermissionGroupID says whether a permission group may have this id.
func ValidPermissionGroupID(id string) bool {
	name, ok := strings.CutPrefix(id, PermissionGroupPrefix)
	return ok && name != "" && len(name) <= MaxGroupID && printable(name)
}

// Check holds the texts of a group against their limits. It returns the code of the first that is wrong, 0 when all are
// right.
func (t GroupTexts) Check(name, introduction, notification, face string) (code int, desc string) {
	switch {
	case name == "":
		return tim.ErrSDKGroupInvalidName, "a group has a name"
	case len(name) > t.Name:
		return tim.ErrSDKGroupInvalidName, fmt.Sprintf("the name is longer than %d bytes", t.Name)
	case len(introduction) > t.Introduction:
		return tim.ErrSDKGroupInvalidIntroduction, fmt.Sprintf("the introduction is longer than %d bytes", t.Introduction)
	case len(notification) > t.Notification:
		return tim.ErrSDKGroupInvalidNotification, fmt.Sprintf("the notification is longer than %d bytes", t.Notification)
	case len(face) > t.Face:
		return tim.ErrSDKGroupInvalidFaceURL, fmt.Sprintf("the face's URL is longer than %d bytes", t.Face)
	}
	return 0, ""
}
