package message

import (
	"cmp"
	"fmt"
	"hash/fnv"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/search"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Question is a search with the names in it turned into numbers.
type Question struct {
	protocol.Search
	User    User
	Where   *Where  // nil: every conversation of the user
	Senders []int64 // those of Search.Senders that exist
}

// searchCount is how many results a page has when the question does not say.
const searchCount = 20

// CheckSearch refuses questions that cannot be answered and completes the others.
func (m *Messages) CheckSearch(s *protocol.Search) error {
	if !m.rules.Search {
		return refusal.New(model.CodeSearchUnavailable, "this server is not searched")
	}
	var words []string
	for _, k := range s.Keywords {
		if k != "" {
			words = append(words, k)
		}
	}
	s.Keywords = words
	if s.Count <= 0 {
		s.Count = searchCount
	}
	s.Count = min(s.Count, protocol.MaxRange)
	switch {
	case len(s.Keywords) > model.MaxKeywords || len(s.Senders) > model.MaxKeywords:
		return refusal.New(tim.ErrInvalidParameters, "at most 5 keywords and 5 senders")
	case len(s.Keywords)+len(s.Senders)+len(s.Types) == 0:
		return refusal.New(tim.ErrInvalidParameters, "keywords, senders or types are needed")
	}
	_, err := parseSpot(s)
	return err
}

// Unindexed returns the conversations of a question that the index is behind of. IndexSome takes them before the search.
func (m *Messages) Unindexed(q sqlite.Queryer, ask *Question) (convs []int64, err error) {
	if len(ask.Keywords) == 0 {
		return nil, nil
	}
	list, err := m.scopesFor(q, ask)
	for _, s := range list {
		if s.indexed < s.hi {
			convs = append(convs, s.conv)
		}
	}
	return convs, err
}

func (m *Messages) scopesFor(q sqlite.Queryer, ask *Question) ([]scope, error) {
	if ask.Where != nil {
		return m.scopeOf(q, ask.User, *ask.Where)
	}
	return scopes(q, ask.User.UID)
}

// Search returns the body of the answer to OpSearch. The question has passed CheckSearch.
func (m *Messages) Search(q sqlite.Queryer, ask *Question) ([]byte, error) {
	from, err := parseSpot(&ask.Search)
	if err != nil {
		return nil, err
	}
	list, err := m.scopesFor(q, ask)
	if err != nil {
		return nil, err
	}
	if ask.Where != nil {
		return m.searchOne(q, ask, list, from)
	}
	return m.searchAll(q, ask, list, from)
}

// spot is where the next page begins. In one conversation that is the newest number that it may have, and how many hits
// the first page counted. Over all conversations it is the time of the newest hit on the first page, for later pages
// see nothing newer, and the last conversation with the time of its newest hit.
type spot struct {
	ask                  uint64 // what the question was
	first, second, third int64
}

func (s spot) String() string { return fmt.Sprintf("%x.%d.%d.%d", s.ask, s.first, s.second, s.third) }

// parseSpot reads the cursor of a question, which is good for the same question only.
func parseSpot(s *protocol.Search) (at spot, err error) {
	same := *s
	same.Cursor, same.Count = "", 0
	h := fnv.New64a()
	h.Write(protocol.Marshal(same))
	question := h.Sum64()
	if s.Cursor == "" {
		return spot{ask: question}, nil
	}
	if _, err := fmt.Sscanf(s.Cursor, "%x.%d.%d.%d", &at.ask, &at.first, &at.second, &at.third); err != nil ||
		at.ask != question || at.first <= 0 || at.String() != s.Cursor {
		return at, refusal.New(tim.ErrInvalidParameters, "this is no cursor of this search")
	}
	return at, nil
}

// searchOne answers with hits of one conversation, the newest first.
func (m *Messages) searchOne(q sqlite.Queryer, ask *Question, list []scope, from spot) ([]byte, error) {
	if len(list) == 0 {
		return appendFound(0, nil, ""), nil
	}
	s := list[0]
	if from.first > 0 {
		s.hi = min(s.hi, uint64(from.first))
	}
	f, err := m.finder(q, ask, 0)
	if err != nil {
		return nil, err
	}
	seqs, total, err := f.page(&s, ask.Count+1)
	if err != nil {
		return nil, err
	}
	if from.first > 0 {
		total = int(from.second)
	}
	if total == 0 {
		return appendFound(0, nil, ""), nil
	}
	at, err := m.byConv(q, ask.User.UID, s.conv)
	if err != nil || at == nil {
		return nil, cmp.Or(err, notMember()) // he left the group a moment ago
	}
	size := 0
	msgs, n, err := m.shown(q, at, seqs[:min(len(seqs), ask.Count)], &size)
	if err != nil {
		return nil, err
	}
	next := ""
	if n < len(seqs) {
		next = spot{ask: from.ask, first: int64(seqs[n]), second: int64(total)}.String()
	}
	one, err := m.foundIn(q, at, total, msgs)
	return appendFound(total, [][]byte{one}, next), err
}

// searchAll answers with conversations that have hits, that with the newest hit first.
func (m *Messages) searchAll(q sqlite.Queryer, ask *Question, list []scope, from spot) ([]byte, error) {
	f, err := m.finder(q, ask, from.first)
	if err != nil {
		return nil, err
	}
	hits, err := f.totals(list)
	if err != nil {
		return nil, err
	}
	total, rest := len(hits), after(hits, from)
	var convs [][]byte
	size, n := 0, 0
	for ; n < min(len(rest), ask.Count) && (n == 0 || size < maxAnswer); n++ {
		one, err := m.foundHit(q, ask.User.UID, &rest[n], &size)
		if err != nil {
			return nil, err
		}
		if one != nil {
			convs = append(convs, one)
		}
	}
	next := ""
	if n < len(rest) {
		last := spot{ask: from.ask, first: from.first, second: rest[n-1].Time, third: rest[n-1].Conv}
		if last.first == 0 {
			last.first = hits[0].Time
		}
		next = last.String()
	}
	return appendFound(total, convs, next), nil
}

// after leaves out what earlier pages had.
func after(hits []search.Hits, from spot) []search.Hits {
	for len(hits) > 0 && from.first > 0 &&
		(hits[0].Time > from.second || hits[0].Time == from.second && hits[0].Conv >= from.third) {
		hits = hits[1:]
	}
	return hits
}

// foundHit encodes a conversation with hits, nil when the user left it a moment ago. A single hit comes along.
func (m *Messages) foundHit(q sqlite.Queryer, uid int64, h *search.Hits, size *int) ([]byte, error) {
	at, err := m.byConv(q, uid, convOf(h.Conv))
	if at == nil || err != nil {
		return nil, err
	}
	var msgs [][]byte
	if h.Count == 1 {
		if msgs, _, err = m.shown(q, at, []uint64{seqOfRow(h.Row)}, size); err != nil {
			return nil, err
		}
	}
	return m.foundIn(q, at, h.Count, msgs)
}

// shown reads hits as the user sees them, as many as fit into an answer, and says how many those are. What was taken back
// a moment ago is left out.
func (m *Messages) shown(q sqlite.Queryer, at *place, seqs []uint64, size *int) (msgs [][]byte, n int, err error) {
	for ; n < len(seqs) && (len(msgs) == 0 || *size < maxAnswer); n++ {
		list, err := m.each(q, at, max(seqs[n], at.min()), seqs[n], true, 1)
		if err != nil {
			return nil, 0, err
		}
		for _, s := range list {
			if s.state().Revoked == nil {
				b := s.Append(nil)
				msgs, *size = append(msgs, b), *size+len(b)
			}
		}
	}
	return msgs, n, nil
}

// foundIn encodes a protocol.FoundConv.
func (m *Messages) foundIn(q sqlite.Queryer, at *place, total int, msgs [][]byte) ([]byte, error) {
	var b []byte
	if at.room != nil {
		b = protocol.AppendString(append(b, `{"group":`...), at.room.name)
	} else {
		peer, err := m.names.Name(q, at.pair.peer(at.user.UID))
		if err != nil {
			return nil, err
		}
		b = protocol.AppendString(append(b, `{"peer":`...), peer)
	}
	b = appendNumber(b, `,"total":`, uint64(total))
	return append(appendMessages(b, msgs), '}'), nil
}

// appendFound encodes a protocol.Found.
func appendFound(total int, convs [][]byte, cursor string) []byte {
	b := append(appendNumber(nil, `{"total":`, uint64(total)), `,"convs":[`...)
	for i, c := range convs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, c...)
	}
	return append(protocol.AppendString(append(b, `],"cursor":`...), cursor), '}')
}
