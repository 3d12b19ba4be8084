package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/session"
	"timbre/sqlite"
)

// Quit ends a user's membership. What the group says about it is for the others. Where an owner may quit and another one
// takes his place, that is the oldest admin, else the oldest member.
func (g *Groups) Quit(tx *sqlite.Tx, a *Actor, gid int64) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := g.lasting(tx, gid)
		if err != nil {
			return answer, err
		}
		if _, err = g.permit(tx, r, a.UID, model.GroupQuit); err != nil {
			return answer, err
		}
		t := &tip{kind: tim.GroupTipQuit, about: []int64{a.UID}}
		if err = t.prepare(g, tx, r, a.UID); err != nil { // while he is a member
			return answer, err
		}
		owned := r.owner == a.UID
		if err = g.remove(tx, r, o, a.User); err != nil {
			return answer, err
		}
		if err = g.parted(tx, r, o, a.User); err != nil {
			return answer, err
		}
		if err = g.say(tx, a, r, o, t); err != nil {
			return answer, err
		}
		if owned && g.rulesOf(r).Successor {
			if err = g.succeed(tx, a, r, o); err != nil {
				return answer, err
			}
		}
		o.spare(a.UID)
		return answer, g.dispatch(tx, r, o, a.UID, protocol.Report{Type: tim.GroupReportQuit, Operator: t.operator, Platform: a.Platform})
	})
	return o, err
}

// parted says in the group's log who is not in it any more.
func (g *Groups) parted(tx *sqlite.Tx, r *record, o *Outcome, users ...message.User) error {
	c := protocol.MembersChange{Count: r.Members}
	for _, u := range users {
		c.Gone = append(c.Gone, u.Name)
	}
	return g.note(tx, r, o, protocol.EntryMembers, c)
}

// spare keeps what the group's logs have got so far from a user who is leaving.
func (o *Outcome) spare(uid int64) {
	for i := range o.Changes {
		if c := &o.Changes[i]; c.Owner < 0 {
			c.Except = uid
		}
	}
}

// dispatch tells somebody why he is not in the group any more, and his sessions that they do not follow it.
func (g *Groups) dispatch(tx *sqlite.Tx, r *record, o *Outcome, uid int64, why protocol.Report) error {
	why.Gone = true
	if err := g.report(tx, r, o, uid, why); err != nil {
		return err
	}
	o.Left = append(o.Left, session.Seat{UID: uid, GID: r.gid})
	return g.tell(tx, r, o, uid, protocol.Membership{})
}

// remove takes a member's place away.
func (g *Groups) remove(tx *sqlite.Tx, r *record, o *Outcome, user message.User) error {
	r.Members--
	if r.owner == user.UID {
		r.owner = 0
	}
	if err := tx.Exec(`DELETE FROM member WHERE gid=? AND uid=?`, r.gid, user.UID); err != nil {
		return err
	}
	if err := tx.Exec(`UPDATE grp SET members=?, owner=? WHERE gid=?`, r.Members, r.owner, r.gid); err != nil {
		return err
	}
	if err := g.leaveBranches(tx, r, o, user.UID); err != nil {
		return err
	}
	return g.messages.Rise(tx, r.gid, user.UID)
}
