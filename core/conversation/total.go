package conversation

import (
	"sync"

	"timbre/core/event"
	"timbre/model/tim"
)

// totalWatch tells the host the total of unread messages once it has asked for it.
type totalWatch struct {
	mu   sync.Mutex
	on   bool
	last uint64
}

func (w *totalWatch) armed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.on
}

// tell emits the total if it changed.
func (w *totalWatch) tell(sink event.Sink, total uint64) {
	w.mu.Lock()
	changed := !w.on || w.last != total
	w.on, w.last = true, total
	w.mu.Unlock()
	if changed {
		sink.Emit(event.Event{Setter: tim.OpTIMSetConvTotalUnreadMessageCountChangedCallback,
			Key: "total unread", Args: []event.Arg{event.Num(total)}})
	}
}

// ArmTotal makes the total's event fire from now on, beginning with this total.
func (b *Book) ArmTotal(total uint64) { b.total.tell(b.sink, total) }

// Started and Finished tell the host that the conversations are being brought up to date, and that they are.
func (b *Book) Started() { b.phase(tim.ConvEventStart) }

// Finished see Started.
func (b *Book) Finished() { b.phase(tim.ConvEventFinish) }

func (b *Book) phase(kind int) {
	b.sink.Emit(event.Event{Setter: tim.OpTIMSetConvEventCallback, Args: []event.Arg{event.Num(kind), event.Text("")}})
}
