package message

import (
	"sync"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Outbox kinds of a conversation's positions; their references are conversation rows.
const (
	KindRead  = "read"
	KindClear = "clear" // the conversation is deleted with its messages
	KindHide  = "hide"  // only the conversation goes
)

// Target says what to mark as read.
type Target struct {
	Type int    // 0: of every type
	Peer string // "": every conversation of the type
	Seq  uint64 // up to this number; 0: everything
	Time int64  // up to this time in seconds; 0: everything
}

// MarkRead moves read positions here at once and at the server as soon as it can be reached. done hears when the server
// knows, or the error after which nobody waits any more; the intent itself stays until the server knows.
func (m *Messages) MarkRead(t Target, done event.Done) {
	if _, live := m.liveRoom(t.Type, t.Peer); live {
		done(0, "", "")
		return
	}
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			m.arrivals(tx)
			list, err := m.targets(tx, t)
			if err != nil {
				return err
			}
			all := &gather{done: done}
			for _, one := range list {
				one.Seq, one.Time = t.Seq, t.Time
				if err := m.markOne(tx, one, all); err != nil {
					return err
				}
			}
			tx.After(all.seal)
			return nil
		},
		Failed: m.failing(done, ""),
	})
}

// MarkReadTo is MarkRead up to a message. One that the server never had stands for what lies before it, and one that is not here
// and has no number for what was sent until its time.
func (m *Messages) MarkReadTo(s Subject, msg gjson.Result, done event.Done) {
	t := Target{Type: s.Type, Peer: s.Peer, Seq: s.Seq}
	switch {
	case t.Seq > 0:
	case s.row != nil:
		if t.Seq = uint64(max(s.row.Sort, 0)) / 2; t.Seq == 0 { // nothing of the server's lies before it
			done(0, "", "")
			return
		}
	default:
		if t.Time = msg.Get(tim.KeyMsgServerTime).Int(); t.Time <= 0 {
			done(tim.ErrInvalidParameters, "no such message", "")
			return
		}
	}
	m.MarkRead(t, done)
}

// CleanUnread is MarkRead for all conversations, or all of a type. While one runs, the next of the same type is refused.
func (m *Messages) CleanUnread(t Target, done event.Done) {
	m.mu.Lock()
	running := m.cleaning[t.Type]
	m.cleaning[t.Type] = true
	m.mu.Unlock()
	if running {
		done(tim.ErrInProgess, "such a call is still running", "")
		return
	}
	m.MarkRead(t, func(code int, desc, json string) {
		m.mu.Lock()
		delete(m.cleaning, t.Type)
		m.mu.Unlock()
		done(code, desc, json)
	})
}

// targets is the conversations that are meant. All of them, or all of a type, means the list: topics are not in it.
func (m *Messages) targets(q sqlite.Queryer, t Target) ([]Target, error) {
	if t.Peer != "" {
		return []Target{t}, nil
	}
	var list []Target
	err := q.Query(`SELECT type, peer FROM conversation WHERE (type=? OR ?=0) AND (peer_count>read_count OR at<>'')`, func(scan func(...any) error) error {
		var one Target
		err := scan(&one.Type, &one.Peer)
		if model.CommunityOf(one.Peer) == "" {
			list = append(list, one)
		}
		return err
	}, t.Type, t.Type)
	return list, err
}

func (m *Messages) markOne(tx *store.Tx, t Target, all *gather) error {
	known, err := conversation.Find(tx, t.Type, t.Peer)
	if err != nil || known == nil {
		return err
	}
	e, err := m.book.Open(tx, t.Type, t.Peer)
	if err != nil {
		return err
	}
	seq, count, err := m.upTo(tx, e, t)
	if err != nil || seq <= e.ReadSeq && count <= e.ReadCount {
		return err
	}
	e.MarkRead(seq, count, m.self.Now().Unix())
	e.Touch(tx, false)
	return m.intend(tx, KindRead, e.ID, all)
}

// upTo finds the number and the count that the target means in this conversation.
func (m *Messages) upTo(q sqlite.Queryer, e *conversation.Entry, t Target) (seq, count uint64, err error) {
	if t.Seq == 0 && t.Time == 0 {
		return e.MaxSeq, e.PeerCount, nil
	}
	limit := int64(t.Seq)
	if t.Time > 0 {
		if _, err = q.Get(`SELECT seq FROM message WHERE conv=? AND seq IS NOT NULL AND server_time<? ORDER BY sort DESC LIMIT 1`,
			[]any{&limit}, e.ID, (t.Time+1)*1000); err != nil {
			return 0, 0, err
		}
	}
	_, err = q.Get(`SELECT coalesce(max(count),0) FROM message WHERE conv=? AND seq<=? AND sender<>?`, []any{&count}, e.ID, limit, m.self.User)
	return uint64(limit), count, err
}

