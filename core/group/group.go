// Package group is what a user can do with groups: make them, come and go, ask who is there, change what they are and have.
//
// Every call is one question to the server, and the server's answer is the result. What a change means to the user's
// conversations and messages is the business of package message; this package follows the same logs (follow.go) for the rest:
// it keeps the groups that the user is in with their information, for the list without a network and for searches, and the
// members that this device has seen, for searches only; and it tells the host of attributes and counters that changed.
//
// Searches look into folded text with instr: what the interface promises is that the keyword is contained, Chinese or not. A
// user has a thousand groups at most, and a hundred thousand members take some 30 ms.
//
// Rejected: all members in local tables (they would have to be kept in step with the server, and large groups change all the
// time); the index of package search (it finds words from their beginning, and would be larger than the tables); attributes
// in a table (the host reads them once after its start, by the interface's own rule, and the events bring the rest).
package group

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Link puts questions to the server. It calls done once, before it takes anything that the server said later; done must not
// block.
type Link interface {
	Request(op, key string, body []byte, timeout time.Duration, done func(protocol.Answer, error))
}

// Store is the local database. It must have Schema.
type Store interface {
	Write(ctx context.Context, apply func(*store.Tx) error) error
	Read(ctx context.Context, fn func(sqlite.Queryer) error) error
}

// Messages tells the host of messages that stand in no conversation.
type Messages interface {
	Announce(elements string, at int64)
}

// Rooms is the live rooms that this device is in, which have no log: it hears of them while it is there.
type Rooms interface {
	// Entering says that the device is about to ask to come into a room: what is still heard of an earlier stay there is none of
	// its business.
	Entering(room string)
	// Entered says that the device is in a room, and not any more in those of quit. It calls told when it knows the room, and
	// before the host hears anything of it; told must not block.
	Entered(room *protocol.Group, quit []string, told func())
	// Leaving says that the device is about to leave a room: it does not come back into it when its connection is lost. It is
	// false for a room in which the device is not.
	Leaving(room string) bool
	// Left says that the device is not in the room any more, Stays that it could not leave it.
	Left(room string)
	Stays(room string)
}

// Config is what groups need.
type Config struct {
	User     string // the account
	Link     Link
	Store    Store
	Messages Messages
	Rooms    Rooms
	Sink     event.Sink
	Log      *slog.Logger
	Timeout  func() time.Duration
	Ended    func() int // the code for what the end of the account cuts off
}

// Groups is the groups of one account. All methods that take a Done wait for the server, except searches; they may be called
// from any goroutine.
type Groups struct {
	Config
	writes, reads, counts pace // of attributes and counters

	moves  atomic.Uint64 // comings and goings that the log told of
	listed atomic.Bool   // the server has given the whole list since the start

	mu         sync.Mutex
	attributes map[string]*attributes
	online     map[string]online
}

// New returns the groups.
func New(c Config) *Groups {
	return &Groups{Config: c, attributes: map[string]*attributes{}, online: map[string]online{},
		writes: pace{most: 10, in: 5 * time.Second}, reads: pace{most: 20, in: 5 * time.Second},
		counts: pace{most: 20, in: 5 * time.Second}}
}

// plain makes a change without a result.
func (g *Groups) plain(op string, body any, done event.Done) {
	g.Do(op, body, &struct{}{}, done, func() string { return "" })
}

// Do makes a change and calls done with its result, before anything that the server tells because of it reaches the host.
// result renders what answer has become; it must not block.
func (g *Groups) Do(op string, body, answer any, done event.Done, result func() string) {
	g.put(op, rand.Text(), body, answer, func(why *transport.Error) {
		if why != nil {
			done(why.Code, why.Text, "")
			return
		}
		done(0, "", result())
	})
}

// Change asks for a change. Its key makes sure that a request that has to be repeated happens once.
func (g *Groups) Change(op string, body, answer any) *transport.Error {
	return g.put(op, rand.Text(), body, answer, func(*transport.Error) {})
}

// put waits for the answer to a request. then runs before the link reads on, so it must not block.
func (g *Groups) put(op, key string, body, answer any, then func(*transport.Error)) *transport.Error {
	got := make(chan *transport.Error, 1)
	g.Link.Request(op, key, protocol.Marshal(body), g.Timeout(), func(a protocol.Answer, err error) {
		why := judge(a, err, answer)
		then(why)
		got <- why
	})
	return <-got
}

// Ask asks something that changes nothing. A long answer is not read on the link's time.
func (g *Groups) Ask(op string, body, answer any) *transport.Error {
	type reply struct {
		protocol.Answer
		err error
	}
	got := make(chan reply, 1)
	g.Link.Request(op, "", protocol.Marshal(body), g.Timeout(), func(a protocol.Answer, err error) {
		a.Body = slices.Clone(a.Body)
		got <- reply{a, err}
	})
	r := <-got
	return judge(r.Answer, r.err, answer)
}

// judge reads an answer.
func judge(a protocol.Answer, err error, answer any) *transport.Error {
	if err != nil {
		return transport.AsError(err)
	}
	if a.Code != 0 {
		return (&transport.Error{Code: a.Code, Text: a.Desc}).Public()
	}
	if err := json.Unmarshal(a.Body, answer); err != nil {
		return &transport.Error{Code: tim.ErrParseResponseFailed, Text: err.Error()}
	}
	return nil
}

// bad is the refusal of a parameter.
func bad(text string) *transport.Error {
	return &transport.Error{Code: tim.ErrInvalidParameters, Text: text}
}
