package search

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"timbre/sqlite"
)

// failer is a test or a run of a property.
type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// fixture is an index in a database of its own.
type fixture struct {
	t  failer
	db *sqlite.DB
	*Index
}

// open makes an empty index, in memory when path is "".
func open(t testing.TB, path string) *fixture {
	t.Helper()
	db, err := sqlite.Open(sqlite.Config{Path: path, Schemas: []sqlite.Schema{Schema("find")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &fixture{t, db, New("find")}
}

func (f *fixture) write(change func(*sqlite.Tx) error) {
	f.t.Helper()
	if err := f.db.Write(context.Background(), change); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) put(d Doc, s string) {
	f.t.Helper()
	f.write(func(tx *sqlite.Tx) error { return f.Put(tx, d, s) })
}

func (f *fixture) page(q Query, in Span, offset, limit int) (rows []int64, total int) {
	f.t.Helper()
	err := f.db.Read(context.Background(), func(r sqlite.Queryer) (err error) {
		rows, total, err = f.Page(r, q, in, offset, limit)
		return err
	})
	if err != nil {
		f.t.Fatalf("page of %+v: %v", q, err)
	}
	return rows, total
}

// totals leaves the number inside the index out of what it returns.
func (f *fixture) totals(q Query, in ...Span) (all []Hits) {
	f.t.Helper()
	err := f.db.Read(context.Background(), func(r sqlite.Queryer) (err error) {
		all, err = f.Totals(r, q, in...)
		return err
	})
	if err != nil {
		f.t.Fatalf("totals of %+v: %v", q, err)
	}
	for i := range all {
		all[i].newest = 0
	}
	return all
}

func word(keywords ...string) Query { return Query{Keywords: keywords} }

func TestKeywords(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "x.db"))
	texts := []string{
		1:  "今天天气很好",
		2:  "买iPhone15手机壳",
		3:  "你好，世界",
		4:  "Hello World 3.14",
		5:  "太好了\U0001f44d\U0001f3fd\U0001f468\u200d\U0001f469\u200d\U0001f467",
		6:  "東京タワーへ行きたい",
		7:  "안녕하세요 여러분",
		8:  "ＷＩＤＥ ｶﾅ",
		9:  "I ❤\ufe0f you",
		10: "天，气",
	}
	for row, s := range texts {
		f.put(Doc{Conv: 1, Place: int64(row), Row: int64(row), Time: int64(row)}, s)
	}
	for _, c := range []struct {
		keyword string
		want    []int64
	}{
		{"天", []int64{10, 1}}, {"气", []int64{10, 1}}, {"天气", []int64{1}}, {"天天气", []int64{1}}, {"今天天气很好", []int64{1}},
		{"今气", nil}, {"好", []int64{5, 3, 1}}, {"太", []int64{5}}, {"了", []int64{5}},
		{"机", []int64{2}}, {"手机壳", []int64{2}}, {"iph", []int64{2}}, {"IPHONE", []int64{2}}, {"phone", nil}, {"ｉＰｈ", []int64{2}},
		{"买iPhone15手机", []int64{2}}, {"15手", []int64{2}}, {"1手", nil}, {"1", []int64{4, 2}}, {"iphone 15", []int64{2}}, {"iphone1", []int64{2}},
		{"你好世界", nil}, {"你好 世界", []int64{3}}, {"你 好", nil}, {"好，世", []int64{3}},
		{"hello", []int64{4}}, {"hello wor", []int64{4}}, {"hell world", nil}, {"world hello", nil}, {"3.1", []int64{4}}, {"14", []int64{4}},
		{"\U0001f44d", []int64{5}}, {"了\U0001f44d", []int64{5}}, {"\U0001f468", []int64{5}}, {"\U0001f468\u200d\U0001f469\u200d\U0001f467", []int64{5}}, {"\U0001f469", nil},
		{"タワ", []int64{6}}, {"ー", []int64{6}}, {"東京タワー", []int64{6}}, {"行き", []int64{6}}, {"京", []int64{6}},
		{"안녕", []int64{7}}, {"세", []int64{7}}, {"세요 여", []int64{7}}, {"wide", []int64{8}}, {"カナ", []int64{8}}, {"ｶﾅ", []int64{8}},
		{"❤", []int64{9}}, {"❤\ufe0f", []int64{9}}, {"i ❤ y", []int64{9}}, {"", nil}, {"!", nil},
	} {
		rows, total := f.page(word(c.keyword), Whole(1), 0, 0)
		if !slices.Equal(rows, c.want) || total != len(c.want) {
			t.Errorf("%q: rows %v of %d, want %v", c.keyword, rows, total, c.want)
		}
	}
}

func TestPutReplacesAndRemoves(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "x.db"))
	d := Doc{Conv: 3, Place: 7, Row: 1, Time: 10}
	expect := func(step, keyword string, want ...Hits) {
		t.Helper()
		if got := f.totals(word(keyword)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q has %+v, want %+v", step, keyword, got, want)
		}
	}
	f.put(d, "旧的")
	f.put(d, "新的")
	expect("after a change", "旧的")
	expect("after a change", "新", Hits{Conv: 3, Count: 1, Row: 1, Time: 10})
	d.Conv, d.Place, d.Time = 4, 9, 20
	f.put(d, "新的")
	expect("after a move", "新的", Hits{Conv: 4, Count: 1, Row: 1, Time: 20})
	f.put(d, "...")
	expect("after an empty text", "新")
	f.put(d, "新的")
	f.write(func(tx *sqlite.Tx) error { return f.Remove(tx, 1, 2) })
	expect("after its removal", "新")
}

