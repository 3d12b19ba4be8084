// Package trans passes texts on to programs that are connected: to a user, to a group, to the user's own devices. They are no
// messages: nothing is stored on the way, nothing is sent again, and what is missed is gone.
package trans

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/notice"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// allPlatforms is the number of all own devices.
const allPlatforms = 255

// Asker puts questions to the server.
type Asker interface {
	Ask(ctx context.Context, op, key string, body []byte, timeout time.Duration) (protocol.Answer, error)
}

// Trans is the account's way to send and receive. Its methods may be called from any goroutine.
type Trans struct {
	user    string
	link    Asker
	sink    event.Sink
	timeout func() time.Duration
}

// New returns a user's.
func New(user string, link Asker, sink event.Sink, timeout func() time.Duration) *Trans {
	return &Trans{user: user, link: link, sink: sink, timeout: timeout}
}

// Parse reads an ExtTransParam for a conversation, whose type is tim.ConvInvalid for the user's own devices.
func Parse(typ int, peer string, v gjson.Result) (t protocol.Trans, why *transport.Error) {
	t.Command = v.Get(tim.KeyExtTransCmd).String()
	switch {
	case t.Command == "" || len(t.Command) > model.MaxTrans:
		return t, invalid("a command has 1 to 4,096 bytes")
	case typ == tim.ConvInvalid && peer == "":
		if t.Platform = allPlatforms; v.Get(tim.KeyExtTransPlatform).Exists() {
			t.Platform = int(v.Get(tim.KeyExtTransPlatform).Int())
		}
	case peer == "":
		return t, invalid("a conversation is needed")
	case typ == tim.ConvC2C:
		t.Peer = peer
	case typ == tim.ConvGroup:
		t.Group = peer
	default:
		return t, invalid("it goes to a user, to a group or without a conversation to own devices")
	}
	return t, nil
}

func invalid(text string) *transport.Error {
	return &transport.Error{Code: tim.ErrInvalidParameters, Text: text}
}

// Send passes something on. It waits for the server.
func (t *Trans) Send(what protocol.Trans, done event.Done) {
	a, err := t.link.Ask(context.Background(), protocol.OpTrans, "", protocol.Marshal(what), t.timeout())
	why := (&transport.Error{Code: a.Code, Text: a.Desc}).Public()
	if err != nil {
		why = transport.AsError(err)
	}
	done(why.Code, why.Text, "")
}

// Pushed takes what somebody has sent.
func (t *Trans) Pushed(body []byte) {
	var what protocol.Trans
	if json.Unmarshal(body, &what) == nil {
		notice.Trans(t.sink, &what, t.user)
	}
}
