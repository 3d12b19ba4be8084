package group

import (
	"maps"
	"slices"

	"timbre/model"
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

// list is keys with values as an array, by key.
func (k keys) list(all map[string]string) []object {
	fields := make([]object, 0, len(all))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fields = append(fields, object{k.key: key, k.value: all[key]}.spelled())
	}
	return fields
}

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
		tim.KeyGroupBaseInfoIsShutupAll: g.MuteAll,
		tim.KeyGroupBaseInfoSelfInfo: object{
			tim.KeyGroupSelfInfoJoinTime: me.Joined, tim.KeyGroupSelfInfoRole: me.Role,
			tim.KeyGroupSelfInfoUnReadNum: me.Unread, tim.KeyGroupSelfInfoMsgFlag: me.Option,
		},
	}.spelled()
}

// detail is a GroupDetailInfo.
func detail(g *protocol.Group) object {
	next := uint64(0)
	if g.Self != nil {
		next = g.Max + 1
	}
	return object{
		tim.KeyGroupDetailInfoGroupId: g.ID, tim.KeyGroupDetailInfoGroupType: g.Type, tim.KeyGroupDetailInfoIsSupportTopic: g.Topics,
		tim.KeyGroupDetailInfoGroupName: g.Name, tim.KeyGroupDetailInfoNotification: g.Notification,
		tim.KeyGroupDetailInfoIntroduction: g.Introduction, tim.KeyGroupDetailInfoFaceUrl: g.Face,
		tim.KeyGroupDetailInfoCreateTime: g.Created, tim.KeyGroupDetailInfoInfoSeq: g.LastInfo,
		tim.KeyGroupDetailInfoLastInfoTime: g.LastInfo, tim.KeyGroupDetailInfoNextMsgSeq: next,
		tim.KeyGroupDetailInfoLastMsgTime: g.LastTime / 1000, tim.KeyGroupDetailInfoMemberNum: g.Members,
		tim.KeyGroupDetailInfoMaxMemberNum: g.MaxMembers, tim.KeyGroupDetailInfoAddOption: g.AddOption,
		tim.KeyGroupDetailInfoApproveOption: g.Approve, tim.KeyGroupDetailInfoVisible: g.Visible, tim.KeyGroupDetailInfoSearchable: g.Searchable,
		tim.KeyGroupDetailInfoIsShutupAll: g.MuteAll, tim.KeyGroupDetailInfoOwnerIdentifier: g.Owner,
		tim.KeyGroupDetailInfoCustomInfo: groupFields.list(g.Custom), tim.KeyGroupDetailInfoEnablePermissionGroup: g.ByRights,
		tim.KeyGroupDetailInfoDefaultPermissions: g.Rights, tim.KeyGroupDetailInfoOnlineMemberNum: g.Online,
	}.spelled()
}

// devices is the names of kinds of devices.
func devices(platforms []string) []string {
	names := make([]string, 0, len(platforms))
	for _, p := range platforms {
		names = append(names, model.PlatformName(p))
	}
	return names
}

// MemberInfo is a GroupMemberInfo.
func MemberInfo(group string, m *protocol.Member) object {
	return object{
		tim.KeyGroupMemberInfoIdentifier: m.User, tim.KeyGroupMemberInfoGroupId: group, tim.KeyGroupMemberInfoJoinTime: m.Joined,
		tim.KeyGroupMemberInfoMemberRole: m.Role, tim.KeyGroupMemberInfoMsgFlag: m.Option, tim.KeyGroupMemberInfoMsgSeq: m.ReadSeq,
		tim.KeyGroupMemberInfoShutupTime: m.MuteUntil, tim.KeyGroupMemberInfoNameCard: m.NameCard,
		tim.KeyGroupMemberInfoNickName: m.Nick, tim.KeyGroupMemberInfoFriendRemark: "", tim.KeyGroupMemberInfoFaceUrl: m.Face,
		tim.KeyGroupMemberInfoCustomInfo: memberFields.list(m.Custom), tim.KeyGroupMemberInfoIsOnline: m.Online,
		tim.KeyGroupMemberInfoOnlineDevices: devices(m.Platforms),
	}.spelled()
}
