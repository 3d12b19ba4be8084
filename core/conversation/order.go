package conversation

import (
	"time"

	"timbre/core/store"
	"timbre/sqlite"
)

// slots is how many places a millisecond has: many conversations may be of the same one, and no two share a place.
const slots = 1024

// pinnedOrder lies above every order of a conversation that is not pinned: those are times in slots. The column place adds
// it in the same way.
const pinnedOrder = int64(1) << 62

// Order is the conversation's place in the list: larger is higher. No two conversations in the list share one, so a page
// of the list goes on exactly behind the last one of the page before.
func (c *Conversation) Order() int64 {
	if c.Pinned {
		return c.Active + pinnedOrder
	}
	return c.Active
}

// Place makes the conversation visible at the place that a time gives it, in milliseconds, unless it stands higher. If it
// does and nothing else has changed, the host need not hear of it. A topic's conversation has no place.
func (e *Entry) Place(tx *store.Tx, at int64) {
	if e.Topic() {
		e.TouchChanged(tx)
		return
	}
	if e.Active < at*slots {
		e.Active = at*slots + slots - 1
	}
	e.Visible = true
	e.TouchChanged(tx)
}

// settle finds the place where a conversation comes to stand: on top if it was raised, else where it wants to be or a
// little below.
func (e *Entry) settle(tx *sqlite.Tx) error {
	switch {
	case !e.Visible:
		return nil
	case e.raised > 0:
		top, err := top(tx)
		e.Active = max(top+1, time.Now().UnixMilli()*slots)
		return err
	case e.before.Visible && e.Order() == e.before.Order():
		return nil
	}
	return e.makeUnique(tx)
}

// makeUnique moves the conversation down until nobody stands at its place. Thousands may want the same one, after an import
// for instance: their numbers spread them, so that each finds a place within a few steps.
func (e *Entry) makeUnique(tx *sqlite.Tx) error {
	for wanted, bits := e.Active, 0; ; bits++ {
		var other int64
		taken, err := tx.Get(`SELECT id FROM conversation WHERE visible AND place=? AND id<>?`, []any{&other}, e.Order(), e.ID)
		if err != nil || !taken {
			return err
		}
		e.Active = wanted - int64(bits) - 1 - e.ID&(1<<min(bits, 40)-1)
	}
}

// top is the highest place of the list, among the pinned ones and among the others.
func top(q sqlite.Queryer) (int64, error) {
	var first, unpinned int64
	const below = `SELECT place FROM conversation WHERE visible AND place<? ORDER BY place DESC LIMIT 1`
	if _, err := q.Get(below, []any{&first}, highest); err != nil || first < pinnedOrder {
		return first, err
	}
	_, err := q.Get(below, []any{&unpinned}, pinnedOrder)
	return max(first-pinnedOrder, unpinned), err
}

// highest lies above every place.
const highest = int64(1)<<62 - 1 + pinnedOrder
