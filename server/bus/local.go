// Package bus carries events between the sessions of a user wherever they are connected. Local is the bus of a single
// node: a call. A bus between nodes will gather the events of a commit and send them when it settles.
package bus

import "timbre/server/session"

// Receiver gets the events meant for a node.
type Receiver interface {
	Deliver(session.Event)
	Wake()
}

// Local is the bus of a single node.
type Local struct{ to Receiver }

// NewLocal returns a bus to one receiver.
func NewLocal(to Receiver) *Local { return &Local{to} }

// Publish implements gateway.Bus.
func (l *Local) Publish(e session.Event) { l.to.Deliver(e) }

// Settle ends the events of one commit.
func (l *Local) Settle() { l.to.Wake() }
