package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/model/tim"
	"timbre/protocol"
)

// attributeHandlers is what a user attaches to his conversations, on all of his devices.
var attributeHandlers = map[tim.Op]handler{
	tim.OpTIMConvPinConversation: {opening: tim.ErrSDKInternalError, run: pinConversation},
	tim.OpTIMConvMarkConversation: {run: func(c *call) {
		ids := texts(gjson.Parse(c.text(0)))
		c.online(func(a *client.Account) {
			a.Messages.MarkConversations(ids, uint64(c.number(1)), c.number(2) != 0, c.done)
		})
	}},
	tim.OpTIMConvSetConversationCustomData: {run: func(c *call) {
		ids := texts(gjson.Parse(c.text(0)))
		c.online(func(a *client.Account) { a.Messages.SetConversationData(ids, c.text(1), c.done) })
	}},
	tim.OpTIMConvGetConversationGroupList: {run: func(c *call) {
		c.cached(func(a *client.Account) { a.Messages.ConversationGroups(c.done) })
	}},
	tim.OpTIMConvCreateConversationGroup:      {run: func(c *call) { c.changeConvGroup(protocol.ConvGroupCreate) }},
	tim.OpTIMConvAddConversationsToGroup:      {run: func(c *call) { c.changeConvGroup(protocol.ConvGroupAdd) }},
	tim.OpTIMConvDeleteConversationsFromGroup: {run: func(c *call) { c.changeConvGroup(protocol.ConvGroupRemove) }},
	tim.OpTIMConvDeleteConversationGroup: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.DeleteConversationGroup(c.text(0), c.done) })
	}},
	tim.OpTIMConvRenameConversationGroup: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.RenameConversationGroup(c.text(0), c.text(1), c.done) })
	}},
}

func pinConversation(c *call) {
	typ, peer, ok := c.conversation()
	if !ok {
		c.fail(tim.ErrInvalidParameters, "not a conversation")
		return
	}
	c.online(func(a *client.Account) { a.Messages.PinConversation(typ, peer, c.number(2) != 0, c.done) })
}

func (c *call) changeConvGroup(change string) {
	ids := texts(gjson.Parse(c.text(1)))
	c.online(func(a *client.Account) { a.Messages.ChangeConversationGroup(change, c.text(0), ids, c.done) })
}
