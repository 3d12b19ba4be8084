package outbox

import "time"

// State is what an intent waits for.
type State string

// The states of an intent that is not confirmed yet.
const (
	StateLogin  State = "login"  // the server has not answered a login since the database was opened
	StateQueue  State = "queue"  // others of its lane are before it
	StatePause  State = "pause"  // the server was busy, or did not answer in time: it is tried again
	StateAnswer State = "answer" // the link has it: for its answer, or for a connection
)

// Stats is what an outbox is doing.
type Stats struct {
	Depth int // intents that are not confirmed
	Lanes int // conversations and other matters that have some
	// Age is for how long the oldest has been waiting, for one that an earlier process left since this one took it up.
	Age   time.Duration
	State State // what it waits for; "" when there is none
}

// Stats tells what the outbox is doing.
func (o *Outbox) Stats() Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := Stats{Depth: o.all.Len(), Lanes: len(o.lanes)}
	if first := o.all.Front(); first != nil {
		in := first.Value.(*Intent)
		s.Age, s.State = time.Since(in.entered), o.state(in)
	}
	return s
}

// state says what an intent waits for. o.mu is held.
func (o *Outbox) state(in *Intent) State {
	switch l := o.lanes[in.Lane]; {
	case in.sent:
		return StateAnswer
	case !o.online:
		return StateLogin
	case l != nil && l.paused:
		return StatePause
	}
	return StateQueue
}
