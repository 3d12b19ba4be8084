package conversation

import (
	"sync"

	"timbre/core/event"
	"timbre/model/tim"
)

// totalWatch tells the host the total of unread messages once it has asked for it.
type totalWatch struct {
	mu    sync.Mutex
	on    bool
	known bool // the host knows last
	fresh bool // it was told since the watch was armed
	last  uint64
}

func (w *totalWatch) armed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.on
}

// tell emits the total if it changed.
func (w *totalWatch) tell(sink event.Sink, total uint64) {
	w.mu.Lock()
	changed := !w.known || w.last != total
	w.known, w.fresh, w.last = true, true, total
	w.mu.Unlock()
	if changed {
		sink.Emit(event.Event{Setter: tim.OpTIMSetConvTotalUnreadMessageCountChangedCallback,
			Key: "total unread", Args: []event.Arg{event.Num(total)}})
	}
}

// ArmTotal makes the total's event fire from now on. Call it before the total is read and Told with what the host got.
func (b *Book) ArmTotal() {
	b.total.mu.Lock()
	defer b.total.mu.Unlock()
	b.total.on, b.total.fresh = true, false
}

// Told says which total the host has got as an answer, so that the event fires only for another one.
func (b *Book) Told(total uint64) {
	b.total.mu.Lock()
	defer b.total.mu.Unlock()
	if !b.total.fresh { // an event that came meanwhile is newer
		b.total.known, b.total.last = true, total
	}
}

// Started and Finished tell the host that the conversations are being brought up to date, and that they are.
func (b *Book) Started() { b.phase(tim.ConvEventStart) }

// Finished see Started.
func (b *Book) Finished() { b.phase(tim.ConvEventFinish) }

func (b *Book) phase(kind int) {
	b.sink.Emit(event.Event{Setter: tim.OpTIMSetConvEventCallback, Args: []event.Arg{event.Num(kind), event.Text("")}})
}
