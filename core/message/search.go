package message

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/search"
	"timbre/sqlite"
)

// Search is a question for messages by what is in them.
type Search struct {
	Type     int // of the conversation; 0: all conversations
	Peer     string
	Keywords []string
	And      bool
	Senders  []string
	Types    []int64
	From, To int64 // milliseconds, closed; 0: no limit
	Within   int64 // seconds back from now, beside From; 0: no limit
	Page     int   // from 0
	Size     int   // of a page, 0: everything
	Cursor   string
	Count    int
}

// ParseSearch reads the public parameter.
func ParseSearch(text string) (Search, *transport.Error) {
	v := gjson.Parse(text)
	s := Search{Type: int(v.Get(tim.KeyMsgSearchParamConvType).Int()), Peer: v.Get(tim.KeyMsgSearchParamConvId).String(),
		And:  v.Get(tim.KeyMsgSearchParamKeywordListMatchType).Int() == tim.KeywordListMatchTypeAnd,
		Page: int(min(v.Get(tim.KeyMsgSearchParamPageIndex).Uint(), 1<<20)), Size: int(min(v.Get(tim.KeyMsgSearchParamPageSize).Uint(), 1<<20)),
		Cursor: v.Get(tim.KeyMsgSearchParamSearchCursor).String(), Count: int(min(v.Get(tim.KeyMsgSearchParamSearchCount).Uint(), protocol.MaxRange))}
	for _, k := range v.Get(tim.KeyMsgSearchParamKeywordArray).Array() {
		if k.Str != "" {
			s.Keywords = append(s.Keywords, k.Str)
		}
	}
	for _, u := range v.Get(tim.KeyMsgSearchParamSenderIdentifierArray).Array() {
		s.Senders = append(s.Senders, u.String())
	}
	for _, t := range v.Get(tim.KeyMsgSearchParamMessageTypeArray).Array() {
		s.Types = append(s.Types, t.Int())
	}
	if s.Type == tim.ConvInvalid {
		s.Peer = "" // all conversations, as the interface has it
	}
	end, period := min(v.Get(tim.KeyMsgSearchParamSearchTimePosition).Int(), farthestSecond), v.Get(tim.KeyMsgSearchParamSearchTimePeriod).Int()
	if end > 0 {
		s.To = end*1000 + 999
	}
	switch {
	case period > 0 && end > 0:
		s.From = max(end-period, 1) * 1000
	case period > 0:
		s.Within = period
	}
	switch {
	case len(s.Keywords) > model.MaxKeywords || len(s.Senders) > model.MaxKeywords:
		return s, &transport.Error{Code: tim.ErrInvalidParameters, Text: "at most 5 keywords and 5 senders"}
	case len(s.Keywords)+len(s.Senders)+len(s.Types) == 0:
		return s, &transport.Error{Code: tim.ErrInvalidParameters, Text: "keywords, senders or types are needed"}
	case s.Peer != "" && s.Type != tim.ConvC2C && s.Type != tim.ConvGroup:
		return s, &transport.Error{Code: tim.ErrInvalidParameters, Text: "not a conversation"}
	}
	return s, nil
}

// begin turns what is meant from now on backwards into a time. Now is the server's: its clock has dated the messages.
func (s *Search) begin(now time.Time) {
	if s.Within > 0 {
		s.From = max(now.Unix()-s.Within, 1) * 1000
	}
}

// farthestSecond is later than any message; its milliseconds are a number too.
const farthestSecond = int64(1) << 40

// found is what one conversation has.
type found struct {
	conv  *conversation.Conversation
	total int
	rows  []*Row
}

// emptyResult is the answer to a search that failed.
const emptyResult = `{"` + tim.KeyMsgSearchResultSearchCursor + `":"","` + tim.KeyMsgSearchResultTotalCount + `":0}`

// Search answers messages that are here. In one conversation it is a page of them, the newest first; over all
// conversations it is how many each one has, and the message itself where there is one.
func (m *Messages) Search(s Search, done event.Done) {
	s.begin(m.self.Now())
	if len(s.Keywords) > 0 {
		if err := m.indexAll(context.Background()); err != nil {
			m.failing(done, emptyResult)(err)
			return
		}
	}
	var list []found
	total := 0
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		if s.Peer != "" {
			list, total, err = m.searchOne(q, s)
			return err
		}
		list, total, err = m.searchAll(q, s)
		return err
	})
	if err != nil {
		m.failing(done, emptyResult)(err)
		return
	}
	done(0, "", m.searchResult(list, total, ""))
}

