// Package message sends, receives and keeps messages.
//
// A send is one transaction (message row, intent in the outbox, change of the conversation) and only then leaves; its
// row turns to sent or failed in the transaction that ends the intent. What arrives is applied by package sync through
// Apply. The content, the element array above all, is the sender's JSON: it is checked once, stored and carried as text
// and copied into the public JSON of the message without being decoded.
//
// A batch of transactions tells the host of all its new messages with one event, before the conversation events that
// follow from them.
package message

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/search"
	"timbre/sqlite"
)

// Self is what a message needs to know of the account.
type Self struct {
	User     string
	TinyID   func() uint64 // 0 before the first login on this device
	Device   string
	Platform func() int
	Timeout  func() time.Duration // how long a send may take
	Patient  func() bool          // sends wait for the network and survive a logout
	Now      func() time.Time     // the server's clock as far as it is known
	Ended    func() int           // the code for calls that the end of the session cut off
	Live     Live                 // nil: there are no live rooms
}

// Live knows the live rooms, of which nothing is stored.
type Live interface {
	// Type returns the type of a group that is a live room, and false for all others.
	Type(group string) (groupType int, live bool)
	// Said says which number a message got that was sent from here.
	Said(group string, seq uint64)
	// Await calls then when this device is back in a room that it lost with its connection, or with false when it does not come
	// back. It does nothing and says so when the device is not on its way there.
	Await(group string, then func(back bool)) (waits bool)
}

// Positions learns which log entries own answers stand for, and which groups' logs are to be followed.
type Positions interface {
	Applied(tx *store.Tx, group string, pos uint64) error
	Stands(tx *store.Tx, pos uint64, entry protocol.Entry) error
	Doubt(tx *store.Tx) error
	Follow(tx *store.Tx, group string, pos uint64)
	Unfollow(tx *store.Tx, group string)
	// Catch asks for what this device has missed.
	Catch()
}

// Messages is the messages of one account. All methods may be called from any goroutine.
type Messages struct {
	self   Self
	store  *store.Store
	book   *conversation.Book
	sink   event.Sink
	log    *slog.Logger
	outbox *outbox.Outbox
	link   *transport.Link
	pos    Positions

	files    Files
	uploads  uploads
	passing  passing
	accepted accepted
	seenExt  extensionsSeen
	whispers whispers
	search   *search.Index
	indexer  indexer

	forgot atomic.Pointer[bool] // numbers have been forgotten in this database; nil: not looked up yet
	keeps  atomic.Pointer[bool] // something is kept about messages that are not here; likewise

	rand atomic.Uint32
	keys atomic.Uint64 // idempotency keys made

	mu      sync.Mutex
	waiting map[int64][]event.Done // by message row
	readers map[int64][]func(*transport.Error)
	// cleaning is the types of conversations, 0 for all, of which everything is being marked as read.
	cleaning map[int]bool
}

// New returns the messages; Connect must follow before anything else is called.
func New(self Self, st *store.Store, book *conversation.Book, sink event.Sink, log *slog.Logger) *Messages {
	m := &Messages{self: self, store: st, book: book, sink: sink, log: log,
		search: search.New(searchName), waiting: map[int64][]event.Done{}, readers: map[int64][]func(*transport.Error){}, cleaning: map[int]bool{}}
	m.indexer.run = m.indexIdle
	m.uploads.running, m.uploads.slots = map[int64]context.CancelCauseFunc{}, make(chan struct{}, maxUploads)
	m.uploads.life, m.uploads.end = context.WithCancel(context.Background())
	m.rand.Store(rand.Uint32())
	return m
}

// Connect gives the messages the way out. It exists because the outbox and the sync engine need the messages first.
func (m *Messages) Connect(out *outbox.Outbox, link *transport.Link, pos Positions, files Files) {
	m.outbox, m.link, m.pos, m.files = out, link, pos, files
}

// newID makes the public id of a message of this account.
func (m *Messages) newID(sender string, clientTime int64, random uint32) string {
	owner := sender
	if tiny := m.self.TinyID(); sender == m.self.User && tiny != 0 {
		owner = strconv.FormatUint(tiny, 10)
	}
	return owner + "-" + strconv.FormatInt(clientTime, 10) + "-" + strconv.FormatUint(uint64(random), 10)
}

// newKey makes an idempotency key: unique on this device by time and count, and the device's id makes it so everywhere.
func (m *Messages) newKey() string {
	return m.self.Device + ":" + strconv.FormatInt(time.Now().UnixMicro(), 36) + "." + strconv.FormatUint(m.keys.Add(1), 36)
}

// arrivals is the new messages of one batch.
type arrivals struct {
	m    *Messages
	rows []arrival
}

type arrival struct {
	row   *Row
	entry *conversation.Entry
	after *store.Tx
}

// Flush queues one event for all of them. It runs before the conversations' Flush, because announce opens this first.
func (a *arrivals) Flush(*sqlite.Tx) error {
	if len(a.rows) == 0 {
		return nil
	}
	texts := make([]string, len(a.rows))
	for i, r := range a.rows {
		texts[i] = r.row.json(&r.entry.Conversation, a.m.self.User)
	}
	all := array(texts)
	a.rows[0].after.After(func() { // the first: a conversation's event may be queued by any of them
		a.m.sink.Emit(event.Event{Setter: tim.OpTIMAddRecvNewMsgCallback, Args: []event.Arg{event.Text(all)}})
	})
	return nil
}

// arrivals returns the batch's new messages. Call it before the batch's first conversation.Book.Open.
func (m *Messages) arrivals(tx *store.Tx) *arrivals {
	return tx.Batch(arrivalsOf{m}, func() sqlite.Flusher { return &arrivals{m: m} }).(*arrivals)
}

type arrivalsOf struct{ m *Messages }

// wait registers a caller for the outcome of a row's send.
func (m *Messages) wait(id int64, done event.Done) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting[id] = append(m.waiting[id], done)
}

// tell answers the callers that wait for a row and says whether there are any.
func (m *Messages) tell(id int64, code int, desc, json string) (heard bool) {
	m.mu.Lock()
	all := m.waiting[id]
	delete(m.waiting, id)
	m.mu.Unlock()
	for _, done := range all {
		done(code, desc, json)
	}
	return len(all) > 0
}

// failing answers a call that the database refused.
func (m *Messages) failing(done event.Done, json string) func(error) {
	return func(err error) {
		e := m.dbError(err)
		done(e.Code, e.Text, json)
	}
}

// Failure is the result of a call that the database refused.
func (m *Messages) Failure(err error) *transport.Error { return m.dbError(err) }

// dbError is the result of a call that the database refused.
func (m *Messages) dbError(err error) *transport.Error {
	if errors.Is(err, store.ErrClosed) {
		return &transport.Error{Code: m.self.Ended(), Text: "the account was closed meanwhile"}
	}
	return &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: store.Explain(err)}
}