func TestPlacesOutOfRange(t *testing.T) {
	f := open(t, "")
	for _, d := range []Doc{{Conv: -1}, {Conv: MaxConv + 1}, {Place: -1}, {Place: MaxPlace + 1}} {
		err := f.db.Write(context.Background(), func(tx *sqlite.Tx) error { return f.Put(tx, d, "x") })
		if !errors.Is(err, ErrRange) {
			t.Errorf("%+v: %v, want ErrRange", d, err)
		}
	}
	f.put(Doc{MaxConv, MaxPlace, 1, 1}, "x")
	f.put(Doc{0, 0, 2, 2}, "x")
	want := []Hits{{Conv: 0, Count: 1, Row: 2, Time: 2}, {Conv: MaxConv, Count: 1, Row: 1, Time: 1}}
	if got := f.totals(word("x")); !reflect.DeepEqual(got, want) {
		t.Errorf("at the edges: %+v, want %+v", got, want)
	}
	if rows, _ := f.page(word("x"), Whole(MaxConv), 0, 0); !slices.Equal(rows, []int64{1}) {
		t.Errorf("in the last conversation: %v", rows)
	}
}

// Messages that share a place stay in the order of their arrival; what a place cannot hold is found as the newest.
func TestManyAtOnePlace(t *testing.T) {
	f := open(t, "")
	row, want := int64(0), []int64{}
	add := func(place int64) int64 {
		row++
		f.put(Doc{Conv: 1, Place: place, Row: row}, "x")
		return row
	}
	for range 100 {
		want = append(want, add(0))
	}
	for range 8 {
		want = append(want, add(1))
	}
	next := add(2)
	want = append(want, next, add(1), add(1))
	slices.Reverse(want)
	if rows, _ := f.page(word("x"), Whole(1), 0, 0); !slices.Equal(rows, want) {
		t.Errorf("%v\nwant %v", rows, want)
	}
	if got := f.totals(word("x"), Span{1, 1, 1}); len(got) != 1 || got[0].Count != 8 {
		t.Errorf("at the full place: %+v, want 8 hits", got)
	}
	f.put(Doc{Conv: 1, Place: 0, Row: want[len(want)-1]}, "x again")
	if rows, _ := f.page(word("x"), Whole(1), 0, 0); !slices.Equal(rows, want) {
		t.Errorf("after a change of the oldest: %v\nwant %v", rows, want)
	}
}

