package group

import (
	"github.com/tidwall/gjson"

	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// ParseCreate reads a CreateGroupParam.
func ParseCreate(v gjson.Result) (c protocol.CreateGroup, why *transport.Error) {
	c = protocol.CreateGroup{
		ID: v.Get(tim.KeyCreateGroupParamGroupId).String(), Type: int(v.Get(tim.KeyCreateGroupParamGroupType).Int()),
		Name: v.Get(tim.KeyCreateGroupParamGroupName).String(), Introduction: v.Get(tim.KeyCreateGroupParamIntroduction).String(),
		Notification: v.Get(tim.KeyCreateGroupParamNotification).String(), Face: v.Get(tim.KeyCreateGroupParamFaceUrl).String(),
		MaxMembers: int(v.Get(tim.KeyCreateGroupParamMaxMemberCount).Int()),
		Topics:     v.Get(tim.KeyCreateGroupIsSupportTopic).Bool(), ByRights: v.Get(tim.KeyCreateGroupParamEnablePermissionGroup).Bool(),
		Rights: v.Get(tim.KeyCreateGroupParamDefaultPermissions).Uint(),
	}
	if c.AddOption, why = option(v.Get(tim.KeyCreateGroupParamAddOption)); why != nil {
		return c, why
	}
	if c.Approve, why = option(v.Get(tim.KeyCreateGroupParamApproveOption)); why != nil {
		return c, why
	}
	if c.Custom, why = custom(v.Get(tim.KeyCreateGroupParamCustomInfo), groupFields); why != nil {
		return c, why
	}
	for _, m := range v.Get(tim.KeyCreateGroupParamGroupMemberArray).Array() {
		user := m.Get(tim.KeyGroupMemberInfoIdentifier)
		if user.Type != gjson.String || user.Str == "" {
			return c, bad("a member is an object with an identifier")
		}
		fields, why := custom(m.Get(tim.KeyGroupMemberInfoCustomInfo), memberFields)
		if why != nil {
			return c, why
		}
		c.Members = append(c.Members, protocol.NewMember{User: user.Str, Role: int(m.Get(tim.KeyGroupMemberInfoMemberRole).Int()), Custom: fields})
	}
	return c, nil
}

// custom reads custom fields, nil when there are none.
func custom(v gjson.Result, names keys) (map[string]string, *transport.Error) {
	all, ok := names.read(v)
	switch {
	case !ok:
		return nil, bad("a custom field is an object with a key and a text")
	case len(all) == 0:
		return nil, nil
	}
	return all, nil
}

// option reads a TIMGroupAddOption, nil when the type of the group shall decide.
func option(v gjson.Result) (*int, *transport.Error) {
	n := int(v.Int())
	switch {
	case !v.Exists() || v.Type == gjson.Null:
		return nil, nil
	case v.Type != gjson.Number: // which would be 0: that nobody may join
		return nil, bad("an option for joining is a number")
	case n == tim.GroupAddOptUnknown:
		return nil, nil
	}
	return &n, nil
}

// ParseSetMember reads a GroupModifyMemberInfoParam.
func ParseSetMember(v gjson.Result) (m protocol.SetMember, why *transport.Error) {
	const known = tim.GroupMemberModifyFlagMsgFlag | tim.GroupMemberModifyFlagMemberRole | tim.GroupMemberModifyFlagShutupTime |
		tim.GroupMemberModifyFlagNameCard | tim.GroupMemberModifyFlagCustom
	m.Group, m.User = v.Get(tim.KeyGroupModifyMemberInfoParamGroupId).String(), v.Get(tim.KeyGroupModifyMemberInfoParamIdentifier).String()
	p := fields{v: v, flags: uint32(v.Get(tim.KeyGroupModifyMemberInfoParamModifyFlag).Int())}
	if p.flags == 0 || p.flags&^known != 0 {
		return m, bad("nothing is to be changed, or what there is not")
	}
	number(&p, tim.GroupMemberModifyFlagMsgFlag, tim.KeyGroupModifyMemberInfoParamMsgFlag, &m.Option)
	number(&p, tim.GroupMemberModifyFlagMemberRole, tim.KeyGroupModifyMemberInfoParamMemberRole, &m.Role)
	number(&p, tim.GroupMemberModifyFlagShutupTime, tim.KeyGroupModifyMemberInfoParamShutupTime, &m.Mute)
	p.text(tim.GroupMemberModifyFlagNameCard, tim.KeyGroupModifyMemberInfoParamNameCard, &m.Card)
	p.custom(tim.GroupMemberModifyFlagCustom, tim.KeyGroupModifyMemberInfoParamCustomInfo, memberFields, &m.Custom)
	return m, p.why()
}

// ParseMembers reads a GroupGetMemberInfoListParam that names these users.
func ParseMembers(v gjson.Result, users []string) protocol.AskMembers {
	return protocol.AskMembers{
		Group: v.Get(tim.KeyGroupGetMemberInfoListParamGroupId).String(),
		Users: users,
		Roles: v.Get(tim.KeyGroupGetMemberInfoListParamOption + "." + tim.KeyGroupMemberGetInfoOptionRoleFlag).Uint(),
		Next:  v.Get(tim.KeyGroupGetMemberInfoListParamNextSeq).Uint(),
	}
}

// ParseInvite reads a GroupInviteMemberParam that names these users.
func ParseInvite(v gjson.Result, users []string) protocol.Invite {
	return protocol.Invite{Group: v.Get(tim.KeyGroupInviteMemberParamGroupId).String(), Users: users,
		Data: v.Get(tim.KeyGroupInviteMemberParamUserData).String()}
}