func (m *Messages) searchOne(q sqlite.Queryer, s Search) ([]found, int, error) {
	c, err := conversation.Find(q, s.Type, s.Peer)
	if c == nil || err != nil {
		return nil, 0, err
	}
	f := found{conv: c}
	if len(s.Keywords) == 0 {
		f.rows, f.total, err = m.listed(q, c.ID, s)
	} else {
		var ids []int64
		if ids, f.total, err = m.search.Page(q, s.query(), search.Whole(c.ID), s.Page*s.Size, s.Size); err == nil {
			f.rows, err = byIDs(q, ids)
			slices.SortFunc(f.rows, newerFirst) // the index has imported messages in the order of their import
		}
	}
	if f.total == 0 || err != nil {
		return nil, 0, err
	}
	return []found{f}, f.total, nil
}

// newerFirst is the order of a history page.
func newerFirst(a, b *Row) int {
	return cmp.Or(cmp.Compare(b.Sort, a.Sort), cmp.Compare(b.moment(), a.moment()), cmp.Compare(b.ID, a.ID))
}

func (m *Messages) searchAll(q sqlite.Queryer, s Search) (list []found, total int, err error) {
	var hits []search.Hits
	if len(s.Keywords) == 0 {
		hits, err = m.counted(q, s)
	} else {
		hits, err = m.search.Totals(q, s.query())
	}
	if err != nil {
		return nil, 0, err
	}
	total = len(hits)
	for _, h := range page(hits, s.Page, s.Size) {
		c, err := conversation.ByID(q, h.Conv)
		if c == nil || err != nil {
			return nil, 0, err
		}
		f := found{conv: c, total: h.Count}
		if h.Count == 1 {
			if f.rows, err = byIDs(q, []int64{h.Row}); err != nil {
				return nil, 0, err
			}
		}
		list = append(list, f)
	}
	return list, total, nil
}

func page[T any](list []T, index, size int) []T {
	if size == 0 {
		return list
	}
	from := min(index*size, len(list))
	return list[from:min(from+size, len(list))]
}

// query is the question for the index.
func (s *Search) query() search.Query {
	q := search.Query{Keywords: s.Keywords, All: s.And}
	where, args := s.filter("m")
	if where != "" {
		q.Where = `EXISTS (SELECT 1 FROM message m WHERE m.id=hit.row` + where + `)`
		q.Args = args
	}
	return q
}

// filter is the conditions beside the keywords, on a message table with this name.
func (s *Search) filter(name string) (where string, args []any) {
	if len(s.Senders) > 0 {
		where += ` AND ` + name + `.sender IN (SELECT value FROM json_each(?))`
		args = append(args, string(protocol.Marshal(s.Senders)))
	}
	if len(s.Types) > 0 {
		where += ` AND EXISTS (SELECT 1 FROM json_each(` + name + `.elements) e WHERE e.value->>'elem_type' IN (SELECT value FROM json_each(?)))`
		args = append(args, string(protocol.Marshal(s.Types)))
	}
	if s.From > 0 {
		where += ` AND ` + name + `.moment>=?`
		args = append(args, s.From)
	}
	if s.To > 0 {
		where += ` AND ` + name + `.moment<=?`
		args = append(args, s.To)
	}
	return where, args
}

// listed is a page without keywords.
func (m *Messages) listed(q sqlite.Queryer, conv int64, s Search) (list []*Row, total int, err error) {
	where, args := s.filter("message")
	where = `WHERE conv=? AND status NOT IN (?,?)` + where
	args = append([]any{conv, tim.MsgDeleted, tim.MsgRevoked}, args...)
	if _, err = q.Get(`SELECT count(*) FROM message `+where, []any{&total}, args...); err != nil {
		return nil, 0, err
	}
	size := s.Size
	if size == 0 {
		size = -1
	}
	list, err = rows(q, where+` ORDER BY sort DESC, moment DESC, id DESC LIMIT ? OFFSET ?`, append(args, size, s.Page*s.Size)...)
	return list, total, err
}

// counted is the conversations' totals without keywords.
func (m *Messages) counted(q sqlite.Queryer, s Search) (hits []search.Hits, err error) {
	where, args := s.filter("message")
	err = q.Query(`SELECT conv, count(*), max(id), max(moment) FROM message WHERE status NOT IN (?,?)`+where+
		` GROUP BY conv ORDER BY max(moment) DESC`, func(scan func(...any) error) error {
		var h search.Hits
		err := scan(&h.Conv, &h.Count, &h.Row, &h.Time)
		hits = append(hits, h)
		return err
	}, append([]any{tim.MsgDeleted, tim.MsgRevoked}, args...)...)
	return hits, err
}

// byIDs reads rows in this order.
func byIDs(q sqlite.Queryer, ids []int64) ([]*Row, error) {
	list := make([]*Row, 0, len(ids))
	for _, id := range ids {
		r, err := byID(q, id)
		if err != nil {
			return nil, err
		}
		if r != nil {
			list = append(list, r)
		}
	}
	return list, nil
}
