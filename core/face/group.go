package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/group"
	"timbre/model"
	"timbre/model/tim"
)

var groupHandlers = map[tim.Op]handler{
	tim.OpTIMGroupCreate: {early: need(tim.KeyCreateGroupParamGroupName), run: createGroup},
	tim.OpTIMGroupInviteMember: {
		early: need(tim.KeyGroupInviteMemberParamGroupId, tim.KeyGroupInviteMemberParamIdentifierArray), run: inviteMember},
	tim.OpTIMGroupJoin: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Groups.Join(c.text(0), c.done) })
	}},
	tim.OpTIMGroupQuit: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Groups.Quit(c.text(0), c.done) })
	}},
	tim.OpTIMGroupGetJoinedGroupList: {run: func(c *call) {
		c.cached(func(a *client.Account) { a.Groups.Joined(a.Online, c.done) })
	}},
	tim.OpTIMGroupGetGroupInfoList: {run: getGroupInfo},
	tim.OpTIMGroupGetMemberInfoList: {
		early: need(tim.KeyGroupGetMemberInfoListParamGroupId), run: getMembers},
	tim.OpTIMGroupModifyMemberInfo: {
		early: need(tim.KeyGroupModifyMemberInfoParamGroupId, tim.KeyGroupModifyMemberInfoParamIdentifier,
			tim.KeyGroupModifyMemberInfoParamModifyFlag), run: modifyMember},
}

// need refuses at once a parameter that lacks a required key.
func need(keys ...string) func(*call) int32 {
	return func(c *call) int32 {
		for _, k := range keys {
			if !gjson.Get(c.text(0), k).Exists() {
				return tim.ResultErrJSON
			}
		}
		return 0
	}
}

func createGroup(c *call) {
	param, bad := group.ParseCreate(gjson.Parse(c.text(0)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) { a.Groups.Create(param, c.done) })
}

func inviteMember(c *call) {
	param := gjson.Parse(c.text(0))
	id := param.Get(tim.KeyGroupInviteMemberParamGroupId).String()
	users := texts(param.Get(tim.KeyGroupInviteMemberParamIdentifierArray))
	c.online(func(a *client.Account) { a.Groups.Invite(id, users, c.done) })
}

func getGroupInfo(c *call) {
	ids := texts(gjson.Parse(c.text(0)))
	if len(ids) == 0 || len(ids) > model.MaxGroups {
		c.fail(tim.ErrInvalidParameters, "1 to 1,000 group ids are needed")
		return
	}
	c.online(func(a *client.Account) { a.Groups.Info(ids, c.done) })
}

func getMembers(c *call) {
	param := gjson.Parse(c.text(0))
	ask := group.ParseMembers(param, texts(param.Get(tim.KeyGroupGetMemberInfoListParamIdentifierArray)))
	c.online(func(a *client.Account) { a.Groups.Members(ask, c.done) })
}

func modifyMember(c *call) {
	param, bad := group.ParseSetMember(gjson.Parse(c.text(0)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) { a.Groups.SetMember(param, c.done) })
}
