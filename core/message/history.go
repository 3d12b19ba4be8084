package message

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Limits of a history page.
const (
	maxPage     = 1000 // messages in one answer
	maxPulls    = 5    // questions to the server for one page
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
	LastSeq uint64       // start by its number in a group, itself included; LastMsg wins
	Types   []int64      // element types; empty: all
	Seqs    []uint64     // of a group: just these messages, whatever the rest says

	now int64 // by the server's clock, which has dated the messages
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
	if typ == tim.ConvGroup {
		p.LastSeq = v.Get(tim.KeyMsgGetMsgListParamLastMsgSeq).Uint()
		for _, seq := range v.Get(tim.KeyMsgGetMsgListParamMessageSeqArray).Array() {
			p.Seqs = append(p.Seqs, seq.Uint())
		}
		p.Seqs = p.Seqs[:min(len(p.Seqs), protocol.MaxRange)]
	}
	for _, t := range v.Get(tim.KeyMsgGetMsgListMessageTypeArray).Array() {
		p.Types = append(p.Types, t.Int())
	}
	if p.Count == 0 && len(p.Seqs) == 0 || peer == "" {
		return p, &transport.Error{Code: tim.ErrInvalidParameters, Text: "count must be greater than 0"}
	}
	return p, nil
}

// History answers a page. online says whether the server may be asked.
func (m *Messages) History(p Page, online bool, done event.Done) {
	if _, live := m.liveRoom(p.Type, p.Peer); live {
		done(0, "", "[]")
		return
	}
	p.now = m.self.Now().Unix()
	ctx := context.Background()
	complete := true
	switch {
	case !online || p.Type != tim.ConvC2C && p.Type != tim.ConvGroup:
	case len(p.Seqs) > 0:
		if err := m.fetch(ctx, p); err != nil {
			m.log.Warn("history: the server did not answer", "err", err)
		}
	case p.Cloud:
		complete = m.fill(ctx, &p) // what cannot be had from the server is answered from here
	}
	var out []string
	err := m.store.Read(ctx, func(q sqlite.Queryer) error {
		c, err := conversation.Find(q, p.Type, p.Peer)
		if err != nil || c == nil {
			return err
		}
		list, err := m.page(q, c, p)
		if err == nil && !complete {
			list, err = upToHole(q, c, list)
		}
		for _, r := range list {
			out = append(out, r.json(c, m.self.User))
		}
		return err
	})
	if err != nil {
		m.failing(done, "[]")(err)
		return
	}
	done(0, "", array(out))
}

// anchor is a place in the history: everything older or newer than it is meant.
type anchor struct{ sort, moment, id int64 }

const farthest = int64(1) << 62

func (m *Messages) anchor(q sqlite.Queryer, c *conversation.Conversation, p Page) (anchor, error) {
	if !p.LastMsg.Exists() {
		switch {
		case p.LastSeq > 0 && p.Newer:
			return anchor{sortOf(p.LastSeq) - 1, farthest, farthest}, nil
		case p.LastSeq > 0:
			return anchor{sortOf(p.LastSeq) + 1, 0, 0}, nil
		}
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
	if len(p.Seqs) > 0 {
		order := `DESC`
		if p.Newer {
			order = `ASC`
		}
		return rows(q, `WHERE conv=? AND status<>? AND seq IN (SELECT value FROM json_each(?)) ORDER BY seq `+order,
			c.ID, tim.MsgDeleted, string(protocol.Marshal(p.Seqs)))
	}
	at, err := m.anchor(q, c, p)
	if err != nil {
		return nil, err
	}
	from, to := window(p)
	if at, err = p.near(q, c, at, from, to); err != nil {
		return nil, err
	}
	var where strings.Builder
	where.WriteString(`WHERE conv=? AND status<>? AND `)
	args := []any{c.ID, tim.MsgDeleted, at.sort, at.moment, at.id}
	direction := ` ORDER BY sort DESC, moment DESC, id DESC LIMIT ?`
	if p.Newer {
		direction = ` ORDER BY sort, moment, id LIMIT ?`
		where.WriteString(`(sort,moment,id)>(?,?,?)`)
	} else {
		where.WriteString(`(sort,moment,id)<(?,?,?)`)
	}
	const second = ` AND coalesce(nullif(server_time/1000,0),client_time)`
	if from > 0 {
		where.WriteString(second + `>=?`)
		args = append(args, from)
	}
	if to > 0 {
		where.WriteString(second + `<=?`)
		args = append(args, to)
	}
	if from > 0 && !p.Newer || to > 0 && p.Newer { // where the page ends
		end := since
		moment := from * 1000
		if p.Newer {
			end, moment = until, to*1000+999
		}
		near, more, err := end(q, c.ID, moment)
		if err != nil {
			return nil, err
		}
		where.WriteString(` AND ` + near)
		args = append(args, more...)
	}
	if len(p.Types) > 0 {
		where.WriteString(` AND EXISTS (SELECT 1 FROM json_each(elements) e WHERE e.value->>'elem_type' IN (SELECT value FROM json_each(?)))`)
		args = append(args, string(protocol.Marshal(p.Types)))
	}
	return rows(q, where.String()+direction, append(args, p.Count)...)
}

// begin is where the window begins in milliseconds: the first moment in it, or towards older the first behind it.
func (p Page) begin() int64 {
	switch {
	case p.Begin <= 0:
		return 0
	case p.Newer:
		return p.Begin * 1000
	}
	return (p.Begin + 1) * 1000
}

// near moves the start of a page to where its time window begins.
func (p *Page) near(q sqlite.Queryer, c *conversation.Conversation, at anchor, from, to int64) (anchor, error) {
	switch {
	case p.Newer && from > 0:
		place, err := placeAt(q, c.ID, from*1000-slack)
		if begin := (anchor{place, from*1000 - slack, 0}); at.before(begin) {
			at = begin
		}
		return at, err
	case !p.Newer && to > 0:
		place, err := placeAt(q, c.ID, to*1000+999+slack)
		if begin := (anchor{place, to*1000 + 999 + slack, farthest}); begin.before(at) {
			at = begin
		}
		return at, err
	}
	return at, nil
}

// before says whether a place lies towards the older end of another.
func (a anchor) before(b anchor) bool {
	return cmp.Or(cmp.Compare(a.sort, b.sort), cmp.Compare(a.moment, b.moment), cmp.Compare(a.id, b.id)) < 0
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
			end = p.now
		}
		from = max(end-p.Period, 1)
	}
	return from, to
}
