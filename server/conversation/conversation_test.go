package conversation_test

import (
	"slices"
	"strings"
	"testing"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
)

func fresh(t *testing.T) *rig {
	t.Helper()
	r := open(t, t.TempDir())
	t.Cleanup(func() { r.store.Close() })
	return r
}

// between returns users lo to hi.
func between(lo, hi int64) (list []message.Where) {
	for n := lo; n <= hi; n++ {
		list = append(list, user(n))
	}
	return list
}

// mustSet sets an attribute of any number of conversations and returns their codes.
func (r *rig) mustSet(t *testing.T, where []message.Where, s *protocol.SetAttributes) (codes []int) {
	t.Helper()
	for some := range slices.Chunk(where, model.MaxConvs) {
		a, code, _, err := r.set(r.key(), some, s)
		if err != nil || code != 0 {
			t.Fatalf("code %d, %v", code, err)
		}
		codes = append(codes, a.Codes...)
	}
	return codes
}

func (r *rig) mustGroup(t *testing.T, do, name string, where []message.Where) (codes []int) {
	t.Helper()
	for some := range slices.Chunk(where, model.MaxConvs) {
		a, code, _, err := r.group(r.key(), some, &protocol.ConvGroupChange{Change: do, Name: name})
		if err != nil || code != 0 {
			t.Fatalf("code %d, %v", code, err)
		}
		codes = append(codes, a.Codes...)
	}
	return codes
}

// onlyFirst says whether the first n codes are 0 and all others the given one.
func onlyFirst(codes []int, n, code int) bool {
	for i, c := range codes {
		if i < n && c != 0 || i >= n && c != code {
			return false
		}
	}
	return len(codes) >= n
}

func mark(bits uint64, on bool) *protocol.SetAttributes {
	return &protocol.SetAttributes{Mark: &protocol.Mark{Bits: bits, On: on}}
}

func custom(text string) *protocol.SetAttributes { return &protocol.SetAttributes{Custom: &text} }

func pin(on bool) *protocol.SetAttributes { return &protocol.SetAttributes{Pin: &on} }

func TestMarksCustomDataAndGroupsAreCountedApart(t *testing.T) {
	r := fresh(t)
	const max = model.MaxAttributed
	if codes := r.mustSet(t, between(1, max-50), mark(1, true)); !onlyFirst(codes, max-50, 0) {
		t.Fatal(codes)
	}
	// Conversations that are marked already take no room.
	if codes := r.mustSet(t, between(max-99, max), mark(2, true)); !onlyFirst(codes, 100, 0) {
		t.Errorf("up to the limit: %v", codes)
	}
	if codes := r.mustSet(t, between(max-1, max+2), mark(4, true)); !onlyFirst(codes, 2, tim.ErrSVRConvConvMarkTotalCountExceedLimit) {
		t.Errorf("beyond the limit: %v", codes)
	}
	r.mustSet(t, between(1, 1), mark(3, false))
	if codes := r.mustSet(t, between(max+1, max+2), mark(1, true)); !onlyFirst(codes, 1, tim.ErrSVRConvConvMarkTotalCountExceedLimit) {
		t.Errorf("after one had lost its marks: %v", codes)
	}
	if codes := r.mustSet(t, between(max+1, 2*max+1), custom("x")); !onlyFirst(codes, max, tim.ErrSVRConvConvMarkTotalCountExceedLimit) {
		t.Errorf("custom data: %v", codes)
	}
	r.mustGroup(t, protocol.ConvGroupCreate, "a", between(3*max-99, 3*max-50)) // which take no room in another group
	if codes := r.mustGroup(t, protocol.ConvGroupCreate, "b", between(2*max+1, 3*max+1)); !onlyFirst(codes, max, tim.ErrSVRConvConvMarkTotalCountExceedLimit) {
		t.Errorf("in groups: %v", codes)
	}
	if codes := r.mustGroup(t, protocol.ConvGroupAdd, "a", between(3*max-1, 3*max)); !onlyFirst(codes, 2, 0) {
		t.Errorf("a second group: %v", codes)
	}
	if _, all, err := r.all(); err != nil || len(all.Convs) != 2*max-1 || len(all.Groups) != 2 || len(all.Groups[1].Convs) != max {
		t.Errorf("%d conversations, %v", len(all.Convs), err)
	}
}

