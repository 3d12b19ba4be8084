package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/group"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

var groupHandlers = map[tim.Op]handler{
	tim.OpTIMGroupCreate: {early: need(tim.KeyCreateGroupParamGroupName), run: createGroup},
	tim.OpTIMGroupDelete: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Groups.Dismiss(c.text(0), c.done) })
	}},
	tim.OpTIMGroupJoin: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Groups.Join(c.text(0), c.text(1), c.done) })
	}},
	tim.OpTIMGroupQuit: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Groups.Quit(c.text(0), c.done) })
	}},
	tim.OpTIMGroupGetJoinedGroupList: {run: func(c *call) {
		c.cached(func(a *client.Account) { a.Groups.Joined(a.Online, c.done) })
	}},
	tim.OpTIMGroupGetGroupInfoList: {run: getGroupInfo},
	tim.OpTIMGroupModifyGroupInfo: {
		early: need(tim.KeyGroupModifyInfoParamGroupId, tim.KeyGroupModifyInfoParamModifyFlag), run: modifyGroup},
	tim.OpTIMGroupGetMemberInfoList: {
		early: need(tim.KeyGroupGetMemberInfoListParamGroupId), run: getMembers},
	tim.OpTIMGroupModifyMemberInfo: {
		early: need(tim.KeyGroupModifyMemberInfoParamGroupId, tim.KeyGroupModifyMemberInfoParamIdentifier,
			tim.KeyGroupModifyMemberInfoParamModifyFlag), run: modifyMember},
	tim.OpTIMGroupInviteMember: {
		early: need(tim.KeyGroupInviteMemberParamGroupId, tim.KeyGroupInviteMemberParamIdentifierArray), run: inviteMember},
	tim.OpTIMGroupDeleteMember: {
		early: need(tim.KeyGroupDeleteMemberParamGroupId, tim.KeyGroupDeleteMemberParamIdentifierArray), run: kickMember},
	tim.OpTIMGroupMarkGroupMemberList: {run: markMembers},
	tim.OpTIMGroupSearchGroups:        {run: searchGroups},
	tim.OpTIMGroupSearchGroupMembers:  {run: searchMembers},
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
	ask := group.ParseInvite(param, texts(param.Get(tim.KeyGroupInviteMemberParamIdentifierArray)))
	c.online(func(a *client.Account) { a.Groups.Invite(ask, c.done) })
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

func kickMember(c *call) {
	param := gjson.Parse(c.text(0))
	ask, bad := group.ParseKick(param, texts(param.Get(tim.KeyGroupDeleteMemberParamIdentifierArray)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) { a.Groups.Kick(ask, c.done) })
}

func markMembers(c *call) {
	mark := protocol.MarkMembers{Group: c.text(0), Users: texts(gjson.Parse(c.text(1))), Mark: uint32(c.number(2)), On: c.number(3) != 0}
	c.online(func(a *client.Account) { a.Groups.Mark(mark, c.done) })
}

func modifyGroup(c *call) {
	param, bad := group.ParseSet(gjson.Parse(c.text(0)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) { a.Groups.Set(param, c.done) })
}

func searchGroups(c *call) {
	ask, bad := group.ParseSearchGroups(gjson.Parse(c.text(0)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) { a.Groups.SearchGroups(ask, c.done) })
}

func searchMembers(c *call) {
	param := gjson.Parse(c.text(0))
	ask, bad := group.ParseSearchMembers(param, texts(param.Get(tim.KeyGroupMemberSearchParamGroupidList)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) { a.Groups.SearchMembers(ask, c.done) })
}