// With more hits than it is worth to read, each stretch is asked for alone; the answer is the same.
func TestTotalsOfStretchesInABigIndex(t *testing.T) {
	f := open(t, "")
	const each = 3000
	f.write(func(tx *sqlite.Tx) error {
		for i := range int64(convs * each) {
			if err := f.Put(tx, Doc{Conv: i % convs, Place: i / convs, Row: i, Time: i}, "大家好"); err != nil {
				return err
			}
		}
		return nil
	})
	in := []Span{{2, 2010, 2019}, {0, 100, MaxPlace}, {9, 0, MaxPlace}}
	want := []Hits{{Conv: 0, Count: each - 100, Row: convs * (each - 1), Time: convs * (each - 1)}, {Conv: 2, Count: 10, Row: 2019*convs + 2, Time: 2019*convs + 2}}
	if got := f.totals(word("家"), in...); !reflect.DeepEqual(got, want) {
		t.Errorf("in %v: %+v, want %+v", in, got, want)
	}
	if n := each * convs; n <= perSpan*len(in) {
		t.Errorf("%d hits do not reach the limit", n)
	}
}

// What waits to be written at the end of a transaction is found inside it.
func TestATransactionFindsWhatItWrote(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "x.db"))
	f.write(func(tx *sqlite.Tx) error {
		for _, step := range []struct {
			change func() error
			want   []int64
		}{
			{func() error { return f.Put(tx, Doc{Conv: 1, Place: 2, Row: 2}, "你好") }, []int64{2}},
			{func() error { return f.Put(tx, Doc{Conv: 1, Place: 1, Row: 1}, "你好") }, []int64{2, 1}},
			{func() error { return f.Remove(tx, 2) }, []int64{1}},
			{func() error { return f.RemoveSpan(tx, Span{1, 1, 1}) }, nil},
		} {
			if err := step.change(); err != nil {
				return err
			}
			rows, _, err := f.Page(tx, word("你好"), Whole(1), 0, 0)
			if !slices.Equal(rows, step.want) || err != nil {
				t.Errorf("rows %v, %v, want %v", rows, err, step.want)
			}
		}
		return nil
	})
}

// barred is a text as the package comment writes it.
func barred(s string) string {
	out := "|"
	for _, r := range runs(s) {
		out += string(r.text) + "|"
	}
	return out
}

func FuzzQuery(f *testing.F) {
	db := open(f, "").db
	for _, s := range [][2]string{{"今天天气", "天气"}, {"买iPhone15手机", "15手"}, {"好", `" OR "`}, {"a", "*"}, {"你好，世界", "好 世"},
		{"x", "NEAR(x y)"}, {"\U0001f468\u200d\U0001f469", "\U0001f468"}, {"\x00", "\x00"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, s, keyword string) {
		x := &fixture{t, db, New("find")}
		x.put(Doc{Conv: 1, Row: 1}, s)
		_, total := x.page(word(keyword), Whole(1), 0, 0)
		if want := found(barred(s), barredKeyword(runs(keyword))); (total == 1) != want && len(runs(keyword)) < maxTerms/2 {
			t.Fatalf("%q in %q: %d hits, by the definition %v", keyword, s, total, want)
		}
		x.totals(Query{Keywords: []string{keyword, s, `"`}, All: true})
	})
}

// barredKeyword leaves the bars out where a keyword may begin or end inside a run.
func barredKeyword(all []run) string {
	out := ""
	for i, r := range all {
		if i > 0 || r.kind != glyph {
			out += "|"
		}
		out += string(r.text)
	}
	return out
}

func ExampleIndex_Page() {
	db, _ := sqlite.Open(sqlite.Config{Schemas: []sqlite.Schema{Schema("message_index")}})
	defer db.Close()
	index := New("message_index")
	_ = db.Write(context.Background(), func(tx *sqlite.Tx) error {
		return index.Put(tx, Doc{Conv: 1, Place: 1, Row: 42, Time: 1700000000000}, "买iPhone15手机")
	})
	_ = db.Read(context.Background(), func(r sqlite.Queryer) error {
		rows, total, err := index.Page(r, Query{Keywords: []string{"手机", "iph"}, All: true}, Whole(1), 0, 20)
		fmt.Println(rows, total, err)
		return err
	})
	// Output: [42] 1 <nil>
}
