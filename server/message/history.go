package message

import (
	"errors"
	"slices"
	"sort"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// maxAnswer keeps an answer well under the longest line.
const maxAnswer = protocol.MaxLine * 3 / 4

// Between implements changelog.Messages.
func (m *Messages) Between(q sqlite.Queryer, viewer, conv int64, lo, hi uint64, fn func(*protocol.Message) bool) error {
	at, err := m.byConv(q, viewer, conv)
	if at == nil || err != nil {
		return err
	}
	if at.room != nil { // a log begins before a member came; between two, what one of them deleted is still counted
		lo = max(lo, at.min())
	}
	list, err := m.each(q, at, lo, hi, true, protocol.MaxDiff)
	for i := 0; i < len(list) && err == nil; i++ {
		if !fn(&list[i].Message) {
			break
		}
	}
	return err
}

// byConv finds a place by the conversation's key; it is nil when the viewer has none there.
func (m *Messages) byConv(q sqlite.Queryer, viewer, conv int64) (*place, error) {
	at := &place{user: User{UID: viewer}}
	var err error
	if conv < 0 {
		if at.room, err = findRoom(q, -conv); at.room == nil || err != nil {
			return nil, err
		}
		if at.seat, err = seatIn(q, at.room, viewer); at.seat == nil || err != nil {
			return nil, err
		}
		return at, nil
	}
	c := &pair{}
	found, err := q.Get(selectPair+`WHERE id=?`, c.fields(), conv)
	if !found || err != nil {
		return nil, err
	}
	at.pair = c
	return at, nil
}

// Newest implements changelog.Messages.
func (m *Messages) Newest(q sqlite.Queryer, conv int64) (seq uint64, err error) {
	r, err := findRoom(q, -conv)
	if r == nil || err != nil {
		return 0, err
	}
	return r.maxSeq, nil
}

// Gone implements changelog.Messages.
func (m *Messages) Gone(q sqlite.Queryer, viewer, conv int64, seq uint64) (msg *protocol.Message, own bool, err error) {
	at, err := m.byConv(q, viewer, conv)
	if at == nil || err != nil {
		return nil, false, err
	}
	var s *stored
	err = q.Query(selectStored+`WHERE pair=? AND seq=?`, func(scan func(...any) error) error {
		s = &stored{}
		return s.scan(scan)
	}, conv, int64(seq))
	if err != nil || s == nil || !s.visible(viewer) {
		return nil, false, err
	}
	return &s.Message, s.sender == viewer, m.name(q, conv, at.pair, at.group(), s)
}

// each reads at most limit messages of a stretch, from its old end or from its new end, without those that the user may
// not see or has deleted.
func (m *Messages) each(q sqlite.Queryer, at *place, lo, hi uint64, newer bool, limit int) (list []*stored, err error) {
	if lo > hi || limit <= 0 {
		return nil, nil
	}
	hidden, err := m.hidden(q, at, lo, hi)
	if err != nil {
		return nil, err
	}
	order := `DESC LIMIT ?`
	if newer {
		order = `ASC LIMIT ?`
	}
	err = q.Query(selectStored+`WHERE pair=? AND seq BETWEEN ? AND ? ORDER BY seq `+order, func(scan func(...any) error) error {
		s := &stored{}
		err := s.scan(scan)
		list = append(list, s)
		return err
	}, at.conv(), int64(lo), int64(hi), limit+len(hidden))
	list = slices.DeleteFunc(list, func(s *stored) bool { return hidden[s.Seq] || !s.visible(at.user.UID) })
	list = list[:min(len(list), limit)]
	for i := 0; i < len(list) && err == nil; i++ {
		if err = m.name(q, at.conv(), at.pair, at.group(), list[i]); err == nil {
			err = m.decorate(q, at.user.UID, at.conv(), list[i])
		}
	}
	return list, err
}

// encoded reads a stretch as encoded messages in ascending order, at most limit and at most size bytes but at least one.
// cut is true when it stopped at a limit.
func (m *Messages) encoded(q sqlite.Queryer, at *place, lo, hi uint64, newer bool, limit, size int) (
	msgs [][]byte, first, last uint64, cut bool, err error) {
	list, err := m.each(q, at, lo, hi, newer, limit+1)
	for _, s := range list {
		b := s.Append(nil)
		if len(msgs) == limit || len(msgs) > 0 && len(b) > size {
			cut = true
			break
		}
		size -= len(b)
		if len(msgs) == 0 {
			first = s.Seq
		}
		msgs, last = append(msgs, b), s.Seq
	}
	if !newer {
		slices.Reverse(msgs)
		first, last = last, first
	}
	return msgs, first, last, cut, err
}

// Range returns the body of the answer to OpRange.
func (m *Messages) Range(q sqlite.Queryer, user User, w Where, r protocol.Range) ([]byte, error) {
	at, err := m.find(q, user, w)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return appendRanged(nil, protocol.Ranged{Lo: r.Lo, Min: 1}, nil), nil
	}
	a := protocol.Ranged{Lo: min(max(r.Lo, 1), at.max()+1), Hi: at.max(), Max: at.max(), Min: at.min()}
	if r.Hi > 0 {
		a.Hi = min(r.Hi, at.max())
	}
	if r.Time > 0 {
		if err := m.cutAt(q, at, &a, r); err != nil {
			return nil, err
		}
	}
	limit := protocol.MaxRange
	if r.Limit > 0 && r.Limit < limit {
		limit = r.Limit
	}
	msgs, first, last, cut, err := m.encoded(q, at, max(a.Lo, a.Min), a.Hi, r.Newer, limit, maxAnswer)
	if cut && r.Newer {
		a.Hi = last
	} else if cut {
		a.Lo = first
	}
	return appendRanged(nil, a, msgs), err
}

