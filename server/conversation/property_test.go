package conversation_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/sqlite"
)

// world holds the module against a model.
type world struct {
	*rig
	model view
	again []func(*rapid.T) // requests that were answered
	pos   uint64           // of the device that reads the log
	other view             // what it has
}

// conversations that the property test draws from: more users than may be pinned, some groups, and one that is not there.
func pool() (list []message.Where) {
	for n := range int64(56) {
		list = append(list, user(n+1))
	}
	for n := range int64(4) {
		list = append(list, group(n+1))
	}
	return append(list, nobody)
}

func (w *world) draw(t *rapid.T) []message.Where {
	all := pool()
	from := rapid.IntRange(0, len(all)-1).Draw(t, "from")
	return all[from : from+rapid.IntRange(0, len(all)-from).Draw(t, "n")]
}

func (w *world) mayOpen(c message.Where) bool {
	return c.Peer.UID != 0 || c.GID != 0 && w.in[c.GID]
}

// expect compares an answer with what the model says, and repeats the request later.
func (w *world) expect(t *rapid.T, what string, a protocol.ConvsSet, code, entries int, err error, wantCode int, want []int, changes bool) {
	if err != nil {
		t.Fatal(err)
	}
	if code != wantCode || code == 0 && !slices.Equal(a.Codes, want) {
		t.Fatalf("%s: code %d %v, want %d %v", what, code, a.Codes, wantCode, want)
	}
	if changes != (entries == 1) || changes != (a.Pos != 0) {
		t.Fatalf("%s: changes %v, %d entries, position %d", what, changes, entries, a.Pos)
	}
}

func (w *world) set(t *rapid.T) {
	var s protocol.SetAttributes
	on := rapid.Bool().Draw(t, "on")
	switch rapid.SampledFrom([]string{"pin", "mark", "custom"}).Draw(t, "what") {
	case "pin":
		s.Pin = &on
	case "mark":
		s.Mark = &protocol.Mark{Bits: rapid.SampledFrom([]uint64{1, 2, 9, 1 << 63, 1<<32 | 4}).Draw(t, "bits"), On: on}
	case "custom":
		s.Custom = new(string)
		if on {
			*s.Custom = rapid.SampledFrom([]string{"a", "<\x00\">", "é"}).Draw(t, "custom")
		}
	}
	where, key := w.draw(t), w.key()
	var want []int
	changes := false
	for _, c := range where {
		code, changed := w.setOne(c, &s)
		want, changes = append(want, code), changes || changed
	}
	a, code, entries, err := w.rig.set(key, where, &s)
	w.expect(t, "set", a, code, entries, err, 0, want, changes)
	w.remember(a, func() (protocol.ConvsSet, int, int, error) { return w.rig.set(key, where, &s) })
}

// setOne is the rule as the protocol says it.
func (w *world) setOne(c message.Where, s *protocol.SetAttributes) (code int, changed bool) {
	was, had := w.model.attrs[target(c)]
	now := was
	now.Target = target(c)
	adds := false
	switch {
	case s.Pin != nil:
		now.Pinned, adds = *s.Pin, *s.Pin && !was.Pinned
	case s.Mark != nil && s.Mark.On:
		now.Marks |= s.Mark.Bits
		adds = now.Marks != was.Marks
	case s.Mark != nil:
		now.Marks &^= s.Mark.Bits
	default:
		now.Custom, adds = *s.Custom, *s.Custom != "" && *s.Custom != was.Custom
	}
	pinned := 0
	for _, a := range w.model.attrs {
		if a.Pinned {
			pinned++
		}
	}
	switch {
	case (adds || !had) && !w.mayOpen(c):
		return tim.ErrSVRConvConvMarkOperateFailed, false
	case adds && s.Pin != nil && pinned == model.MaxPinned:
		return model.CodePinnedLimit, false
	}
	w.model.put(now)
	return 0, had && now != was || !had && adds
}

func groupNames() (names []string) {
	for n := range model.MaxConvGroups + 3 {
		names = append(names, fmt.Sprint("name", n))
	}
	return names
}

func (w *world) regroup(t *rapid.T) {
	g := protocol.ConvGroupChange{
		Change: rapid.SampledFrom([]string{protocol.ConvGroupCreate, protocol.ConvGroupCreate, protocol.ConvGroupAdd,
			protocol.ConvGroupRemove, protocol.ConvGroupRename, protocol.ConvGroupDelete}).Draw(t, "do"),
		Name: rapid.SampledFrom(groupNames()).Draw(t, "name"), New: rapid.SampledFrom(groupNames()).Draw(t, "new")}
	where, key := w.draw(t), w.key()
	code, want, changes := w.regroupModel(g, where)
	a, got, entries, err := w.rig.group(key, where, &g)
	w.expect(t, g.Change, a, got, entries, err, code, want, changes)
	w.remember(a, func() (protocol.ConvsSet, int, int, error) { return w.rig.group(key, where, &g) })
}