func TestEverythingThatFitsComesInPages(t *testing.T) {
	r := fresh(t)
	const max = model.MaxAttributed
	want := newView()
	text := strings.Repeat("\x01", model.MaxConvCustom) // six times as long as JSON
	r.mustSet(t, between(1, max), custom(text))
	for _, w := range between(1, max) {
		want.put(protocol.Attributes{Target: target(w), Custom: text})
	}
	for n := range model.MaxConvGroups {
		name := strings.Repeat("g", n+1)
		where := between(1, max)
		if n%5 == 0 {
			where = nil // an empty one comes too
			if _, code, _, err := r.group(r.key(), nil, &protocol.ConvGroupChange{Change: protocol.ConvGroupCreate, Name: name}); err != nil || code != 0 {
				t.Fatal(code, err)
			}
		}
		r.mustGroup(t, protocol.ConvGroupCreate, name, where)
		want.groups[name] = map[protocol.Target]bool{}
		for _, w := range where {
			want.groups[name][target(w)] = true
		}
	}
	pages, all, err := r.all()
	if err != nil || pages < 3 {
		t.Fatalf("%d pages, %v", pages, err)
	}
	if len(all.Convs) != max || len(all.Groups) != model.MaxConvGroups || viewOf(all).String() != want.String() {
		t.Errorf("%d conversations and %d groups in %d pages are not what was attached", len(all.Convs), len(all.Groups), pages)
	}
}

func TestWhatCannotBeAttached(t *testing.T) {
	r := fresh(t)
	yes, text := true, "x"
	for name, s := range map[string]*protocol.SetAttributes{
		"nothing": {}, "two": {Pin: &yes, Custom: &text}, "no mark": mark(0, true), "an undefined mark": mark(1|1<<4, true),
		"long custom data": custom(strings.Repeat("x", model.MaxConvCustom+1)),
	} {
		if _, code, _, err := r.set(r.key(), between(1, 1), s); code != tim.ErrInvalidParameters || err != nil {
			t.Errorf("%s: code %d, %v", name, code, err)
		}
	}
	long := strings.Repeat("n", model.MaxConvGroupName+1)
	r.mustGroup(t, protocol.ConvGroupCreate, "there", between(1, 1))
	for _, c := range []struct {
		protocol.ConvGroupChange
		want int
	}{
		{protocol.ConvGroupChange{Change: protocol.ConvGroupCreate}, tim.ErrInvalidParameters},
		{protocol.ConvGroupChange{Change: protocol.ConvGroupCreate, Name: long}, tim.ErrSVRConvConvGroupNameExceedLength},
		{protocol.ConvGroupChange{Change: protocol.ConvGroupRename, Name: "there"}, tim.ErrInvalidParameters},
		{protocol.ConvGroupChange{Change: protocol.ConvGroupRename, Name: "there", New: long}, tim.ErrSVRConvConvGroupNameExceedLength},
		{protocol.ConvGroupChange{Change: protocol.ConvGroupRename, Name: "missing", New: "x"}, tim.ErrSVRConvConvGroupNotExist},
		{protocol.ConvGroupChange{Change: "fly", Name: "there"}, tim.ErrInvalidParameters},
	} {
		if _, code, _, err := r.group(r.key(), between(1, 1), &c.ConvGroupChange); code != c.want || err != nil {
			t.Errorf("%+v: code %d, want %d, %v", c.ConvGroupChange, code, c.want, err)
		}
	}
	long = long[:model.MaxConvGroupName]
	r.mustGroup(t, protocol.ConvGroupCreate, long, nil)
	r.mustSet(t, between(1, 1), custom(strings.Repeat("x", model.MaxConvCustom)))
}

func TestAGroupThatWasLeftLosesOnly(t *testing.T) {
	r := fresh(t)
	r.in[1] = true
	r.mustSet(t, []message.Where{group(1)}, pin(true))
	r.mustSet(t, []message.Where{group(1)}, custom("x"))
	r.in[1] = false
	const failed = tim.ErrSVRConvConvMarkOperateFailed
	for _, c := range []struct {
		name string
		s    *protocol.SetAttributes
		want int
	}{{"another text", custom("y"), failed}, {"a mark", mark(1, true), failed}, {"the same again", pin(true), 0},
		{"no text", custom(""), 0}, {"no pin", pin(false), 0}, {"nothing to take away", pin(false), failed}} {
		if codes := r.mustSet(t, []message.Where{group(1)}, c.s); codes[0] != c.want {
			t.Errorf("%s: code %d, want %d", c.name, codes[0], c.want)
		}
	}
	if codes := r.mustGroup(t, protocol.ConvGroupCreate, "a", []message.Where{group(1), nobody, user(1)}); !slices.Equal(codes, []int{failed, failed, 0}) {
		t.Errorf("into a group: %v", codes)
	}
}