// cutAt moves one end of the range to where a time lies. Times ascend with the numbers, so halving finds the place.
func (m *Messages) cutAt(q sqlite.Queryer, at *place, a *protocol.Ranged, r protocol.Range) (err error) {
	lo := max(a.Lo, a.Min)
	if a.Hi < lo {
		return nil
	}
	n := sort.Search(int(a.Hi-lo)+1, func(i int) bool {
		var time int64
		found, failed := q.Get(`SELECT time FROM msg WHERE pair=? AND seq>=? ORDER BY seq LIMIT 1`, []any{&time}, at.conv(), int64(lo)+int64(i))
		err = errors.Join(err, failed)
		return !found || time >= r.Time
	})
	first := lo + uint64(n)
	if r.Newer {
		a.Lo = max(lo, first-1)
	} else {
		a.Hi = min(a.Hi, first)
	}
	return err
}

// Get returns the body of the answer to OpGet.
func (m *Messages) Get(q sqlite.Queryer, user User, w Where, g protocol.Get) ([]byte, error) {
	at, err := m.find(q, user, w)
	if err != nil {
		return nil, err
	}
	var msgs [][]byte
	size := 0
	seqs := slices.Compact(slices.Sorted(slices.Values(g.Seqs[:min(len(g.Seqs), protocol.MaxRange)])))
	for _, seq := range seqs {
		if at == nil || !at.sees(seq) {
			continue
		}
		list, err := m.each(q, at, seq, seq, true, 1)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			b := s.Append(nil)
			if size += len(b); size > maxAnswer {
				break
			}
			msgs = append(msgs, b)
		}
	}
	return append(appendMessages([]byte(`{"n":0`), msgs), '}'), nil
}

// hidden returns the messages of a stretch that the user has deleted.
func (m *Messages) hidden(q sqlite.Queryer, at *place, lo, hi uint64) (map[uint64]bool, error) {
	var set map[uint64]bool
	err := q.Query(`SELECT seq FROM hidden WHERE uid=? AND conv=? AND seq BETWEEN ? AND ?`, func(scan func(...any) error) error {
		var seq uint64
		err := scan(&seq)
		if set == nil {
			set = map[uint64]bool{}
		}
		set[seq] = true
		return err
	}, at.user.UID, at.conv(), int64(lo), int64(hi))
	return set, err
}

// Log is the change log of every user and group.
type Log interface {
	Append(tx *sqlite.Tx, owner int64, p changelog.Pointer) (uint64, error)
	Note(tx *sqlite.Tx, owner int64, p changelog.Pointer) (changelog.Change, error)
	Head(tx *sqlite.Tx, owner int64) (uint64, error)
}
