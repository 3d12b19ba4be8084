// Package outbox keeps what the user asked for until the server has confirmed it.
//
// An intent is written in the transaction of its visible effect (the message row of a send), so after a crash both are
// there or neither. Each conversation has a lane: intents leave it in order, up to Window of them unanswered at a time,
// and the server keeps the order of one connection. Lanes go in parallel. The idempotency key is made once and stored,
// so an intent may be sent again at any time: after a cut, after a restart, after a kill -9.
//
// An intent ends in a transaction together with its effect: the server confirmed it, refused it, or its deadline passed.
// Intents found at the next login have nobody who waits for them and no deadline.
//
// The outbox knows no module. A Kind, registered by its module, makes the request and applies the outcome.
//
// Rejected: marking what was in flight as failed after a restart (the user asked for it, and the key makes the repeat
// safe), one message at a time (a round trip each), a retry timer per intent (the link writes pending requests again).
package outbox

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Window is how many intents of one lane may be unanswered.
const Window = 10

// again is the pause after the server said that it is busy.
const again = 200 * time.Millisecond

// forever is the deadline of intents that nobody waits for.
const forever = 365 * 24 * time.Hour

// Schema holds the intents.
var Schema = sqlite.Schema{Module: "outbox", Steps: []string{`
CREATE TABLE outbox (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	lane TEXT    NOT NULL,
	kind TEXT    NOT NULL,
	ref  INTEGER NOT NULL, -- what it is about; the kind knows
	key  TEXT    NOT NULL  -- idempotency key
) STRICT;
`}}

// Kind is what a module does for its intents. Its methods run inside transactions.
type Kind interface {
	// Request makes the operation and its body, or says that the intent has become pointless (op "").
	Request(q sqlite.Queryer, ref int64) (op string, body []byte, err error)
	// Confirmed applies the server's answer.
	Confirmed(tx *store.Tx, in *Intent, body []byte) error
	Failed(tx *store.Tx, in *Intent, why *transport.Error) error
	// Lost tells whoever waits that the outcome could not be stored. It runs outside of a transaction.
	Lost(in *Intent, why *transport.Error)
}

// Intent is one thing to be done.
type Intent struct {
	ID   int64
	Lane string
	Kind string
	Ref  int64
	Key  string
	Op   string // with Body: the request, if it is known already
	Body []byte
	// Timeout is how long somebody waits for the outcome, counted from Enter; 0: nobody does.
	Timeout time.Duration
	// Keep says that a missed deadline ends the waiting and not the intent: it stays until the server has decided.
	Keep bool

	deadline time.Time
	timer    *time.Timer
	ended    bool
}

// Outbox is the outbox of one account. All methods may be called from any goroutine.
type Outbox struct {
	store *store.Store
	link  *transport.Link
	log   *slog.Logger
	kinds map[string]Kind

	mu      sync.Mutex
	lanes   map[string]*lane
	online  bool
	stopped *transport.Error // by Stop, with its reason
	count   int
}

type lane struct {
	waiting   []*Intent
	inFlight  int
	preparing int // of inFlight: their requests are still being read; what follows takes the same way, or it would overtake them
	paused    bool
}

// New returns an empty outbox. kinds must be complete.
func New(st *store.Store, link *transport.Link, log *slog.Logger, kinds map[string]Kind) *Outbox {
	return &Outbox{store: st, link: link, log: log, kinds: kinds, lanes: map[string]*lane{}}
}

// Add writes an intent in the transaction of its effect. Enter it after the commit.
func Add(tx *store.Tx, in *Intent) (err error) {
	in.ID, err = tx.Insert(`INSERT INTO outbox (lane,kind,ref,key) VALUES (?,?,?,?)`, in.Lane, in.Kind, in.Ref, in.Key)
	return err
}

// Enter puts a committed intent into its lane. Calls for one lane must come in the order of the commits.
func (o *Outbox) Enter(in *Intent) {
	o.mu.Lock()
	if why := o.stopped; why != nil {
		o.mu.Unlock()
		o.giveUp(in, why)
		return
	}
	defer o.mu.Unlock()
	if in.Timeout > 0 {
		in.deadline = time.Now().Add(in.Timeout)
		in.timer = time.AfterFunc(in.Timeout, func() { o.expire(in) })
	}
	o.lane(in.Lane).waiting = append(o.lane(in.Lane).waiting, in)
	o.count++
	o.pump(in.Lane)
}

func (o *Outbox) lane(name string) *lane {
	l := o.lanes[name]
	if l == nil {
		l = &lane{}
		o.lanes[name] = l
	}
	return l
}

// Load enters what an earlier process left, in front of what this one has entered meanwhile. Call it once, before Online.
func (o *Outbox) Load(tx *store.Tx) error {
	var left []*Intent
	err := tx.Query(`SELECT id,lane,kind,ref,key FROM outbox ORDER BY id`, func(scan func(...any) error) error {
		in := &Intent{}
		left = append(left, in)
		return scan(&in.ID, &in.Lane, &in.Kind, &in.Ref, &in.Key)
	})
	tx.After(func() { // what this process committed before has been entered by now, and nothing has left
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, in := range left {
			if o.lane(in.Lane).insert(in) {
				o.count++
			}
		}
	})
	return err
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

// Online lets intents leave; the link itself holds them while it is broken.
func (o *Outbox) Online() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.online = true
	for name := range o.lanes { // lanes are independent of each other
		o.pump(name)
	}
}

// Depth returns how many intents are not confirmed yet.
func (o *Outbox) Depth() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count
}

// pump hands intents to the link while the lane's window has room. o.mu is held.
func (o *Outbox) pump(name string) {
	l := o.lanes[name]
	for o.online && o.stopped == nil && !l.paused && l.inFlight < Window && len(l.waiting) > 0 {
		in := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.inFlight++
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
			tx.After(func() {
				if in.Op != "" {
					o.request(in)
				}
				o.mu.Lock()
				defer o.mu.Unlock()
				l.preparing--
			})
			return nil
		},
		Failed: func(err error) {
			go func() { // o.mu may be held, if the database was closed already
				o.lost(in, err)
				o.mu.Lock()
				l.preparing--
				o.mu.Unlock()
				o.left(in)
			}()
		},
	})
}

func (o *Outbox) request(in *Intent) {
	timeout := forever
	if !in.deadline.IsZero() {
		timeout = max(time.Until(in.deadline), time.Millisecond)
	}
	o.link.Request(in.Op, in.Key, in.Body, timeout, func(a protocol.Answer, err error) { o.answered(in, a, err) })
}

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
	if l.paused {
		return
	}
	l.paused = true
	time.AfterFunc(again, func() {
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
		},
	})
}

// lost tells those who wait that the database refused the outcome. The intent is still there for the next login.
func (o *Outbox) lost(in *Intent, err error) {
	o.log.Error("outbox: an outcome could not be stored", "id", in.ID, "kind", in.Kind, "err", err)
	o.kinds[in.Kind].Lost(in, &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: err.Error()})
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
	o.count--
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
