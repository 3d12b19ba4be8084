package message

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Limits of a history page.
const (
	maxPage     = 1000 // messages in one answer
	maxPulls    = 3    // questions to the server for one page
	pullTimeout = 15 * time.Second
	awayTimeout = 2 * time.Second // without a connection: a cut may pass
)

// Page is a question for history.
type Page struct {
	Type    int
	Peer    string
	Count   int
	Newer   bool         // towards newer messages, oldest first; else towards older, newest first
	Cloud   bool         // fill holes from the server
	LastMsg gjson.Result // start, itself excluded; nothing: from the end, or from Begin
	Begin   int64        // seconds; 0: now when going back, the beginning when going forward
	Period  int64        // seconds; 0: unlimited
	Types   []int64      // element types; empty: all
}

// ParsePage reads the public parameter. An error means that it cannot be used.
func ParsePage(typ int, peer, text string) (Page, *transport.Error) {
	v := gjson.Parse(text)
	p := Page{Type: typ, Peer: peer, Count: int(min(v.Get(tim.KeyMsgGetMsgListParamCount).Uint(), maxPage)),
		Newer: v.Get(tim.KeyMsgGetMsgListParamIsForward).Bool(), Cloud: v.Get(tim.KeyMsgGetMsgListParamIsRamble).Bool(),
		Begin: v.Get(tim.KeyMsgGetMsgListParamTimeBegin).Int(), Period: v.Get(tim.KeyMsgGetMsgListParamTimePeriod).Int()}
	if last := v.Get(tim.KeyMsgGetMsgListParamLastMsg); last.IsObject() && last.Raw != "{}" {
		p.LastMsg = last
	}
	for _, t := range v.Get(tim.KeyMsgGetMsgListMessageTypeArray).Array() {
		p.Types = append(p.Types, t.Int())
	}
	if p.Count == 0 || peer == "" {
		return p, &transport.Error{Code: tim.ErrInvalidParameters, Text: "count must be greater than 0"}
	}
	return p, nil
}

// History answers a page. online says whether the server may be asked.
func (m *Messages) History(p Page, online bool, done event.Done) {
	ctx := context.Background()
	if p.Cloud && online && p.Type == tim.ConvC2C {
		m.fill(ctx, p) // what cannot be had from the server is answered from here
	}
	var out []string
	err := m.store.Read(ctx, func(q sqlite.Queryer) error {
		c, err := conversation.Find(q, p.Type, p.Peer)
		if err != nil || c == nil {
			return err
		}
		list, err := m.page(q, c, p)
		for _, r := range list {
			out = append(out, r.json(c, m.self.User))
		}
		return err
	})
	if err != nil {
		e := m.dbError(err)
		done(e.Code, e.Text, "[]")
		return
	}
	done(0, "", array(out))
}

// anchor is a place in the history: everything older or newer than it is meant.
type anchor struct{ sort, moment, id int64 }

const farthest = int64(1) << 62

func (m *Messages) anchor(q sqlite.Queryer, c *conversation.Conversation, p Page) (anchor, error) {
	if !p.LastMsg.Exists() {
		if p.Newer {
			return anchor{-1, 0, 0}, nil
		}
		return anchor{farthest, farthest, farthest}, nil
	}
	row, err := one(q, `WHERE conv=? AND msg_id=? ORDER BY id DESC`, c.ID, p.LastMsg.Get(tim.KeyMsgMsgId).String())
	if err != nil {
		return anchor{}, err
	}
	if row != nil {
		return anchor{row.Sort, row.moment(), row.ID}, nil
	}
	seq := p.LastMsg.Get(tim.KeyMsgSeq).Uint()
	at := anchor{sortOf(seq), 0, 0}
	if p.Newer {
		at.moment = farthest
	}
	return at, nil
}

func (m *Messages) page(q sqlite.Queryer, c *conversation.Conversation, p Page) ([]*Row, error) {
	at, err := m.anchor(q, c, p)
	if err != nil {
		return nil, err
	}
	var where strings.Builder
	where.WriteString(`WHERE conv=? AND status<>? AND `)
	args := []any{c.ID, tim.MsgDeleted, at.sort, at.sort, at.moment, at.id}
	from, to := window(p)
	direction := ` ORDER BY sort DESC, ` + moment + ` DESC, id DESC LIMIT ?`
	if p.Newer {
		direction = ` ORDER BY sort, ` + moment + `, id LIMIT ?`
		where.WriteString(`sort>=? AND (sort,` + moment + `,id)>(?,?,?)`)
	} else {
		where.WriteString(`sort<=? AND (sort,` + moment + `,id)<(?,?,?)`)
	}
	const second = ` coalesce(nullif(server_time/1000,0),client_time)`
	if from > 0 {
		where.WriteString(` AND` + second + `>=?`)
		args = append(args, from)
	}
	if to > 0 {
		where.WriteString(` AND` + second + `<=?`)
		args = append(args, to)
	}
	if len(p.Types) > 0 {
		where.WriteString(` AND EXISTS (SELECT 1 FROM json_each(elements) e WHERE e.value->>'elem_type' IN (SELECT value FROM json_each(?)))`)
		args = append(args, string(protocol.Marshal(p.Types)))
	}
	return rows(q, where.String()+direction, append(args, p.Count)...)
}

