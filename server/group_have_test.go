package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

func TestGroupAttributes(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	n := 0
	write := func(by, way string, v uint64, attrs map[string]string, keys ...string) (protocol.GroupAttributes, int) {
		t.Helper()
		n++
		a := who[by].call(protocol.OpGroupSetAttributes, fmt.Sprint("a", n), protocol.Marshal(protocol.SetGroupAttributes{Group: group, Way: way, Attrs: attrs, Keys: keys, Version: v}))
		var got protocol.GroupAttributes
		if len(a.Body) > 0 {
			if err := json.Unmarshal(a.Body, &got); err != nil {
				t.Fatal(err)
			}
		}
		return got, a.Code
	}
	first, code := write("member", protocol.AttributesInit, 0, map[string]string{"a": "1", "b": "2"})
	if code != 0 || first.Version == 0 || len(first.Attrs) != 2 {
		t.Fatalf("code %d, %+v", code, first)
	}
	for _, name := range []string{"owner", "admin", "member"} {
		if e := dataOf[protocol.GroupAttributes](t, who[name].kinds(protocol.EntryGroupAttributes)[0]); e.Version != first.Version || e.Attrs["a"] != "1" || e.Attrs["b"] != "2" {
			t.Errorf("%s got %+v", name, e)
		}
	}
	if got, code := write("owner", protocol.AttributesSet, 0, map[string]string{"a": "stale"}); code != tim.ErrSVRGroupAttributeWriteConfilct || got.Attrs["a"] != "1" || got.Version != first.Version {
		t.Errorf("who had not read wrote with code %d, %+v", code, got)
	}
	if _, code := write("owner", protocol.AttributesSet, 0, map[string]string{"c": "3"}); code != 0 {
		t.Errorf("a key that nobody wrote: code %d", code)
	}
	if got := ask[protocol.GroupAttributes](who["admin"], protocol.OpGroupAttributes, "", protocol.AskGroupAttributes{Group: group}); len(got.Attrs) != 3 || got.Version != first.Version+1 {
		t.Errorf("all attributes: %+v", got)
	}
	if got := ask[protocol.GroupAttributes](who["admin"], protocol.OpGroupAttributes, "", protocol.AskGroupAttributes{Group: group, Keys: []string{"c", "none"}}); len(got.Attrs) != 1 || got.Attrs["c"] != "3" {
		t.Errorf("one attribute: %+v", got)
	}
	if _, code := write("admin", protocol.AttributesDelete, first.Version+1, nil, "none"); code != model.CodeAttributeNotFound {
		t.Errorf("deleting nothing: code %d", code)
	}
	if got, code := write("admin", protocol.AttributesDelete, first.Version+1, nil, "a"); code != 0 || len(got.Attrs) != 2 {
		t.Errorf("deleting one: code %d, %+v", code, got)
	}
	if got, code := write("member", protocol.AttributesDelete, first.Version+2, nil); code != 0 || len(got.Attrs) != 0 {
		t.Errorf("deleting all: code %d, %+v", code, got)
	}
	if e := who["owner"].kinds(protocol.EntryGroupAttributes, protocol.EntryGroupAttributes, protocol.EntryGroupAttributes); len(dataOf[protocol.GroupAttributes](t, e[2]).Attrs) != 0 {
		t.Errorf("the owner thinks there are %s", e[2].Data)
	}
	if _, code := write("other", protocol.AttributesSet, 0, map[string]string{"x": "y"}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a stranger wrote with code %d", code)
	}
	if got := who["other"].code(protocol.OpGroupAttributes, "", protocol.AskGroupAttributes{Group: group}); got != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a stranger read with code %d", got)
	}
}

func TestAttributesTooOften(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	var answers []<-chan protocol.Answer
	begun := time.Now()
	for i := range 30 {
		answers = append(answers, who["owner"].start(protocol.OpGroupSetAttributes, fmt.Sprint(i), protocol.Marshal(protocol.SetGroupAttributes{
			Group: group, Way: protocol.AttributesSet, Attrs: map[string]string{"k": "v"}, Version: 1 << 40})))
	}
	codes := map[int]int{}
	for _, a := range answers {
		codes[who["owner"].await(a).Code]++
	}
	most := 5 * (int(time.Since(begun)/time.Second) + 2) // seconds of the clock that it took have begun
	if codes[0] < 5 || codes[0] > most || codes[0]+codes[model.CodeAttributeRate] != 30 {
		t.Errorf("codes %v, at most %d may pass", codes, most)
	}
}

