package conversation

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Whatever is attached to conversations in whatever batches: lists, pages, filters and counts are those of a plain model,
// every place is taken once, and the events of watched filters tell the counts.
func TestFiltersAgreeWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t, "")
		defer s.store.Close()
		w := &world{shelf: s, rows: map[string]*row{}}
		w.watch(t)
		t.Repeat(map[string]func(*rapid.T){
			"change": w.change,
			"group":  w.changeGroup,
			"":       w.check,
		})
	})
}

// row is a conversation in the model.
type row struct {
	peer     string
	kind     int
	visible  bool
	unread   uint64
	option   int
	at       bool
	pinned   bool
	marks    uint64
	groups   []string
	raisedAt int // 0: not since it came into the list
}

type world struct {
	*shelf
	rows    map[string]*row
	watched Filter
	raised  int
}

var (
	peerNames  = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
	groupNames = rapid.SampledFrom([]string{"x", "y", "z"})
	marks      = rapid.SampledFrom([]uint64{1, 2, 8, 1 << 32, 1 << 63})
)

func pointer[T any](g *rapid.Generator[T]) *rapid.Generator[*T] { return rapid.Ptr(g, true) }

var filters = rapid.Custom(func(t *rapid.T) Filter {
	return Filter{Type: rapid.IntRange(0, 2).Draw(t, "type"),
		Group:  pointer(rapid.SampledFrom([]string{"", "x", "y"})).Draw(t, "group"),
		Mark:   pointer(rapid.SampledFrom([]uint64{0, 1, 1 << 63})).Draw(t, "mark"),
		Unread: pointer(rapid.Bool()).Draw(t, "unread"), Mentioned: pointer(rapid.Bool()).Draw(t, "mentioned")}
})

func (w *world) watch(t *rapid.T) {
	w.watched = filters.Draw(t, "watched")
	w.write(func(tx *store.Tx) error {
		w.book.Watch(tx, w.watched)
		return nil
	})
}

func (w *world) row(peer string) *row {
	if w.rows[peer] == nil {
		w.rows[peer] = &row{peer: peer, kind: tim.ConvC2C + int(peer[0])%2}
	}
	return w.rows[peer]
}

// change makes some changes in one transaction.
func (w *world) change(t *rapid.T) {
	before := w.expected(w.watched)
	n := rapid.IntRange(1, 4).Draw(t, "changes")
	w.write(func(tx *store.Tx) error {
		for range n {
			r := w.row(peerNames.Draw(t, "peer"))
			e, err := w.book.Open(tx, r.kind, r.peer)
			if err != nil {
				return err
			}
			w.one(t, tx, e, r)
		}
		return nil
	})
	w.told(t, before)
}

func (w *world) one(t *rapid.T, tx *store.Tx, e *Entry, r *row) {
	switch rapid.IntRange(0, 8).Draw(t, "what") {
	case 0:
		w.raised++
		r.visible, r.raisedAt = true, w.raised
		e.Touch(tx, true)
	case 1:
		at := rapid.Int64Range(1, 3).Draw(t, "at")
		r.visible = true
		e.Place(tx, at)
	case 2:
		r.visible, r.raisedAt = false, 0
		e.Hide(tx)
	case 3:
		n := rapid.Uint64Range(0, 3).Draw(t, "unread")
		r.unread, e.PeerCount = n, e.ReadCount+n
	case 4:
		r.option = rapid.IntRange(0, 2).Draw(t, "option")
		e.Option = r.option
	case 5:
		r.at = rapid.Bool().Draw(t, "mentioned")
		e.At = map[bool]string{true: `[{"s":1,"t":1}]`}[r.at]
	case 6, 7, 8:
		a := protocol.Attributes{Pinned: rapid.Bool().Draw(t, "pinned")}
		for _, m := range rapid.SliceOfN(marks, 0, 3).Draw(t, "marks") {
			a.Marks |= m
		}
		r.pinned, r.marks = a.Pinned, a.Marks
		e.Attach(tx, a)
	}
	e.Touch(tx, false)
}

func (w *world) changeGroup(t *rapid.T) {
	before := w.expected(w.watched)
	name, to := groupNames.Draw(t, "group"), groupNames.Draw(t, "to")
	c := protocol.ConvGroupChange{Name: name, New: to, Change: rapid.SampledFrom([]string{protocol.ConvGroupCreate, protocol.ConvGroupDelete,
		protocol.ConvGroupRename, protocol.ConvGroupAdd, protocol.ConvGroupRemove}).Draw(t, "change")}
	var list []*row
	for _, p := range rapid.SliceOfNDistinct(peerNames, 0, 3, rapid.ID[string]).Draw(t, "peers") {
		r := w.row(p)
		list = append(list, r)
		target := protocol.Target{Peer: p}
		if r.kind == tim.ConvGroup {
			target = protocol.Target{Group: p}
		}
		c.Convs = append(c.Convs, target)
	}
	present := w.groups()
	w.regroup(c)
	w.model(c, list, present)
	w.told(t, before)
}

