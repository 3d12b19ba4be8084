// Package conversation keeps the list of conversations: what stands in it, in which order, and what is unread.
//
// The row of a conversation is read once and written once per transaction batch (state), however many messages the batch
// brings, and the host hears of it once, after the last change of the batch that touched it. Unread is derived, never
// counted up or down: the server numbers the countable messages of each side, and unread is the peer's number minus the
// number at the read position. So a message that arrives twice, late or on another device cannot spoil it.
//
// Rejected: a counter per conversation (every client that has one has wrong counters after a crash), a table per
// conversation (a second to open 10,000 of them).
package conversation

import (
	"fmt"
	"time"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Schema holds the conversations of the account.
var Schema = sqlite.Schema{Module: "conversation", Steps: []string{`
CREATE TABLE conversation (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	type       INTEGER NOT NULL,           -- TIMConvType
	peer       TEXT    NOT NULL,           -- user or group id
	visible    INTEGER NOT NULL DEFAULT 0, -- stands in the list
	active     INTEGER NOT NULL DEFAULT 0, -- order in the list, larger is newer
	last_msg   INTEGER NOT NULL DEFAULT 0, -- message.id of the last message, 0: none
	max_seq    INTEGER NOT NULL DEFAULT 0, -- newest seq that the server gave
	peer_count INTEGER NOT NULL DEFAULT 0, -- countable messages of the peer
	read_seq   INTEGER NOT NULL DEFAULT 0, -- this user's read position
	read_count INTEGER NOT NULL DEFAULT 0, -- countable messages of the peer up to there
	read_time  INTEGER NOT NULL DEFAULT 0, -- when this user read, seconds
	seen_seq   INTEGER NOT NULL DEFAULT 0, -- the peer's read position
	seen_time  INTEGER NOT NULL DEFAULT 0, -- when the peer read, milliseconds
	clear_seq  INTEGER NOT NULL DEFAULT 0, -- deleted up to here
	UNIQUE (type, peer)
) STRICT;
CREATE INDEX conversation_order ON conversation (active) WHERE visible;
CREATE INDEX conversation_unread ON conversation (peer_count - read_count) WHERE peer_count > read_count;
`, `
ALTER TABLE conversation ADD COLUMN own_count  INTEGER NOT NULL DEFAULT 0;  -- in a group: this user's countable messages
ALTER TABLE conversation ADD COLUMN own_seq    INTEGER NOT NULL DEFAULT 0;  -- in a group: this user's newest known message
ALTER TABLE conversation ADD COLUMN option     INTEGER NOT NULL DEFAULT 0;  -- TIMReceiveMessageOpt
ALTER TABLE conversation ADD COLUMN group_type INTEGER NOT NULL DEFAULT -1; -- TIMGroupType
ALTER TABLE conversation ADD COLUMN name       TEXT    NOT NULL DEFAULT ''; -- of the group
ALTER TABLE conversation ADD COLUMN face       TEXT    NOT NULL DEFAULT ''; -- likewise
ALTER TABLE conversation ADD COLUMN at         TEXT    NOT NULL DEFAULT ''; -- unread messages that speak to this user, JSON array of Mention
`}}

// Conversation is a row.
type Conversation struct {
	ID        int64
	Type      int
	Peer      string
	Visible   bool
	Active    int64
	LastMsg   int64
	MaxSeq    uint64
	PeerCount uint64
	ReadSeq   uint64
	ReadCount uint64
	ReadTime  int64
	SeenSeq   uint64
	SeenTime  int64
	ClearSeq  uint64
	OwnCount  uint64
	OwnSeq    uint64
	Option    int
	GroupType int
	Name      string
	Face      string
	At        string
}

// NoGroup is the group type of a conversation that is none, or of which nothing is known yet.
const NoGroup = -1

// Unread returns how many messages of the peer wait to be read.
func (c *Conversation) Unread() uint64 {
	if c.PeerCount <= c.ReadCount {
		return 0
	}
	return c.PeerCount - c.ReadCount
}

// MarkRead moves the read position. It never goes back.
func (c *Conversation) MarkRead(seq, count uint64, now int64) {
	c.ReadSeq = max(c.ReadSeq, seq)
	c.ReadCount = max(c.ReadCount, count)
	c.ReadTime = max(c.ReadTime, now)
	c.forgetMentions()
}

const columns = `id,type,peer,visible,active,last_msg,max_seq,peer_count,read_seq,read_count,read_time,seen_seq,seen_time,clear_seq,
	own_count,own_seq,option,group_type,name,face,at`

func (c *Conversation) fields() []any {
	return []any{&c.ID, &c.Type, &c.Peer, &c.Visible, &c.Active, &c.LastMsg, &c.MaxSeq, &c.PeerCount, &c.ReadSeq,
		&c.ReadCount, &c.ReadTime, &c.SeenSeq, &c.SeenTime, &c.ClearSeq, &c.OwnCount, &c.OwnSeq, &c.Option, &c.GroupType,
		&c.Name, &c.Face, &c.At}
}

// Find returns a conversation, nil when there is none.
func Find(q sqlite.Queryer, typ int, peer string) (*Conversation, error) {
	c := &Conversation{}
	ok, err := q.Get(`SELECT `+columns+` FROM conversation WHERE type=? AND peer=?`, c.fields(), typ, peer)
	if err != nil || !ok {
		return nil, err
	}
	return c, nil
}

// List returns the visible conversations, newest first.
func List(q sqlite.Queryer) ([]*Conversation, error) {
	var all []*Conversation
	err := q.Query(`SELECT `+columns+` FROM conversation WHERE visible ORDER BY active DESC`, func(scan func(...any) error) error {
		c := &Conversation{}
		all = append(all, c)
		return scan(c.fields()...)
	})
	return all, err
}

// Total returns the number of unread messages in all visible conversations that the user wants to be told of.
func Total(q sqlite.Queryer) (uint64, error) {
	var n uint64
	_, err := q.Get(`SELECT coalesce(sum(peer_count-read_count),0) FROM conversation WHERE peer_count>read_count AND visible AND option=0`, []any{&n})
	return n, err
}

// Book is the conversations of one account.
type Book struct {
	sink   event.Sink
	render func(q sqlite.Queryer, c *Conversation) string
	total  totalWatch
}

// New returns the book. render makes the public JSON of a conversation with its last message.
func New(sink event.Sink, render func(sqlite.Queryer, *Conversation) string) *Book {
	return &Book{sink: sink, render: render}
}

// Info returns the public JSON of a conversation.
func (b *Book) Info(q sqlite.Queryer, c *Conversation) string { return b.render(q, c) }

// state is the conversations that one batch has touched.
type state struct {
	book  *Book
	rows  map[string]*Entry
	byID  map[int64]*Entry
	order []*Entry
}

// Entry is a conversation inside a batch. Change its fields freely and call Touch.
type Entry struct {
	Conversation
	before Conversation
	after  *store.Tx // the last change that touched it: the event follows that change's own
	dirty  bool
	raise  bool
}

func key(typ int, peer string) string { return fmt.Sprint(typ, " ", peer) }

// Open returns a conversation for change within the batch, made if it did not exist.
func (b *Book) Open(tx *store.Tx, typ int, peer string) (*Entry, error) {
	s := b.state(tx)
	if e, ok := s.rows[key(typ, peer)]; ok {
		return e, nil
	}
	found, err := Find(tx, typ, peer)
	if err != nil {
		return nil, err
	}
	if found == nil {
		found = &Conversation{Type: typ, Peer: peer, GroupType: NoGroup}
		if found.ID, err = tx.Insert(`INSERT INTO conversation (type,peer) VALUES (?,?)`, typ, peer); err != nil {
			return nil, err
		}
	}
	return s.add(found), nil
}

// OpenByID returns an existing conversation for change within the batch, nil when there is none.
func (b *Book) OpenByID(tx *store.Tx, id int64) (*Entry, error) {
	s := b.state(tx)
	if e, ok := s.byID[id]; ok {
		return e, nil
	}
	found, err := ByID(tx, id)
	if err != nil || found == nil {
		return nil, err
	}
	return s.add(found), nil
}

func (b *Book) state(tx *store.Tx) *state {
	return tx.Batch(b, func() sqlite.Flusher {
		return &state{book: b, rows: map[string]*Entry{}, byID: map[int64]*Entry{}}
	}).(*state)
}

func (s *state) add(c *Conversation) *Entry {
	e := &Entry{Conversation: *c, before: *c}
	s.rows[key(c.Type, c.Peer)] = e
	s.byID[c.ID] = e
	s.order = append(s.order, e)
	return e
}

// Touch says that the conversation changed. raise moves it to the top of the list and makes it visible.
func (e *Entry) Touch(tx *store.Tx, raise bool) {
	e.dirty, e.after = true, tx
	if raise {
		e.raise, e.Visible = true, true
	}
}

// Place makes the conversation visible at the place that a time gives it, in milliseconds, unless it stands higher.
func (e *Entry) Place(tx *store.Tx, at int64) {
	e.Active, e.Visible = max(e.Active, at), true
	e.dirty, e.after = true, tx
}

// Hide takes the conversation out of the list.
func (e *Entry) Hide(tx *store.Tx) {
	e.Visible, e.LastMsg, e.raise = false, 0, false
	e.dirty, e.after = true, tx
}

// Flush writes every touched row once and queues its event.
func (s *state) Flush(tx *sqlite.Tx) error {
	unread := false
	var last *store.Tx
	for _, e := range s.order {
		if !e.dirty && e.Conversation == e.before {
			continue
		}
		if err := s.write(tx, e); err != nil {
			return err
		}
		if !e.dirty { // nothing that the host sees
			continue
		}
		s.announce(tx, e)
		unread = unread || e.Unread() != e.before.Unread() || e.Visible != e.before.Visible || e.Option != e.before.Option
		last = e.after
	}
	if unread && s.book.total.armed() {
		total, err := Total(tx)
		if err != nil {
			return err
		}
		last.After(func() { s.book.total.tell(s.book.sink, total) })
	}
	return nil
}

func (s *state) write(tx *sqlite.Tx, e *Entry) error {
	if e.raise {
		var top int64
		if _, err := tx.Get(`SELECT coalesce(max(active),0)+1 FROM conversation WHERE visible`, []any{&top}); err != nil {
			return err
		}
		e.Active = max(top, time.Now().UnixMilli()) // comparable to the times that Place gets
	}
	return tx.Exec(`UPDATE conversation SET visible=?,active=?,last_msg=?,max_seq=?,peer_count=?,read_seq=?,read_count=?,
		read_time=?,seen_seq=?,seen_time=?,clear_seq=?,own_count=?,own_seq=?,option=?,group_type=?,name=?,face=?,at=? WHERE id=?`,
		e.Visible, e.Active, e.LastMsg, e.MaxSeq, e.PeerCount, e.ReadSeq, e.ReadCount, e.ReadTime, e.SeenSeq, e.SeenTime, e.ClearSeq,
		e.OwnCount, e.OwnSeq, e.Option, e.GroupType, e.Name, e.Face, e.At, e.ID)
}

// announce queues Add, Update or Del. A conversation that stays out of the list is nobody's business.
func (s *state) announce(tx *sqlite.Tx, e *Entry) {
	var kind int
	switch {
	case e.Visible && !e.before.Visible:
		kind = tim.ConvEventAdd
	case e.Visible:
		kind = tim.ConvEventUpdate
	case e.before.Visible:
		kind = tim.ConvEventDel
	default:
		return
	}
	text := "[" + s.book.render(tx, &e.Conversation) + "]"
	k := "conv " + key(e.Type, e.Peer)
	e.after.After(func() {
		s.book.sink.Emit(event.Event{Setter: tim.OpTIMSetConvEventCallback, Key: k, Merge: merge,
			Args: []event.Arg{event.Num(kind), event.Text(text)}})
	})
}

// merge keeps a waiting Add an Add: the host has not heard of the conversation yet.
func merge(older, newer event.Event) event.Event {
	if older.Args[0].Num == tim.ConvEventAdd && newer.Args[0].Num == tim.ConvEventUpdate {
		newer.Args = []event.Arg{event.Num(tim.ConvEventAdd), newer.Args[1]}
	}
	return newer
}

// ByID returns a conversation by its row, nil when there is none.
func ByID(q sqlite.Queryer, id int64) (*Conversation, error) {
	c := &Conversation{}
	ok, err := q.Get(`SELECT `+columns+` FROM conversation WHERE id=?`, c.fields(), id)
	if err != nil || !ok {
		return nil, err
	}
	return c, nil
}
