package search

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"timbre/sqlite"
)

// perSpan is how many hits cost as much to read as one more statement.
const perSpan = 2000

// Hits is what a conversation has of a query.
type Hits struct {
	Conv  int64
	Count int
	Row   int64 // of the newest hit
	Time  int64 // of the newest hit

	newest int64 // its number
}

// Page returns hits of one stretch of a conversation, the newest first, and how many there are in all. The offset is in
// hits; a limit of 0 means all.
func (x *Index) Page(r sqlite.Queryer, q Query, in Span, offset, limit int) (rows []int64, total int, err error) {
	lo, hi, err := in.numbers()
	match := q.match()
	if match == "" || err != nil {
		return nil, 0, err
	}
	if err := x.settle(r); err != nil {
		return nil, 0, err
	}
	if limit <= 0 {
		limit = -1
	}
	if total, _, err = x.count(r, &q, match, lo, hi); err != nil || offset >= total {
		return nil, total, err
	}
	err = r.Query(x.sql.page(&q), func(scan func(...any) error) error {
		var row int64
		err := scan(&row)
		rows = append(rows, row)
		return err
	}, q.args(match, lo, hi, limit, offset)...)
	return rows, total, err
}

// Totals returns the conversations that have hits in the given stretches, or anywhere when none is given. The one with
// the newest hit comes first. The stretches must not overlap.
func (x *Index) Totals(r sqlite.Queryer, q Query, in ...Span) ([]Hits, error) {
	match := q.match()
	if match == "" {
		return nil, nil
	}
	if err := x.settle(r); err != nil {
		return nil, err
	}
	all, err := x.totals(r, &q, match, in)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return x.newest(r, all)
}

func (x *Index) totals(r sqlite.Queryer, q *Query, match string, in []Span) ([]Hits, error) {
	if len(in) == 0 {
		all, _, err := x.tally(r, q, match, nil, span{0, math.MaxInt64}, math.MaxInt)
		return all, err
	}
	spans, err := numbered(in)
	if err != nil {
		return nil, err
	}
	limit, whole := perSpan*len(spans), span{spans[0].lo, spans[len(spans)-1].hi}
	all, n, err := x.tally(r, &Query{}, match, spans, whole, limit) // unfiltered: a filter could make it read everything
	if err == nil && n >= limit {
		return x.bySpan(r, q, match, spans)
	}
	if err == nil && q.Where != "" {
		all, _, err = x.tally(r, q, match, spans, whole, math.MaxInt)
	}
	return all, err
}

// scanStep is how many hits are in memory at a time.
const scanStep = 100_000

// tally counts hits by conversation, with spans only those inside one. It also returns how many it has read; from limit on
// it stops.
func (x *Index) tally(r sqlite.Queryer, q *Query, match string, spans []span, whole span, limit int) (all []Hits, n int, err error) {
	for n < limit {
		step := min(scanStep, limit-n)
		docs, err := x.scan(r, q, match, whole.lo, whole.hi, step)
		if err != nil {
			return nil, n, err
		}
		all, n = byConv(all, docs, spans), n+len(docs)
		if len(docs) < step {
			break
		}
		whole.lo = docs[len(docs)-1] + 1
	}
	return all, n, nil
}

// scan returns the numbers of the hits, at most limit of them. They come as one text, for that is
// three times faster than row by row.
func (x *Index) scan(r sqlite.Queryer, q *Query, match string, lo, hi int64, limit int) ([]int64, error) {
	var list *[]byte
	if _, err := r.Get(x.sql.list(q), []any{&list}, q.args(match, lo, hi, limit)...); err != nil || list == nil {
		return nil, err
	}
	docs := make([]int64, 0, len(*list)/12)
	doc := int64(0)
	for _, c := range *list {
		if c == ',' {
			docs = append(docs, doc)
			doc = 0
			continue
		}
		doc = doc*10 + int64(c-'0')
	}
	docs = append(docs, doc)
	slices.Sort(docs) // they are sorted already, but SQL does not promise it
	return docs, nil
}

// count returns how many hits there are and the number of the newest.
func (x *Index) count(r sqlite.Queryer, q *Query, match string, lo, hi int64) (n int, newest int64, err error) {
	_, err = r.Get(x.sql.count(q), []any{&n, &newest}, q.args(match, lo, hi)...)
	return n, newest, err
}

// bySpan asks for each stretch alone. It is for users who see little of a big index.
func (x *Index) bySpan(r sqlite.Queryer, q *Query, match string, spans []span) ([]Hits, error) {
	var all []Hits
	for _, s := range spans {
		n, newest, err := x.count(r, q, match, s.lo, s.hi)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			all = addTo(all, newest, n)
		}
	}
	return all, nil
}

// newest completes the hits with row and time and sorts by it.
func (x *Index) newest(r sqlite.Queryer, all []Hits) (complete []Hits, err error) {
	list := []byte{'['}
	of := make(map[int64]Hits, len(all)) // by number
	for i, h := range all {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, h.newest, 10)
		of[h.newest] = h
	}
	list = append(list, ']')
	err = r.Query(x.sql.docs, func(scan func(...any) error) error { // what was removed a moment ago has none
		var doc, row, time int64
		err := scan(&doc, &row, &time)
		h := of[doc]
		h.Row, h.Time = row, time
		complete = append(complete, h)
		return err
	}, string(list))
	slices.SortFunc(complete, func(a, b Hits) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.newest, a.newest))
	})
	return complete, err
}

// span is a Span in numbers of documents.
type span struct{ lo, hi int64 }

// numbered returns the stretches in the order of their numbers.
func numbered(in []Span) ([]span, error) {
	spans := make([]span, len(in))
	for i, s := range in {
		lo, hi, err := s.numbers()
		if err != nil {
			return nil, err
		}
		spans[i] = span{lo, hi}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	return spans, nil
}

// byConv adds the documents to the count of each conversation; with spans, only those inside one. Documents come in rising
// order.
func byConv(all []Hits, docs []int64, spans []span) []Hits {
	for _, doc := range docs {
		if spans != nil {
			for len(spans) > 0 && spans[0].hi < doc {
				spans = spans[1:]
			}
			if len(spans) == 0 {
				break
			}
			if doc < spans[0].lo {
				continue
			}
		}
		all = addTo(all, doc, 1)
	}
	return all
}

// addTo counts n more hits, the newest of which is doc.
func addTo(all []Hits, doc int64, n int) []Hits {
	conv := doc >> innerBits
	if len(all) == 0 || all[len(all)-1].Conv != conv {
		return append(all, Hits{Conv: conv, Count: n, newest: doc})
	}
	last := &all[len(all)-1]
	last.Count += n
	last.newest = doc
	return all
}
