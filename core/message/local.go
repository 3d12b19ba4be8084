package message

import (
	"context"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Find answers the messages with these ids, in their order; unknown ones are left out.
func (m *Messages) Find(ids []string, done event.Done) {
	m.list(done, func(q sqlite.Queryer) ([]*Row, error) {
		var found []*Row
		for _, id := range ids {
			r, err := byMsgID(q, id)
			if err != nil {
				return nil, err
			}
			if r != nil {
				found = append(found, r)
			}
		}
		return found, nil
	})
}

// Locate answers the messages that the locators name, one a locator at most.
func (m *Messages) Locate(typ int, peer string, locators []gjson.Result, done event.Done) {
	m.list(done, func(q sqlite.Queryer) ([]*Row, error) {
		c, err := conversation.Find(q, typ, peer)
		if err != nil || c == nil {
			return nil, err
		}
		var found []*Row
		for _, l := range locators {
			r, err := m.locate(q, c, l)
			if err != nil {
				return nil, err
			}
			if r != nil {
				found = append(found, r)
			}
		}
		return found, nil
	})
}

func (m *Messages) locate(q sqlite.Queryer, c *conversation.Conversation, l gjson.Result) (*Row, error) {
	seq := l.Get(tim.KeyMsgLocatorSeq).Int()
	candidates, err := rows(q, `WHERE conv=? AND (seq=? OR seq IS NULL AND id=?)`, c.ID, seq, seq)
	if err != nil {
		return nil, err
	}
	for _, r := range candidates {
		t := r.ServerTime / 1000
		if t == 0 {
			t = r.ClientTime
		}
		if uint64(r.Rand) == l.Get(tim.KeyMsgLocatorRand).Uint() && t == l.Get(tim.KeyMsgLocatorTime).Int() &&
			(r.Sender == m.self.User) == l.Get(tim.KeyMsgLocatorIsSelf).Bool() {
			return r, nil
		}
	}
	return nil, nil
}

// list answers rows as an array.
func (m *Messages) list(done event.Done, query func(sqlite.Queryer) ([]*Row, error)) {
	var out []string
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) error {
		found, err := query(q)
		if err != nil {
			return err
		}
		for _, r := range found {
			text, err := m.publicJSON(q, r)
			if err != nil {
				return err
			}
			out = append(out, text)
		}
		return nil
	})
	if err != nil {
		m.failing(done, "[]")(err)
		return
	}
	done(0, "", array(out))
}

// Import stores messages that never were on the server. Their times stay where the caller gave them, else they are now.
// An error means that a message cannot be used, and then none is stored.
func (m *Messages) Import(typ int, peer string, list []gjson.Result, done event.Done) error {
	flags := 0
	if typ == tim.ConvGroup { // the interface has it so
		flags = flagUnread
	}
	rows, err := m.localRows(list, flags)
	if err != nil {
		return err
	}
	if !m.unkept(typ, peer, done) {
		m.keep(typ, peer, rows, done, func(*conversation.Conversation) string { return "" })
	}
	return nil
}

// Save stores one such message and answers with it.
func (m *Messages) Save(typ int, peer string, msg gjson.Result, done event.Done) error {
	flags := flagUnread
	if msg.Get(tim.KeyMsgIsRead).Bool() {
		flags = 0
	}
	rows, err := m.localRows([]gjson.Result{msg}, flags)
	if err != nil {
		return err
	}
	if !m.unkept(typ, peer, done) {
		m.keep(typ, peer, rows, done, func(c *conversation.Conversation) string { return rows[0].json(c, m.self.User) })
	}
	return nil
}

func (m *Messages) localRows(list []gjson.Result, flags int) ([]*Row, error) {
	out := make([]*Row, 0, len(list))
	for _, msg := range list {
		elements, err := complete(msg.Get(tim.KeyMsgElemArray))
		if err != nil {
			return nil, err
		}
		now := m.self.Now()
		r := &Row{Sender: msg.Get(tim.KeyMsgSender).String(), ClientTime: now.Unix(), Rand: m.rand.Add(1),
			Status: tim.MsgLocalImported, Flags: flags, Unread: -1, Elements: elements, Extra: extraOf(msg),
			LocalInt: uint32(msg.Get(tim.KeyMsgCustomInt).Uint()), LocalStr: msg.Get(tim.KeyMsgCustomStr).String()}
		if r.Sender == "" {
			r.Sender = m.self.User
		}
		if t := msg.Get(tim.KeyMsgClientTime).Int(); t > 0 {
			r.ClientTime = t
		}
		if t := msg.Get(tim.KeyMsgServerTime).Int(); t > 0 {
			r.ServerTime = t * 1000
		}
		r.MsgID = m.newID(r.Sender, r.ClientTime, r.Rand)
		out = append(out, r)
	}
	return out, nil
}

// keep inserts local rows at the places that their times give them.
func (m *Messages) keep(typ int, peer string, list []*Row, done event.Done, result func(*conversation.Conversation) string) {
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			m.arrivals(tx)
			e, err := m.book.Open(tx, typ, peer)
			if err != nil {
				return err
			}
			for _, r := range list {
				r.Conv = e.ID
				if r.ServerTime == 0 {
					if r.ServerTime, err = m.moment(tx, e.ID); err != nil {
						return err
					}
				}
				if r.Sort, err = placeOf(tx, e.ID, r.ServerTime); err != nil {
					return err
				}
				if err = r.insert(tx); err != nil {
					return err
				}
			}
			if e.LastMsg, err = latest(tx, &e.Conversation); err != nil {
				return err
			}
			e.Touch(tx, true)
			tx.After(func() { done(0, "", result(&e.Conversation)) })
			return nil
		},
		Failed: m.failing(done, ""),
	})
}

// moment is now in milliseconds, but not before the newest message: the server's clock may be a little ahead of ours.
func (m *Messages) moment(q sqlite.Queryer, conv int64) (int64, error) {
	var newest int64
	_, err := q.Get(`SELECT moment FROM message WHERE conv=? ORDER BY sort DESC, moment DESC LIMIT 1`, []any{&newest}, conv)
	return max(newest, m.self.Now().UnixMilli()), err
}

// placeOf is the place after the newest message that is not younger; the moment decides among those that share it.
func placeOf(q sqlite.Queryer, conv, serverTime int64) (int64, error) {
	place, err := placeAt(q, conv, serverTime)
	if place < 0 {
		place = 0
	}
	return place | 1, err
}

// SetLocalData changes what only this device knows of a message.
func (m *Messages) SetLocalData(msgID string, number uint32, text string, done event.Done) {
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			n, err := tx.Change(`UPDATE message SET local_int=?, local_str=? WHERE msg_id=?`, number, text, msgID)
			if err != nil {
				return err
			}
			tx.After(func() {
				if n == 0 {
					done(tim.ErrSDKCommDatabaseNotfound, "no such message", "")
					return
				}
				done(0, "", "")
			})
			return nil
		},
		Failed: m.failing(done, ""),
	})
}
