package message

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Subject is a message that a call is about.
type Subject struct {
	Type int
	Peer string
	ID   string // public id
	Seq  uint64 // the server's number, 0: it has none
	row  *Row   // nil: not here
}

func (s *Subject) target() protocol.Target { return target(s.Type, s.Peer) }

// target names a conversation on the wire.
func target(typ int, peer string) protocol.Target {
	if typ == tim.ConvGroup {
		return protocol.Target{Group: peer}
	}
	return protocol.Target{Peer: peer}
}

// group is the name of the group whose log a change of the conversation goes to, "" for the user's own.
func group(typ int, peer string) string {
	if typ == tim.ConvGroup {
		return peer
	}
	return ""
}

// Subject finds the message that the caller's JSON means. The id is enough; the conversation may come beside it. A message
// that is not here is known by its conversation and number.
func (m *Messages) Subject(typ int, peer string, msg gjson.Result) (s Subject, err error) {
	s = Subject{Type: typ, Peer: peer, ID: msg.Get(tim.KeyMsgMsgId).String()}
	if s.Peer == "" {
		s.Type, s.Peer = int(msg.Get(tim.KeyMsgConvType).Int()), msg.Get(tim.KeyMsgConvId).String()
	}
	err = m.store.Read(context.Background(), func(q sqlite.Queryer) error {
		row, err := m.rowOf(q, &s)
		elsewhere := row == nil && err == nil && peer == "" && s.ID != ""
		if elsewhere { // the JSON may come from the other side, whose conversation has another name
			row, err = byMsgID(q, s.ID)
		}
		if err != nil || row == nil {
			return err
		}
		s.row, s.Seq = row, row.Seq
		if s.Peer == "" || elsewhere {
			c, err := conversation.ByID(q, row.Conv)
			if c != nil {
				s.Type, s.Peer = c.Type, c.Peer
			}
			return err
		}
		return nil
	})
	if err == nil && s.row == nil {
		s.Seq = m.seqIn(&s, msg)
	}
	return s, err
}

// seqIn is the server's number that the caller's JSON gives a message of this conversation. It is 0 when the JSON is of
// another conversation, where the number means another message, or of a message that the server never had.
func (m *Messages) seqIn(s *Subject, msg gjson.Result) uint64 {
	named, typ, status := msg.Get(tim.KeyMsgConvId).String(), msg.Get(tim.KeyMsgConvType), msg.Get(tim.KeyMsgStatus).Int()
	ours := named == "" || named == s.Peer || s.Type == tim.ConvC2C && named == m.self.User // the other side calls it so
	if !ours || typ.Exists() && typ.Int() != int64(s.Type) || status == tim.MsgLocalImported || status == tim.MsgSendFail {
		return 0
	}
	return msg.Get(tim.KeyMsgSeq).Uint()
}

func (m *Messages) rowOf(q sqlite.Queryer, s *Subject) (*Row, error) {
	if s.ID == "" {
		return nil, nil
	}
	if s.Peer == "" {
		return byMsgID(q, s.ID)
	}
	c, err := conversation.Find(q, s.Type, s.Peer)
	if c == nil || err != nil {
		return nil, err
	}
	return one(q, `WHERE msg_id=? AND conv=? ORDER BY id DESC`, s.ID, c.ID)
}

// Unknown says that nothing can be done with the message: nobody knows where it is, or the server has not got it.
func (s *Subject) Unknown() *transport.Error {
	if s.Peer == "" || s.Seq == 0 || s.Type != tim.ConvC2C && s.Type != tim.ConvGroup {
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "no such message on the server"}
	}
	return nil
}

// Subjects finds the messages of an array, all in one conversation.
func (m *Messages) Subjects(typ int, peer string, list []gjson.Result) ([]Subject, *transport.Error) {
	var all []Subject
	for _, msg := range list {
		s, err := m.Subject(typ, peer, msg)
		if err != nil {
			return nil, m.dbError(err)
		}
		if len(all) > 0 && (s.Type != all[0].Type || s.Peer != all[0].Peer) {
			return nil, &transport.Error{Code: tim.ErrInvalidParameters, Text: "the messages are not of one conversation"}
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, &transport.Error{Code: tim.ErrInvalidParameters, Text: "no messages named"}
	}
	return all, nil
}

// seqs returns the server's numbers of messages.
func seqs(list []Subject) []uint64 {
	out := make([]uint64, 0, len(list))
	for i := range list {
		out = append(out, list[i].Seq)
	}
	return out
}

// ask puts a request to the server and reads the answer into into, which may be nil. A refusal's body is read too. Key is
// for requests that change something.
func (m *Messages) ask(op, key string, body, into any) *transport.Error {
	a, err := m.link.Ask(context.Background(), op, key, protocol.Marshal(body), m.self.Timeout())
	if err != nil {
		return transport.AsError(err)
	}
	if into != nil && len(a.Body) > 0 {
		if err := json.Unmarshal(a.Body, into); err != nil && a.Code == 0 {
			return &transport.Error{Code: tim.ErrParseResponseFailed, Text: err.Error()}
		}
	}
	if a.Code != 0 {
		return (&transport.Error{Code: a.Code, Text: a.Desc}).Public()
	}
	return nil
}

// change makes a change of the database and answers the call with what it makes of it.
func (m *Messages) change(done func(code int, desc, json string), apply func(tx *store.Tx) (string, error)) {
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			m.arrivals(tx)
			text, err := apply(tx)
			if err == nil {
				tx.After(func() { done(0, "", text) })
			}
			return err
		},
		Failed: func(err error) {
			if !errors.Is(err, store.ErrClosed) { // what the server did is in the log, and nobody pushes it to who asked for it
				m.pos.Catch()
			}
			m.failing(done, "")(err)
		},
	})
}
