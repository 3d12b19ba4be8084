package conversation

import (
	"slices"
	"sync"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// watches is the filters whose unread counts the host watches. They end with the book, that is with the login.
type watches struct {
	mu   sync.Mutex
	list []*watch
}

type watch struct {
	filter Filter
	last   uint64 // what the host knows, or would know had it asked
}

// watching is a watch that begins or ends with a batch.
type watching struct {
	after  *store.Tx
	filter Filter
	ends   bool
}

// Watch makes the event of a filter's unread count fire from now on. A filter of the same type, mark and group is watched
// instead of an earlier one.
func (b *Book) Watch(tx *store.Tx, f Filter) {
	s := b.batch(tx)
	s.watched = append(s.watched, watching{after: tx, filter: f})
}

// Unwatch ends what Watch began with a filter of the same type, mark and group.
func (b *Book) Unwatch(tx *store.Tx, f Filter) {
	s := b.batch(tx)
	s.watched = append(s.watched, watching{after: tx, filter: f, ends: true})
}

// news is what a batch changed that counts depend on.
type news struct {
	last  *store.Tx // the last change
	total bool      // the total may be another one
	any   bool      // the count of some filter may be
}

func (n *news) of(e *Entry) {
	if e.Topic() { // it counts nowhere
		return
	}
	was := &e.before
	n.last = e.after
	if e.Unread() != was.Unread() || e.Visible != was.Visible || e.Option != was.Option {
		n.total, n.any = true, true
	}
	if e.Attributes != was.Attributes || e.At != was.At {
		n.any = true
	}
}

// tellCounts queues the events of the total and of the watched filters, which look again only when something changed that
// they depend on.
func (s *batch) tellCounts(tx *sqlite.Tx, n news) error {
	if n.total && s.book.total.armed() {
		total, err := Total(tx)
		if err != nil {
			return err
		}
		n.last.After(func() { s.book.total.tell(s.book.sink, total) })
	}
	if n.any {
		if err := s.tellWatches(tx, n.last); err != nil {
			return err
		}
	}
	for i := range s.watched {
		if err := s.change(tx, &s.watched[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *batch) tellWatches(tx *sqlite.Tx, last *store.Tx) error {
	for _, w := range s.book.watches.all() {
		n, err := Unread(tx, w.filter)
		if err != nil {
			return err
		}
		last.After(func() { s.book.watches.tell(s.book.sink, w, n) })
	}
	return nil
}

// change begins or ends a watch with the count as this batch leaves it.
func (s *batch) change(tx *sqlite.Tx, c *watching) error {
	n, err := Unread(tx, c.filter)
	if err != nil {
		return err
	}
	filter, ends := c.filter, c.ends
	c.after.After(func() { s.book.watches.set(filter, ends, n) })
	return nil
}

func (w *watches) all() []*watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

func (w *watches) set(f Filter, ends bool, n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = slices.DeleteFunc(w.list, func(x *watch) bool { return x.filter.same(f) })
	if !ends {
		w.list = append(w.list, &watch{f, n})
	}
}

// tell emits a count if it changed, unless the watch has ended.
func (w *watches) tell(sink event.Sink, of *watch, n uint64) {
	w.mu.Lock()
	changed := of.last != n && slices.Contains(w.list, of)
	of.last = n
	w.mu.Unlock()
	if changed {
		text := of.filter.JSON()
		sink.Emit(event.Event{Setter: tim.OpTIMSetConvUnreadMessageCountChangedByFilterCallback,
			Key: "unread " + text, Args: []event.Arg{event.Text(text), event.Num(n)}})
	}
}
