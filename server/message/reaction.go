package message

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// usersShown is how many users a change of a reaction names.
const usersShown = 10

// React adds the user to a reaction to a message, or takes him out.
func (m *Messages) React(tx *sqlite.Tx, c *Change, id string, on bool) (a protocol.Reacted, changes []changelog.Change, err error) {
	if found, err := answered(tx, c.User, c.Key, &a); found || err != nil {
		return a, nil, err
	}
	if id == "" || len(id) > model.MaxReactionID {
		return a, nil, refusal.New(tim.ErrInvalidParameters, "a reaction's id has 1 to 128 bytes")
	}
	t, err := m.target(tx, c, notFound)
	if err != nil {
		return a, nil, err
	}
	if t.msg.state().Revoked != nil {
		return a, nil, refusal.New(tim.ErrInvalidParameters, "the message was revoked")
	}
	if err = m.mayReact(tx, t, c, id, on); err != nil {
		return a, nil, err
	}
	now := m.now().UnixMilli()
	if on {
		err = tx.Exec(`INSERT INTO reaction (conv, seq, id, uid, time) VALUES (?,?,?,?,?)`, t.at.conv(), int64(c.Seq), id, c.User.UID, now)
	} else {
		err = tx.Exec(`DELETE FROM reaction WHERE conv=? AND seq=? AND id=? AND uid=?`, t.at.conv(), int64(c.Seq), id, c.User.UID)
	}
	if err != nil {
		return a, nil, err
	}
	r, err := m.reaction(tx, t.at.conv(), c.Seq, id, model.MaxReactionUsers)
	if err != nil {
		return a, nil, err
	}
	d := protocol.ReactionChange{Reaction: r, By: c.User.Name, On: on}
	d.Users = r.Users[:min(len(r.Users), usersShown)]
	for _, p := range r.Users[len(d.Users):] {
		d.Others = append(d.Others, p.User)
	}
	changes, err = m.all(tx, t.at, changelog.Pointer{Kind: protocol.EntryReaction, Seq: c.Seq, Time: now, Data: protocol.Marshal(d)})
	if err != nil {
		return a, nil, err
	}
	for i := range changes {
		changes[i].Only = t.msg.audienceOf()
	}
	a.Pos = changes[0].Pos
	return a, changes, m.remember(tx, c.User, c.Key, a)
}

func (m *Messages) mayReact(tx *sqlite.Tx, t *target, c *Change, id string, on bool) error {
	var total, mine, kinds int
	if _, err := tx.Get(`SELECT count(*), coalesce(sum(uid=?),0) FROM reaction WHERE conv=? AND seq=? AND id=?`,
		[]any{&total, &mine}, c.User.UID, t.at.conv(), int64(c.Seq), id); err != nil {
		return err
	}
	if _, err := tx.Get(`SELECT count(DISTINCT id) FROM reaction WHERE conv=? AND seq=?`, []any{&kinds}, t.at.conv(), int64(c.Seq)); err != nil {
		return err
	}
	switch {
	case !on && total == 0:
		return refusal.New(tim.ErrSVRMsgReactionNotExists, "nobody reacted like this")
	case !on && mine == 0:
		return refusal.New(tim.ErrSVRMsgReactionNotContainUser, "the user did not react like this")
	case on && mine > 0:
		return refusal.New(tim.ErrSVRMsgReactionAlreadyContainUser, "the user reacted like this already")
	case on && total == 0 && kinds >= model.MaxReactions:
		return refusal.New(tim.ErrSVRMsgReactionCountLimit, "too many different reactions")
	case on && total >= model.MaxReactionUsers:
		return refusal.New(tim.ErrSVRMsgReactionUserCountLimit, "too many users reacted like this")
	}
	return nil
}

// reaction reads one reaction with its first users.
func (m *Messages) reaction(q sqlite.Queryer, conv int64, seq uint64, id string, users int) (protocol.Reaction, error) {
	r := protocol.Reaction{ID: id, Users: []protocol.Profile{}}
	if _, err := q.Get(`SELECT count(*) FROM reaction WHERE conv=? AND seq=? AND id=?`, []any{&r.Total}, conv, int64(seq), id); err != nil {
		return r, err
	}
	var uids []int64
	err := q.Query(`SELECT uid FROM reaction WHERE conv=? AND seq=? AND id=? ORDER BY time, uid LIMIT ?`, func(scan func(...any) error) error {
		var uid int64
		err := scan(&uid)
		uids = append(uids, uid)
		return err
	}, conv, int64(seq), id, users)
	for i := 0; i < len(uids) && err == nil; i++ {
		var p protocol.Profile
		p, err = m.names.Profile(q, uids[i])
		r.Users = append(r.Users, p)
	}
	return r, err
}

// Reactions answers the reactions to messages, in the order in which they came up.
func (m *Messages) Reactions(q sqlite.Queryer, user User, w Where, s protocol.Seqs) ([]byte, error) {
	at, err := m.find(q, user, w)
	if err != nil {
		return nil, err
	}
	a := protocol.Reactions{List: []protocol.MessageReactions{}}
	for _, seq := range s.Seqs {
		one := protocol.MessageReactions{Seq: seq, Reactions: []protocol.Reaction{}}
		msg, err := m.one(q, at, seq)
		if err != nil {
			return nil, err
		}
		if msg == nil {
			one.Code = tim.ErrInvalidParameters
			a.List = append(a.List, one)
			continue
		}
		var ids []string
		mine := map[string]bool{}
		err = q.Query(`SELECT id, max(uid=?) FROM reaction WHERE conv=? AND seq=? GROUP BY id ORDER BY min(time), id`, func(scan func(...any) error) error {
			var id string
			var own bool
			err := scan(&id, &own)
			ids, mine[id] = append(ids, id), own
			return err
		}, user.UID, at.conv(), int64(seq))
		for i := 0; i < len(ids) && err == nil; i++ {
			var r protocol.Reaction
			r, err = m.reaction(q, at.conv(), seq, ids[i], min(max(s.Max, 0), usersShown))
			r.Mine = mine[ids[i]]
			one.Reactions = append(one.Reactions, r)
		}
		if err != nil {
			return nil, err
		}
		a.List = append(a.List, one)
	}
	return protocol.Marshal(a), nil
}

// ReactionUsers answers who reacted, page by page.
func (m *Messages) ReactionUsers(q sqlite.Queryer, user User, w Where, r protocol.ReactionUsers) ([]byte, error) {
	at, err := m.find(q, user, w)
	if err != nil {
		return nil, err
	}
	msg, err := m.one(q, at, r.Seq)
	if err != nil {
		return nil, err
	}
	if msg == nil {
		return nil, notFound(w.GID != 0)
	}
	return m.page(q, r.Count, `SELECT uid FROM reaction WHERE conv=? AND seq=? AND id=? AND uid>? ORDER BY uid LIMIT ?`,
		at.conv(), int64(r.Seq), r.ID, int64(r.Next))
}
