package changelog

import (
	"sync"

	"timbre/protocol"
)

// Change is what a commit added to one user's log.
type Change struct {
	UID   int64
	Pos   uint64
	Entry *Encoded
}

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
	return around + len(e.entry.Message.Content)
}
