// Package conversation keeps what users attach to their conversations: pins, marks, custom data, and groups of
// conversations, which the interface calls conversation groups. It is each user's own: nobody else learns of it, and his
// devices learn of it by his change log.
//
// A conversation is known here by a number: the peer's, or the negative of a group's. It needs no messages: a user may pin
// a conversation in which nobody has said anything yet. A row exists only while something is attached.
//
// Limits are counted in the tables when a change asks for room. That is one scan of at most a few thousand rows of one user;
// counters in a row of their own would save it and could drift.
//
// When a user deletes a conversation, what he attached goes with it, in the same transaction and under the same key. So the
// deletion of conversations goes through here and on to package message, which does not know this one.
//
// Rejected: the attributes as columns of package message's tables (a conversation can have attributes and no row there, and a
// group's row would have to outlive the membership), a log entry for each conversation (a hundred pushes for one request).
package conversation

import (
	"time"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/sqlite"
)

// Schema is the tables of this module. conv is a peer's number, or the negative of a group's.
func Schema() sqlite.Schema {
	return sqlite.Schema{Module: "conversation", Steps: []string{`
		CREATE TABLE conv_attribute (
			uid INTEGER NOT NULL,
			conv INTEGER NOT NULL,
			pinned INTEGER NOT NULL,
			marks INTEGER NOT NULL, -- 64 bits
			custom TEXT NOT NULL,
			PRIMARY KEY (uid, conv)
		) STRICT, WITHOUT ROWID;
		CREATE TABLE conv_group (
			id INTEGER PRIMARY KEY AUTOINCREMENT,
			uid INTEGER NOT NULL,
			name TEXT NOT NULL,
			UNIQUE (uid, name)
		) STRICT;
		CREATE TABLE conv_grouped (
			grp INTEGER NOT NULL,
			conv INTEGER NOT NULL,
			uid INTEGER NOT NULL,
			PRIMARY KEY (grp, conv)
		) STRICT, WITHOUT ROWID;
		CREATE INDEX conv_grouped_by_user ON conv_grouped (uid, conv);`}}
}

// Messages is package message, which remembers the answers to requests and knows the histories.
type Messages interface {
	Answered(tx *sqlite.Tx, user message.User, key string, answer any) (bool, error)
	Remember(tx *sqlite.Tx, user message.User, key string, answer any) error
	Clear(tx *sqlite.Tx, v *message.Move) (protocol.Changed, []changelog.Change, error)
}

// Users turns numbers into users' names.
type Users interface {
	Name(q sqlite.Queryer, uid int64) (string, error)
}

// Groups knows who is in which group.
type Groups interface {
	Name(q sqlite.Queryer, gid int64) (string, error)
	Role(q sqlite.Queryer, gid, uid int64) (int, error) // 0: not a member
}

// Conversations is the module.
type Conversations struct {
	messages Messages
	users    Users
	groups   Groups
	log      *changelog.Log
	now      func() time.Time
}

// New returns the module over a change log.
func New(messages Messages, users Users, groups Groups, log *changelog.Log, now func() time.Time) *Conversations {
	return &Conversations{messages, users, groups, log, now}
}

// Clear deletes a conversation, or what the move says of it, and what the user attached to it. While the conversation stays in
// the list, so does that.
func (c *Conversations) Clear(tx *sqlite.Tx, v *message.Move) (a protocol.Changed, changes []changelog.Change, err error) {
	if v.Keep {
		return c.messages.Clear(tx, v)
	}
	// A repetition must not take away what was attached since.
	if found, err := c.messages.Answered(tx, v.User, v.Key, &a); found || err != nil {
		return a, nil, err
	}
	if v.Gone, err = forget(tx, v.User.UID, number(v.Where)); err != nil {
		return a, nil, err
	}
	return c.messages.Clear(tx, v)
}

// forget takes away what a user attached to a conversation and says whether there was anything.
func forget(tx *sqlite.Tx, uid, conv int64) (bool, error) {
	attributes, err := tx.Change(`DELETE FROM conv_attribute WHERE uid=? AND conv=?`, uid, conv)
	if err != nil {
		return false, err
	}
	places, err := tx.Change(`DELETE FROM conv_grouped WHERE uid=? AND conv=?`, uid, conv)
	return attributes+places > 0, err
}

// number is a conversation's key in the tables, 0 when its peer or group does not exist.
func number(w message.Where) int64 {
	if w.GID != 0 {
		return changelog.GroupLog(w.GID)
	}
	return w.Peer.UID
}

// target names a conversation as a client knows it.
func target(w message.Where) protocol.Target {
	if w.GID != 0 {
		return protocol.Target{Group: w.Group}
	}
	return protocol.Target{Peer: w.Peer.Name}
}

// open says whether a user may attach something new to a conversation: to one with a user who exists, or with a group that
// he is in.
func (c *Conversations) open(tx *sqlite.Tx, user message.User, w message.Where) (bool, error) {
	if w.GID == 0 {
		return w.Peer.UID != 0, nil
	}
	role, err := c.groups.Role(tx, w.GID, user.UID)
	return role != 0, err
}

// note adds the entry that a change stands for to the user's own log.
func (c *Conversations) note(tx *sqlite.Tx, user message.User, kind string, data any) (uint64, []changelog.Change, error) {
	change, err := c.log.Note(tx, user.UID, changelog.Pointer{Kind: kind, Time: c.now().UnixMilli(), Data: protocol.Marshal(data)})
	return change.Pos, []changelog.Change{change}, err
}
