package group

import (
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// SetRole makes a member an admin or an ordinary member.
func (g *Groups) SetRole(tx *sqlite.Tx, a *Actor, gid int64, target message.User, role int) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := find(tx, gid)
		if err != nil {
			return answer, err
		}
		now, err := g.maySetRole(tx, a, r, target, role)
		if err != nil || now == role {
			return answer, err
		}
		if err = tx.Exec(`UPDATE member SET role=? WHERE gid=? AND uid=?`, role, gid, target.UID); err != nil {
			return answer, err
		}
		t := &tip{kind: tim.GroupTipCancelAdmin, about: []int64{target.UID}}
		if role == tim.MemberRoleAdmin {
			t.kind = tim.GroupTipSetAdmin
		}
		if err = g.tell(tx, r, o, target.UID, protocol.Membership{In: true, Changed: true}); err != nil {
			return answer, err
		}
		return answer, g.say(tx, a, r, o, t)
	})
	return o, err
}

// maySetRole returns the role that the member has now.
func (g *Groups) maySetRole(tx *sqlite.Tx, a *Actor, r *record, target message.User, role int) (int, error) {
	me, err := in(tx, r.gid, a.UID)
	if err != nil {
		return 0, err
	}
	m, err := membership(tx, r.gid, target.UID)
	switch {
	case err != nil:
		return 0, err
	case me.role != tim.MemberRoleOwner:
		return 0, refusal.New(tim.ErrSVRGroupPermissionDeny, "only the owner gives roles")
	case !g.rulesOf(r).Admins:
		return 0, refusal.New(tim.ErrSVRGroupInvalidParameters, "a group of this type has no admins")
	case role != tim.MemberRoleNormal && role != tim.MemberRoleAdmin:
		return 0, refusal.New(tim.ErrSVRGroupInvalidParameters, "a member is made an admin or an ordinary member")
	case target.UID == a.UID:
		return 0, refusal.New(tim.ErrSVRGroupInvalidParameters, "the owner cannot change his own role")
	case m == nil:
		return 0, refusal.New(tim.ErrSVRGroupInvalidParameters, "this user is not a member of the group")
	}
	return m.role, nil
}
