package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/message"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// changeHandlers is what can be done with messages that are there already.
var changeHandlers = map[tim.Op]handler{
	tim.OpTIMMsgRevoke: {run: func(c *call) {
		c.subject(int(c.number(1)), c.text(0), c.text(2), func(a *client.Account, s message.Subject) {
			a.Messages.Revoke(s, gjson.Get(c.text(2), tim.KeyMsgRevokeReason).String(), c.done)
		})
	}},
	tim.OpTIMMsgModifyMessage: {run: func(c *call) {
		c.subject(0, "", c.text(0), func(a *client.Account, s message.Subject) { a.Messages.Edit(s, gjson.Parse(c.text(0)), c.done) })
	}},
	tim.OpTIMMsgDelete:              {early: deleteEarly, run: deleteMessage},
	tim.OpTIMMsgListDelete:          {run: deleteMessages},
	tim.OpTIMMsgClearHistoryMessage: {opening: tim.ErrToUserInvalid, run: clearHistory},
	tim.OpTIMMsgCancelSend: {opening: tim.ErrSDKInvalidCancelMessage, run: func(c *call) {
		id := `{"` + tim.KeyMsgMsgId + `":` + string(protocol.AppendString(nil, c.text(2))) + `}`
		c.subject(int(c.number(1)), c.text(0), id, func(a *client.Account, s message.Subject) { a.Messages.Cancel(s, c.done) })
	}},
	tim.OpTIMMsgMarkAllMessageAsRead: {opening: tim.ErrSDKInternalError, run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.MarkRead(message.Target{}, c.done) })
	}},
	tim.OpTIMMsgSetMessageExtensions:    {run: setExtensions},
	tim.OpTIMMsgDeleteMessageExtensions: {run: deleteExtensions},
	tim.OpTIMMsgGetMessageExtensions: {run: func(c *call) {
		c.subject(0, "", c.text(0), func(a *client.Account, s message.Subject) { a.Messages.Extensions(s, c.done) })
	}},
	tim.OpTIMMsgAddMessageReaction:    {run: func(c *call) { c.react(true) }},
	tim.OpTIMMsgRemoveMessageReaction: {run: func(c *call) { c.react(false) }},
	tim.OpTIMMsgGetMessageReactions: {run: func(c *call) {
		c.subjects(0, func(a *client.Account, list []message.Subject) { a.Messages.Reactions(list, int(c.number(1)), c.done) })
	}},
	tim.OpTIMMsgGetAllUserListOfMessageReaction: {run: func(c *call) {
		c.subject(0, "", c.text(0), func(a *client.Account, s message.Subject) {
			a.Messages.ReactionUsers(s, c.text(1), uint64(c.number(2)), int(c.number(3)), c.done)
		})
	}},
	tim.OpTIMPinGroupMessage: {run: func(c *call) {
		c.subject(tim.ConvGroup, c.text(0), c.text(1), func(a *client.Account, s message.Subject) {
			a.Messages.Pin(s, c.number(2) != 0, c.done)
		})
	}},
	tim.OpTIMGetPinnedGroupMessageList: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.Pinned(c.text(0), c.done) })
	}},
}

// subject finds the message that a JSON object means and goes on with it.
func (c *call) subject(typ int, peer, json string, then func(*client.Account, message.Subject)) {
	c.online(func(a *client.Account) {
		s, err := a.Messages.Subject(typ, peer, gjson.Parse(json))
		if err != nil {
			c.fail(tim.ErrSDKCommDatabaseFailure, err.Error())
			return
		}
		then(a, s)
	})
}

// subjects finds the messages of an array of one conversation.
func (c *call) subjects(i int, then func(*client.Account, []message.Subject)) {
	c.online(func(a *client.Account) {
		list, bad := a.Messages.Subjects(0, "", gjson.Parse(c.text(i)).Array())
		if bad != nil {
			c.fail(bad.Code, bad.Text)
			return
		}
		then(a, list)
	})
}

// deleteEarly refuses an empty message: it must not be taken for all of them.
func deleteEarly(c *call) int32 {
	if msg := gjson.Get(c.text(2), tim.KeyMsgDeleteParamMsg); msg.Exists() && (!msg.IsObject() || len(msg.Map()) == 0) {
		return tim.ResultErrJSON
	}
	return 0
}

// deleteMessage deletes one message, or without one everything of the conversation that is here.
func deleteMessage(c *call) {
	param := gjson.Parse(c.text(2))
	msg, cloud := param.Get(tim.KeyMsgDeleteParamMsg), param.Get(tim.KeyMsgDeleteParamIsRamble).Bool()
	typ, peer := int(c.number(1)), c.text(0)
	switch {
	case msg.Exists():
		c.subject(typ, peer, msg.Raw, func(a *client.Account, s message.Subject) {
			a.Messages.Erase([]message.Subject{s}, cloud, c.done)
		})
	case cloud:
		c.fail(tim.ErrInvalidParameters, "TIMMsgClearHistoryMessage deletes the history on the server")
	default:
		c.withAccount(func(a *client.Account) { a.Messages.EraseLocal(typ, peer, c.done) })
	}
}

func deleteMessages(c *call) {
	list := gjson.Parse(c.text(2)).Array()
	if len(list) > model.MaxDeletes {
		c.fail(tim.ErrInvalidParameters, "at most 50 messages a call")
		return
	}
	c.online(func(a *client.Account) {
		found, bad := a.Messages.Subjects(int(c.number(1)), c.text(0), list)
		if bad != nil {
			c.fail(bad.Code, bad.Text)
			return
		}
		a.Messages.Erase(found, true, c.done)
	})
}

func clearHistory(c *call) {
	typ := int(c.number(1))
	if c.text(0) == "" || typ != tim.ConvC2C && typ != tim.ConvGroup {
		c.fail(tim.ErrInvalidConversation, "not a conversation")
		return
	}
	c.online(func(a *client.Account) { a.Messages.ClearHistory(typ, c.text(0), c.done) })
}

func setExtensions(c *call) {
	var list []protocol.Extension
	for _, v := range gjson.Parse(c.text(1)).Array() {
		list = append(list, protocol.Extension{Key: v.Get(tim.KeyMsgExtensionKey).String(), Value: v.Get(tim.KeyMsgExtensionValue).String()})
	}
	c.subject(0, "", c.text(0), func(a *client.Account, s message.Subject) { a.Messages.SetExtensions(s, list, c.done) })
}

func deleteExtensions(c *call) {
	var keys []string
	for _, v := range gjson.Parse(c.text(1)).Array() {
		k := v.String()
		if v.IsObject() {
			k = v.Get(tim.KeyMsgExtensionKey).String()
		}
		keys = append(keys, k)
	}
	c.subject(0, "", c.text(0), func(a *client.Account, s message.Subject) { a.Messages.DeleteExtensions(s, keys, c.done) })
}

func (c *call) react(on bool) {
	c.subject(0, "", c.text(0), func(a *client.Account, s message.Subject) { a.Messages.React(s, c.text(1), on, c.done) })
}
