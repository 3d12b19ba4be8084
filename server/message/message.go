// Package message keeps the conversations between two users: their messages and how far each has read and deleted.
//
// A message gets three numbers in the transaction that stores it: seq, dense in the conversation; count, dense among the
// sender's messages that count as unread; and a position in each user's change log. Unread is never counted: it is the
// peer's newest count minus the one at the read position.
//
// The jobs of a batch share one picture of the conversations they touch. It is read once, changed in memory and written
// once before the commit; the message rows go in together, many to a statement. That is where the speed comes from: a
// message costs one look for its key, a share of one INSERT and a share of one fsync.
//
// A message whose key the sender used before is not stored again and gets the first answer. The key stands in the
// message's own row, so it is known exactly as long as the message is.
//
// Rejected: a table of keys beside the messages (a second row for every message), counting unread messages in a column
// (it drifts when two devices read at once), a row per user and conversation (two more writes for every message).
package message

import (
	"time"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// Log is the change log of every user.
type Log interface {
	Append(tx *sqlite.Tx, uid int64, p changelog.Pointer) (uint64, error)
}

// Names turns users' numbers into names.
type Names interface {
	Name(q sqlite.Queryer, uid int64) (string, error)
}

// User is a participant.
type User struct {
	UID  int64
	Name string
}

// Messages is the module.
type Messages struct {
	log   Log
	names Names
	now   func() time.Time
}

// New returns the module over a change log.
func New(log Log, names Names, now func() time.Time) *Messages { return &Messages{log, names, now} }

// Outgoing is a message that passed Check.
type Outgoing struct {
	From, To User
	App      uint64
	Key      string
	Content  []byte
	Counts   bool // towards unread
}

// Send stores a message and returns the answer to its sender and what it adds to the logs: the sender's entry first. A
// repeated key gets the first answer and adds nothing.
func (m *Messages) Send(tx *sqlite.Tx, o *Outgoing) (protocol.Sent, []changelog.Change, error) {
	p := m.pending(tx)
	if sent, found, err := p.sent(tx, o.From.UID, o.Key); found || err != nil {
		return sent, nil, err
	}
	c, err := p.open(tx, o.From.UID, o.To.UID, o.App)
	if err != nil {
		return protocol.Sent{}, nil, err
	}
	msg := c.number(o, m.now().UnixMilli())
	changes, err := m.announce(tx, c.id, o, msg)
	if err != nil {
		return protocol.Sent{}, nil, err
	}
	sent := protocol.Sent{Seq: msg.Seq, Time: msg.Time, Count: msg.Count, Pos: changes[0].Pos}
	p.add(c, o, sent)
	return sent, changes, nil
}

// announce adds the message to the sender's log and, unless he talks to himself, to the receiver's.
func (m *Messages) announce(tx *sqlite.Tx, pair int64, o *Outgoing, msg protocol.Message) ([]changelog.Change, error) {
	entry := changelog.NewEncoded(protocol.Entry{Kind: protocol.EntryMessage, Message: msg})
	changes := make([]changelog.Change, 0, 2)
	for _, u := range [...]User{o.From, o.To} {
		pos, err := m.log.Append(tx, u.UID, changelog.Message(pair, msg.Seq))
		if err != nil {
			return nil, err
		}
		changes = append(changes, changelog.Change{UID: u.UID, Pos: pos, Entry: entry})
		if o.From.UID == o.To.UID {
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
	if o.Counts {
		sender.count++
	}
	return protocol.Message{Seq: c.maxSeq, From: o.From.Name, To: o.To.Name, Time: c.lastTime, Count: sender.count,
		Key: o.Key, Content: o.Content}
}