func TestGroupCounters(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	n := 0
	count := func(by string, add bool, counters ...protocol.Counter) (protocol.GroupCounters, int) {
		t.Helper()
		n++
		a := who[by].call(protocol.OpGroupSetCounters, fmt.Sprint("c", n), protocol.Marshal(protocol.SetGroupCounters{Group: group, Add: add, Counters: counters}))
		var got protocol.GroupCounters
		if a.Code == 0 {
			if err := json.Unmarshal(a.Body, &got); err != nil {
				t.Fatal(err)
			}
		}
		return got, a.Code
	}
	const top = 1<<63 - 1
	if got, code := count("member", false, protocol.Counter{Key: "likes", Value: top - 1}, protocol.Counter{Key: "low", Value: -top}); code != 0 || len(got.Counters) != 2 {
		t.Fatalf("code %d, %+v", code, got)
	}
	if got, code := count("owner", true, protocol.Counter{Key: "likes", Value: 1}, protocol.Counter{Key: "new", Value: -3}); code != 0 ||
		!slices.Equal(got.Counters, []protocol.Counter{{Key: "likes", Value: top}, {Key: "new", Value: -3}}) {
		t.Errorf("code %d, %+v", code, got)
	}
	for _, c := range []protocol.Counter{{Key: "likes", Value: 1}, {Key: "low", Value: -2}, {Key: "low", Value: -top}} {
		if _, code := count("owner", true, protocol.Counter{Key: "new", Value: 1}, c); code != tim.ErrSVRGroupInvalidParameters {
			t.Errorf("%+v did not fit and got code %d", c, code)
		}
	}
	var told []protocol.Counter
	for _, e := range who["admin"].kinds(slices.Repeat([]string{protocol.EntryGroupCounter}, 4)...) {
		told = append(told, dataOf[protocol.Counter](t, e))
	}
	if want := []protocol.Counter{{Key: "likes", Value: top - 1}, {Key: "low", Value: -top}, {Key: "likes", Value: top}, {Key: "new", Value: -3}}; !slices.Equal(told, want) {
		t.Errorf("the admin was told %+v, want %+v", told, want)
	}
	if got := ask[protocol.GroupCounters](who["admin"], protocol.OpGroupCounters, "", protocol.AskGroupAttributes{Group: group, Keys: []string{"new", "none"}}); !slices.Equal(got.Counters, []protocol.Counter{{Key: "new", Value: -3}}) {
		t.Errorf("one counter: %+v", got)
	}
	var many []protocol.Counter
	for i := range model.MaxCounters - 2 {
		many = append(many, protocol.Counter{Key: fmt.Sprint(i)})
	}
	if _, code := count("owner", false, many...); code != model.CodeCounterCount {
		t.Errorf("one counter too many: code %d", code)
	}
	if _, code := count("owner", false, many[1:]...); code != 0 {
		t.Errorf("as many counters as there may be: code %d", code)
	}
	if _, code := count("owner", false, protocol.Counter{Key: strings.Repeat("k", 129)}); code != tim.ErrSVRGroupInvalidParameters {
		t.Errorf("a long key: code %d", code)
	}
	if _, code := count("other", true, protocol.Counter{Key: "likes", Value: 1}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a stranger counted with code %d", code)
	}
}

func TestAttributeLimits(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	many := func(n, size int) map[string]string {
		attrs := map[string]string{}
		for i := range n {
			attrs[fmt.Sprint(i)] = strings.Repeat("v", size)
		}
		return attrs
	}
	key := func(n int) map[string]string { return map[string]string{strings.Repeat("k", n): "v"} }
	for i, c := range []struct {
		attrs map[string]string
		code  int
	}{
		{many(16, 1000), 0}, {many(17, 1), model.CodeAttributeCount}, {key(32), 0}, {key(33), model.CodeAttributeKeySize},
		{key(0), tim.ErrSVRGroupInvalidParameters}, {many(4, 4000), 0}, {many(1, 4001), model.CodeAttributeSize},
		{many(5, 3201), model.CodeAttributesSize},
	} {
		group := alice.create(protocol.CreateGroup{ID: fmt.Sprint("g", i), Type: tim.GroupPrivate, Name: "n"})
		if got := alice.code(protocol.OpGroupSetAttributes, fmt.Sprint("a", i), protocol.SetGroupAttributes{Group: group, Way: protocol.AttributesInit, Attrs: c.attrs}); got != c.code {
			t.Errorf("%d: code %d, want %d", i, got, c.code)
		}
	}
}
