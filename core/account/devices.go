package account

import (
	"context"
	"encoding/json"
	"time"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// Devices answers the devices on which the user has logged in, the newest login first. self is the one that asks.
func (u *Users) Devices(self string, done event.Done) {
	var found protocol.Devices
	if err := u.question(protocol.OpDevices, nil, &found); err != nil {
		done(err.Code, err.Text, "")
		return
	}
	list := make([]map[string]any, len(found.List))
	for i, d := range found.List {
		list[i] = map[string]any{
			tim.KeyExtDeviceId: d.Device, tim.KeyExtDevicePlatform: d.Platform,
			tim.KeyExtDeviceLoginTime: time.UnixMilli(d.Login).Unix(), tim.KeyExtDeviceIsOnline: d.Online,
			tim.KeyExtDeviceIsLogin: d.LoggedIn, tim.KeyExtDeviceIsKicked: d.Kicked, tim.KeyExtDeviceIsSelf: d.Device == self,
		}
	}
	done(0, "", string(protocol.Marshal(map[string]any{tim.KeyExtLoginDeviceArray: list})))
}

// question asks the server and reads its answer.
func (u *Users) question(op string, body []byte, answer any) *transport.Error {
	a, err := u.link.Ask(context.Background(), op, "", body, u.timeout())
	if err != nil {
		return transport.AsError(err)
	}
	if a.Code != 0 {
		return &transport.Error{Code: a.Code, Text: a.Desc}
	}
	if err := json.Unmarshal(a.Body, answer); err != nil {
		return &transport.Error{Code: tim.ErrParseResponseFailed, Text: err.Error()}
	}
	return nil
}
