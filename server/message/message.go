// Package message keeps histories: of two users, and of the members of a group. It knows their messages and how far each
// user has read and deleted.
//
// A message gets three numbers in the transaction that stores it: seq, dense in the conversation; count, dense among the
// messages that count as unread (of its sender between two, of everybody in a group); and a position in each user's change
// log, or in the group's. Unread is never counted: it is the newest count of the others minus the one at the read position.
//
// The jobs of a batch share one picture of the conversations they touch. It is read once, changed in memory and written
// once before the commit; the message rows go in together, many to a statement. That is where the speed comes from: a
// message costs one look for its key, a share of one INSERT and a share of one fsync.
//
// A message whose key the sender used before is not stored again and gets the first answer. The key stands in the
// message's own row, so it is known exactly as long as the message is.
//
// What happens to a message later (revocation, edit, receipts, extensions, reactions, pins) changes its row or stands in a
// table beside it, and in the log as an entry of its own kind.
//
// Rejected: a table of keys beside the messages (a second row for every message), counting unread messages in a column
// (it drifts when two devices read at once), a row per user and conversation (two more writes for every message), a copy of
// a group's message for every member (200 writes instead of one).
package message

import (
	"time"

	"timbre/protocol"
	"timbre/search"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// Names turns users' numbers into names.
type Names interface {
	Name(q sqlite.Queryer, uid int64) (string, error)
	Profile(q sqlite.Queryer, uid int64) (protocol.Profile, error)
}

// User is a participant.
type User struct {
	UID  int64
	Name string
}

// Rules are the module's settings.
type Rules struct {
	RevokeWithin  time.Duration // after sending; 0: for ever
	SyncDeletions bool          // deleting messages on one device deletes them on the user's others
	Keep          time.Duration // how long messages are kept; 0: for ever
	Search        bool          // users may search the server's messages
}

// DefaultRules are those of a server that nobody configured.
func DefaultRules() Rules {
	return Rules{RevokeWithin: 2 * time.Minute, Keep: 7 * 24 * time.Hour, Search: true}
}

// Messages is the module.
type Messages struct {
	log    Log
	names  Names
	rules  Rules
	now    func() time.Time
	search *search.Index
	late   *backlog // what is not in the index yet
	moment *moment
}

// New returns the module over a change log.
func New(log Log, names Names, rules Rules, now func() time.Time) *Messages {
	return &Messages{log, names, rules, now, search.New(indexName), newBacklog(), &moment{now: now}}
}

// Outgoing is a message that passed Check.
type Outgoing struct {
	From, To User
	GID      int64 // the group, instead of To
	App      uint64
	Key      string
	Content  []byte
	Traits   Traits
	Audience int     // members that are to confirm a group message that asks for receipts
	Targets  []int64 // who may see a directed message; nil: all
	At       []int64 // members that it speaks to; 0: all
	Tip      bool    // the server's own voice
	Card     string  // the sender's name card in the group
}

func (o *Outgoing) flags() (f int) {
	for _, x := range []struct {
		on   bool
		flag int
	}{{o.Traits.Counts, flagCounts}, {o.Traits.Receipt, flagReceipt}, {o.Traits.Extensions, flagExtensions},
		{o.Traits.NotLast, flagNotLast}, {o.Tip, flagTip}} {
		if x.on {
			f |= x.flag
		}
	}
	return f
}

// Send stores a message between two users and returns the answer to its sender and what it adds to the logs: the sender's
// entry first. A repeated key gets the first answer and adds nothing.
func (m *Messages) Send(tx *sqlite.Tx, o *Outgoing) (protocol.Sent, []changelog.Change, error) {
	p := m.pending(tx)
	if sent, found, err := p.sent(tx, o.From.UID, o.Key); found || err != nil {
		return sent, nil, err
	}
	c, err := p.open(tx, o.From.UID, o.To.UID, o.App)
	if err != nil {
		return protocol.Sent{}, nil, err
	}
	shut := c.side(o.To.UID).option == notReceived && o.To.UID != o.From.UID
	if shut { // the receiver does not want to hear of it: it counts for nothing
		o.Traits.Counts = false
	}
	msg := c.number(o, m.now().UnixMilli())
	changes, err := m.announce(tx, c.id, o, msg, shut)
	if err != nil {
		return protocol.Sent{}, nil, err
	}
	sent := protocol.Sent{Seq: msg.Seq, Time: msg.Time, Count: msg.Count, Pos: changes[0].Pos}
	p.keys[sentKey{o.From.UID, o.Key}] = sent
	return sent, changes, p.add(c.id, o, msg.Content, sent, c.other(o.From.UID).count)
}

// notReceived is the receive option that keeps messages away.
const notReceived = 1

// announce adds the message to the sender's log and, unless he talks to himself or the receiver does not want it, to the
// receiver's.
func (m *Messages) announce(tx *sqlite.Tx, pair int64, o *Outgoing, msg protocol.Message, shut bool) ([]changelog.Change, error) {
	entry := changelog.NewEncoded(protocol.Entry{Kind: protocol.EntryMessage, Message: msg})
	changes := make([]changelog.Change, 0, 2)
	for _, u := range [...]User{o.From, o.To} {
		pos, err := m.log.Append(tx, u.UID, changelog.Message(pair, msg.Seq))
		if err != nil {
			return nil, err
		}
		changes = append(changes, changelog.Change{Owner: u.UID, Pos: pos, Entry: entry})
		if o.From.UID == o.To.UID || shut {
			break
		}
	}
	return changes, nil
}

// number gives the message its numbers. Time never runs backwards within a conversation, whatever the clock does.
func (c *pair) number(o *Outgoing, now int64) protocol.Message {
	c.maxSeq++
	c.lastTime = max(c.lastTime, now)
	c.grown = true
	sender := c.side(o.From.UID)
	if o.Traits.Counts {
		sender.count++
	}
	return protocol.Message{Seq: c.maxSeq, From: o.From.Name, To: o.To.Name, Time: c.lastTime, Count: sender.count,
		Key: o.Key, Content: o.Content}
}