// model does what ChangeGroup does, for groups that the database knew.
func (w *world) model(c protocol.ConvGroupChange, list []*row, present map[string][]string) {
	_, known := present[c.Name]
	_, taken := present[c.New]
	without := func(r *row, name string) {
		r.groups = slices.DeleteFunc(r.groups, func(g string) bool { return g == name })
	}
	all := slices.Collect(maps.Values(w.rows))
	switch {
	case c.Change == protocol.ConvGroupCreate || known && c.Change == protocol.ConvGroupAdd:
		for _, r := range list {
			without(r, c.Name)
			r.groups = append(r.groups, c.Name)
		}
	case !known || c.Change == protocol.ConvGroupRename && c.New == c.Name:
	case c.Change == protocol.ConvGroupRemove:
		for _, r := range list {
			without(r, c.Name)
		}
	case c.Change == protocol.ConvGroupDelete || taken:
		for _, r := range all {
			without(r, c.Name)
		}
	default:
		for _, r := range all {
			if slices.Contains(r.groups, c.Name) {
				without(r, c.Name)
				r.groups = append(r.groups, c.New)
			}
		}
	}
}

func (r *row) fits(f Filter) bool {
	return r.visible && (f.Type == 0 || f.Type == r.kind) &&
		(f.Group == nil || *f.Group == "" && len(r.groups) == 0 || slices.Contains(r.groups, *f.Group)) &&
		(f.Mark == nil || *f.Mark == 0 && r.marks == 0 || *f.Mark != 0 && r.marks&*f.Mark == *f.Mark) &&
		(f.Unread == nil || *f.Unread == (r.unread > 0)) && (f.Mentioned == nil || *f.Mentioned == r.at)
}

func (w *world) expected(f Filter) (unread uint64) {
	for _, r := range w.rows {
		if r.fits(f) && r.option == 0 {
			unread += r.unread
		}
	}
	return unread
}

// told holds the events of the watched filter against the counts before and after one transaction.
func (w *world) told(t *rapid.T, before uint64) {
	var want, got []string
	if now := w.expected(w.watched); now != before {
		want = append(want, fmt.Sprint(w.watched.JSON(), now))
	}
	for _, e := range w.host.told {
		if e.Setter == tim.OpTIMSetConvUnreadMessageCountChangedByFilterCallback {
			got = append(got, fmt.Sprint(e.Args[0].Text, e.Args[1].Num))
		}
	}
	w.host.told = nil
	if !slices.Equal(got, want) {
		t.Fatalf("the watch told %v, want %v", got, want)
	}
}

func (w *world) check(t *rapid.T) {
	f, size := filters.Draw(t, "filter"), rapid.IntRange(1, 3).Draw(t, "size")
	var want []string
	for _, r := range w.rows {
		if r.fits(f) {
			want = append(want, r.peer)
		}
	}
	var got []*Conversation
	var unread uint64
	err := w.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		if unread, err = Unread(q, f); err != nil {
			return err
		}
		next, last := uint64(0), false
		for !last && err == nil {
			var page []*Conversation
			page, last, err = Page(q, f, next, size)
			if !last && len(page) != size {
				return fmt.Errorf("a page of %d in the middle, want %d", len(page), size)
			}
			if got = append(got, page...); len(page) > 0 {
				next = uint64(page[len(page)-1].Order())
			}
		}
		return err
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	w.ordered(t, got)
	var names []string
	for _, c := range got {
		names = append(names, c.Peer)
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Fatalf("%s: %v fit, want %v", f.JSON(), names, want)
	}
	if unread != w.expected(f) {
		t.Fatalf("%s: %d unread, want %d", f.JSON(), unread, w.expected(f))
	}
}

// ordered: pinned ones first, each place once, and of two that were raised the later one is higher.
func (w *world) ordered(t *rapid.T, list []*Conversation) {
	if !slices.IsSortedFunc(list, func(a, b *Conversation) int { return cmp.Compare(b.Order(), a.Order()) }) {
		t.Fatalf("the list is not in its order")
	}
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		if a.Order() == b.Order() || !a.Pinned && b.Pinned {
			t.Fatalf("%s at %d stands before %s at %d", a.Peer, a.Order(), b.Peer, b.Order())
		}
		up, down := w.rows[a.Peer], w.rows[b.Peer]
		if a.Pinned == b.Pinned && up.raisedAt > 0 && down.raisedAt > up.raisedAt {
			t.Fatalf("%s stands before %s, which was raised later", a.Peer, b.Peer)
		}
	}
}
