package conversation

import (
	"cmp"
	"fmt"
	"slices"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Book is the conversations of one account.
type Book struct {
	sink    event.Sink
	render  func(q sqlite.Queryer, c *Conversation) string
	topics  TopicTeller
	total   totalWatch
	watches watches
}

// New returns the book. render makes the public JSON of a conversation with its last message.
func New(sink event.Sink, render func(sqlite.Queryer, *Conversation) string) *Book {
	return &Book{sink: sink, render: render}
}

// TopicTeller tells the host of a topic's conversation that a batch changed, once the change after is committed. It runs in
// the transaction, after the batch's last change.
type TopicTeller func(tx *sqlite.Tx, c *Conversation, after *store.Tx) error

// TellTopics says who tells the host of topics; before, nobody does. Call it before the book is used.
func (b *Book) TellTopics(tell TopicTeller) { b.topics = tell }

// Info returns the public JSON of a conversation.
func (b *Book) Info(q sqlite.Queryer, c *Conversation) string { return b.render(q, c) }

// batch is the conversations that one batch has touched, and what else the host is to hear.
type batch struct {
	book    *Book
	rows    map[string]*Entry
	byID    map[int64]*Entry
	order   []*Entry
	raised  int // how often a conversation was raised
	groups  []groupNews
	watched []watching
}

// Entry is a conversation inside a batch. Change its fields freely and call Touch.
type Entry struct {
	Conversation
	before Conversation
	after  *store.Tx // the last change that touched it: the event follows that change's own
	dirty  bool
	raised int // when it was raised, among those of the batch; 0: it was not
	batch  *batch
}

func key(typ int, peer string) string { return fmt.Sprint(typ, " ", peer) }

// Open returns a conversation for change within the batch, made if it did not exist.
func (b *Book) Open(tx *store.Tx, typ int, peer string) (*Entry, error) {
	s := b.batch(tx)
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
	s := b.batch(tx)
	if e, ok := s.byID[id]; ok {
		return e, nil
	}
	found, err := ByID(tx, id)
	if err != nil || found == nil {
		return nil, err
	}
	return s.add(found), nil
}

func (b *Book) batch(tx *store.Tx) *batch {
	return tx.Batch(b, func() sqlite.Flusher {
		return &batch{book: b, rows: map[string]*Entry{}, byID: map[int64]*Entry{}}
	}).(*batch)
}

func (s *batch) add(c *Conversation) *Entry {
	e := &Entry{Conversation: *c, before: *c, batch: s}
	s.rows[key(c.Type, c.Peer)] = e
	s.byID[c.ID] = e
	s.order = append(s.order, e)
	return e
}

// Touch says that the conversation changed. raise moves it to the top of the list and makes it visible, unless it is a
// topic's.
func (e *Entry) Touch(tx *store.Tx, raise bool) {
	e.dirty, e.after = true, tx
	if raise && !e.Topic() {
		e.batch.raised++
		e.raised, e.Visible = e.batch.raised, true
	}
}

// TouchChanged is Touch for a conversation that may be as it was before the batch.
func (e *Entry) TouchChanged(tx *store.Tx) {
	if e.Conversation != e.before {
		e.Touch(tx, false)
	}
}

// Hide takes the conversation out of the list. It has no last message any more.
func (e *Entry) Hide(tx *store.Tx) {
	e.LastMsg = 0
	e.Leave(tx)
}

// Leave takes the conversation out of the list until something newer comes. Its messages stay.
func (e *Entry) Leave(tx *store.Tx) {
	e.Visible, e.raised = false, 0
	e.dirty, e.after = true, tx
}

// Flush writes every touched row once and queues its event.
func (s *batch) Flush(tx *sqlite.Tx) error {
	var news news
	slices.SortStableFunc(s.order, func(a, b *Entry) int { return cmp.Compare(a.raised, b.raised) }) // the last one comes to stand on top
	for _, e := range s.order {
		if !e.dirty && e.Conversation == e.before {
			continue
		}
		if err := s.write(tx, e); err != nil {
			return err
		}
		if e.dirty { // else nothing that the host sees
			if err := s.announce(tx, e); err != nil {
				return err
			}
			news.of(e)
		}
	}
	for i := range s.groups {
		s.tellGroup(tx, &s.groups[i])
	}
	return s.tellCounts(tx, news)
}

func (s *batch) write(tx *sqlite.Tx, e *Entry) error {
	if err := e.settle(tx); err != nil {
		return err
	}
	return tx.Exec(`UPDATE conversation SET visible=?,active=?,last_msg=?,max_seq=?,peer_count=?,read_seq=?,read_count=?,
		read_time=?,seen_seq=?,seen_time=?,clear_seq=?,own_count=?,own_seq=?,option=?,group_type=?,name=?,face=?,at=?,
		hide_seq=?,draft=?,pinned=?,marks=?,custom=?,in_groups=?,owner=? WHERE id=?`,
		e.Visible, e.Active, e.LastMsg, e.MaxSeq, e.PeerCount, e.ReadSeq, e.ReadCount, e.ReadTime, e.SeenSeq, e.SeenTime, e.ClearSeq,
		e.OwnCount, e.OwnSeq, e.Option, e.GroupType, e.Name, e.Face, e.At,
		e.HideSeq, e.Draft, e.Pinned, int64(e.Marks), e.Custom, e.Groups, e.Owner, e.ID)
}

// announce queues Add, Update or Del. A conversation that stays out of the list is nobody's business, except a topic's.
func (s *batch) announce(tx *sqlite.Tx, e *Entry) error {
	var kind int
	switch {
	case e.Topic():
		if s.book.topics == nil {
			return nil
		}
		return s.book.topics(tx, &e.Conversation, e.after)
	case e.Visible && !e.before.Visible:
		kind = tim.ConvEventAdd
	case e.Visible:
		kind = tim.ConvEventUpdate
	case e.before.Visible:
		kind = tim.ConvEventDel
	default:
		return nil
	}
	text := "[" + s.book.render(tx, &e.Conversation) + "]"
	k := "conv " + key(e.Type, e.Peer)
	e.after.After(func() {
		s.book.sink.Emit(event.Event{Setter: tim.OpTIMSetConvEventCallback, Key: k, Merge: merge,
			Args: []event.Arg{event.Num(kind), event.Text(text)}})
	})
	return nil
}

// merge is what is left to tell of two events of a conversation that wait: while an Add waits, the host has not heard of
// the conversation, and while a Del waits, it still knows it.
func merge(older, newer event.Event) (event.Event, bool) {
	was, is := int(older.Args[0].Num), int(newer.Args[0].Num)
	switch {
	case was == tim.ConvEventAdd && is == tim.ConvEventDel:
		return newer, false
	case was == tim.ConvEventAdd:
		is = tim.ConvEventAdd
	case was == tim.ConvEventDel && is == tim.ConvEventAdd:
		is = tim.ConvEventUpdate
	}
	newer.Args = []event.Arg{event.Num(is), newer.Args[1]}
	return newer, true
}
