package changelog

import (
	"slices"
	"sync"

	"timbre/protocol"
)

// Change is what a commit added to one log.
type Change struct {
	Owner int64  // a user, or a group's log, see GroupLog
	Group string // the name of that group
	Pos   uint64
	Entry *Encoded
	// Only names the users who may see the entry; the others of the group get one that says nothing. Nil: all.
	Only []int64
	// Except is one user of the group who gets such an entry too: he is leaving. 0: nobody.
	Except int64
}

// Allows says whether a user may see the entry.
func (c *Change) Allows(uid int64) bool {
	return uid != c.Except && (c.Only == nil || slices.Contains(c.Only, uid))
}

// Nothing is what stands in the log of those who may not see an entry.
func Nothing() *Encoded { return NewEncoded(protocol.Entry{Kind: protocol.EntryNone}) }

// Encoded is an entry that is encoded when somebody needs it, and only once however many sessions get it.
type Encoded struct {
	entry protocol.Entry
	once  sync.Once
	text  []byte
}

// NewEncoded wraps an entry, which must not change any more.
func NewEncoded(e protocol.Entry) *Encoded { return &Encoded{entry: e} }

// Bytes returns the entry as JSON.
func (e *Encoded) Bytes() []byte {
	e.once.Do(func() { e.text = e.entry.Append(make([]byte, 0, e.Size())) })
	return e.text
}

// Size is about how long the entry is, without encoding it.
func (e *Encoded) Size() int {
	const around = 160 // names, numbers and keys
	return around + len(e.entry.Message.Content) + len(e.entry.Data)
}
