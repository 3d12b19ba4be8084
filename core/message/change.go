package message

import (
	"context"
	"encoding/json"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Revoke takes a message back for everybody.
func (m *Messages) Revoke(s Subject, reason string, done event.Done) {
	if bad := s.Unknown(); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	var a protocol.Edited
	if bad := m.ask(protocol.OpRevoke, m.newKey(), protocol.Revoke{Target: s.target(), Seq: s.Seq, Reason: reason}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	m.change(done, func(tx *store.Tx) (string, error) {
		_, err := m.takeOver(tx, s, &a)
		return "", err
	})
}

// takeOver applies the answer to a change that this user made.
func (m *Messages) takeOver(tx *store.Tx, s Subject, a *protocol.Edited) (*Row, error) {
	msg, ok := protocol.ParseMessage(a.Msg)
	if !ok {
		return nil, nil
	}
	e, err := m.book.Open(tx, s.Type, s.Peer)
	if err != nil {
		return nil, err
	}
	row, err := one(tx, `WHERE conv=? AND seq=?`, e.ID, int64(msg.Seq))
	if err != nil {
		return nil, err
	}
	if row == nil {
		row, err = m.receive(tx, &msg, pulled)
	} else {
		before := *row
		row.become(msg.State)
		if msg.Version > row.Version { // else a later change has come before this answer
			fresh := received(e.ID, &msg)
			row.Version, row.Elements, row.Extra = fresh.Version, fresh.Elements, fresh.Extra
		}
		if before.Status == tim.MsgDeleted {
			row.Status = tim.MsgDeleted // gone here, whatever it became
		}
		if err = row.amend(tx); err == nil {
			err = m.index(tx, row)
		}
		if e.LastMsg == row.ID {
			e.Touch(tx, false)
		}
		if row.Status != tim.MsgRevoked && row.Status != tim.MsgDeleted && row.Version > before.Version {
			m.tellUpdated(tx, e, row)
		}
	}
	if err != nil {
		return nil, err
	}
	return row, m.pos.Applied(tx, group(s.Type, s.Peer), a.Pos)
}

// Edit gives a sent message the content of the caller's JSON where it may change.
func (m *Messages) Edit(s Subject, msg gjson.Result, done event.Done) {
	if bad := s.Unknown(); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	base, bad := m.current(s)
	if bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	version := base.Version
	if v := msg.Get(tim.KeyMsgVersion); v.Exists() {
		version = v.Uint()
	}
	if base.Status == tim.MsgRevoked {
		done(tim.ErrSDKMsgModifyConflict, "the message is revoked", m.asKnown(s, msg.Raw))
		return
	}
	if bad := base.edit(msg); bad != nil {
		done(bad.Code, bad.Text, m.asKnown(s, msg.Raw))
		return
	}
	var a protocol.Edited
	bad = m.ask(protocol.OpEdit, m.newKey(), protocol.Edit{Target: s.target(), Seq: s.Seq, Version: version,
		Content: json.RawMessage(base.content())}, &a)
	if bad != nil && bad.Code != model.CodeEditConflict {
		done(bad.Code, bad.Text, m.asKnown(s, msg.Raw))
		return
	}
	conflict := bad != nil
	m.change(func(code int, desc, json string) {
		if code == 0 && conflict {
			code, desc = tim.ErrSDKMsgModifyConflict, "somebody else changed the message meanwhile"
		}
		done(code, desc, json)
	}, func(tx *store.Tx) (string, error) {
		row, err := m.takeOver(tx, s, &a)
		if row == nil || err != nil {
			return "", err
		}
		return m.publicJSON(tx, row)
	})
}

// asKnown is the result of a refused edit: the message as it is here, else the caller's.
func (m *Messages) asKnown(s Subject, given string) string {
	if s.row == nil {
		return given
	}
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) error {
		text, err := m.publicJSON(q, s.row)
		if text != "" {
			given = text
		}
		return err
	})
	if err != nil {
		m.log.Error("a message could not be read", "err", err)
	}
	return given
}

// current is the message as it is known here, or else at the server.
func (m *Messages) current(s Subject) (*Row, *transport.Error) {
	if s.row != nil {
		row := *s.row
		return &row, nil
	}
	var got protocol.Got
	if bad := m.ask(protocol.OpGet, "", protocol.Get{Target: s.target(), Seqs: []uint64{s.Seq}}, &got); bad != nil {
		return nil, bad
	}
	for _, raw := range got.Msgs {
		if msg, ok := protocol.ParseMessage(raw); ok {
			return received(0, &msg), nil
		}
	}
	return nil, &transport.Error{Code: tim.ErrInvalidParameters, Text: "no such message on the server"}
}

// edit takes over from the caller's JSON what may be changed: the elements of some kinds, and the cloud data.
func (r *Row) edit(msg gjson.Result) *transport.Error {
	if given := msg.Get(tim.KeyMsgElemArray); given.Exists() {
		fresh, err := complete(given)
		if err != nil {
			return &transport.Error{Code: tim.ErrInvalidParameters, Text: err.Error()}
		}
		old := gjson.Parse(r.Elements).Array()
		elements := gjson.Parse(fresh).Array()
		if len(elements) != len(old) {
			return &transport.Error{Code: tim.ErrInvalidParameters, Text: "the number of elements cannot change"}
		}
		out := make([]string, len(old))
		for i := range old {
			typ := old[i].Get(tim.KeyElemType).Int()
			if typ != elements[i].Get(tim.KeyElemType).Int() {
				return &transport.Error{Code: tim.ErrInvalidParameters, Text: "the kinds of elements cannot change"}
			}
			if out[i] = old[i].Raw; model.Editable(typ) {
				out[i] = elements[i].Raw
			}
		}
		r.Elements = array(out)
	}
	if cloud := msg.Get(tim.KeyMsgCloudCustomStr); cloud.Exists() {
		extra := r.Extra
		if extra == "" {
			extra = "{}"
		}
		extra, err := sjson.SetRaw(extra, tim.KeyMsgCloudCustomStr, cloud.Raw)
		if err != nil {
			return &transport.Error{Code: tim.ErrInvalidParameters, Text: err.Error()}
		}
		r.Extra = extraOf(gjson.Parse(extra))
	}
	return checkSendable(r.Elements, r.Extra)
}
