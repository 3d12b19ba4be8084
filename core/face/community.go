package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/community"
	"timbre/core/group"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

var communityHandlers = map[tim.Op]handler{
	tim.OpTIMCommunityCreate:                 {early: need(tim.KeyCreateGroupParamGroupName), run: createCommunity},
	tim.OpTIMCommunityGetJoinedCommunityList: {run: joinedCommunities},
	tim.OpTIMGroupGetJoinedCommunityList:     {run: joinedCommunities},
}

// topicHandlers has every function on topics twice: communities have got a header of their own, and the older one has kept
// its functions.
var topicHandlers = map[tim.Op]handler{
	tim.OpTIMCommunityCreateTopicInCommunity:   {run: createTopic},
	tim.OpTIMGroupCreateTopicInCommunity:       {run: createTopic},
	tim.OpTIMCommunityDeleteTopicFromCommunity: {run: deleteTopics},
	tim.OpTIMGroupDeleteTopicFromCommunity:     {run: deleteTopics},
	tim.OpTIMCommunitySetTopicInfo:             {run: setTopic},
	tim.OpTIMGroupSetTopicInfo:                 {run: setTopic},
	tim.OpTIMCommunityGetTopicInfoList:         {run: getTopics},
	tim.OpTIMGroupGetTopicInfoList:             {run: getTopics},
}

var rightsHandlers = map[tim.Op]handler{
	tim.OpTIMCommunityCreatePermissionGroupInCommunity:          {run: createRights},
	tim.OpTIMCommunityDeletePermissionGroupFromCommunity:        {run: deleteRights},
	tim.OpTIMCommunityModifyPermissionGroupInfoInCommunity:      {run: setRights},
	tim.OpTIMCommunityGetJoinedPermissionGroupListInCommunity:   {run: joinedRights},
	tim.OpTIMCommunityGetPermissionGroupListInCommunity:         {run: getRights},
	tim.OpTIMCommunityAddCommunityMembersToPermissionGroup:      {run: enlist(true)},
	tim.OpTIMCommunityRemoveCommunityMembersFromPermissionGroup: {run: enlist(false)},
	tim.OpTIMCommunityGetCommunityMemberListInPermissionGroup:   {run: rightsMembers},
	tim.OpTIMCommunityAddTopicPermissionToPermissionGroup:       {run: grant(protocol.ChangeGrant)},
	tim.OpTIMCommunityModifyTopicPermissionInPermissionGroup:    {run: grant(protocol.ChangeAlter)},
	tim.OpTIMCommunityDeleteTopicPermissionFromPermissionGroup:  {run: revokeRights},
	tim.OpTIMCommunityGetTopicPermissionInPermissionGroup:       {run: topicRights},
}

// inCommunities goes on with the user's communities, unless a parameter was bad.
func (c *call) inCommunities(why *transport.Error, then func(*community.Communities)) {
	if why != nil {
		c.fail(why.Code, why.Text)
		return
	}
	c.online(func(a *client.Account) { then(a.Communities) })
}

// createCommunity makes a community with topics whatever the parameter says of type and topics: samples leave both out.
func createCommunity(c *call) {
	param, bad := group.ParseCreate(gjson.Parse(c.text(0)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	param.Type, param.Topics = tim.GroupCommunity, true
	c.online(func(a *client.Account) { a.Groups.Create(param, c.done) })
}

func joinedCommunities(c *call) {
	c.cached(func(a *client.Account) { a.Groups.JoinedCommunities(a.Online, c.done) })
}

func createTopic(c *call) {
	param := community.ParseCreateTopic(c.text(0), gjson.Parse(c.text(1)))
	c.inCommunities(nil, func(all *community.Communities) { all.CreateTopic(param, c.done) })
}

func deleteTopics(c *call) {
	c.inCommunities(nil, func(all *community.Communities) { all.DeleteTopics(c.text(0), texts(gjson.Parse(c.text(1))), c.done) })
}

func setTopic(c *call) {
	param, draft, bad := community.ParseSetTopic(gjson.Parse(c.text(0)))
	c.inCommunities(bad, func(all *community.Communities) { all.SetTopic(param, draft, c.done) })
}

func getTopics(c *call) {
	c.inCommunities(nil, func(all *community.Communities) { all.Topics(c.text(0), texts(gjson.Parse(c.text(1))), c.done) })
}

func createRights(c *call) {
	param, bad := community.ParseCreateRights(gjson.Parse(c.text(0)))
	c.inCommunities(bad, func(all *community.Communities) { all.CreateRights(param, c.done) })
}

func deleteRights(c *call) {
	c.inCommunities(nil, func(all *community.Communities) { all.DeleteRights(c.text(0), texts(gjson.Parse(c.text(1))), c.done) })
}

func setRights(c *call) {
	param, bad := community.ParseSetRights(gjson.Parse(c.text(0)))
	c.inCommunities(bad, func(all *community.Communities) { all.SetRights(param, c.done) })
}

func joinedRights(c *call) {
	ask := protocol.AskRights{Community: c.text(0), Joined: true}
	c.inCommunities(nil, func(all *community.Communities) { all.Rights(ask, c.done) })
}

func getRights(c *call) {
	ask := protocol.AskRights{Community: c.text(0), IDs: texts(gjson.Parse(c.text(1)))}
	c.inCommunities(nil, func(all *community.Communities) { all.Rights(ask, c.done) })
}

func enlist(on bool) func(*call) {
	return func(c *call) {
		param := protocol.Enlist{Community: c.text(0), ID: c.text(1), Users: texts(gjson.Parse(c.text(2))), On: on}
		c.inCommunities(nil, func(all *community.Communities) { all.Enlist(param, c.done) })
	}
}

func rightsMembers(c *call) {
	c.inCommunities(nil, func(all *community.Communities) { all.RightsMembers(c.text(0), c.text(1), c.text(2), c.done) })
}

func grant(change string) func(*call) {
	return func(c *call) {
		topics, bad := community.ParseTopicRights(gjson.Parse(c.text(2)))
		param := protocol.Grant{Community: c.text(0), ID: c.text(1), Change: change, Topics: topics}
		c.inCommunities(bad, func(all *community.Communities) { all.Grant(param, c.done) })
	}
}

func revokeRights(c *call) {
	param := protocol.Grant{Community: c.text(0), ID: c.text(1), Change: protocol.ChangeRevoke, Topics: map[string]uint64{}}
	for _, id := range texts(gjson.Parse(c.text(2))) {
		param.Topics[id] = 0
	}
	c.inCommunities(nil, func(all *community.Communities) { all.Grant(param, c.done) })
}

func topicRights(c *call) {
	ask := protocol.AskRights{Community: c.text(0), ID: c.text(1), Topics: texts(gjson.Parse(c.text(2)))}
	c.inCommunities(nil, func(all *community.Communities) { all.TopicRights(ask, c.done) })
}
