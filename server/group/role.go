package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// changeRole gives a member another role and says so.
func (g *Groups) changeRole(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, uid int64, role int) error {
	if err := g.setRole(tx, r, uid, role); err != nil {
		return err
	}
	t, report := &tip{kind: tim.GroupTipCancelAdmin, about: []int64{uid}}, tim.GroupReportCancelAdmin
	if role == tim.MemberRoleAdmin {
		t.kind, report = tim.GroupTipSetAdmin, tim.GroupReportGrantAdmin
	}
	if !g.rulesOf(r).Live { // there is no membership that lasts
		if err := g.tell(tx, r, o, uid, protocol.Membership{In: true, Changed: true}); err != nil {
			return err
		}
	}
	if err := g.announce(tx, r, o, uid); err != nil {
		return err
	}
	if err := g.say(tx, a, r, o, t); err != nil {
		return err
	}
	return g.inform(tx, a, r, o, protocol.Report{Type: report}, uid)
}

// setRole writes a member's role. An admin of a live room has a row as long as he is one.
func (g *Groups) setRole(tx *sqlite.Tx, r *record, uid int64, role int) error {
	if !g.rulesOf(r).Live {
		return tx.Exec(`UPDATE member SET role=? WHERE gid=? AND uid=?`, role, r.gid, uid)
	}
	if role == tim.MemberRoleNormal {
		return tx.Exec(`DELETE FROM member WHERE gid=? AND uid=?`, r.gid, uid)
	}
	return tx.Exec(`INSERT OR IGNORE INTO member (gid, uid, role, joined) VALUES (?,?,?,?)`, r.gid, uid, role, g.now().Unix())
}

// maySetRole returns the role that the member has now.
func (g *Groups) maySetRole(tx *sqlite.Tx, a *Actor, r *record, target message.User, role int) (int, error) {
	if _, err := g.permit(tx, r, a.UID, model.GroupSetRole); err != nil {
		return 0, err
	}
	m, err := g.member(tx, r, target.UID)
	switch {
	case err != nil:
		return 0, err
	case role != tim.MemberRoleNormal && role != tim.MemberRoleAdmin:
		return 0, refusal.New(tim.ErrSVRGroupInvalidParameters, "a member is made an admin or an ordinary member")
	case target.UID == r.owner:
		return 0, refusal.New(tim.ErrSVRGroupInvalidParameters, "the owner stays the owner")
	case m == nil:
		return 0, refusal.New(tim.ErrSVRGroupInvalidParameters, "this user is not a member of the group")
	}
	return m.role, nil
}
