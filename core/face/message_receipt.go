package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/event"
	"timbre/core/message"
	"timbre/model/tim"
	"timbre/protocol"
)

// receiptHandlers is read receipts of single messages, by their new and their older names.
var receiptHandlers = map[tim.Op]handler{
	tim.OpTIMMsgSendMessageReadReceipts:       {run: confirm},
	tim.OpTIMMsgSendGroupMessageReceipts:      {run: confirm},
	tim.OpTIMMsgGetMessageReadReceipts:        {run: receipts},
	tim.OpTIMMsgGetGroupMessageReceipts:       {run: receipts},
	tim.OpTIMMsgGetGroupMessageReadMemberList: {run: readers},
	tim.OpTIMMsgGetGroupMessageReadMembers:    {run: readers},
	tim.OpTIMMsgSetC2CReceiveMessageOpt:       {run: setUserOptions},
	tim.OpTIMMsgGetC2CReceiveMessageOpt:       {run: userOptions},
	tim.OpTIMMsgSetGroupReceiveMessageOpt:     {opening: tim.ErrSDKInternalError, run: setGroupOption},
	tim.OpTIMMsgSetAllReceiveMessageOpt:       {opening: tim.ErrSVRResInvalidParameters, run: setClockOption},
	tim.OpTIMMsgSetAllReceiveMessageOpt2:      {opening: tim.ErrSVRResInvalidParameters, run: setTimeOption},
	tim.OpTIMMsgGetAllReceiveMessageOpt: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.AllOption(c.done) })
	}},
}

func confirm(c *call) {
	c.subjects(0, func(a *client.Account, list []message.Subject) { a.Messages.Confirm(list, c.done) })
}

func receipts(c *call) {
	c.subjects(0, func(a *client.Account, list []message.Subject) { a.Messages.Receipts(list, c.done) })
}

func readers(c *call) {
	c.subject(0, "", c.text(0), func(a *client.Account, s message.Subject) {
		unread := c.number(1) == tim.GroupMessageReadMembersFilterUnread
		a.Messages.Readers(s, unread, uint64(c.number(2)), int(c.number(3)), func(members string, next uint64, finished bool) {
			if c.used.CompareAndSwap(false, true) {
				c.post(len(c.args)-2, event.Text(members), event.Num(next), event.Num(map[bool]int{true: 1}[finished]))
			}
		})
	})
}

func setUserOptions(c *call) {
	users := texts(gjson.Parse(c.text(0)))
	c.setOption(protocol.SetOption{Peers: users, Option: int(c.number(1))}, len(users) > 0)
}

func setGroupOption(c *call) {
	c.setOption(protocol.SetOption{Group: c.text(0), Option: int(c.number(1))}, c.text(0) != "")
}

// setOption refuses values that the interface does not know.
func (c *call) setOption(o protocol.SetOption, named bool) {
	if !named || o.Option < tim.RecvMsgOptReceive || o.Option > tim.RecvMsgOptNotNotifyExceptAt {
		c.fail(tim.ErrInvalidParameters, "ids and an option from 0 to 3 are needed")
		return
	}
	c.online(func(a *client.Account) { a.Messages.SetOption(o, c.done) })
}

func userOptions(c *call) {
	users := texts(gjson.Parse(c.text(0)))
	if len(users) == 0 {
		c.fail(tim.ErrInvalidParameters, "no users named")
		return
	}
	c.online(func(a *client.Account) { a.Messages.Options(users, c.done) })
}

// setClockOption begins at a time of the day.
func setClockOption(c *call) {
	h, m, s := int(int32(c.number(1))), int(int32(c.number(2))), int(int32(c.number(3)))
	if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59 {
		c.fail(tim.ErrInvalidParameters, "not a time of the day")
		return
	}
	c.setAllOption(protocol.AllOption{Option: int(c.number(0)), Hour: h, Minute: m, Second: s, Duration: c.number(4)})
}

// setTimeOption begins at a moment.
func setTimeOption(c *call) {
	c.setAllOption(protocol.AllOption{Option: int(c.number(0)), Start: c.number(1), Duration: c.number(2)})
}

func (c *call) setAllOption(o protocol.AllOption) {
	switch o.Option {
	case tim.RecvMsgOptReceive, tim.RecvMsgOptNotNotify, tim.RecvMsgOptNotNotifyExceptAt:
		c.online(func(a *client.Account) { a.Messages.SetOption(protocol.SetOption{All: &o}, c.done) })
	default:
		c.fail(tim.ErrInvalidParameters, "an option of 0, 2 or 3 is needed")
	}
}
