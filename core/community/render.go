package community

import (
	"encoding/json"
	"maps"
	"slices"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/message"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// info is a TopicInfo, which is also the older interface's TIMGroupTopicInfo: what the topic is, and what it is to the user.
// A conversation that is not here yet is as the server says.
func (c *Communities) info(q sqlite.Queryer, g *protocol.Group) (object, error) {
	conv, err := conversation.Find(q, tim.ConvGroup, g.ID)
	if err != nil {
		return nil, err
	}
	return c.shown(q, g, conv), nil
}

func (c *Communities) shown(q sqlite.Queryer, g *protocol.Group, conv *conversation.Conversation) object {
	me := protocol.Self{}
	if g.Self != nil {
		me = *g.Self
	}
	o := object{
		tim.KeyCommunityTopicInfoTopicID: g.ID, tim.KeyCommunityTopicInfoTopicName: g.Name,
		tim.KeyCommunityTopicInfoIntroduction: g.Introduction, tim.KeyCommunityTopicInfoNotification: g.Notification,
		tim.KeyCommunityTopicInfoFaceURL: g.Face, tim.KeyCommunityTopicInfoIsAllMuted: g.MuteAll,
		tim.KeyCommunityTopicInfoSelfMuteTime: me.MuteUntil, tim.KeyCommunityTopicInfoCustomString: g.Text,
		tim.KeyCommunityTopicCreateTime: g.Created, tim.KeyCommunityTopicInfoDefaultPermissions: g.Rights,
		tim.KeyCommunityTopicInfoRecvOpt: me.Option, tim.KeyCommunityTopicInfoDraftText: "",
		tim.KeyCommunityTopicInfoUnreadCount: me.Unread, tim.KeyCommunityTopicInfoReadSequence: me.ReadSeq,
		tim.KeyCommunityTopicInfoGroupAtInfoArray: []any{},
	}
	if conv == nil || conv.GroupType == conversation.NoGroup { // nothing is known but what the server says
		return o
	}
	o[tim.KeyCommunityTopicInfoRecvOpt] = conv.Option
	o[tim.KeyCommunityTopicInfoDraftText] = message.DraftText(conv)
	o[tim.KeyCommunityTopicInfoUnreadCount] = conv.Unread()
	o[tim.KeyCommunityTopicInfoReadSequence] = conv.ReadSeq
	o[tim.KeyCommunityTopicInfoGroupAtInfoArray] = json.RawMessage(message.MentionsJSON(conv))
	if last := message.LastJSON(q, conv, c.User); last != "" {
		o[tim.KeyCommunityTopicInfoLastMessage] = json.RawMessage(last)
	}
	return o
}

// tellChanged tells the host of a topic whose conversation changed. While the host is slow, only the newest state waits.
func (c *Communities) tellChanged(tx *sqlite.Tx, conv *conversation.Conversation, after *store.Tx) error {
	t, err := find(tx, conv.Peer)
	if t == nil || err != nil {
		return err
	}
	id, community := t.ID, t.Parent
	text := c.shown(tx, &t.Group, conv).json()
	after.After(func() {
		c.Sink.Emit(event.Event{Setter: tim.OpTIMSetCommunityChangeTopicInfoCallback, Key: "topic " + id,
			Args: []event.Arg{event.Text(community), event.Text(text)}})
	})
	return nil
}

// rights is a PermissionGroupInfo.
func rights(r *protocol.Rights) object {
	return object{tim.KeyCommunityGroupID: r.Community, tim.KeyPermissionGroupID: r.ID, tim.KeyPermissionGroupName: r.Name,
		tim.KeyPermissionCustomData: r.Custom, tim.KeyGroupPermission: r.Rights, tim.KeyPermissionGroupMemberCount: r.Members}
}

// permissions is an array of TopicPermissionMap, in the order of the topics' ids.
func permissions(topics map[string]uint64) []object {
	all := make([]object, 0, len(topics))
	for _, id := range slices.Sorted(maps.Keys(topics)) {
		all = append(all, object{tim.KeyTopicPermissionKey: id, tim.KeyTopicPermissionValue: topics[id]})
	}
	return all
}
