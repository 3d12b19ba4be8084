package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/server/session"
	"timbre/sqlite"
)

// Join makes a user a member of a group that lets everybody in.
func (g *Groups) Join(tx *sqlite.Tx, a *Actor, gid int64) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := find(tx, gid)
		if err != nil {
			return answer, err
		}
		if err = g.mayJoin(tx, a, r); err != nil {
			return answer, err
		}
		if err = g.enlist(tx, r, o, []Newcomer{{a.User, tim.MemberRoleNormal}}); err != nil {
			return answer, err
		}
		return answer, g.say(tx, a, r, o, &tip{kind: tim.GroupTipInvite, join: tim.GroupJoinApply, about: []int64{a.UID}})
	})
	return o, err
}

func (g *Groups) mayJoin(tx *sqlite.Tx, a *Actor, r *record) error {
	m, err := membership(tx, r.gid, a.UID)
	if err != nil {
		return err
	}
	fits, err := g.fits(tx, a.UID)
	switch {
	case err != nil:
		return err
	case m != nil:
		return refusal.New(tim.ErrSVRGroupAllreadyMember, "a member already")
	case r.AddOption == tim.GroupAddOptForbid && r.Type == tim.GroupPrivate:
		return refusal.New(tim.ErrSDKGroupJoinPrivateGroupDeny, "members of a work group are invited")
	case r.AddOption == tim.GroupAddOptForbid:
		return refusal.New(tim.ErrSVRGroupPermissionDeny, "the group lets nobody join")
	case r.AddOption == tim.GroupAddOptAuth:
		return refusal.New(tim.ErrSDKInterfaceNotSupport, "joining needs an approval, which is not built yet")
	case r.Members >= r.MaxMembers:
		return full()
	case !fits:
		return refusal.New(tim.ErrSVRGroupCountLimit, "the user is in too many groups")
	}
	return nil
}

func full() error { return refusal.New(tim.ErrSVRGroupFullMemberCount, "the group is full") }

// Invite makes users members. Users are the numbers of those names that exist.
func (g *Groups) Invite(tx *sqlite.Tx, a *Actor, gid int64, names []string, users map[string]int64) (protocol.Invited, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.Invited, err error) {
		r, err := find(tx, gid)
		if err != nil {
			return answer, err
		}
		if err = g.mayInvite(tx, a, r, names); err != nil {
			return answer, err
		}
		var invited []Newcomer
		for _, name := range names {
			if uid, ok := users[name]; ok {
				n := Newcomer{Role: tim.MemberRoleNormal}
				n.UID, n.Name = uid, name
				invited = append(invited, n)
			}
		}
		list, results, err := g.newcomers(tx, r, invited)
		if err != nil {
			return answer, err
		}
		if len(list) == 0 && r.Members >= r.MaxMembers {
			return answer, full()
		}
		for _, name := range names {
			answer.Results = append(answer.Results, protocol.InviteResult{User: name, Result: results[name]}) // unknown: failed
		}
		if len(list) == 0 {
			return answer, nil
		}
		if err := g.enlist(tx, r, o, list); err != nil {
			return answer, err
		}
		return answer, g.say(tx, a, r, o, brought(list))
	})
}

// brought is the tip about users whom somebody else made members.
func brought(users []Newcomer) *tip {
	t := &tip{kind: tim.GroupTipInvite, join: tim.GroupJoinInvite}
	for _, u := range users {
		t.about = append(t.about, u.UID)
	}
	return t
}

func (g *Groups) mayInvite(tx *sqlite.Tx, a *Actor, r *record, names []string) error {
	me, err := in(tx, r.gid, a.UID)
	switch {
	case err != nil:
		return err
	case len(names) == 0:
		return refusal.New(tim.ErrSDKGroupInviteNoMember, "nobody is invited")
	case len(names) > model.MaxInvites:
		return refusal.New(tim.ErrSVRGroupAcountCountLimit, "an invitation is for at most 20 users")
	case r.Approve == tim.GroupAddOptForbid:
		return refusal.New(tim.ErrSVRGroupPermissionDeny, "nobody is invited to this group")
	case r.Approve == tim.GroupAddOptAuth && !Moderator(me.role):
		return refusal.New(tim.ErrSDKInterfaceNotSupport, "inviting needs an approval, which is not built yet")
	}
	return nil
}

// Quit ends a user's membership. What the group says about it is for the others.
func (g *Groups) Quit(tx *sqlite.Tx, a *Actor, gid int64) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := find(tx, gid)
		if err != nil {
			return answer, err
		}
		m, err := in(tx, gid, a.UID)
		if err != nil {
			return answer, err
		}
		if err = g.may(r, model.GroupQuit, m.role); err != nil {
			return answer, err
		}
		t := &tip{kind: tim.GroupTipQuit, about: []int64{a.UID}, except: a.UID}
		if err = t.prepare(g, tx, r, a.UID); err != nil { // while he is a member
			return answer, err
		}
		if err = g.remove(tx, r, a.UID); err != nil {
			return answer, err
		}
		if err = g.say(tx, a, r, o, t); err != nil {
			return answer, err
		}
		o.Left = []session.Seat{{UID: a.UID, GID: gid}}
		return answer, g.tell(tx, r, o, a.UID, protocol.Membership{})
	})
	return o, err
}

func (g *Groups) remove(tx *sqlite.Tx, r *record, uid int64) error {
	r.Members--
	if r.owner == uid {
		r.owner = 0
	}
	if err := tx.Exec(`DELETE FROM member WHERE gid=? AND uid=?`, r.gid, uid); err != nil {
		return err
	}
	if err := tx.Exec(`UPDATE grp SET members=?, owner=? WHERE gid=?`, r.Members, r.owner, r.gid); err != nil {
		return err
	}
	return g.messages.Rise(tx, r.gid, uid)
}
