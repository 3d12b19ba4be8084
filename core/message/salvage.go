package message

import (
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Salvage is what a damaged database had and the server has not.
type Salvage struct {
	From string // the file's name

	notes     []note     // messages on their way, with the keys by which the server knows them again
	local     []saved    // messages that never were on the server, or that it does not know any more
	beside    []beside   // of messages that the server has
	drafts    []saved    // by Draft
	positions []position // what was to be told to the server
	parts     int        // queries that failed
}

type saved struct {
	typ   int
	peer  string
	row   *Row
	draft string
}

type position struct {
	kind string
	conversation.Conversation
}

// salvageStep is how many rows are asked for at a time; where a page is damaged they are asked for one by one.
const salvageStep = 500

// Salvaged reads what can be read of a damaged database, of this release or an older one. A query that fails costs what
// it asked for and nothing else.
func Salvaged(q sqlite.Queryer) *Salvage {
	s := &salvager{q: q, peers: map[int64]saved{}, seen: map[int64]bool{}}
	s.intents()
	s.readDrafts()
	s.messages()
	return &s.Salvage
}

type salvager struct {
	Salvage
	q     sqlite.Queryer
	peers map[int64]saved // by conversation row
	seen  map[int64]bool  // message rows
}

// tried counts a failure and says whether there was none.
func (s *salvager) tried(err error) bool {
	if err != nil {
		s.parts++
	}
	return err == nil
}

// peer is whose conversation a row is, "" when that cannot be known.
func (s *salvager) peer(conv int64) saved {
	if p, ok := s.peers[conv]; ok {
		return p
	}
	var p saved
	ok, err := s.q.Get(`SELECT type,peer FROM conversation WHERE id=?`, []any{&p.typ, &p.peer}, conv)
	if !s.tried(err) || !ok || !utf8.ValidString(p.peer) || p.typ != tim.ConvC2C && p.typ != tim.ConvGroup {
		p = saved{}
	}
	s.peers[conv] = p
	return p
}

// intents reads the outbox. Its messages come before all others: they are what the user counts on.
func (s *salvager) intents() {
	type intent struct {
		kind string
		ref  int64
	}
	var list []intent
	s.tried(s.q.Query(`SELECT kind,ref FROM outbox ORDER BY id`, func(scan func(...any) error) error {
		var in intent
		err := scan(&in.kind, &in.ref)
		list = append(list, in)
		return err
	}))
	for _, in := range list {
		if in.kind == KindSend {
			s.between(in.ref, in.ref)
			continue
		}
		s.position(in.kind, in.ref)
	}
}

func (s *salvager) position(kind string, conv int64) {
	p := position{kind: kind}
	c := &p.Conversation
	ok, err := s.q.Get(`SELECT type,peer,read_seq,read_count,clear_seq FROM conversation WHERE id=?`,
		[]any{&c.Type, &c.Peer, &c.ReadSeq, &c.ReadCount, &c.ClearSeq}, conv)
	if !s.tried(err) || !ok || c.Peer == "" {
		return
	}
	if kind == KindHide {
		_, err = s.q.Get(`SELECT hide_seq FROM conversation WHERE id=?`, []any{&c.HideSeq}, conv)
		s.tried(err)
	}
	s.positions = append(s.positions, p)
}

// readDrafts finds none in the databases of releases that had none.
func (s *salvager) readDrafts() {
	_ = s.q.Query(`SELECT type,peer,draft FROM conversation WHERE draft<>''`, func(scan func(...any) error) error {
		var d saved
		err := scan(&d.typ, &d.peer, &d.draft)
		if err == nil && gjson.Valid(d.draft) && d.peer != "" {
			s.drafts = append(s.drafts, d)
		}
		return err
	})
}

// messages goes through all rows, the newest first: time may be short.
func (s *salvager) messages() {
	var last int64
	if _, err := s.q.Get(`SELECT seq FROM sqlite_sequence WHERE name='message'`, []any{&last}); !s.tried(err) {
		return
	}
	for hi := last; hi > 0; hi -= salvageStep {
		lo := max(hi-salvageStep+1, 1)
		if s.between(lo, hi) {
			continue
		}
		for id := hi; id >= lo; id-- {
			if !s.between(id, id) && s.parts > 20*salvageStep { // nothing of it can be read
				return
			}
		}
	}
}

// between takes the rows between two ids that have no number of the server, and of the others what the server does not know.
func (s *salvager) between(lo, hi int64) bool {
	var list []*Row
	err := s.q.Query(`SELECT id,conv,sort,msg_id,sender,client_time,server_time,rand,status,platform,count,flags,key,elements,extra,local_int,local_str,coalesce(seq,0)
		FROM message WHERE id BETWEEN ? AND ? AND (seq IS NULL OR status=`+deleted+` OR local_int<>0 OR local_str<>'') ORDER BY id`, func(scan func(...any) error) error {
		r := &Row{Unread: -1}
		err := scan(&r.ID, &r.Conv, &r.Sort, &r.MsgID, &r.Sender, &r.ClientTime, &r.ServerTime, &r.Rand, &r.Status, &r.Platform,
			&r.Count, &r.Flags, &r.Key, &r.Elements, &r.Extra, &r.LocalInt, &r.LocalStr, &r.Seq)
		list = append(list, r)
		return err
	}, lo, hi)
	if !s.tried(err) {
		return false
	}
	for _, r := range list {
		s.take(r)
	}
	return true
}

func (s *salvager) take(r *Row) {
	p := s.peer(r.Conv)
	if r.Seq > 0 && p.peer != "" && !s.seen[r.ID] {
		s.seen[r.ID] = true
		s.beside = append(s.beside, beside{typ: p.typ, peer: p.peer, msgID: r.MsgID, localInt: r.LocalInt, localStr: r.LocalStr, deleted: r.Status == tim.MsgDeleted})
		return
	}
	if s.seen[r.ID] || p.peer == "" || !gjson.Valid(r.Elements) || r.Extra != "" && !gjson.Valid(r.Extra) || r.Status == tim.MsgDeleted {
		return
	}
	s.seen[r.ID] = true
	if r.Status != tim.MsgSending {
		p.row = r
		s.local = append(s.local, p)
		return
	}
	s.notes = append(s.notes, note{Type: p.typ, Peer: p.peer, MsgID: r.MsgID, Key: r.Key, ClientTime: r.ClientTime, Rand: r.Rand,
		Platform: r.Platform, Flags: r.Flags, Elements: []byte(r.Elements), Extra: []byte(r.Extra), LocalInt: r.LocalInt, LocalStr: r.LocalStr})
}

// TakeUp stores what was salvaged in the new database. Call it before the outbox is loaded.
func (m *Messages) TakeUp(s *Salvage) {
	m.log.Info("taking up what the damaged database had and the server has not", "on_their_way", len(s.notes), "local", len(s.local), "beside", len(s.beside),
		"drafts", len(s.drafts), "positions", len(s.positions), "unreadable", s.parts)
	bad := false // of the writer's goroutine
	failed := func(err error) {
		bad = true
		m.log.Error("what was salvaged could not be stored", "err", err)
	}
	m.store.Submit(store.Change{Durable: true, Failed: failed, Apply: func(tx *store.Tx) error {
		m.arrivals(tx)
		return errors.Join(m.takeUp(tx, s.notes), m.takePositions(tx, s.positions), m.takeDrafts(tx, s.drafts))
	}})
	for some := range slices.Chunk(s.local, salvageStep) {
		m.store.Submit(store.Change{Failed: failed, Apply: func(tx *store.Tx) error { return m.takeLocal(tx, some) }})
	}
	for some := range slices.Chunk(s.beside, salvageStep) {
		m.store.Submit(store.Change{Failed: failed, Apply: func(tx *store.Tx) error { return m.keepBeside(tx, some) }})
	}
	// Without this the next process begins once more; what has been taken over is known by its ids.
	m.store.Submit(store.Change{Durable: true, Failed: failed, Apply: func(tx *store.Tx) error {
		if bad {
			return nil
		}
		return store.Salvaged(tx, s.From)
	}})
}

// takeLocal inserts messages at the places that they had: the server's numbers have not changed.
func (m *Messages) takeLocal(tx *store.Tx, list []saved) error {
	m.arrivals(tx)
	for _, l := range list {
		e, err := m.book.Open(tx, l.typ, l.peer)
		if err != nil {
			return err
		}
		known, err := one(tx, `WHERE msg_id=? AND conv=?`, l.row.MsgID, e.ID)
		if err != nil {
			return err
		}
		if known != nil {
			continue
		}
		r := *l.row // Apply may run twice
		r.Conv = e.ID
		if r.Status == tim.MsgSendSucc { // the server may show it again, with another number
			if err := m.hasForgottenNow(tx); err != nil {
				return err
			}
		}
		if err := r.insert(tx); err != nil {
			return err
		}
		if e.LastMsg, err = latest(tx, &e.Conversation); err != nil {
			return err
		}
		e.Place(tx, r.moment())
	}
	return nil
}

func (m *Messages) takeDrafts(tx *store.Tx, list []saved) error {
	for _, d := range list {
		e, err := m.book.Open(tx, d.typ, d.peer)
		if err != nil {
			return err
		}
		e.Draft = d.draft
		e.Touch(tx, true)
	}
	return nil
}

// takePositions makes the intents anew; what the server knows already it passes over.
func (m *Messages) takePositions(tx *store.Tx, list []position) error {
	for _, p := range list {
		e, err := m.book.Open(tx, p.Type, p.Peer)
		if err != nil {
			return err
		}
		e.MarkRead(p.ReadSeq, p.ReadCount, 0)
		e.ClearSeq, e.HideSeq = max(e.ClearSeq, p.ClearSeq), max(e.HideSeq, p.HideSeq)
		e.Touch(tx, false)
		if err := outbox.Add(tx, &outbox.Intent{Lane: p.kind, Kind: p.kind, Ref: e.ID, Key: m.newKey()}); err != nil {
			return err
		}
	}
	return nil
}
