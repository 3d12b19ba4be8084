package community

import (
	"context"
	"time"

	"timbre/protocol"
)

// Request is Ask as package group calls it.
func (d *device) Request(op, key string, body []byte, timeout time.Duration, done func(protocol.Answer, error)) {
	done(d.Ask(context.Background(), op, key, body, timeout))
}
