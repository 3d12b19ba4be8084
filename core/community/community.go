// Package community is what a user can do with communities beyond what every group has: topics and permission groups.
//
// A topic is a group of its own whose members are the community's. What is said in it is the business of package message,
// as a conversation that stands in no list; this package knows which topics there are and what they are called, and it tells
// the host of them. It follows the logs beside the messages (follow.go): a community's log says which topics come and go, and
// every topic has a log of its own, which a member's devices follow from the day on which they hear of it. The table of topics
// is kept by the logs, so that lists answer without a network. A question to the server is answered with what it says. All that
// is taken over of an answer is which topics are gone: the log that told of it may have been too long for a device that was
// away.
//
// What a TopicInfo says of the user, his unread messages, the last one, his draft, comes from the conversation on this
// device, which may be ahead of the server. Whatever changes a topic's conversation or its information becomes one event per
// transaction batch (conversation.Book tells, tell.go renders).
//
// Permission groups are not kept: who manages them asks.
//
// Rejected: topics as ordinary conversations with a flag that hides them (the place in the list, the totals and the events
// would each have to look at it); storing what lists answer (an answer that was overtaken by the log would bring a deleted
// topic back).
package community

import (
	"context"
	"encoding/json"
	"sync/atomic"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/group"
	"timbre/core/message"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Messages is what package message does for topics.
type Messages interface {
	NewTopic(tx *store.Tx, g *protocol.Group) error
	DescribeTopic(tx *store.Tx, g *protocol.Group) error
	EnterTopic(tx *store.Tx, st *protocol.GroupState) error
	LeaveTopic(tx *store.Tx, topic string)
	DropTopic(tx *store.Tx, topic string) error
	DraftTopic(topic string, d message.ConversationDraft) error
}

// Store is the local database. It must have Schema.
type Store interface {
	Write(ctx context.Context, apply func(*store.Tx) error) error
	Read(ctx context.Context, fn func(sqlite.Queryer) error) error
}

// Config is what communities need.
type Config struct {
	User     string // the account
	Groups   *group.Groups
	Messages Messages
	Store    Store
	Sink     event.Sink
}

// Communities is the communities of one account. All methods that take a Done wait for the server; they may be called from
// any goroutine.
type Communities struct {
	Config
	moves atomic.Uint64 // comings and goings of topics that the logs told of
}

// New returns the communities. From now on the host hears of topics in book.
func New(c Config, book *conversation.Book) *Communities {
	x := &Communities{Config: c}
	book.TellTopics(x.tellChanged)
	return x
}

// plain makes a change without a result.
func (c *Communities) plain(op string, body any, done event.Done) {
	c.Groups.Do(op, body, &struct{}{}, done, func() string { return "" })
}

// made makes a change that is answered with an id, which is the result as it is: no JSON.
func (c *Communities) made(op string, body any, done event.Done) {
	var a protocol.CreatedGroup
	c.Groups.Do(op, body, &a, done, func() string { return a.ID })
}

// listOf makes a list of results, one for each.
func listOf[T any](all []T, one func(*T) object) string {
	out := make([]object, 0, len(all))
	for i := range all {
		out = append(out, one(&all[i]))
	}
	return string(protocol.Marshal(out))
}

// object is public JSON.
type object map[string]any

func (o object) json() string { return string(protocol.Marshal(o)) }

// bad is a parameter that cannot be used.
func bad(text string) *transport.Error {
	return &transport.Error{Code: tim.ErrInvalidParameters, Text: text}
}

func parse[T any](data json.RawMessage) (v T, err error) {
	err = json.Unmarshal(data, &v)
	return v, err
}
