package account_test

import (
	"context"
	"testing"
	"time"

	"timbre/core/account"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// oneAnswer gives every question the same answer.
type oneAnswer struct {
	answer protocol.Answer
	err    error
	op     string
}

func (a *oneAnswer) Ask(_ context.Context, op, _ string, _ []byte, _ time.Duration) (protocol.Answer, error) {
	a.op = op
	return a.answer, a.err
}

func TestDevices(t *testing.T) {
	list := protocol.Marshal(protocol.Devices{List: []protocol.LoggedInDevice{
		{Device: "here", Platform: "linux", Login: 1_700_000_001_999, Online: true, LoggedIn: true},
		{Device: "there", Platform: "mac", Login: 1_700_000_000_000, Kicked: true}}})
	cases := []struct {
		name   string
		server oneAnswer
		code   int
		json   string
	}{
		{"two devices", oneAnswer{answer: protocol.Answer{Body: list}}, 0, `{"ext_login_device_array":[` +
			`{"ext_device_id":"here","ext_device_is_kicked":false,"ext_device_is_login":true,"ext_device_is_online":true,"ext_device_is_self":true,"ext_device_login_time":1700000001,"ext_device_platform":"linux"},` +
			`{"ext_device_id":"there","ext_device_is_kicked":true,"ext_device_is_login":false,"ext_device_is_online":false,"ext_device_is_self":false,"ext_device_login_time":1700000000,"ext_device_platform":"mac"}]}`},
		{"none", oneAnswer{answer: protocol.Answer{Body: []byte(`{}`)}}, 0, `{"ext_login_device_array":[]}`},
		{"refusal", oneAnswer{answer: protocol.Answer{Code: 70051, Desc: "blocked"}}, 70051, ""},
		{"no network", oneAnswer{err: &transport.Error{Code: tim.ErrSDKNetWaitSendTimeoutNoNetwork}}, tim.ErrSDKNetWaitSendTimeoutNoNetwork, ""},
		{"nonsense", oneAnswer{answer: protocol.Answer{Body: []byte(`[`)}}, tim.ErrParseResponseFailed, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			account.New(&c.server, func() time.Duration { return time.Second }).Devices("here", func(code int, _, json string) {
				if calls++; code != c.code || json != c.json {
					t.Errorf("code %d, %s; want %d, %s", code, json, c.code, c.json)
				}
			})
			if calls != 1 || c.server.op != protocol.OpDevices {
				t.Errorf("%d calls after asking %q", calls, c.server.op)
			}
		})
	}
}
