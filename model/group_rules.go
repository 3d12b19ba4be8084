package model

import (
	"slices"

	"timbre/model/tim"
)

// GroupAction is something that a user does in a group or asks it for.
type GroupAction string

// The actions. Each acts on the group as a whole or on the user himself, except Kick and Mute, which act on another member:
// that one must have a lower role, too, see Outranks.
const (
	GroupEditTexts     GroupAction = "edit name, introduction, notification, face"
	GroupEditOptions   GroupAction = "edit options, member limit, custom fields"
	GroupMuteAll       GroupAction = "mute everybody"
	GroupMute          GroupAction = "mute a member"
	GroupKick          GroupAction = "remove a member"
	GroupSetRole       GroupAction = "make and unmake admins"
	GroupTransfer      GroupAction = "hand the group over"
	GroupDismiss       GroupAction = "dismiss"
	GroupQuit          GroupAction = "quit"
	GroupInvite        GroupAction = "invite"
	GroupApprove       GroupAction = "decide who comes in"
	GroupSpeak         GroupAction = "send messages"
	GroupSpeakReceipt  GroupAction = "send with read receipts"
	GroupSpeakTo       GroupAction = "send to some members only"
	GroupMention       GroupAction = "mention members"
	GroupSpeakToAll    GroupAction = "mention everybody"
	GroupReadHistory   GroupAction = "read the history"
	GroupRevokeOthers  GroupAction = "revoke messages of others"
	GroupPin           GroupAction = "pin messages"
	GroupExtend        GroupAction = "extend messages and react to them"
	GroupListMembers   GroupAction = "list members"
	GroupCountOnline   GroupAction = "count who is online"
	GroupMark          GroupAction = "mark members"
	GroupSetAttributes GroupAction = "write attributes"
	GroupGetAttributes GroupAction = "read attributes"
	GroupSetCounters   GroupAction = "write counters"
	GroupGetCounters   GroupAction = "read counters"
	GroupSetCard       GroupAction = "have a name card and custom fields"
	GroupSetReceive    GroupAction = "choose how to receive"
	GroupManageTopics  GroupAction = "make, change and delete topics"
	GroupManageRights  GroupAction = "manage permission groups"
)

// GroupActions is all actions, in the order in which documents list them.
func GroupActions() []GroupAction {
	return []GroupAction{GroupEditTexts, GroupEditOptions, GroupMuteAll, GroupMute, GroupKick, GroupSetRole, GroupTransfer,
		GroupDismiss, GroupQuit, GroupInvite, GroupApprove, GroupSpeak, GroupSpeakReceipt, GroupSpeakTo, GroupMention, GroupSpeakToAll,
		GroupReadHistory, GroupRevokeOthers, GroupPin, GroupExtend, GroupListMembers, GroupCountOnline, GroupMark, GroupSetAttributes,
		GroupGetAttributes, GroupSetCounters, GroupGetCounters, GroupSetCard, GroupSetReceive, GroupManageTopics, GroupManageRights}
}

// Verdict is the code that each role gets for an action, 0 where it may: owner, admin, member, and who is none of them.
type Verdict struct{ Owner, Admin, Member, Outsider int }

// For returns the verdict for a TIMGroupMemberRole, 0 for who is no member.
func (v Verdict) For(role int) int {
	switch role {
	case tim.MemberRoleOwner:
		return v.Owner
	case tim.MemberRoleAdmin:
		return v.Admin
	case tim.MemberRoleNormal:
		return v.Member
	}
	return v.Outsider
}

const (
	denied = tim.ErrSVRGroupPermissionDeny
	no     = tim.ErrSVRGroupInvalidParameters // the type of groups has no such thing
)

var (
	members  = Verdict{Outsider: denied}
	managers = Verdict{Member: denied, Outsider: denied}
	owner    = Verdict{Admin: denied, Member: denied, Outsider: denied}
	nobody   = Verdict{denied, denied, denied, denied}
	nothing  = Verdict{no, no, no, denied}
	// leaver is who may quit where the owner may not.
	leaver = Verdict{Owner: tim.ErrSVRGroupSuperNotAllowQuit, Outsider: denied}
)

