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
		AddOption: option(v.Get(tim.KeyCreateGroupParamAddOption)), Approve: option(v.Get(tim.KeyCreateGroupParamApproveOption)),
		MaxMembers: int(v.Get(tim.KeyCreateGroupParamMaxMemberCount).Int()),
	}
	if v.Get(tim.KeyCreateGroupIsSupportTopic).Bool() || v.Get(tim.KeyCreateGroupParamEnablePermissionGroup).Bool() ||
		len(v.Get(tim.KeyCreateGroupParamCustomInfo).Array()) > 0 {
		return c, &transport.Error{Code: tim.ErrSDKInterfaceNotSupport, Text: "topics, permission groups and custom fields are not built yet"}
	}
	for _, m := range v.Get(tim.KeyCreateGroupParamGroupMemberArray).Array() {
		user := m.Get(tim.KeyGroupMemberInfoIdentifier)
		if user.Type != gjson.String || user.Str == "" {
			return c, &transport.Error{Code: tim.ErrInvalidParameters, Text: "a member is an object with an identifier"}
		}
		c.Members = append(c.Members, protocol.NewMember{User: user.Str, Role: int(m.Get(tim.KeyGroupMemberInfoMemberRole).Int())})
	}
	return c, nil
}

// option reads a TIMGroupAddOption, nil when the type of the group shall decide.
func option(v gjson.Result) *int {
	n := int(v.Int())
	if !v.Exists() || n == tim.GroupAddOptUnknown {
		return nil
	}
	return &n
}

// built are the changes of a member that can be made.
const built = tim.GroupMemberModifyFlagMsgFlag | tim.GroupMemberModifyFlagMemberRole

// ParseSetMember reads a GroupModifyMemberInfoParam.
func ParseSetMember(v gjson.Result) (m protocol.SetMember, why *transport.Error) {
	m.Group, m.User = v.Get(tim.KeyGroupModifyMemberInfoParamGroupId).String(), v.Get(tim.KeyGroupModifyMemberInfoParamIdentifier).String()
	flags := v.Get(tim.KeyGroupModifyMemberInfoParamModifyFlag).Uint()
	switch {
	case flags == tim.GroupMemberModifyFlagNone:
		return m, &transport.Error{Code: tim.ErrInvalidParameters, Text: "nothing is to be changed"}
	case flags&^built != 0:
		return m, &transport.Error{Code: tim.ErrSDKInterfaceNotSupport, Text: "only roles and receive options can be changed yet"}
	}
	for _, f := range []struct {
		flag  uint64
		key   string
		field **int
	}{
		{tim.GroupMemberModifyFlagMsgFlag, tim.KeyGroupModifyMemberInfoParamMsgFlag, &m.Option},
		{tim.GroupMemberModifyFlagMemberRole, tim.KeyGroupModifyMemberInfoParamMemberRole, &m.Role},
	} {
		if flags&f.flag == 0 {
			continue
		}
		value := v.Get(f.key)
		if value.Type != gjson.Number {
			return m, &transport.Error{Code: tim.ErrInvalidParameters, Text: "a value that is to be changed is missing"}
		}
		n := int(value.Int())
		*f.field = &n
	}
	return m, nil
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
