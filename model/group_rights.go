package model

import "timbre/model/tim"

// GroupKeepOut is to remove a member for a time in which he may not come back. Where permission groups decide it needs a right
// of its own; elsewhere whoever may remove members may do it, and the table of types does not name it.
const GroupKeepOut GroupAction = "remove a member for a time"

// GroupRight is what something needs where permission groups decide: one of these bits, 0 for what there is not.
type GroupRight struct {
	Community  uint64 // in the community itself: CommunityPermission
	Everywhere uint64 // in a topic: a CommunityPermission, which holds in all of them
	Topic      uint64 // in a topic: a TopicPermission, which holds in that one
}

// GroupRightTo returns the right that something needs where permission groups decide, and false for what they do not decide:
// that is as the type of groups has it.
func GroupRightTo(a GroupAction) (GroupRight, bool) {
	const (
		info   = tim.CommunityPermissionManageGroupInfo
		topics = tim.CommunityPermissionManageTopicInCommunity
		topic  = tim.TopicPermissionManageTopic
	)
	switch a {
	case GroupEditTexts, GroupEditOptions, GroupMuteAll, GroupPin:
		return GroupRight{info, topics, topic}, true
	case GroupManageTopics:
		return GroupRight{topics, topics, topic}, true
	case GroupManageRights:
		return everywhere(tim.CommunityPermissionManagePermissionGroupInfo, tim.TopicPermissionManageTopicPermission), true
	case GroupMute:
		return everywhere(tim.CommunityPermissionMuteMember, tim.TopicPermissionMuteMember), true
	case GroupSpeak:
		return everywhere(tim.CommunityPermissionSendMessage, tim.TopicPermissionSendMessage), true
	case GroupSpeakToAll:
		return everywhere(tim.CommunityPermissionAtAll, tim.TopicPermissionAtAll), true
	case GroupRevokeOthers:
		return everywhere(tim.CommunityPermissionRevokeOtherMemberMessage, tim.TopicPermissionRevokeOtherMemberMessage), true
	case GroupKick, GroupApprove:
		return GroupRight{Community: tim.CommunityPermissionManageGroupMember}, true
	case GroupKeepOut:
		return GroupRight{Community: tim.CommunityPermissionBanMember}, true
	}
	return GroupRight{}, false
}

// everywhere is a right that holds in all of the community.
func everywhere(community, topic uint64) GroupRight { return GroupRight{community, community, topic} }
