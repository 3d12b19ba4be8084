package outbox

import (
	"slices"
	"time"

	"timbre/core/guard"
	"timbre/core/store"
	"timbre/protocol"
)

// lane is the intents of one conversation, or of one other matter, in the order of their commits.
type lane struct {
	waiting   []*Intent
	inFlight  int
	preparing int // of inFlight: their requests are still being read; what follows takes the same way, or it would overtake them
	paused    bool
}

// insert puts an intent at its place, unless it is there already.
func (l *lane) insert(in *Intent) bool {
	at := 0
	for at < len(l.waiting) && l.waiting[at].ID < in.ID {
		at++
	}
	if at < len(l.waiting) && l.waiting[at].ID == in.ID {
		return false
	}
	l.waiting = slices.Insert(l.waiting, at, in)
	return true
}

func (o *Outbox) lane(name string) *lane {
	l := o.lanes[name]
	if l == nil {
		l = &lane{}
		o.lanes[name] = l
	}
	return l
}

// pump hands intents to the link while the lane's window has room. o.mu is held.
func (o *Outbox) pump(name string) {
	l := o.lanes[name]
	for o.online && o.stopped == nil && !l.paused && l.inFlight < Window && len(l.waiting) > 0 {
		in := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.inFlight++
		in.sent = true
		if in.timer != nil {
			in.timer.Stop()
		}
		o.start(l, in)
	}
	if len(l.waiting) == 0 && l.inFlight == 0 {
		delete(o.lanes, name)
	}
}

// start sends an intent. One that was loaded reads its request first; the writer's queue keeps the order of those that
// take this way. o.mu is held.
func (o *Outbox) start(l *lane, in *Intent) {
	if in.Body != nil && l.preparing == 0 {
		o.request(in)
		return
	}
	l.preparing++
	o.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			if in.Body == nil {
				op, body, err := o.kinds[in.Kind].Request(tx, in.Ref)
				if err != nil {
					return err
				}
				in.Op, in.Body = op, body
			}
			if in.Op == "" {
				if err := o.remove(tx, in); err != nil {
					return err
				}
			}
			tx.After(func() { o.prepared(l, in) })
			return nil
		},
		Failed: func(err error) {
			go guard.Run(o.log, "a lost outcome", func() { // o.mu may be held, if the database was closed already
				o.lost(in, err)
				o.mu.Lock()
				l.preparing--
				o.mu.Unlock()
				o.left(in)
				o.repeat(in, err)
			})
		},
	})
}

// prepared sends an intent whose request has been read, unless the outbox was stopped meanwhile: the link has ended what
// was in flight by then, and what it got now would go out in the next user's name.
func (o *Outbox) prepared(l *lane, in *Intent) {
	o.mu.Lock()
	l.preparing--
	why := o.stopped
	if in.Op != "" && why == nil {
		o.request(in)
	}
	o.mu.Unlock()
	if in.Op != "" && why != nil {
		o.giveUp(in, why)
	}
}

func (o *Outbox) request(in *Intent) {
	timeout := forever
	if !in.deadline.IsZero() {
		timeout = max(time.Until(in.deadline), time.Millisecond)
	}
	o.link.Request(in.Op, in.Key, in.Body, timeout, func(a protocol.Answer, err error) { o.answered(in, a, err) })
}
