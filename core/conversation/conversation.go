// Package conversation keeps the list of conversations: what stands in it, in which order, what is unread, and what the
// user has attached to them: pins, marks, custom data, drafts and conversation groups.
//
// The row of a conversation is read once and written once per transaction batch (batch), however many messages the batch
// brings, and the host hears of it once, after the last change of the batch that touched it. Unread is derived, never
// counted up or down: the server numbers the countable messages of each side, and unread is the peer's number minus the
// number at the read position. So a message that arrives twice, late or on another device cannot spoil it.
//
// The row says in which conversation groups it stands. So a list of ten thousand shows them without another question, and
// one update changes a row's place in a list that is filtered by them. A user has few groups and at most a thousand
// conversations in them: what concerns a whole group looks at those.
//
// Rejected: a counter per conversation (every client that has one has wrong counters after a crash), a table per
// conversation (a second to open 10,000 of them), a table of who stands in which group (a question for each conversation
// that is shown).
package conversation

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/sqlite"
)

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
	Owner     string // of the group
	At        string
	HideSeq   uint64
	Draft     string
	Attributes
}

// Attributes is what the user has attached to a conversation, the same on all of his devices.
type Attributes struct {
	Pinned bool
	Marks  uint64 // bits of TIMConversationMarkType
	Custom string
	Groups string // names of conversation groups, JSON array, "" for none
}

// Topic says whether this is what is said in a topic of a community. It stands in no list and counts in no total: whoever
// shows the community shows it there.
func (c *Conversation) Topic() bool {
	return c.Type == tim.ConvGroup && model.CommunityOf(c.Peer) != ""
}

// Away says that the conversation is not in the list and might be.
func (c *Conversation) Away() bool { return !c.Visible && !c.Topic() }

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
	own_count,own_seq,option,group_type,name,face,at,hide_seq,draft,pinned,marks,custom,in_groups,owner`

// scan reads a row of these columns. Marks use all 64 bits, and the database has signed numbers.
func (c *Conversation) scan(scan func(...any) error) error {
	var marks int64
	err := scan(c.fields(&marks)...)
	c.Marks = uint64(marks)
	return err
}

func (c *Conversation) fields(marks *int64) []any {
	return []any{&c.ID, &c.Type, &c.Peer, &c.Visible, &c.Active, &c.LastMsg, &c.MaxSeq, &c.PeerCount, &c.ReadSeq,
		&c.ReadCount, &c.ReadTime, &c.SeenSeq, &c.SeenTime, &c.ClearSeq, &c.OwnCount, &c.OwnSeq, &c.Option, &c.GroupType,
		&c.Name, &c.Face, &c.At, &c.HideSeq, &c.Draft, &c.Pinned, marks, &c.Custom, &c.Groups, &c.Owner}
}

// Find returns a conversation, nil when there is none.
func Find(q sqlite.Queryer, typ int, peer string) (*Conversation, error) {
	return one(q, `WHERE type=? AND peer=?`, typ, peer)
}

// ByID returns a conversation by its row, nil when there is none.
func ByID(q sqlite.Queryer, id int64) (*Conversation, error) { return one(q, `WHERE id=?`, id) }

func one(q sqlite.Queryer, where string, args ...any) (*Conversation, error) {
	c, marks := &Conversation{}, int64(0)
	ok, err := q.Get(`SELECT `+columns+` FROM conversation `+where, c.fields(&marks), args...)
	if err != nil || !ok {
		return nil, err
	}
	c.Marks = uint64(marks)
	return c, nil
}

// List returns the visible conversations in their order.
func List(q sqlite.Queryer) ([]*Conversation, error) {
	return list(q, `WHERE visible ORDER BY place DESC`)
}

func list(q sqlite.Queryer, where string, args ...any) ([]*Conversation, error) {
	var all []*Conversation
	err := q.Query(`SELECT `+columns+` FROM conversation `+where, func(scan func(...any) error) error {
		c := &Conversation{}
		all = append(all, c)
		return c.scan(scan)
	}, args...)
	return all, err
}
