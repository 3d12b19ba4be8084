package community

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/server/group"
	"timbre/sqlite"
)

// need is the rights of which one is enough for something: in the community, and in a topic either a right in all of the
// community or one in that topic.
type need struct{ community, everywhere, topic uint64 }

// needs is what permission groups decide. For the rest the type of groups has its rules.
var needs = map[model.GroupAction]need{
	model.GroupEditTexts:    {tim.CommunityPermissionManageGroupInfo, tim.CommunityPermissionManageTopicInCommunity, tim.TopicPermissionManageTopic},
	model.GroupEditOptions:  {tim.CommunityPermissionManageGroupInfo, tim.CommunityPermissionManageTopicInCommunity, tim.TopicPermissionManageTopic},
	model.GroupMuteAll:      {tim.CommunityPermissionManageGroupInfo, tim.CommunityPermissionManageTopicInCommunity, tim.TopicPermissionManageTopic},
	model.GroupPin:          {tim.CommunityPermissionManageGroupInfo, tim.CommunityPermissionManageTopicInCommunity, tim.TopicPermissionManageTopic},
	model.GroupManageTopics: {tim.CommunityPermissionManageTopicInCommunity, tim.CommunityPermissionManageTopicInCommunity, tim.TopicPermissionManageTopic},
	model.GroupManageRights: {tim.CommunityPermissionManagePermissionGroupInfo, tim.CommunityPermissionManagePermissionGroupInfo, tim.TopicPermissionManageTopicPermission},
	model.GroupMute:         {tim.CommunityPermissionMuteMember, tim.CommunityPermissionMuteMember, tim.TopicPermissionMuteMember},
	model.GroupKick:         {community: tim.CommunityPermissionManageGroupMember},
	group.KeepOut:           {community: tim.CommunityPermissionBanMember},
	model.GroupApprove:      {community: tim.CommunityPermissionManageGroupMember},
	model.GroupSpeak:        {tim.CommunityPermissionSendMessage, tim.CommunityPermissionSendMessage, tim.TopicPermissionSendMessage},
	model.GroupSpeakToAll:   {tim.CommunityPermissionAtAll, tim.CommunityPermissionAtAll, tim.TopicPermissionAtAll},
	model.GroupRevokeOthers: {tim.CommunityPermissionRevokeOtherMemberMessage, tim.CommunityPermissionRevokeOtherMemberMessage, tim.TopicPermissionRevokeOtherMemberMessage},
}

// rights is what a member may do by the rights that everybody has and those of his permission groups.
type rights struct {
	community uint64
	topic     uint64 // in the topic that was asked about
	inTopic   bool
}

func (r rights) allow(n need) bool {
	if r.inTopic {
		return r.community&n.everywhere != 0 || r.topic&n.topic != 0
	}
	return r.community&n.community != 0
}

// of returns a member's rights in a community or in one of its topics, and whether they count.
func (c *Communities) of(q sqlite.Queryer, gid, uid int64) (r rights, on bool, err error) {
	d, err := c.groups.Defaults(q, gid)
	if err != nil || !d.On {
		return r, false, err
	}
	r = rights{community: d.Rights, topic: d.InTopic, inTopic: gid != d.Community}
	err = q.Query(`SELECT p.rights, coalesce(t.rights,0) FROM permission_member m JOIN permission_group p ON p.pid=m.pid
		LEFT JOIN permission_topic t ON t.pid=m.pid AND t.topic=? WHERE m.gid=? AND m.uid=?`, func(scan func(...any) error) error {
		var all, here int64
		err := scan(&all, &here)
		r.community |= uint64(all)
		r.topic |= uint64(here)
		return err
	}, gid, d.Community, uid)
	return r, true, err
}

// Allows implements group.Rights.
func (c *Communities) Allows(q sqlite.Queryer, gid, uid int64, a model.GroupAction) (allows, decides bool, err error) {
	n, decides := needs[a]
	if !decides {
		return false, false, nil
	}
	r, on, err := c.of(q, gid, uid)
	return r.allow(n), on, err
}

// maxDeciders is how many members are told of a request: with more of them everybody could decide.
const maxDeciders = 500

// Deciders implements group.Rights.
func (c *Communities) Deciders(q sqlite.Queryer, gid int64) (uids []int64, err error) {
	err = q.Query(`SELECT DISTINCT m.uid FROM permission_group p JOIN permission_member m ON m.pid=p.pid
		WHERE p.gid=? AND p.rights&?<>0 ORDER BY m.uid LIMIT ?`, func(scan func(...any) error) error {
		var uid int64
		err := scan(&uid)
		uids = append(uids, uid)
		return err
	}, gid, int64(needs[model.GroupApprove].community), maxDeciders)
	return uids, err
}
