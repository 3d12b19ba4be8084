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
	"container/list"
	"log/slog"
	"slices"
	"sync"
	"time"

	"timbre/core/guard"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/sqlite"
)

// Window is how many intents of one lane may be unanswered.
const Window = 10

// again is the pause after the server said that it is busy.
const again = 200 * time.Millisecond

// storePause is the pause before the server is asked again for an outcome that could not be stored.
const storePause = time.Second

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

	entered time.Time
	place   *list.Element // among all that are not confirmed
	sent    bool          // it has left its lane
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
	all     list.List        // what is not confirmed, the oldest first
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
		in.timer = guard.AfterFunc(o.log, in.Timeout, "a deadline", func() { o.expire(in) })
	}
	o.lane(in.Lane).waiting = append(o.lane(in.Lane).waiting, in)
	in.entered, in.place = time.Now(), o.all.PushBack(in)
	o.pump(in.Lane)
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
		for _, in := range slices.Backward(left) {
			if o.lane(in.Lane).insert(in) {
				in.entered, in.place = time.Now(), o.all.PushFront(in)
			}
		}
	})
	return err
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
	return o.all.Len()
}
