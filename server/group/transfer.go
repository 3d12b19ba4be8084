package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Transfer hands a group over to another member. The owner before stays in it as an ordinary member.
func (g *Groups) Transfer(tx *sqlite.Tx, a *Actor, gid int64, to message.User) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := top(tx, gid)
		if err != nil {
			return answer, err
		}
		if _, err = g.permit(tx, r, a.UID, model.GroupTransfer); err != nil {
			return answer, err
		}
		m, err := membership(tx, gid, to.UID)
		switch {
		case err != nil:
			return answer, err
		case m == nil:
			return answer, refusal.New(tim.ErrSVRGroupInvalidParameters, "the new owner has to be a member")
		case to.UID == r.owner:
			return answer, nil
		}
		if err = g.setRole(tx, r, a.UID, tim.MemberRoleNormal); err != nil {
			return answer, err
		}
		if err = g.enthrone(tx, a, r, o, to.UID); err != nil {
			return answer, err
		}
		return answer, g.tell(tx, r, o, a.UID, protocol.Membership{In: true, Changed: true})
	})
	return o, err
}

// enthrone makes a member the owner and says so. The actor owned the group before.
func (g *Groups) enthrone(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, uid int64) error {
	if err := g.setRole(tx, r, uid, tim.MemberRoleOwner); err != nil {
		return err
	}
	r.owner, r.LastInfo = uid, g.now().Unix()
	if err := tx.Exec(`UPDATE grp SET owner=?, info_time=? WHERE gid=?`, uid, r.LastInfo, r.gid); err != nil {
		return err
	}
	if err := g.tell(tx, r, o, uid, protocol.Membership{In: true, Changed: true}); err != nil {
		return err
	}
	if err := g.noteInfo(tx, r, o); err != nil {
		return err
	}
	changed := []int64{uid}
	if m, err := membership(tx, r.gid, a.UID); err != nil {
		return err
	} else if m != nil {
		changed = append(changed, a.UID)
	}
	if err := g.announce(tx, r, o, changed...); err != nil {
		return err
	}
	owner, err := g.accounts.Name(tx, uid)
	if err != nil {
		return err
	}
	return g.say(tx, a, r, o, &tip{kind: tim.GroupTipGroupInfoChange, change: []object{
		changeInfo(tim.GroupTipChangeFlagOwner, tim.KeyGroupTipGroupChangeInfoValue, owner)}})
}

// succeed makes another member the owner of a group whose owner has quit: the actor.
func (g *Groups) succeed(tx *sqlite.Tx, a *Actor, r *record, o *Outcome) error {
	for _, among := range []string{`role=300 AND role<>200`, `role=200`} {
		var uid int64
		found, err := tx.Get(`SELECT uid FROM member WHERE gid=? AND `+among+` ORDER BY joined, uid LIMIT 1`, []any{&uid}, r.gid)
		if err != nil {
			return err
		}
		if found {
			return g.enthrone(tx, a, r, o, uid)
		}
	}
	return nil
}