// GroupRules is what differs between the types of groups.
type GroupRules struct {
	Name          string // as documents call the type
	MaxMembers    int    // 0: no limit
	Admins        bool   // there may be admins
	Live          bool   // nothing is stored, and who logs out is not in it any more
	Unread        bool   // messages count as unread
	History       bool   // newcomers see what was said before they came
	MemberTips    bool   // the group says who comes and goes
	RoleTips      bool   // the group says who becomes admin and who is muted
	OptionTips    bool   // the group says when its options change, and when everybody is muted
	Successor     bool   // an owner may quit, and another member takes his place
	Consent       bool   // nobody is brought in by others before he has agreed
	AddOption     int    // TIMGroupAddOption: who may join, unless the creator chooses
	ApproveOption int    // likewise: how an invitation is approved
	ReceiveOption int    // TIMReceiveMessageOpt of a new member
	// FixedAdd and FixedApprove say that the option cannot be changed.
	FixedAdd, FixedApprove bool
	may                    map[GroupAction]Verdict
}

// May returns 0 if a role may do something in a group of this type, else the code of the refusal. Role is 0 for who is not
// in the group.
func (r *GroupRules) May(a GroupAction, role int) int { return r.may[a].For(role) }

// Outranks says whether a member may act on another one: the owner on all, an admin on ordinary members.
func Outranks(role, other int) bool { return role > other && role != tim.MemberRoleNormal }

// GroupTypes is the types of groups that can be made, in the order in which documents list them.
func GroupTypes() []int {
	return []int{tim.GroupPrivate, tim.GroupPublic, tim.GroupChatRoom, tim.GroupAVChatRoom, tim.GroupCommunity}
}

// GroupSwitches are the points on which an operator decides, because the documents of the interface contradict each other
// or because other interfaces have other rules.
type GroupSwitches struct {
	OwnerMayQuit     bool  // the owner of any group may quit, and another member takes his place
	HistoryTypes     []int // types in which newcomers see what was said before they came
	TipTypes         []int // types that say who comes and goes
	ConsentTypes     []int // types into which nobody is brought by others before he has agreed
	OptionTips       bool  // say when options change and when everybody is muted
	LongTexts        bool  // names up to 100 bytes, introductions and notifications 400, faces 500; else 30, 240, 300, 100
	Communities      bool  // there may be communities
	CommunityInvites bool  // members of a community may invite
	LiveAdmins       bool  // live rooms may have admins
	LiveSingle       bool  // a device is in one live room at a time
	LiveHistory      int   // messages of a live room that those who join get, 0: none
	LiveMembers      int   // newest members of a live room that can be listed
}

// DefaultGroupSwitches are those of a server that nobody configured.
func DefaultGroupSwitches() GroupSwitches {
	return GroupSwitches{HistoryTypes: []int{tim.GroupChatRoom, tim.GroupCommunity},
		TipTypes:  []int{tim.GroupPrivate, tim.GroupPublic, tim.GroupAVChatRoom, tim.GroupCommunity},
		LongTexts: true, Communities: true, CommunityInvites: true, LiveMembers: 1000}
}

// Rules returns the rules of a type of groups, and false for types that cannot be made.
func (s *GroupSwitches) Rules(groupType int) (GroupRules, bool) {
	if groupType == tim.GroupBChatRoom { // one that exists lives like this
		groupType = tim.GroupAVChatRoom
	}
	make, ok := groupTables[groupType]
	if !ok {
		return GroupRules{}, false
	}
	r := make()
	r.History = slices.Contains(s.HistoryTypes, groupType)
	r.MemberTips = slices.Contains(s.TipTypes, groupType)
	r.OptionTips = s.OptionTips
	r.Consent = slices.Contains(s.ConsentTypes, groupType)
	if s.OwnerMayQuit { // a live room has no members who stay
		r.may[GroupQuit], r.Successor = members, !r.Live
	}
	if groupType == tim.GroupCommunity && !s.CommunityInvites {
		r.ApproveOption, r.FixedApprove = tim.GroupAddOptForbid, true
	}
	if groupType == tim.GroupAVChatRoom && s.LiveAdmins {
		r.Admins, r.RoleTips = true, true
		r.may[GroupSetRole] = owner
	}
	return r, true
}

// RulesOf returns the rules of a type of groups on a server that nobody configured.
func RulesOf(groupType int) (GroupRules, bool) {
	s := DefaultGroupSwitches()
	return s.Rules(groupType)
}
