package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/conversation"
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
	tim.OpTIMConvDeleteConversationList: {run: func(c *call) {
		c.withAccount(func(a *client.Account) {
			a.Messages.DeleteMany(texts(gjson.Parse(c.text(0))), c.number(1) != 0, c.done)
		})
	}},
	tim.OpTIMConvSetDraft:    {early: needConversation, run: setDraft},
	tim.OpTIMConvCancelDraft: {early: needConversation, run: cancelDraft},
	tim.OpTIMConvGetConversationListByFilter: {run: func(c *call) {
		c.filtered(func(a *client.Account, f conversation.Filter) {
			a.Messages.FilterConversations(f, uint64(c.number(1)), int(c.number(2)), c.done)
		})
	}},
	tim.OpTIMConvGetUnreadMessageCountByFilter: {run: func(c *call) {
		c.filtered(func(a *client.Account, f conversation.Filter) { a.Messages.FilterUnread(f, c.done) })
	}},
	tim.OpTIMConvSubscribeUnreadMessageCountByFilter:   {early: needFilter, run: func(c *call) { c.watch(true) }},
	tim.OpTIMConvUnsubscribeUnreadMessageCountByFilter: {early: needFilter, run: func(c *call) { c.watch(false) }},
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
	switch id := c.text(0); id {
	case "":
		a.Messages.CleanUnread(message.Target{}, c.done)
	case "c2c":
		a.Messages.CleanUnread(message.Target{Type: tim.ConvC2C, Time: c.number(1)}, c.done)
	case "group":
		a.Messages.CleanUnread(message.Target{Type: tim.ConvGroup}, c.done)
	default:
		t, ok := message.ParseConversationID(id)
		switch {
		case !ok:
			c.fail(tim.ErrInvalidParameters, "not a conversation id")
			return
		case t.Type == tim.ConvC2C:
			t.Time = c.number(1)
		default:
			t.Seq = uint64(c.number(2))
		}
		a.Messages.MarkRead(t, c.done)
	}
}

// conversation says which conversation the first two arguments name, and whether they name one.
func (c *call) conversation() (typ int, peer string, ok bool) {
	typ, peer = int(c.number(1)), c.text(0)
	return typ, peer, peer != "" && (typ == tim.ConvC2C || typ == tim.ConvGroup)
}

// needConversation refuses at once what a call without a callback cannot refuse later.
func needConversation(c *call) int32 {
	typ, peer, ok := c.conversation()
	if !ok || c.inLiveRoom(typ, peer) {
		return tim.ResultErrConv
	}
	if len(c.args) > 2 {
		if _, err := message.ParseDraft(c.text(2)); err != nil {
			return tim.ResultErrJSON
		}
	}
	return 0
}

// inLiveRoom says whether what looks like a conversation is a live room, which keeps nothing.
func (c *call) inLiveRoom(typ int, peer string) bool {
	if c.client == nil {
		return false
	}
	a := c.client.Account()
	return a != nil && a.Messages.Live(typ, peer)
}

func setDraft(c *call) {
	draft, _ := message.ParseDraft(c.text(2)) // needConversation has looked
	c.withAccount(func(a *client.Account) { a.Messages.SetDraft(int(c.number(1)), c.text(0), draft) })
}

func cancelDraft(c *call) {
	c.withAccount(func(a *client.Account) { a.Messages.SetDraft(int(c.number(1)), c.text(0), "") })
}

// needFilter refuses at once a filter that a call without a callback cannot refuse later.
func needFilter(c *call) int32 {
	if _, err := conversation.ParseFilter(c.text(0)); err != nil {
		return tim.ResultErrJSON
	}
	return 0
}

func (c *call) watch(on bool) {
	f, _ := conversation.ParseFilter(c.text(0)) // needFilter has looked
	c.withAccount(func(a *client.Account) { a.Messages.WatchUnread(f, on) })
}

// filtered reads the filter in the first argument and goes on with it.
func (c *call) filtered(then func(*client.Account, conversation.Filter)) {
	f, err := conversation.ParseFilter(c.text(0))
	switch {
	case err != nil:
		c.fail(tim.ErrInvalidParameters, err.Error())
	case c.fn.Op == tim.OpTIMConvGetConversationListByFilter && c.number(2) == 0:
		c.fail(tim.ErrInvalidParameters, "count must be greater than 0")
	default:
		c.cached(func(a *client.Account) { then(a, f) })
	}
}
