package message

import (
	"bytes"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Change is a user's wish to do something to one message.
type Change struct {
	User  User
	Where Where
	Key   string
	Seq   uint64
	// Moderator says that the user may do to messages of others what he may do to his own: an owner or admin of the group.
	Moderator bool
}

// target is the message that a change is about.
type target struct {
	p   *pending
	at  *place
	msg *stored
}

// target finds the message. It is missing with a refusal, or nil when two users have never talked.
func (m *Messages) target(tx *sqlite.Tx, c *Change, missing func(group bool) error) (*target, error) {
	p := m.pending(tx)
	at, err := p.place(tx, c.User, c.Where)
	if err != nil {
		return nil, err
	}
	if err := p.writeRows(tx); err != nil {
		return nil, err
	}
	msg, err := m.one(tx, at, c.Seq)
	if err != nil {
		return nil, err
	}
	if msg == nil {
		return nil, missing(c.Where.GID != 0)
	}
	return &target{p, at, msg}, nil
}

// either picks the code for a group or for two.
func either(group bool, inGroup, betweenTwo int, desc string) error {
	if group {
		return refusal.New(inGroup, desc)
	}
	return refusal.New(betweenTwo, desc)
}

func notFound(group bool) error {
	return either(group, tim.ErrSVRGroupRevokeMsgNotFound, model.CodeRevokeNotFound, "there is no such message")
}

// Revoke takes a message back: everybody sees that it was there and not what it said.
func (m *Messages) Revoke(tx *sqlite.Tx, c *Change, reason string) (a protocol.Edited, changes []changelog.Change, err error) {
	if found, err := answered(tx, c.User, c.Key, &a); found || err != nil {
		return a, nil, err
	}
	t, err := m.target(tx, c, notFound)
	if err != nil {
		return a, nil, err
	}
	if err = m.mayRevoke(t, c); err != nil {
		return a, nil, err
	}
	who, err := m.names.Profile(tx, c.User.UID)
	if err != nil {
		return a, nil, err
	}
	state := t.msg.state()
	state.Revoked = &protocol.Revocation{User: c.User.Name, Nick: who.Nick, Face: who.Face, Reason: reason}
	t.msg.State = protocol.Marshal(state)
	if t.msg.Content, err = emptied(t.msg.Content); err != nil {
		return a, nil, err
	}
	if err = m.forgetBeside(tx, t.at.conv(), c.Seq); err != nil {
		return a, nil, err
	}
	return m.changed(tx, t, c)
}

func (m *Messages) mayRevoke(t *target, c *Change) error {
	group := t.at.room != nil
	late := m.rules.RevokeWithin > 0 && m.now().Sub(time.UnixMilli(t.msg.Time)) > m.rules.RevokeWithin
	switch {
	case t.msg.state().Revoked != nil:
		return either(group, tim.ErrSVRGroupRevokeMsgDeny, model.CodeRevokedAlready, "the message is revoked already")
	case t.msg.is(flagTip):
		return refusal.New(tim.ErrSVRGroupRevokeMsgDeny, "a tip cannot be revoked")
	case t.msg.sender != c.User.UID && !(group && c.Moderator):
		return either(group, tim.ErrSVRGroupPermissionDeny, model.CodeRevokeNotFound, "not a message of this user")
	case late && !(group && c.Moderator):
		return either(group, tim.ErrSVRGroupRevokeMsgTimeLimit, tim.ErrSVRMsgRevokeTimeLimit, "too late to revoke the message")
	}
	return nil
}

// emptied keeps of a content what identifies the message, and whether it may be a conversation's last one.
func emptied(content []byte) ([]byte, error) {
	out, err := sjson.SetRawBytes(content, protocol.ContentElements, []byte("[]"))
	if err != nil {
		return nil, err
	}
	if !gjson.GetBytes(content, protocol.ContentExtra+"."+tim.KeyMsgExcludedFromLastMessage).Bool() {
		return sjson.DeleteBytes(out, protocol.ContentExtra)
	}
	return sjson.SetRawBytes(out, protocol.ContentExtra, []byte(`{"`+tim.KeyMsgExcludedFromLastMessage+`":true}`))
}

// Edit gives a message another content, unless somebody else changed it meanwhile. The sender's name card stays.
func (m *Messages) Edit(tx *sqlite.Tx, c *Change, version uint64, content []byte) (a protocol.Edited, changes []changelog.Change, err error) {
	if found, err := answered(tx, c.User, c.Key, &a); found || err != nil {
		return a, nil, err
	}
	t, err := m.target(tx, c, notFound)
	if err != nil {
		return a, nil, err
	}
	if t.msg.Version != version || t.msg.state().Revoked != nil {
		return a, nil, refusal.With(model.CodeEditConflict, "the message was changed meanwhile",
			protocol.Marshal(protocol.Edited{Msg: t.msg.Append(nil)}))
	}
	if !same(t.msg.Content, content) {
		return a, nil, refusal.New(tim.ErrInvalidParameters, "only texts, custom data, faces, locations and cloud data may change")
	}
	t.msg.Content = bytes.Clone(withCard(content, cardOf(t.msg.Content)))
	return m.changed(tx, t, c)
}

// same says whether two contents differ only in what may be changed.
func same(before, after []byte) bool {
	a, b := gjson.ParseBytes(before), gjson.ParseBytes(after)
	for _, k := range []string{"id", "ct", "r", "p"} {
		if a.Get(k).Raw != b.Get(k).Raw {
			return false
		}
	}
	old, fresh := a.Get(protocol.ContentElements).Array(), b.Get(protocol.ContentElements).Array()
	if len(old) != len(fresh) {
		return false
	}
	for i := range old {
		typ := old[i].Get(tim.KeyElemType).Int()
		if typ != fresh[i].Get(tim.KeyElemType).Int() || !model.Editable(typ) && old[i].Raw != fresh[i].Raw {
			return false
		}
	}
	return true
}

// changed writes the message, tells everybody and answers.
func (m *Messages) changed(tx *sqlite.Tx, t *target, c *Change) (a protocol.Edited, changes []changelog.Change, err error) {
	t.msg.Version++
	if err = tx.Exec(`UPDATE msg SET content=?, state=?, version=? WHERE pair=? AND seq=?`, t.msg.Content, string(t.msg.State),
		int64(t.msg.Version), t.at.conv(), int64(c.Seq)); err != nil {
		return a, nil, err
	}
	if err = m.reindex(tx, t.at.conv(), &t.msg.Message); err != nil {
		return a, nil, err
	}
	if changes, err = m.update(tx, t.at, t.msg.Message); err != nil {
		return a, nil, err
	}
	for i := range changes {
		changes[i].Only = t.msg.audienceOf()
	}
	a = protocol.Edited{Pos: changes[0].Pos, Msg: t.msg.Append(nil)}
	return a, changes, m.remember(tx, c.User, c.Key, a)
}

// audienceOf is who may hear of the message, nil for all.
func (s *stored) audienceOf() []int64 {
	if s.targets == nil {
		return nil
	}
	return append([]int64{s.sender}, s.targets...)
}

// forgetBeside deletes what stands beside a message: nobody reads it any more.
func (m *Messages) forgetBeside(tx *sqlite.Tx, conv int64, seq uint64) error {
	for _, table := range []string{"receipt", "extension", "reaction"} {
		if err := tx.Exec(`DELETE FROM `+table+` WHERE conv=? AND seq=?`, conv, int64(seq)); err != nil {
			return err
		}
	}
	return tx.Exec(`DELETE FROM pin WHERE gid=? AND seq=?`, -conv, int64(seq))
}

// Delete keeps messages from this user from now on.
func (m *Messages) Delete(tx *sqlite.Tx, v *Move, seqs []uint64) (protocol.Changed, []changelog.Change, error) {
	return m.once(tx, v, func(_ *pending, at *place) (a protocol.Changed, changes []changelog.Change, err error) {
		var hid []uint64
		for _, seq := range seqs {
			if !at.sees(seq) {
				continue
			}
			n, err := tx.Change(`INSERT OR IGNORE INTO hidden (uid, conv, seq) VALUES (?,?,?)`, v.User.UID, at.conv(), int64(seq))
			if err != nil {
				return a, nil, err
			}
			if n > 0 {
				hid = append(hid, seq)
			}
		}
		if len(hid) == 0 || !m.rules.SyncDeletions {
			return a, nil, nil
		}
		ids := make([]string, len(hid))
		for i, seq := range hid {
			content, err := contentOf(tx, at.conv(), seq)
			if err != nil {
				return a, nil, err
			}
			ids[i] = gjson.GetBytes(content, protocol.ContentID).String()
		}
		own, err := m.own(tx, at, changelog.Pointer{Kind: protocol.EntryDelete, Time: m.now().UnixMilli(),
			Data: protocol.Marshal(protocol.Deleted{Seqs: hid, IDs: ids})})
		return protocol.Changed{Pos: own.Pos}, []changelog.Change{own}, err
	})
}