// window is the closed time window of a page in seconds, 0 where it is open.
func window(p Page) (from, to int64) {
	if p.Newer {
		from = p.Begin
		if p.Period > 0 {
			to = p.Begin + p.Period
		}
		return from, to
	}
	to = p.Begin
	if p.Period > 0 {
		end := to
		if end == 0 {
			end = time.Now().Unix()
		}
		from = max(end-p.Period, 1)
	}
	return from, to
}

// need says which numbers a page wants and which of them are missing.
type need struct {
	lo, hi uint64
	limit  int
}

// fill pulls what the page needs and the database does not have.
func (m *Messages) fill(ctx context.Context, p Page) {
	timeout := pullTimeout
	if _, open, _, _ := m.link.Connected(); !open {
		timeout = awayTimeout
	}
	for range maxPulls {
		n, err := m.missing(ctx, p)
		if err != nil || n.limit == 0 {
			return
		}
		body := protocol.Marshal(protocol.Range{Peer: p.Peer, Lo: n.lo, Hi: n.hi, Limit: n.limit, Newer: p.Newer})
		a, err := m.link.Ask(ctx, protocol.OpRange, "", body, timeout)
		if err != nil || a.Code != 0 {
			m.log.Warn("history: the server did not answer", "code", a.Code, "err", err)
			return
		}
		var got protocol.Ranged
		if json.Unmarshal(a.Body, &got) != nil {
			return
		}
		if err := m.store.Write(ctx, func(tx *store.Tx) error { return m.ranged(tx, p.Peer, &got) }); err != nil {
			m.log.Error("history: messages could not be stored", "err", err)
			return
		}
	}
}

// ranged stores a piece of history.
func (m *Messages) ranged(tx *store.Tx, peer string, got *protocol.Ranged) error {
	m.arrivals(tx)
	e, err := m.book.Open(tx, tim.ConvC2C, peer)
	if err != nil {
		return err
	}
	for _, raw := range got.Msgs {
		if msg, ok := protocol.ParseMessage(raw); ok {
			if _, err := m.receive(tx, &msg, pulled); err != nil {
				return err
			}
		}
	}
	if got.Min > 1 { // what lies before is gone for good, there is nothing to ask for
		if err := addRange(tx.Tx, e.ID, 1, got.Min-1); err != nil {
			return err
		}
	}
	if got.Hi < got.Lo || got.Hi == 0 {
		return nil
	}
	return addRange(tx.Tx, e.ID, got.Lo, got.Hi)
}

// missing finds the hole that is nearest to the page's start. A limit of 0 means that nothing is missing.
func (m *Messages) missing(ctx context.Context, p Page) (n need, err error) {
	err = m.store.Read(ctx, func(q sqlite.Queryer) error {
		c, err := conversation.Find(q, p.Type, p.Peer)
		if err != nil {
			return err
		}
		if c == nil { // never seen here: ask for the newest
			n = need{lo: 1, limit: min(p.Count, protocol.MaxRange)}
			return nil
		}
		at, err := m.anchor(q, c, p)
		if err != nil {
			return err
		}
		if p.Newer {
			n, err = newerHole(q, c, at, p.Count)
		} else {
			n, err = olderHole(q, c, at, p.Count)
		}
		return err
	})
	return n, err
}

func olderHole(q sqlite.Queryer, c *conversation.Conversation, at anchor, count int) (need, error) {
	first := c.ClearSeq + 1
	hi := c.MaxSeq
	if at.sort != farthest {
		hi = min(hi, uint64(at.sort+1)/2-1+uint64(at.sort%2))
	}
	if hi < first || c.MaxSeq == 0 {
		return need{}, nil
	}
	lowest := first
	if hi > uint64(count) {
		lowest = max(first, hi-uint64(count)+1)
	}
	lo, _, err := rangeAround(q, c.ID, hi)
	if err != nil || lo != 0 && lo <= lowest {
		return need{}, err
	}
	if lo != 0 {
		hi = lo - 1
	}
	return need{lo: first, hi: hi, limit: min(max(int(hi-lowest)+1, 1), protocol.MaxRange)}, nil
}

func newerHole(q sqlite.Queryer, c *conversation.Conversation, at anchor, count int) (need, error) {
	lo := max(c.ClearSeq+1, uint64(max(at.sort, 0))/2+1)
	if lo > c.MaxSeq {
		return need{}, nil
	}
	highest := min(c.MaxSeq, lo+uint64(count)-1)
	_, hi, err := rangeAround(q, c.ID, lo)
	if err != nil || hi >= highest {
		return need{}, err
	}
	if hi != 0 {
		lo = hi + 1
	}
	return need{lo: lo, hi: c.MaxSeq, limit: min(int(highest-lo)+1, protocol.MaxRange)}, nil
}
