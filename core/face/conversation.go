package face

import (
	"strings"

	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/message"
	"timbre/model/tim"
)

var conversationHandlers = map[tim.Op]handler{
	tim.OpTIMConvGetConvList: {run: func(c *call) {
		c.cached(func(a *client.Account) { a.Messages.Conversations(c.done) })
	}},
	tim.OpTIMConvGetConvInfo: {run: getConvInfo},
	tim.OpTIMConvCreate:      {run: createConv},
	tim.OpTIMConvDelete:      {opened: true, run: deleteConv},
	tim.OpTIMConvGetTotalUnreadMessageCount: {run: func(c *call) {
		c.cached(func(a *client.Account) { a.Messages.TotalUnread(c.done) })
	}},
	tim.OpTIMConvCleanConversationUnreadMessageCount: {opened: true, run: cleanUnread},
}

func getConvInfo(c *call) {
	var wanted []message.Target
	for _, v := range gjson.Parse(c.text(0)).Array() {
		wanted = append(wanted, message.Target{Type: int(v.Get(tim.KeyGetConversationListParamConvType).Int()),
			Peer: v.Get(tim.KeyGetConversationListParamConvId).String()})
	}
	if len(wanted) == 0 {
		c.fail(tim.ErrInvalidParameters, "no conversations named")
		return
	}
	c.cached(func(a *client.Account) { a.Messages.ConversationInfo(wanted, c.done) })
}

// createConv answers 0 without a user too, with nothing.
func createConv(c *call) {
	var a *client.Account
	if c.client != nil {
		a = c.client.Account()
	}
	switch typ := int(c.number(1)); {
	case a == nil || !a.Online || c.args[0].Null:
		c.done(0, "", "")
	case c.text(0) == "" || typ != tim.ConvC2C && typ != tim.ConvGroup:
		c.fail(tim.ErrInvalidConversation, "not a conversation")
	default:
		a.Messages.CreateConversation(typ, c.text(0), c.done)
	}
}

func deleteConv(c *call) {
	a := c.client.Account()
	typ := int(c.number(1))
	if a == nil || !a.Online || c.text(0) == "" || typ != tim.ConvC2C && typ != tim.ConvGroup {
		c.fail(tim.ErrInvalidParameters, "not a conversation")
		return
	}
	a.Messages.Delete(typ, c.text(0), c.done)
}

// cleanUnread understands "c2c_x", "group_x", "c2c", "group" and "" or NULL for everything.
func cleanUnread(c *call) {
	a := c.client.Account()
	if a == nil || !a.Online {
		c.loggingIn(c.args[0].Null)
		return
	}
	id := c.text(0)
	t := message.Target{Type: tim.ConvC2C, Time: c.number(1)}
	switch {
	case id == "c2c":
	case id == "":
		t = message.Target{}
	case id == "group":
		t.Type = tim.ConvGroup
	case strings.HasPrefix(id, "c2c_"):
		t.Peer = strings.TrimPrefix(id, "c2c_")
	case strings.HasPrefix(id, "group_"):
		t = message.Target{Type: tim.ConvGroup, Peer: strings.TrimPrefix(id, "group_"), Seq: uint64(c.number(2))}
	default:
		c.fail(tim.ErrInvalidParameters, "not a conversation id")
		return
	}
	a.Messages.MarkRead(t, c.done)
}
