package message

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// SetExtensions sets and deletes keys of a message. Who has not seen the present value of a key does not change it: he
// gets a conflict and that value.
func (m *Messages) SetExtensions(tx *sqlite.Tx, c *Change, s protocol.SetExtensions) (protocol.ExtensionsSet, []changelog.Change, error) {
	a := protocol.ExtensionsSet{Results: []protocol.ExtensionResult{}}
	if found, err := answered(tx, c.User, c.Key, &a); found || err != nil {
		return a, nil, err
	}
	if err := checkExtensions(&s); err != nil {
		return a, nil, err
	}
	t, err := m.target(tx, c, notFound)
	if err != nil {
		return a, nil, err
	}
	if !t.msg.is(flagExtensions) || t.msg.state().Revoked != nil {
		return a, nil, refusal.New(tim.ErrInvalidParameters, "the message does not support extensions")
	}
	have, err := m.extensions(tx, t.at.conv(), c.Seq)
	if err != nil {
		return a, nil, err
	}
	e := &extending{tx: tx, conv: t.at.conv(), seq: int64(c.Seq), have: have, now: uint64(m.now().UnixMilli())}
	if s.Clear {
		for _, x := range have {
			s.Del = append(s.Del, protocol.Extension{Key: x.Key, Seq: x.Seq})
		}
	}
	for _, x := range s.Set {
		if err := e.set(x); err != nil {
			return a, nil, err
		}
	}
	for _, x := range s.Del {
		if err := e.del(x); err != nil {
			return a, nil, err
		}
	}
	a.Results = append(a.Results, e.results...)
	if len(e.change.Set)+len(e.change.Del) == 0 {
		return a, nil, nil
	}
	changes, err := m.all(tx, t.at, changelog.Pointer{Kind: protocol.EntryExtensions, Seq: c.Seq, Time: m.now().UnixMilli(),
		Data: protocol.Marshal(e.change)})
	if err != nil {
		return a, nil, err
	}
	for i := range changes {
		changes[i].Only = t.msg.audienceOf()
	}
	a.Pos = changes[0].Pos
	return a, changes, m.remember(tx, c.User, c.Key, a)
}

func checkExtensions(s *protocol.SetExtensions) error {
	if len(s.Set)+len(s.Del) > model.MaxExtensionsCall {
		return refusal.New(tim.ErrInvalidParameters, "too many extensions in one call")
	}
	for _, x := range s.Set {
		if x.Key == "" || len(x.Key) > model.MaxExtensionKey || len(x.Value) > model.MaxExtensionValue {
			return refusal.New(tim.ErrInvalidParameters, "a key has 1 to 100 bytes and a value at most 1024")
		}
	}
	return nil
}

// extending is one change of a message's extensions under way.
type extending struct {
	tx      *sqlite.Tx
	conv    int64
	seq     int64
	have    map[string]protocol.Extension
	now     uint64 // milliseconds
	results []protocol.ExtensionResult
	change  protocol.ExtensionChange
}

func (e *extending) set(x protocol.Extension) error {
	old, exists := e.have[x.Key]
	switch {
	case exists && old.Seq != x.Seq, !exists && x.Seq != 0:
		e.result(tim.ErrSVRMsgExtensionConflict, old, x.Key)
		return nil
	case !exists && len(e.have) >= model.MaxExtensions:
		e.result(tim.ErrInvalidParameters, x, x.Key)
		return nil
	}
	x.Seq = max(x.Seq+1, e.now) // a key that was deleted does not get its old numbers again
	e.have[x.Key] = x
	e.change.Set = append(e.change.Set, x)
	e.result(0, x, x.Key)
	return e.tx.Exec(`INSERT INTO extension (conv, seq, key, value, n) VALUES (?,?,?,?,?)
		ON CONFLICT (conv, seq, key) DO UPDATE SET value=excluded.value, n=excluded.n`, e.conv, e.seq, x.Key, x.Value, int64(x.Seq))
}

func (e *extending) del(x protocol.Extension) error {
	old, exists := e.have[x.Key]
	switch {
	case !exists:
		e.result(tim.ErrSVRMsgExtensionNotExist, x, x.Key)
		return nil
	case x.Seq != old.Seq:
		e.result(tim.ErrSVRMsgExtensionConflict, old, x.Key)
		return nil
	}
	delete(e.have, x.Key)
	e.change.Del = append(e.change.Del, x.Key)
	e.result(0, protocol.Extension{Value: old.Value}, x.Key) // without a number: there is nothing to have seen any more
	return e.tx.Exec(`DELETE FROM extension WHERE conv=? AND seq=? AND key=?`, e.conv, e.seq, x.Key)
}

func (e *extending) result(code int, x protocol.Extension, key string) {
	x.Key = key
	e.results = append(e.results, protocol.ExtensionResult{Code: code, Extension: x})
}

func (m *Messages) extensions(q sqlite.Queryer, conv int64, seq uint64) (map[string]protocol.Extension, error) {
	have := map[string]protocol.Extension{}
	err := q.Query(`SELECT key, value, n FROM extension WHERE conv=? AND seq=?`, func(scan func(...any) error) error {
		var x protocol.Extension
		err := scan(&x.Key, &x.Value, &x.Seq)
		have[x.Key] = x
		return err
	}, conv, int64(seq))
	return have, err
}

// Extensions answers a message's extensions by key.
func (m *Messages) Extensions(q sqlite.Queryer, user User, w Where, seq uint64) ([]byte, error) {
	at, err := m.find(q, user, w)
	if err != nil {
		return nil, err
	}
	msg, err := m.one(q, at, seq)
	if err != nil {
		return nil, err
	}
	if msg == nil {
		return nil, notFound(w.GID != 0)
	}
	a := protocol.Extensions{List: []protocol.Extension{}}
	err = q.Query(`SELECT key, value, n FROM extension WHERE conv=? AND seq=? ORDER BY key`, func(scan func(...any) error) error {
		var x protocol.Extension
		err := scan(&x.Key, &x.Value, &x.Seq)
		a.List = append(a.List, x)
		return err
	}, at.conv(), int64(seq))
	return protocol.Marshal(a), err
}
