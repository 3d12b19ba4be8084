package message

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Pin puts a group's message to its pinned ones, or takes it away. Whether the user may do so is the caller's matter.
func (m *Messages) Pin(tx *sqlite.Tx, c *Change, on bool) (a protocol.Changed, changes []changelog.Change, err error) {
	if found, err := answered(tx, c.User, c.Key, &a); found || err != nil {
		return a, nil, err
	}
	t, err := m.target(tx, c, notFound)
	if err != nil {
		return a, nil, err
	}
	if t.at.room == nil || t.msg.state().Revoked != nil || t.msg.is(flagTip) {
		return a, nil, refusal.New(tim.ErrInvalidParameters, "this message cannot be pinned")
	}
	gid, seq := t.at.room.gid, int64(c.Seq)
	if on {
		if err = m.mayPin(tx, gid, seq); err == nil {
			err = tx.Exec(`INSERT INTO pin (gid, seq, uid, time) VALUES (?,?,?,?)`, gid, seq, c.User.UID, m.now().UnixMilli())
		}
	} else {
		var n int64
		if n, err = tx.Change(`DELETE FROM pin WHERE gid=? AND seq=?`, gid, seq); err == nil && n == 0 {
			err = refusal.New(tim.ErrInvalidParameters, "the message is not pinned")
		}
	}
	if err != nil {
		return a, nil, err
	}
	changes, err = m.all(tx, t.at, changelog.Pointer{Kind: protocol.EntryPin, Seq: c.Seq, Time: m.now().UnixMilli(),
		Data: protocol.Marshal(protocol.Pinning{On: on, By: c.User.Name})})
	if err != nil {
		return a, nil, err
	}
	for i := range changes {
		changes[i].Only = t.msg.audienceOf()
	}
	a = protocol.Changed{Pos: changes[0].Pos, Seq: c.Seq}
	return a, changes, m.remember(tx, c.User, c.Key, a)
}

func (m *Messages) mayPin(tx *sqlite.Tx, gid, seq int64) error {
	var pins, already int
	_, err := tx.Get(`SELECT count(*), coalesce(sum(seq=?),0) FROM pin WHERE gid=?`, []any{&pins, &already}, seq, gid)
	switch {
	case err != nil:
		return err
	case already > 0:
		return refusal.New(tim.ErrSVRGroupMessageAlreadyPinned, "the message is pinned already")
	case pins >= model.MaxPins:
		return refusal.New(tim.ErrSVRGroupPinnedMessageCountLimit, "too many pinned messages")
	}
	return nil
}

// Pinned answers a group's pinned messages that the user may see, the newest pin first.
func (m *Messages) Pinned(q sqlite.Queryer, user User, w Where) ([]byte, error) {
	at, err := m.find(q, user, w)
	if err != nil {
		return nil, err
	}
	if at == nil || at.room == nil {
		return nil, notMember()
	}
	type pinned struct {
		seq uint64
		uid int64
	}
	var pins []pinned
	const kept = `NOT EXISTS (SELECT 1 FROM hidden h WHERE h.uid=? AND h.conv=-p.gid AND h.seq=p.seq)`
	err = q.Query(`SELECT seq, uid FROM pin p WHERE gid=? AND `+kept+` ORDER BY time DESC, seq DESC`, func(scan func(...any) error) error {
		var p pinned
		err := scan(&p.seq, &p.uid)
		pins = append(pins, p)
		return err
	}, at.room.gid, user.UID)
	if err != nil {
		return nil, err
	}
	a := protocol.Pinned{List: []protocol.PinnedMessage{}}
	for _, p := range pins {
		msg, err := m.one(q, at, p.seq)
		if err != nil {
			return nil, err
		}
		if msg == nil { // too old, or not for this user
			continue
		}
		by, err := m.names.Profile(q, p.uid)
		if err != nil {
			return nil, err
		}
		a.List = append(a.List, protocol.PinnedMessage{Msg: msg.Append(nil), By: by})
	}
	return protocol.Marshal(a), nil
}
