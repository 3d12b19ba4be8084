package face

import (
	"context"

	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/message"
	"timbre/model/tim"
	"timbre/protocol"
)

// ConfigKeepDays and ConfigMaxBytes are keys of TIMInit's JSON that bound the local database.
const (
	ConfigKeepDays = "ext_sdk_config_keep_days"
	ConfigMaxBytes = "ext_sdk_config_max_bytes"
)

var storageHandlers = map[tim.Op]handler{
	tim.OpTIMExtTrimStorage: {run: func(c *call) {
		keep := retention(gjson.Parse(c.text(0)), tim.KeyExtTrimKeepDays, tim.KeyExtTrimMaxBytes)
		c.online(func(a *client.Account) { trimStorage(c, a, keep) })
	}},
}

// maxKeepDays is a hundred years.
const maxKeepDays = 36525

func retention(v gjson.Result, days, bytes string) message.Retention {
	return message.Retention{KeepDays: int(min(max(v.Get(days).Int(), 0), maxKeepDays)), MaxBytes: max(v.Get(bytes).Int(), 0)}
}

func trimStorage(c *call, a *client.Account, keep message.Retention) {
	done, err := a.Messages.Trim(context.Background(), keep, false)
	if err != nil {
		bad := a.Messages.Failure(err)
		c.fail(bad.Code, bad.Text)
		return
	}
	c.done(0, "", string(protocol.Marshal(map[string]int64{tim.KeyExtTrimDeletedMessages: int64(done.Deleted),
		tim.KeyExtTrimBytesBefore: done.Before, tim.KeyExtTrimBytesAfter: done.After})))
}
