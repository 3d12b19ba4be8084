package face

import (
	"strings"

	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/event"
	"timbre/core/message"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

var messageHandlers = map[tim.Op]handler{
	tim.OpTIMMsgSendMessage:          {early: sendEarly, refused: sendRefused, run: send},
	tim.OpTIMMsgSendNewMsg:           {early: sendEarly, refused: sendRefused, run: send},
	tim.OpTIMMsgSendNewMsgEx:         {early: sendEarly, refused: sendRefused, run: send},
	tim.OpTIMMsgGetMsgList:           {run: getMsgList},
	tim.OpTIMMsgFindMessages:         {run: findMessages},
	tim.OpTIMMsgFindByMsgLocatorList: {run: findByLocator},
	tim.OpTIMMsgImportMsgList:        {early: needElements, run: importMessages},
	tim.OpTIMMsgSaveMsg:              {early: needElements, run: saveMessage},
	tim.OpTIMMsgSetLocalCustomData:   {early: needElements, run: setLocalData},
	tim.OpTIMMsgReportReaded:         {opened: true, run: reportRead},
}

// sendEarly refuses a message without elements at once.
func sendEarly(c *call) int32 {
	if !gjson.Get(c.text(2), tim.KeyMsgElemArray).IsArray() {
		return tim.ResultErrJSON
	}
	if _, err := message.Elements(c.text(2)); err != nil {
		return tim.ResultErrJSON
	}
	return 0
}

func sendRefused(c *call, code int, text string) {
	d := message.Unsent(int(c.number(1)), c.text(0), c.text(2))
	c.giveID(d)
	c.done(code, text, d.JSON())
}

// giveID hands the message's id out before the call returns.
func (c *call) giveID(d *message.Draft) {
	switch c.fn.Op {
	case tim.OpTIMMsgSendMessage:
		if out := c.args[3]; !out.Null {
			out.Out(d.MsgID())
		}
	case tim.OpTIMMsgSendNewMsgEx:
		b := append([]byte(nil), `{"`+tim.KeyMsgConvId+`":`...)
		b = protocol.AppendString(b, c.text(0))
		b = append(b, `,"`+tim.KeyMsgConvType+`":`...)
		b = append(b, '0'+byte(c.number(1)&7))
		b = append(b, `,"`+tim.KeyMsgMsgId+`":`...)
		b = append(protocol.AppendString(b, d.MsgID()), '}')
		c.post(3, event.Num(0), event.Text(""), event.Text(string(b)))
	}
}

func send(c *call) {
	a := c.client.Account()
	if a == nil || !a.Online {
		sendRefused(c, tim.ErrSDKNotLoggedIn, "not logged in")
		return
	}
	typ, peer := int(c.number(1)), c.text(0)
	d, err := a.Messages.NewDraft(typ, peer, c.text(2))
	if err != nil {
		c.fail(tim.ErrInvalidParameters, err.Error())
		return
	}
	c.giveID(d)
	switch {
	case typ != tim.ConvC2C && typ != tim.ConvGroup || peer == "":
		a.Messages.Refuse(d, &transport.Error{Code: tim.ErrInvalidConversation, Text: "not a conversation"}, c.done)
	default:
		a.Messages.Send(d, c.done)
	}
}

func getMsgList(c *call) {
	page, bad := message.ParsePage(int(c.number(1)), c.text(0), c.text(2))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.cached(func(a *client.Account) { a.Messages.History(page, a.Online, c.done) })
}

func findMessages(c *call) {
	ids := texts(gjson.Parse(c.text(0)))
	if len(ids) == 0 {
		c.fail(tim.ErrInvalidParameters, "no message ids")
		return
	}
	c.cached(func(a *client.Account) { a.Messages.Find(ids, c.done) })
}

func findByLocator(c *call) {
	locators := gjson.Parse(c.text(2)).Array()
	if len(locators) == 0 {
		c.fail(tim.ErrInvalidParameters, "no locators")
		return
	}
	c.cached(func(a *client.Account) { a.Messages.Locate(int(c.number(1)), c.text(0), locators, c.done) })
}

// needElements refuses at once what is not a message or a list of messages.
func needElements(c *call) int32 {
	text := c.text(len(c.args) - 3)
	list := []gjson.Result{gjson.Parse(text)}
	if strings.HasPrefix(text, "[") {
		list = list[0].Array()
	}
	for _, m := range list {
		if _, err := message.Elements(m.Raw); err != nil {
			return tim.ResultErrJSON
		}
	}
	return 0
}

func importMessages(c *call) {
	c.storing(func(a *client.Account) {
		if err := a.Messages.Import(int(c.number(1)), c.text(0), gjson.Parse(c.text(2)).Array(), c.done); err != nil {
			c.fail(tim.ErrInvalidParameters, err.Error())
		}
	})
}

// storing runs fn for a call that puts messages into a conversation.
func (c *call) storing(fn func(*client.Account)) {
	if typ := c.number(1); c.text(0) == "" || typ != tim.ConvC2C && typ != tim.ConvGroup {
		c.fail(tim.ErrInvalidConversation, "not a conversation")
		return
	}
	c.withAccount(fn)
}

func saveMessage(c *call) {
	c.storing(func(a *client.Account) {
		if err := a.Messages.Save(int(c.number(1)), c.text(0), gjson.Parse(c.text(2)), c.done); err != nil {
			c.fail(tim.ErrInvalidParameters, err.Error())
		}
	})
}

func setLocalData(c *call) {
	m := gjson.Parse(c.text(0))
	c.withAccount(func(a *client.Account) {
		a.Messages.SetLocalData(m.Get(tim.KeyMsgMsgId).String(), uint32(m.Get(tim.KeyMsgCustomInt).Uint()),
			m.Get(tim.KeyMsgCustomStr).String(), c.done)
	})
}

// reportRead marks a conversation as read, up to a message if one is given; no id means all of the type.
func reportRead(c *call) {
	a := c.client.Account()
	if a == nil || !a.Online {
		c.loggingIn(c.args[0].Null)
		return
	}
	t := message.Target{Type: int(c.number(1)), Peer: c.text(0)}
	if m := gjson.Parse(c.text(2)); t.Peer != "" && m.IsObject() && len(m.Map()) > 0 {
		c.subject(t.Type, t.Peer, m.Raw, func(a *client.Account, s message.Subject) { a.Messages.MarkReadTo(s, m, c.done) })
		return
	}
	a.Messages.MarkRead(t, c.done)
}

// loggingIn answers the calls on read positions that come before the login has finished.
func (c *call) loggingIn(all bool) {
	if all {
		c.fail(tim.ErrSDKInternalError, "the conversations are not known yet")
		return
	}
	c.fail(tim.ErrSDKNotLoggedIn, "not logged in")
}
