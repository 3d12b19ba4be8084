package message

import (
	"cmp"
	"slices"
	"strings"

	"timbre/protocol"
	"timbre/search"
	"timbre/sqlite"
)

// Conditions on a message m, for SQL.
const (
	bySender = `m.sender IN (SELECT value FROM json_each(?))`
	byType   = `EXISTS (SELECT 1 FROM json_each(CAST(m.content AS TEXT), '$.` + protocol.ContentElements + `') e
		WHERE e.value->>'elem_type' IN (SELECT value FROM json_each(?)))`
	notHidden   = `NOT EXISTS (SELECT 1 FROM hidden h WHERE h.uid=? AND h.conv=m.pair AND h.seq=m.seq)`
	notDirected = `(m.targets='' OR m.sender=? OR EXISTS (SELECT 1 FROM json_each(m.targets) t WHERE t.value=?))`
	notSpecial  = `m.flags&?=0 AND nullif(m.state,'')->>'rv' IS NULL` // neither a tip nor revoked
)

// finder finds the messages that a question is about and that its user may see: by the index when there are keywords,
// else by a look at every message.
type finder struct {
	q       sqlite.Queryer
	index   *search.Index
	ask     *Question
	until   int64 // nothing newer than this time, milliseconds; 0: no limit
	hides   bool  // the user has deleted single messages
	directs bool  // there are messages that only some may see
}

func (m *Messages) finder(q sqlite.Queryer, ask *Question, until int64) (f *finder, err error) {
	f = &finder{q: q, index: m.search, ask: ask, until: until}
	f.hides, err = hides(q, ask.User.UID)
	if err == nil && (ask.Where == nil || ask.Where.GID != 0) {
		f.directs, err = directs(q, ask.User.UID)
	}
	return f, err
}

// onMessage is the conditions on a message m beside the time.
func (f *finder) onMessage() (where []string, args []any) {
	uid := f.ask.User.UID
	if len(f.ask.Search.Senders) > 0 {
		where, args = append(where, bySender), append(args, string(protocol.Marshal(f.ask.Senders)))
	}
	if len(f.ask.Types) > 0 {
		where, args = append(where, byType), append(args, string(protocol.Marshal(f.ask.Types)))
	}
	if f.hides {
		where, args = append(where, notHidden), append(args, uid)
	}
	if f.directs {
		where, args = append(where, notDirected), append(args, uid, uid)
	}
	return where, args
}

// onTime is the conditions on the time in a column.
func (f *finder) onTime(column string) (where []string, args []any) {
	if f.ask.From > 0 {
		where, args = append(where, column+`>=?`), append(args, f.ask.From)
	}
	if f.ask.To > 0 {
		where, args = append(where, column+`<=?`), append(args, f.ask.To)
	}
	if f.until > 0 {
		where, args = append(where, column+`<=?`), append(args, f.until)
	}
	return where, args
}

// query is the question for the index.
func (f *finder) query() search.Query {
	where, args := f.onTime(`hit.time`)
	if inside, more := f.onMessage(); len(inside) > 0 {
		where = append(where, `EXISTS (SELECT 1 FROM msg m WHERE m.pair=`+rowConv+` AND m.seq=`+rowSeq+` AND `+strings.Join(inside, ` AND `)+`)`)
		args = append(args, more...)
	}
	return search.Query{Keywords: f.ask.Keywords, All: f.ask.And, Where: strings.Join(where, ` AND `), Args: args}
}

func (s *scope) span() search.Span {
	return search.Span{Conv: indexConv(s.conv), From: int64(s.lo), To: int64(min(s.hi, search.MaxPlace))}
}

// page returns the newest hits in a stretch, and how many there are in all.
func (f *finder) page(s *scope, limit int) (seqs []uint64, total int, err error) {
	if len(f.ask.Keywords) == 0 {
		return f.look(s, limit)
	}
	if s.lo > search.MaxPlace {
		return nil, 0, nil
	}
	rows, total, err := f.index.Page(f.q, f.query(), s.span(), 0, limit)
	for _, row := range rows {
		seqs = append(seqs, seqOfRow(row))
	}
	return seqs, total, err
}

// totals returns the conversations that have hits, that with the newest hit first.
func (f *finder) totals(list []scope) (hits []search.Hits, err error) {
	if len(f.ask.Keywords) == 0 {
		return f.count(list)
	}
	var spans []search.Span
	for i := range list {
		if list[i].lo <= search.MaxPlace && indexConv(list[i].conv) <= search.MaxConv {
			spans = append(spans, list[i].span())
		}
	}
	if len(spans) == 0 {
		return nil, nil
	}
	return f.index.Totals(f.q, f.query(), spans...)
}

// listing is the rest of a statement over the hits of a question without keywords.
func (f *finder) listing(s *scope) (sql string, args []any) {
	where, args := f.onTime(`m.time`)
	on, more := f.onMessage()
	sql = ` FROM msg m WHERE m.pair=? AND m.seq BETWEEN ? AND ? AND ` + strings.Join(append(append(where, on...), notSpecial), ` AND `)
	args = append(append([]any{s.conv, int64(s.lo), int64(s.hi)}, args...), more...)
	return sql, append(args, flagTip)
}

func (f *finder) look(s *scope, limit int) (seqs []uint64, total int, err error) {
	from, args := f.listing(s)
	if _, err = f.q.Get(`SELECT count(*)`+from, []any{&total}, args...); err != nil {
		return nil, 0, err
	}
	err = f.q.Query(`SELECT m.seq`+from+` ORDER BY m.seq DESC LIMIT ?`, func(scan func(...any) error) error {
		var seq uint64
		err := scan(&seq)
		seqs = append(seqs, seq)
		return err
	}, append(args, limit)...)
	return seqs, total, err
}

func (f *finder) count(list []scope) (hits []search.Hits, err error) {
	for i := range list {
		s := &list[i]
		if !f.speaks(s) {
			continue
		}
		h := search.Hits{Conv: indexConv(s.conv)}
		var seq uint64
		from, args := f.listing(s)
		if _, err = f.q.Get(`SELECT count(*), coalesce(max(m.seq),0), coalesce(max(m.time),0)`+from, []any{&h.Count, &seq, &h.Time}, args...); err != nil {
			return nil, err
		}
		if h.Count > 0 {
			h.Row = indexRow(s.conv, seq)
			hits = append(hits, h)
		}
	}
	slices.SortFunc(hits, func(a, b search.Hits) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.Conv, a.Conv))
	})
	return hits, nil
}

// speaks says whether one of the wanted senders can have spoken in a conversation.
func (f *finder) speaks(s *scope) bool {
	if len(f.ask.Search.Senders) == 0 || s.conv < 0 {
		return true
	}
	return slices.Contains(f.ask.Senders, s.peer) || slices.Contains(f.ask.Senders, f.ask.User.UID)
}
