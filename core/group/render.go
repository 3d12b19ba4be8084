package group

import (
	"timbre/model/tim"
	"timbre/protocol"
)

// object is public JSON.
type object map[string]any

// set sets a key, under its older spellings too.
func (o object) set(key string, value any) {
	o[key] = value
	for _, older := range tim.OlderKeys(key) {
		o[older] = value
	}
}

// spelled adds the older spellings of all keys.
func (o object) spelled() object {
	all := make(object, 2*len(o))
	for key, value := range o {
		all.set(key, value)
	}
	return all
}

func (o object) json() string { return string(protocol.Marshal(o)) }

func list(objects []object) string { return string(protocol.Marshal(objects)) }

// self is the user's part in a group, empty when he is not in it.
func self(g *protocol.Group) protocol.Self {
	if g.Self == nil {
		return protocol.Self{}
	}
	return *g.Self
}

// base is a GroupBaseInfo.
func base(g *protocol.Group) object {
	me := self(g)
	return object{
		tim.KeyGroupBaseInfoGroupId: g.ID, tim.KeyGroupBaseInfoGroupName: g.Name, tim.KeyGroupBaseInfoGroupType: g.Type,
		tim.KeyGroupBaseInfoFaceUrl: g.Face, tim.KeyGroupBaseInfoInfoSeq: g.LastInfo, tim.KeyGroupBaseInfoLatestSeq: g.Max,
		tim.KeyGroupBaseInfoReadedSeq: me.ReadSeq, tim.KeyGroupBaseInfoMsgFlag: me.Option,
		tim.KeyGroupBaseInfoIsShutupAll: false,
		tim.KeyGroupBaseInfoSelfInfo: object{
			tim.KeyGroupSelfInfoJoinTime: me.Joined, tim.KeyGroupSelfInfoRole: me.Role,
			tim.KeyGroupSelfInfoUnReadNum: me.Unread, tim.KeyGroupSelfInfoMsgFlag: me.Option,
		},
	}.spelled()
}

// shown is what groups have for visible and searchable: the interface gives no other meaning to the number, and its samples
// have this one.
const shown = 2

// detail is a GroupDetailInfo.
func detail(g *protocol.Group) object {
	next := uint64(0)
	if g.Self != nil {
		next = g.Max + 1
	}
	return object{
		tim.KeyGroupDetailInfoGroupId: g.ID, tim.KeyGroupDetailInfoGroupType: g.Type, tim.KeyGroupDetailInfoIsSupportTopic: false,
		tim.KeyGroupDetailInfoGroupName: g.Name, tim.KeyGroupDetailInfoNotification: g.Notification,
		tim.KeyGroupDetailInfoIntroduction: g.Introduction, tim.KeyGroupDetailInfoFaceUrl: g.Face,
		tim.KeyGroupDetailInfoCreateTime: g.Created, tim.KeyGroupDetailInfoInfoSeq: g.LastInfo,
		tim.KeyGroupDetailInfoLastInfoTime: g.LastInfo, tim.KeyGroupDetailInfoNextMsgSeq: next,
		tim.KeyGroupDetailInfoLastMsgTime: g.LastTime / 1000, tim.KeyGroupDetailInfoMemberNum: g.Members,
		tim.KeyGroupDetailInfoMaxMemberNum: g.MaxMembers, tim.KeyGroupDetailInfoAddOption: g.AddOption,
		tim.KeyGroupDetailInfoApproveOption: g.Approve, tim.KeyGroupDetailInfoVisible: shown, tim.KeyGroupDetailInfoSearchable: shown,
		tim.KeyGroupDetailInfoIsShutupAll: false, tim.KeyGroupDetailInfoOwnerIdentifier: g.Owner,
		tim.KeyGroupDetailInfoCustomInfo: []any{}, tim.KeyGroupDetailInfoEnablePermissionGroup: false,
		tim.KeyGroupDetailInfoDefaultPermissions: 0, tim.KeyGroupDetailInfoOnlineMemberNum: 0,
	}.spelled()
}

// member is a GroupMemberInfo.
func member(group string, m *protocol.Member) object {
	return object{
		tim.KeyGroupMemberInfoIdentifier: m.User, tim.KeyGroupMemberInfoGroupId: group, tim.KeyGroupMemberInfoJoinTime: m.Joined,
		tim.KeyGroupMemberInfoMemberRole: m.Role, tim.KeyGroupMemberInfoMsgFlag: m.Option, tim.KeyGroupMemberInfoMsgSeq: 0,
		tim.KeyGroupMemberInfoShutupTime: m.MuteUntil, tim.KeyGroupMemberInfoNameCard: m.NameCard,
		tim.KeyGroupMemberInfoNickName: m.Nick, tim.KeyGroupMemberInfoFriendRemark: "", tim.KeyGroupMemberInfoFaceUrl: m.Face,
		tim.KeyGroupMemberInfoCustomInfo: []any{}, tim.KeyGroupMemberInfoIsOnline: false,
		tim.KeyGroupMemberInfoOnlineDevices: []any{},
	}.spelled()
}