func (w *world) regroupModel(g protocol.ConvGroupChange, where []message.Where) (code int, codes []int, changes bool) {
	in, there := w.model.groups[g.Name]
	_, taken := w.model.groups[g.New]
	switch {
	case !there && g.Change != protocol.ConvGroupCreate:
		return tim.ErrSVRConvConvGroupNotExist, nil, false
	case !there && len(w.model.groups) == model.MaxConvGroups:
		return tim.ErrSVRConvConvGroupTotalCountExceedLimit, nil, false
	case g.Change == protocol.ConvGroupDelete:
		w.model.regroup(&g)
		return 0, nil, true
	case g.Change == protocol.ConvGroupRename && g.New == g.Name:
		return 0, nil, false
	case g.Change == protocol.ConvGroupRename && taken:
		return tim.ErrInvalidParameters, nil, false
	case g.Change == protocol.ConvGroupRename:
		w.model.regroup(&g)
		return 0, nil, true
	}
	if !there {
		in, changes = map[protocol.Target]bool{}, true
		w.model.groups[g.Name] = in
	}
	for _, c := range where {
		code := 0
		remove, is := g.Change == protocol.ConvGroupRemove, in[target(c)]
		switch {
		case remove && c == nobody, !remove && !is && !w.mayOpen(c):
			code = tim.ErrSVRConvConvMarkOperateFailed
		case remove == is:
			changes = true
			if in[target(c)] = true; remove {
				delete(in, target(c))
			}
		}
		codes = append(codes, code)
	}
	return 0, codes, changes
}

// clear deletes conversations in which nobody has said anything: they are there by what is attached to them.
func (w *world) clear(t *rapid.T) {
	c := rapid.SampledFrom(pool()).Draw(t, "conversation")
	if c.GID != 0 {
		t.Skip("needs a room, see the server's tests")
	}
	key, v := w.key(), message.Move{Where: c, Keep: rapid.Bool().Draw(t, "keep")}
	before := w.model.String()
	if !v.Keep {
		w.model.forget(target(c))
	}
	gone := before != w.model.String()
	a, code, entries, err := w.rig.clear(key, v)
	if err != nil || code != 0 || gone != (entries == 1) || gone != (a.Pos != 0) {
		t.Fatalf("clear %v: %+v, code %d, %d entries, %v", target(c), a, code, entries, err)
	}
	if gone {
		w.again = append(w.again, func(t *rapid.T) {
			if b, code, entries, err := w.rig.clear(key, v); err != nil || code != 0 || entries != 0 || b != a {
				t.Fatalf("again: %+v, code %d, %d entries, %v; first %+v", b, code, entries, err, a)
			}
		})
	}
}

func (w *world) remember(a protocol.ConvsSet, repeat func() (protocol.ConvsSet, int, int, error)) {
	if a.Pos == 0 {
		return
	}
	w.again = append(w.again, func(t *rapid.T) {
		if b, code, entries, err := repeat(); err != nil || code != 0 || entries != 0 || b.Pos != a.Pos || !slices.Equal(a.Codes, b.Codes) {
			t.Fatalf("again: %+v, code %d, %d entries, %v; first %+v", b, code, entries, err, a)
		}
	})
}

func (w *world) repeat(t *rapid.T) {
	if len(w.again) == 0 {
		t.Skip("nothing to repeat")
	}
	rapid.SampledFrom(w.again).Draw(t, "request")(t)
}

func (w *world) comeAndGo(t *rapid.T) {
	gid := rapid.Int64Range(1, 4).Draw(t, "gid")
	w.in[gid] = !w.in[gid]
}

// check compares the model, the answer to a new device and the log of an old one.
func (w *world) check(t *rapid.T) {
	_, all, err := w.all()
	if err != nil {
		t.Fatal(err)
	}
	if got := viewOf(all); got.String() != w.model.String() {
		t.Fatalf("a new device gets\n%v\nwant\n%v", got, w.model)
	}
	for {
		var l protocol.Log
		err := w.store.Read(context.Background(), func(q sqlite.Queryer) error {
			body, err := w.reader.Diff(q, self.UID, self.UID, protocol.Diff{Epoch: w.store.Epoch(), Pos: w.pos})
			l = protocol.ParseLog(body)
			return err
		})
		if err != nil || l.TooLong {
			t.Fatal(err, l.TooLong)
		}
		for i := range l.Entries {
			if err := w.other.apply(&l.Entries[i]); err != nil {
				t.Fatal(err)
			}
		}
		if w.pos += uint64(len(l.Entries)); w.pos == l.Pos {
			break
		}
	}
	if w.other.String() != w.model.String() {
		t.Fatalf("another device has\n%v\nwant\n%v", w.other, w.model)
	}
}

// TestRandomChanges holds answers, entries and pages against a model.
func TestRandomChanges(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		own := filepath.Join(dir, fmt.Sprint(runs))
		w := &world{rig: open(t, own), model: newView(), other: newView()}
		defer os.RemoveAll(own)
		defer w.store.Close()
		t.Repeat(map[string]func(*rapid.T){"set": w.set, "group": w.regroup, "clear": w.clear, "repeat": w.repeat,
			"come and go": w.comeAndGo, "look": w.check})
		w.check(t)
	})
}
