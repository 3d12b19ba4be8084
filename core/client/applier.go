package client

import (
	"timbre/core/message"
	"timbre/core/store"
	"timbre/protocol"
)

// part is a module that follows the logs beside the messages. Each of its methods is called in the transaction of the change
// and after the messages' own, and does nothing for what it does not know.
type part interface {
	Apply(tx *store.Tx, e *protocol.Entry) error
	GroupState(tx *store.Tx, st *protocol.GroupState, stale bool) error
	GroupGone(tx *store.Tx, group string) error
	Forget(tx *store.Tx) error
}

// applier is what package sync tells of changes: the messages, and then each of the parts.
type applier struct {
	*message.Messages
	parts []part
}

// Apply implements sync.Applier.
func (a *applier) Apply(tx *store.Tx, e *protocol.Entry) error {
	return a.each(a.Messages.Apply(tx, e), func(p part) error { return p.Apply(tx, e) })
}

// GroupState implements sync.Applier.
func (a *applier) GroupState(tx *store.Tx, st *protocol.GroupState, stale bool) error {
	return a.each(a.Messages.GroupState(tx, st, stale), func(p part) error { return p.GroupState(tx, st, stale) })
}

// GroupGone implements sync.Applier.
func (a *applier) GroupGone(tx *store.Tx, group string) error {
	return a.each(a.Messages.GroupGone(tx, group), func(p part) error { return p.GroupGone(tx, group) })
}

// Forget implements sync.Applier.
func (a *applier) Forget(tx *store.Tx) error {
	return a.each(a.Messages.Forget(tx), func(p part) error { return p.Forget(tx) })
}

func (a *applier) each(err error, do func(part) error) error {
	for _, p := range a.parts {
		if err == nil {
			err = do(p)
		}
	}
	return err
}
