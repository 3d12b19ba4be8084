package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/group"
	"timbre/core/message"
	"timbre/core/trans"
	"timbre/model/tim"
)

// extensionHandlers is functions that the TIM interface does not have.
var extensionHandlers = map[tim.Op]handler{
	tim.OpTIMExtGetLoginDeviceList: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Users.Devices(a.Device, c.done) })
	}},
	tim.OpTIMExtSendTransMsg: {early: transEarly, run: sendTrans},
	tim.OpTIMExtSetReceiveOpt: {run: func(c *call) {
		flags, bad := message.ParseFlags(gjson.Parse(c.text(0)))
		if bad != nil {
			c.fail(bad.Code, bad.Text)
			return
		}
		c.online(func(a *client.Account) { a.Messages.SetFlags(flags, c.done) })
	}},
	tim.OpTIMExtGetReceiveOptList: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.Flags(c.done) })
	}},
	tim.OpTIMExtGetAppGroupList: {run: func(c *call) {
		ask, bad := group.ParseAppGroups(gjson.Parse(c.text(0)))
		if bad != nil {
			c.fail(bad.Code, bad.Text)
			return
		}
		c.online(func(a *client.Account) { a.Groups.AppGroups(ask, c.done) })
	}},
}

// transEarly refuses at once what has no command.
func transEarly(c *call) int32 {
	if gjson.Get(c.text(2), tim.KeyExtTransCmd).Type != gjson.String {
		return tim.ResultErrJSON
	}
	return 0
}

func sendTrans(c *call) {
	what, bad := trans.Parse(int(c.number(1)), c.text(0), gjson.Parse(c.text(2)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) { a.Trans.Send(what, c.done) })
}

// networkChanged passes on what the host knows of the machine's network.
func (f *Face) networkChanged(*call) int64 {
	cl := f.current()
	if cl == nil {
		return tim.ResultErrSDKUninit
	}
	cl.NetworkChanged()
	return tim.ResultSucc
}
