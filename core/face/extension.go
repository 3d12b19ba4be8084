package face

import (
	"timbre/core/client"
	"timbre/model/tim"
)

// extensionHandlers is functions that the TIM interface does not have.
var extensionHandlers = map[tim.Op]handler{
	tim.OpTIMExtGetLoginDeviceList: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Users.Devices(a.Device, c.done) })
	}},
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
