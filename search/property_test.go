package search

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"timbre/sqlite"
)

// found says whether a keyword is in a text, both in the notation of the package comment.
func found(text, keyword string) bool { return keyword != "" && strings.Contains(text, keyword) }

// The model knows four kinds of characters and writes bars between their runs by itself.
const alphabet = "你好世界天abA12 ，\U0001f44d"

func classOf(r rune) int {
	switch {
	case strings.ContainsRune("你好世界天", r):
		return 1
	case strings.ContainsRune("abA", r):
		return 2
	case strings.ContainsRune("12", r):
		return 3
	case r == '\U0001f44d':
		return 4
	}
	return 0
}

// bars writes the runs of a text of this alphabet; as a keyword, without the bars where it may begin or end in a run.
func bars(s string, keyword bool) string {
	out, last := "", 0
	for _, r := range strings.ToLower(s) {
		c := classOf(r)
		if c != 0 && (c != last || c == 4) && (out != "" || c != 1 || !keyword) {
			out += "|"
		}
		if c != 0 {
			out += string(r)
		}
		last = c
	}
	if !keyword {
		out += "|"
	}
	return out
}

type modelDoc struct {
	Doc
	text  string
	stamp int // rises with each number that the index gives out
}

// model is what the index must answer, by looking at every text.
type model struct {
	docs  map[int64]modelDoc // by row
	stamp int
	time  int64
}

func (m *model) put(d Doc, s string) {
	old, had := m.docs[d.Row]
	delete(m.docs, d.Row)
	if bars(s, true) == "" {
		return
	}
	m.stamp++
	stamp := m.stamp
	if had && old.Conv == d.Conv && old.Place == d.Place {
		stamp = old.stamp
	}
	m.docs[d.Row] = modelDoc{d, s, stamp}
}

func (m *model) removeSpan(s Span) {
	for row, d := range m.docs {
		if d.in(s) {
			delete(m.docs, row)
		}
	}
}

func (d modelDoc) in(s Span) bool { return d.Conv == s.Conv && d.Place >= s.From && d.Place <= s.To }

func (d modelDoc) hit(q Query) bool {
	if q.Where != "" && d.Row%2 != q.Args[0].(int64) {
		return false
	}
	for _, k := range q.Keywords {
		if found(bars(d.text, false), bars(k, true)) != q.All {
			return !q.All
		}
	}
	return q.All
}

// page returns all hits in some stretches, conversation by conversation, each from its newest.
func (m *model) page(q Query, in ...Span) []modelDoc {
	var hits []modelDoc
	for _, d := range m.docs {
		if d.hit(q) && slices.ContainsFunc(in, d.in) {
			hits = append(hits, d)
		}
	}
	slices.SortFunc(hits, func(a, b modelDoc) int {
		return cmp.Or(cmp.Compare(b.Conv, a.Conv), cmp.Compare(b.Place, a.Place), cmp.Compare(b.stamp, a.stamp))
	})
	return hits
}

func (m *model) totals(q Query, in ...Span) []Hits {
	var all []Hits
	for _, d := range m.page(q, in...) {
		if len(all) == 0 || all[len(all)-1].Conv != d.Conv {
			all = append(all, Hits{Conv: d.Conv, Row: d.Row, Time: d.Time})
		}
		all[len(all)-1].Count++
	}
	slices.SortStableFunc(all, func(a, b Hits) int { return cmp.Compare(b.Time, a.Time) })
	return all
}

const convs, places, rows = 3, 12, 30

func drawSpan(t *rapid.T, conv int64) Span {
	from := rapid.Int64Range(0, places).Draw(t, "from")
	return Span{conv, from, rapid.Int64Range(from, places).Draw(t, "to")}
}

func drawText(t *rapid.T, most int) string {
	return rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 0, most, -1).Draw(t, "text")
}

func drawQuery(t *rapid.T) Query {
	q := Query{All: rapid.Bool().Draw(t, "all")}
	for range rapid.IntRange(1, 3).Draw(t, "keywords") {
		q.Keywords = append(q.Keywords, drawText(t, 4))
	}
	if rapid.Bool().Draw(t, "filter") {
		q.Where, q.Args = "hit.row%2=?", []any{rapid.Int64Range(0, 1).Draw(t, "parity")}
	}
	return q
}

func TestTheIndexAnswersAsALookAtEveryTextWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, m := openRapid(t), &model{docs: map[int64]modelDoc{}}
		defer f.db.Close()
		t.Repeat(map[string]func(*rapid.T){
			"change": func(t *rapid.T) {
				changes := rapid.SliceOfN(rapid.Custom(m.drawChange), 1, 8).Draw(t, "changes")
				f.write(func(tx *sqlite.Tx) error {
					for _, c := range changes {
						if err := c(f, tx); err != nil {
							return err
						}
					}
					return nil
				})
			},
			"page": func(t *rapid.T) { comparePage(t, f, m) },
			"totals": func(t *rapid.T) {
				q, in := drawQuery(t), []Span{Whole(0), Whole(1), Whole(2)}
				compareTotals(t, f.totals(q), m.totals(q, in...), q)
				in = []Span{drawSpan(t, 2), drawSpan(t, 0)}
				compareTotals(t, f.totals(q, in...), m.totals(q, in...), q)
			},
		})
	})
}

// drawChange makes a change in the model and returns the same for the index.
func (m *model) drawChange(t *rapid.T) func(*fixture, *sqlite.Tx) error {
	conv, row := rapid.Int64Range(0, convs-1).Draw(t, "conv"), rapid.Int64Range(0, rows).Draw(t, "row")
	switch rapid.SampledFrom([]string{"put", "put", "put", "put", "remove", "remove a stretch"}).Draw(t, "change") {
	case "remove":
		delete(m.docs, row)
		return func(f *fixture, tx *sqlite.Tx) error { return f.Remove(tx, row) }
	case "remove a stretch":
		s := drawSpan(t, conv)
		m.removeSpan(s)
		return func(f *fixture, tx *sqlite.Tx) error { return f.RemoveSpan(tx, s) }
	}
	m.time++
	d := Doc{conv, rapid.Int64Range(0, places).Draw(t, "place"), row, m.time}
	s := drawText(t, 12)
	m.put(d, s)
	return func(f *fixture, tx *sqlite.Tx) error { return f.Put(tx, d, s) }
}

func comparePage(t *rapid.T, f *fixture, m *model) {
	q, in := drawQuery(t), drawSpan(t, rapid.Int64Range(0, convs-1).Draw(t, "conv"))
	offset, limit := rapid.IntRange(0, 5).Draw(t, "offset"), rapid.IntRange(0, 5).Draw(t, "limit")
	got, total := f.page(q, in, offset, limit)
	want := m.page(q, in)
	if total != len(want) {
		t.Fatalf("%+v has %d hits, want %d", q, total, len(want))
	}
	want = want[min(offset, len(want)):]
	if limit > 0 {
		want = want[:min(limit, len(want))]
	}
	if !slices.EqualFunc(got, want, func(row int64, d modelDoc) bool { return row == d.Row }) {
		t.Fatalf("%+v in %v, %d after %d: rows %v, want %+v", q, in, limit, offset, got, want)
	}
}

func compareTotals(t *rapid.T, got, want []Hits, q Query) {
	if !slices.Equal(got, want) {
		t.Fatalf("%+v: %+v, want %+v", q, got, want)
	}
}

// openRapid makes an index for one run of a property.
func openRapid(t *rapid.T) *fixture {
	db, err := sqlite.Open(sqlite.Config{Schemas: []sqlite.Schema{Schema("find")}})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{t, db, New("find")}
}
