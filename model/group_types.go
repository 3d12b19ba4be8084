package model

import (
	"maps"

	"timbre/model/tim"
)

// groupTables makes the rules of each type afresh, so that switches may change them.
var groupTables = map[int]func() GroupRules{
	tim.GroupPrivate:    workGroup,
	tim.GroupPublic:     publicGroup,
	tim.GroupChatRoom:   meeting,
	tim.GroupAVChatRoom: liveRoom,
	tim.GroupCommunity:  community,
}

// managed is what the types with owner, admins and members have in common.
func managed(other map[GroupAction]Verdict) map[GroupAction]Verdict {
	may := map[GroupAction]Verdict{
		GroupEditTexts: managers, GroupEditOptions: managers, GroupMuteAll: managers, GroupMute: managers, GroupKick: managers,
		GroupSetRole: owner, GroupTransfer: owner, GroupDismiss: owner, GroupQuit: leaver, GroupInvite: members,
		GroupApprove: managers, GroupSpeak: members, GroupSpeakReceipt: members, GroupSpeakTo: members, GroupMention: members,
		GroupSpeakToAll: members, GroupReadHistory: members,
		GroupRevokeOthers: managers, GroupPin: managers, GroupExtend: members, GroupListMembers: members,
		GroupCountOnline: members, GroupMark: nothing, GroupSetAttributes: members, GroupGetAttributes: members,
		GroupSetCounters: members, GroupGetCounters: members, GroupSetCard: members, GroupSetReceive: members,
		GroupManageTopics: nothing, GroupManageRights: nothing,
	}
	maps.Copy(may, other)
	return may
}

// workGroup is a team: everybody knows everybody, and nobody comes uninvited.
func workGroup() GroupRules {
	return GroupRules{Name: "Work", MaxMembers: 200, Unread: true, RoleTips: true, AddOption: tim.GroupAddOptForbid,
		ApproveOption: tim.GroupAddOptAny, ReceiveOption: tim.RecvMsgOptReceive,
		may: managed(map[GroupAction]Verdict{
			GroupEditTexts: members, GroupEditOptions: owner, GroupMute: nothing, GroupMuteAll: nothing, GroupKick: owner,
			GroupSetRole: nothing, GroupDismiss: nobody, GroupQuit: members, GroupApprove: owner, GroupRevokeOthers: owner, GroupPin: members,
		})}
}

func publicGroup() GroupRules {
	return GroupRules{Name: "Public", MaxMembers: 2_000, Admins: true, Unread: true, RoleTips: true, AddOption: tim.GroupAddOptAuth,
		ApproveOption: tim.GroupAddOptForbid, ReceiveOption: tim.RecvMsgOptReceive, may: managed(nil)}
}

func meeting() GroupRules {
	return GroupRules{Name: "Meeting", MaxMembers: 6_000, Admins: true, AddOption: tim.GroupAddOptAny,
		ApproveOption: tim.GroupAddOptForbid, ReceiveOption: tim.RecvMsgOptNotNotify, may: managed(nil)}
}

// liveRoom has an audience instead of members: it comes and goes by the thousand and leaves no trace.
func liveRoom() GroupRules {
	return GroupRules{Name: "AVChatRoom", Live: true, AddOption: tim.GroupAddOptAny, FixedAdd: true,
		ApproveOption: tim.GroupAddOptForbid, FixedApprove: true, ReceiveOption: tim.RecvMsgOptNotNotify,
		may: managed(map[GroupAction]Verdict{
			GroupSetRole: nothing, GroupTransfer: nobody, GroupInvite: nobody, GroupSpeakReceipt: nothing, GroupSpeakTo: nothing,
			GroupMention: nothing, GroupSpeakToAll: nothing, GroupReadHistory: nothing, GroupPin: nothing, GroupExtend: nothing,
			GroupMark: owner, GroupSetCard: nothing, GroupSetReceive: nothing, GroupRevokeOthers: nothing,
		})}
}

func community() GroupRules {
	return GroupRules{Name: "Community", MaxMembers: 100_000, Admins: true, Unread: true, RoleTips: true, AddOption: tim.GroupAddOptAny,
		ApproveOption: tim.GroupAddOptAny, ReceiveOption: tim.RecvMsgOptReceive,
		may: managed(map[GroupAction]Verdict{
			GroupSpeakReceipt: nothing, GroupSpeakTo: nothing, GroupSetCounters: nothing, GroupGetCounters: nothing,
			GroupManageTopics: managers, GroupManageRights: owner,
		})}
}
