package face

import (
	"sync"

	"timbre/core/dispatch"
	"timbre/core/event"
	"timbre/model/tim"
)

// listener is a registered callback.
type listener struct{ fn, userData uint64 }

// listeners is what the host has registered. Setting again replaces, NULL removes; new-message callbacks form a list.
type listeners struct {
	mu       sync.Mutex
	single   map[tim.Op]listener
	messages []listener
}

func (l *listeners) set(op tim.Op, args []Value) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it := listener{fn: args[0].Num}
	if len(args) > 1 {
		it.userData = args[1].Num
	}
	switch op {
	case tim.OpTIMAddRecvNewMsgCallback:
		l.remove(it.fn)
		if it.fn != 0 {
			l.messages = append(l.messages[:len(l.messages):len(l.messages)], it)
		}
	case tim.OpTIMRemoveRecvNewMsgCallback:
		l.remove(it.fn)
	default:
		if l.single == nil {
			l.single = map[tim.Op]listener{}
		}
		l.single[op] = it
	}
}

// remove makes a new list: a delivery may be walking over the old one.
func (l *listeners) remove(fn uint64) {
	var kept []listener
	for _, it := range l.messages {
		if it.fn != fn {
			kept = append(kept, it)
		}
	}
	l.messages = kept
}

// of returns who listens to an event now, and the type of their callbacks.
func (l *listeners) of(setter tim.Op) []listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []listener
	names := []tim.Op{setter}
	switch setter {
	case tim.OpTIMAddRecvNewMsgCallback:
		all = append(all, l.messages...)
		names[0] = tim.OpTIMSetRecvNewMsgCallback
	case tim.OpTIMSetMsgReadedReceiptCallback: // older hosts listen to receipts in groups by another name
		names = append(names, tim.OpTIMSetMsgGroupMessageReceiptCallback)
	case tim.OpTIMSetCommunityCreateTopicCallback: // older hosts listen to topics as to groups
		names = append(names, tim.OpTIMSetGroupTopicCreatedCallback)
	case tim.OpTIMSetCommunityDeleteTopicCallback:
		names = append(names, tim.OpTIMSetGroupTopicDeletedCallback)
	case tim.OpTIMSetCommunityChangeTopicInfoCallback:
		names = append(names, tim.OpTIMSetGroupTopicChangedCallback)
	}
	for _, name := range names {
		if it := l.single[name]; it.fn != 0 {
			all = append(all, it)
		}
	}
	return all
}

// sink brings the events of one client to the host.
type sink struct {
	face       *Face
	generation int
}

// Waiting implements event.Sink.
func (s sink) Waiting() int { return s.face.queue.Waiting() }

// Emit implements event.Sink. Who listens is decided when the event's turn comes.
func (s sink) Emit(e event.Event) { s.face.queue.Post(s.generation, s.face.item(e)) }

func (f *Face) item(e event.Event) *dispatch.Item {
	it := &dispatch.Item{Key: e.Key, Value: e, Run: func() { f.deliver(e) }}
	if e.Merge != nil {
		it.Merge = func(older, newer *dispatch.Item) *dispatch.Item {
			left, some := e.Merge(older.Value.(event.Event), newer.Value.(event.Event))
			if !some {
				return nil
			}
			return f.item(left)
		}
	}
	return it
}

func (f *Face) deliver(e event.Event) {
	cb := e.Setter.Function().Params[0].Callback
	for _, it := range f.listeners.of(e.Setter) {
		f.invoke(e.Setter.String(), cb, it.fn, it.userData, e.Args)
	}
}

// maxLogWaiting is from when on log lines are not queued for the host any more: a log must not drown the messages.
const maxLogWaiting = 10000

// logLine brings a line to the host's log callback.
func (f *Face) logLine(level int, line string) {
	if len(f.listeners.of(tim.OpTIMSetLogCallback)) == 0 || f.queue.Waiting() > maxLogWaiting {
		return
	}
	f.queue.Post(int(f.lines.Load()), f.item(event.Event{Setter: tim.OpTIMSetLogCallback,
		Args: []event.Arg{event.Num(level), event.Text(line)}}))
}
