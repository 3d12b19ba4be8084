package message

import (
	"sync/atomic"
	"time"

	"timbre/sqlite"
)

// moment is a clock that never runs backwards, whatever the machine's does. Clients ask for the groups in which something
// happened since a moment: with a clock that was set back, what happens next would lie before what they have asked for.
type moment struct {
	now    func() time.Time
	latest atomic.Int64
}

// next returns the time in milliseconds, or the latest moment if that is later.
func (m *moment) next() int64 {
	for {
		last := m.latest.Load()
		t := max(last, m.now().UnixMilli())
		if m.latest.CompareAndSwap(last, t) {
			return t
		}
	}
}

// Moment is the time of what happens in groups' logs from now on.
func (m *Messages) Moment() int64 { return m.moment.next() }

// Started goes on with the moments of the process before.
func (m *Messages) Started(tx *sqlite.Tx) error {
	var latest int64
	_, err := tx.Get(`SELECT coalesce(max(touched),0) FROM room`, []any{&latest})
	m.moment.latest.Store(max(latest, m.moment.latest.Load()))
	return err
}
