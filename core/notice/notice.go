// Package notice tells the host of what the TIM interface has no callback for. There is one callback for all of it,
// TIMExtSetEventCallback, and each kind of notice is one function here.
//
// Rejected: a callback for each (a host that passes events on would have to learn of every new one).
package notice

import (
	"crypto/rand"

	"timbre/core/event"
	"timbre/model/tim"
	"timbre/protocol"
)

// object is public JSON.
type object map[string]any

// Kinds of what was passed on.
const (
	toUser    = 3
	toGroup   = 4
	ownDevice = 5
)

// Trans tells of something that somebody passed on. self is the user of this device.
func Trans(sink event.Sink, t *protocol.Trans, self string) {
	own := t.From == self
	o := object{tim.KeyExtEventFrom: t.From, tim.KeyExtEventIsSelfDevice: own, tim.KeyExtTransCmd: t.Command}
	switch {
	case t.Group != "":
		o[tim.KeyExtTransKind], o[tim.KeyExtEventConvType], o[tim.KeyExtEventConvId] = toGroup, tim.ConvGroup, t.Group
	case t.Peer != "":
		o[tim.KeyExtTransKind], o[tim.KeyExtEventConvType], o[tim.KeyExtEventConvId] = toUser, tim.ConvC2C, t.From
	default:
		o[tim.KeyExtTransKind], o[tim.KeyExtEventConvType], o[tim.KeyExtEventConvId] = ownDevice, tim.ConvInvalid, ""
		o[tim.KeyExtTransPlatform] = t.Platform
	}
	tell(sink, tim.ExtEventTrans, t.Time, false, o)
}

// tell queues one notice. missed says that it happened while this device was away.
func tell(sink event.Sink, kind int, milliseconds int64, missed bool, o object) {
	o[tim.KeyExtEventId], o[tim.KeyExtEventType], o[tim.KeyExtEventTimeMs] = rand.Text(), kind, milliseconds
	sync := 0
	if missed {
		sync = 1
	}
	sink.Emit(event.Event{Setter: tim.OpTIMExtSetEventCallback,
		Args: []event.Arg{event.Text(string(protocol.Marshal([]object{o}))), event.Num(sync)}})
}
