package conversation

import (
	"time"

	"timbre/sqlite"
)

// pinnedOrder lies above every order of a conversation that is not pinned: those are times in milliseconds, or a little
// more. The column place adds it in the same way.
const pinnedOrder = int64(1) << 62

// Order is the conversation's place in the list: larger is higher. No two conversations in the list share one, so a page
// of the list goes on exactly behind the last one of the page before.
func (c *Conversation) Order() int64 {
	if c.Pinned {
		return c.Active + pinnedOrder
	}
	return c.Active
}

// settle finds the place where a conversation comes to stand: on top if it was raised, else where it wants to be or a
// little above.
func (e *Entry) settle(tx *sqlite.Tx) error {
	switch {
	case !e.Visible:
		return nil
	case e.raised > 0:
		top, err := top(tx)
		e.Active = max(top+1, time.Now().UnixMilli()) // comparable to the times that Place gets
		return err
	case e.before.Visible && e.Order() == e.before.Order():
		return nil
	}
	return e.makeUnique(tx)
}

// makeUnique moves the conversation up until nobody stands at its place. Thousands may want the same millisecond, after an
// import for instance: their numbers spread them, so that each finds a place within a few steps.
func (e *Entry) makeUnique(tx *sqlite.Tx) error {
	for wanted, bits := e.Active, 0; ; bits++ {
		var other int64
		taken, err := tx.Get(`SELECT id FROM conversation WHERE visible AND place=? AND id<>?`, []any{&other}, e.Order(), e.ID)
		if err != nil || !taken {
			return err
		}
		e.Active = wanted + int64(bits) + 1 + e.ID&(1<<min(bits, 40)-1)
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
