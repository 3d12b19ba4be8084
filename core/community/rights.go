package community

import (
	"timbre/core/event"
	"timbre/core/group"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// CreateRights makes a permission group and answers its id.
func (c *Communities) CreateRights(r protocol.SetRights, done event.Done) {
	c.made(protocol.OpRightsCreate, r, done)
}

// SetRights changes a permission group.
func (c *Communities) SetRights(r protocol.SetRights, done event.Done) {
	c.plain(protocol.OpRightsSet, r, done)
}

// DeleteRights ends permission groups and answers what became of each.
func (c *Communities) DeleteRights(community string, ids []string, done event.Done) {
	if len(ids) == 0 {
		done(tim.ErrInvalidParameters, "no permission groups are named", "")
		return
	}
	var a protocol.RightsList
	c.Groups.Do(protocol.OpRightsDelete, protocol.AskRights{Community: community, IDs: ids}, &a, done, func() string {
		return listOf(a.List, func(f *protocol.FoundRights) object {
			return object{tim.KeyPermissionGroupOperationResultErrorCode: f.Code, tim.KeyPermissionGroupOperationResultErrorMessage: f.Desc,
				tim.KeyPermissionGroupOperationResultID: f.Rights.ID}
		})
	})
}

// Rights answers permission groups: those that are named, all when none are, or those that the user is in.
func (c *Communities) Rights(ask protocol.AskRights, done event.Done) {
	var a protocol.RightsList
	if why := c.Groups.Ask(protocol.OpRights, ask, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	done(0, "", listOf(a.List, func(f *protocol.FoundRights) object {
		f.Rights.Community = ask.Community
		return object{tim.KeyPermissionGroupInfoResultErrorCode: f.Code, tim.KeyPermissionGroupInfoResultErrorMessage: f.Desc,
			tim.KeyPermissionGroupInfoResult: rights(&f.Rights)}
	}))
}

// RightsMembers answers a page of who is in a permission group.
func (c *Communities) RightsMembers(community, id, cursor string, done event.Done) {
	var a protocol.RightsMembers
	if why := c.Groups.Ask(protocol.OpRightsMembers, protocol.AskRights{Community: community, ID: id, Cursor: cursor}, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	members := make([]any, 0, len(a.Members))
	for i := range a.Members {
		members = append(members, group.MemberInfo(community, &a.Members[i]))
	}
	done(0, "", object{tim.KeyPermissionGroupMemberInfoResultNextCursor: a.Cursor, tim.KeyPermissionGroupMemberInfoResultArray: members}.json())
}

// Enlist puts members into a permission group, or takes them out, and answers what became of each.
func (c *Communities) Enlist(e protocol.Enlist, done event.Done) {
	if len(e.Users) == 0 || len(e.Users) > model.MaxPermissionMembers {
		done(tim.ErrInvalidParameters, "1 to 20 users are needed", "")
		return
	}
	var a protocol.Results
	c.Groups.Do(protocol.OpRightsEnlist, e, &a, done, func() string {
		return listOf(a.List, func(r *protocol.Result) object {
			return object{tim.KeyPermissionGroupMemberOperationResultIdentifier: r.ID, tim.KeyPermissionGroupMemberOperationResultErrorCode: r.Code}
		})
	})
}

// Grant changes what a permission group may in topics, and answers what became of each.
func (c *Communities) Grant(g protocol.Grant, done event.Done) {
	if len(g.Topics) == 0 || len(g.Topics) > model.MaxPermissionTopics {
		done(tim.ErrInvalidParameters, "1 to 50 topics are needed", "")
		return
	}
	var a protocol.Results
	c.Groups.Do(protocol.OpRightsGrant, g, &a, done, func() string {
		return listOf(a.List, func(r *protocol.Result) object { return operated(r.Code, r.Desc, r.ID) })
	})
}

// TopicRights answers what a permission group may in topics, all in which it may anything when none are named.
func (c *Communities) TopicRights(ask protocol.AskRights, done event.Done) {
	var a protocol.Results
	if why := c.Groups.Ask(protocol.OpRightsTopics, ask, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	done(0, "", listOf(a.List, func(r *protocol.Result) object {
		return object{tim.KeyTopicPermissionResultErrorCode: r.Code, tim.KeyTopicPermissionResultErrorMessage: r.Desc,
			tim.KeyTopicPermissionResultTopicID: r.ID, tim.KeyTopicPermissionResultTopicPermission: r.Rights,
			tim.KeyTopicPermissionResultGroupID: ask.Community, tim.KeyTopicPermissionResultPermissionGroupID: ask.ID}
	}))
}
