package outbox

import (
	"cmp"
	"errors"
	"time"

	"timbre/core/guard"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// answered runs on the link's goroutine, in the order of the answers.
func (o *Outbox) answered(in *Intent, a protocol.Answer, err error) {
	var why *transport.Error
	switch {
	case err != nil:
		if !errors.As(err, &why) {
			why = &transport.Error{Code: tim.ErrSDKInternalError, Text: err.Error()}
		}
		if in.Timeout == 0 { // nobody waits: it stays until the server has it
			o.later(in)
			return
		}
	case a.Code == protocol.CodeBusy || a.Code == protocol.CodeInside:
		o.later(in)
		return
	case a.Code != 0:
		why = &transport.Error{Code: a.Code, Text: a.Desc}
	}
	if why != nil && err != nil && in.Keep {
		o.forsake(in, why)
		return
	}
	o.left(in) // the lane goes on at once: the outcome needs a commit, the next request does not
	if why != nil {
		o.end(in, why)
		return
	}
	body := append([]byte(nil), a.Body...)
	o.finish(in, func(tx *store.Tx) error { return o.kinds[in.Kind].Confirmed(tx, in, body) })
}

// forsake tells those who wait that the deadline has passed; the intent goes on without them.
func (o *Outbox) forsake(in *Intent, why *transport.Error) {
	in.Timeout, in.deadline = 0, time.Time{}
	o.store.Submit(store.Change{
		Apply:  func(tx *store.Tx) error { return o.kinds[in.Kind].Failed(tx, in, why) },
		Failed: func(err error) { o.lost(in, err) },
	})
	o.later(in)
}

// later puts an intent back to the head of its lane and lets the lane rest.
func (o *Outbox) later(in *Intent) {
	o.mu.Lock()
	if why := o.stopped; why != nil {
		o.mu.Unlock()
		o.giveUp(in, why)
		return
	}
	defer o.mu.Unlock()
	l := o.lane(in.Lane)
	l.inFlight--
	l.insert(in)
	in.sent = false
	if l.paused {
		return
	}
	l.paused = true
	guard.AfterFunc(o.log, again, "a pause of a lane", func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		l.paused = false
		if o.lanes[in.Lane] == l {
			o.pump(in.Lane)
		}
	})
}

// expire ends an intent that waited in its lane until its deadline.
func (o *Outbox) expire(in *Intent) {
	o.mu.Lock()
	l := o.lanes[in.Lane]
	at := -1
	if l != nil {
		for i, w := range l.waiting {
			if w == in {
				at = i
			}
		}
	}
	if at < 0 {
		o.mu.Unlock()
		return // it has left the lane: the link watches its deadline
	}
	l.waiting = append(l.waiting[:at:at], l.waiting[at+1:]...)
	l.inFlight++ // until it has left
	o.mu.Unlock()
	why := &transport.Error{Code: tim.ErrSDKNetWaitInqueueTimeout, Text: "never left the queue"}
	if in.Keep {
		o.forsake(in, why)
		return
	}
	o.end(in, why)
}

func (o *Outbox) end(in *Intent, why *transport.Error) {
	o.finish(in, func(tx *store.Tx) error { return o.kinds[in.Kind].Failed(tx, in, why) })
}

// finish applies an outcome and removes the intent in one transaction.
func (o *Outbox) finish(in *Intent, effect func(*store.Tx) error) {
	o.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			if err := effect(tx); err != nil {
				return err
			}
			return o.remove(tx, in)
		},
		Failed: func(err error) {
			o.lost(in, err)
			o.left(in)
			o.repeat(in, err)
		},
	})
}

// repeat asks the server once more, a moment after the database could not store what it said, because the disk was full
// for instance. The server knows the key and says the same again; nobody waits for it any more.
func (o *Outbox) repeat(in *Intent, err error) {
	if errors.Is(err, store.ErrClosed) {
		return
	}
	guard.AfterFunc(o.log, storePause, "a repeated question", func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		left := &Intent{ID: in.ID, Lane: in.Lane, Kind: in.Kind, Ref: in.Ref, Key: in.Key}
		if o.stopped != nil || !o.lane(in.Lane).insert(left) {
			return
		}
		left.entered, left.place = time.Now(), o.all.PushBack(left)
		o.pump(in.Lane)
	})
}

// lost tells those who wait that the database refused the outcome. The intent is still there.
func (o *Outbox) lost(in *Intent, err error) {
	o.log.Error("outbox: an outcome could not be stored", "id", in.ID, "kind", in.Kind, "err", err)
	why := &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: store.Explain(err)}
	if errors.Is(err, store.ErrClosed) { // the account was closed meanwhile, and whoever closed it stopped the outbox before
		o.mu.Lock()
		why = cmp.Or(o.stopped, &transport.Error{Code: tim.ErrSDKNotLoggedIn, Text: "the account was closed meanwhile"})
		o.mu.Unlock()
	}
	o.kinds[in.Kind].Lost(in, why)
}

func (o *Outbox) remove(tx *store.Tx, in *Intent) error {
	tx.After(func() { o.left(in) })
	return tx.Exec(`DELETE FROM outbox WHERE id=?`, in.ID)
}

// left makes room in the lane.
func (o *Outbox) left(in *Intent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if in.ended {
		return
	}
	in.ended = true
	if in.place != nil { // it was entered before the end
		o.all.Remove(in.place)
	}
	if l := o.lanes[in.Lane]; l != nil {
		l.inFlight--
		o.pump(in.Lane)
	}
}

// Stop ends every waited-for intent that has not left its lane with why; those in flight are ended by the link, with the
// error that its Stop or FailAll got. What nobody waits for stays for the next login.
func (o *Outbox) Stop(why *transport.Error) {
	o.mu.Lock()
	o.stopped = why
	var waiting []*Intent
	for _, l := range o.lanes {
		for _, in := range l.waiting {
			if in.timer != nil {
				in.timer.Stop()
			}
			waiting = append(waiting, in)
		}
		l.waiting = nil
	}
	o.mu.Unlock()
	for _, in := range waiting {
		o.giveUp(in, why)
	}
}

// giveUp tells whoever waits for an intent that the outbox has stopped.
func (o *Outbox) giveUp(in *Intent, why *transport.Error) {
	switch {
	case in.Timeout == 0: // nobody: it stays for the next login
	case in.Keep:
		o.forsake(in, why)
	default:
		o.end(in, why)
	}
}

// Cancel ends an intent that has not left its lane, as if it had been refused with why. It returns false when there is none:
// it has left already, or it never was there. before runs before the outcome is stored.
func (o *Outbox) Cancel(lane string, ref int64, why *transport.Error, before func()) bool {
	o.mu.Lock()
	var in *Intent
	if l := o.lanes[lane]; l != nil {
		for i, w := range l.waiting {
			if w.Ref == ref {
				in = w
				l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
				l.inFlight++ // until it has left
				break
			}
		}
	}
	o.mu.Unlock()
	if in == nil {
		return false
	}
	if in.timer != nil {
		in.timer.Stop()
	}
	before()
	o.end(in, why)
	return true
}