// intend writes an intent about a conversation. The request is made when it leaves, so it carries the newest position.
func (m *Messages) intend(tx *store.Tx, kind string, conv int64, all *gather) error {
	in := &outbox.Intent{Lane: kind, Kind: kind, Ref: conv, Key: m.newKey(), Timeout: m.self.Timeout(), Keep: true}
	if err := outbox.Add(tx, in); err != nil {
		return err
	}
	all.add()
	tx.After(func() {
		m.mu.Lock()
		m.readers[in.ID] = append(m.readers[in.ID], all.one)
		m.mu.Unlock()
		m.outbox.Enter(in)
	})
	return nil
}

// gather calls done when all of its parts have ended.
type gather struct {
	mu   sync.Mutex
	open int
	full bool
	bad  *transport.Error
	done event.Done
}

func (g *gather) add() { g.open++ }

// seal says that no more parts follow.
func (g *gather) seal() {
	g.mu.Lock()
	g.full = true
	g.finish()
}

func (g *gather) one(err *transport.Error) {
	g.mu.Lock()
	g.open--
	if err != nil {
		g.bad = err
	}
	g.finish()
}

// finish unlocks and calls done after the last part.
func (g *gather) finish() {
	over := g.full && g.open == 0
	bad := g.bad
	g.mu.Unlock()
	switch {
	case !over:
	case bad != nil:
		g.done(bad.Code, bad.Text, "")
	default:
		g.done(0, "", "")
	}
}

// Position is an outbox kind of positions: the request carries the position as it is when it leaves.
type Position struct {
	M    *Messages
	Kind string
}

// Request implements outbox.Kind.
func (p Position) Request(q sqlite.Queryer, ref int64) (string, []byte, error) {
	c, err := conversation.ByID(q, ref)
	if err != nil || c == nil {
		return "", nil, err
	}
	switch p.Kind {
	case KindClear:
		return protocol.OpClear, protocol.Marshal(protocol.Clear{Target: target(c.Type, c.Peer), Seq: c.ClearSeq}), nil
	case KindHide:
		return protocol.OpClear, protocol.Marshal(protocol.Clear{Target: target(c.Type, c.Peer), Seq: c.HideSeq, Hide: true}), nil
	}
	return protocol.OpRead, protocol.Marshal(protocol.Read{Target: target(c.Type, c.Peer), Seq: c.ReadSeq}), nil
}

// Confirmed implements outbox.Kind.
func (p Position) Confirmed(tx *store.Tx, in *outbox.Intent, body []byte) error {
	at := gjson.ParseBytes(body)
	pos, count := at.Get("pos").Uint(), at.Get("count").Uint()
	p.M.arrivals(tx)
	e, err := p.M.book.OpenByID(tx, in.Ref)
	if err != nil {
		return err
	}
	tx.After(func() { p.M.tellReaders(in.ID, nil) })
	if p.Kind != KindRead && e != nil {
		return p.M.pos.Stands(tx, pos, p.M.clearing(e, at.Get("seq").Uint(), count, p.Kind == KindHide))
	}
	// The answer stands for the log's entry, and only the server can count what lies in a hole.
	if e != nil && count > e.ReadCount {
		e.MarkRead(e.ReadSeq, count, 0)
		e.Touch(tx, false)
	}
	return p.M.pos.Applied(tx, "", pos)
}

// Failed implements outbox.Kind.
func (p Position) Failed(tx *store.Tx, in *outbox.Intent, why *transport.Error) error {
	tx.After(func() { p.M.tellReaders(in.ID, why) })
	return nil
}

// Lost implements outbox.Kind.
func (p Position) Lost(in *outbox.Intent, why *transport.Error) { p.M.tellReaders(in.ID, why) }

func (m *Messages) tellReaders(id int64, why *transport.Error) {
	m.mu.Lock()
	all := m.readers[id]
	delete(m.readers, id)
	m.mu.Unlock()
	for _, tell := range all {
		tell(why)
	}
}
