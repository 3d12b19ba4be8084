package group

import (
	"fmt"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Kick removes members. Users are the numbers of those names that exist. Who is removed hears what the group says about it
// last of all. Somebody who is kept out may come in again when he is removed for no time.
func (g *Groups) Kick(tx *sqlite.Tx, a *Actor, gid int64, k *protocol.KickMembers, users map[string]int64) (protocol.Invited, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.Invited, err error) {
		r, err := g.lasting(tx, gid)
		if err != nil {
			return answer, err
		}
		out, kept, results, err := g.mayKick(tx, a, r, k, users)
		if err != nil {
			return answer, err
		}
		for _, name := range k.Users {
			answer.Results = append(answer.Results, protocol.InviteResult{User: name, Result: results[name]})
		}
		for _, uid := range kept {
			if err := g.pardon(tx, a, r, o, uid, k.Reason); err != nil {
				return answer, err
			}
		}
		if len(out) == 0 {
			return answer, nil
		}
		return answer, g.expel(tx, a, r, o, out, k)
	})
}

// mayKick sorts out whom the user may remove, and who is kept out until now. The results are those of HandleGroupMemberResult.
func (g *Groups) mayKick(tx *sqlite.Tx, a *Actor, r *record, k *protocol.KickMembers, users map[string]int64) (
	out []message.User, kept []int64, results map[string]int, err error) {
	action := model.GroupKick
	if r.ByRights && k.Seconds > 0 {
		action = model.GroupKeepOut
	}
	me, err := g.permit(tx, r, a.UID, action)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := checkKick(k); err != nil {
		return nil, nil, nil, err
	}
	var denied error
	results = map[string]int{}
	for _, name := range k.Users {
		if _, seen := results[name]; seen {
			continue
		}
		u := message.User{UID: users[name], Name: name}
		m, err := membership(tx, r.gid, u.UID) // nobody has the number of a name that does not exist
		if err != nil {
			return nil, nil, nil, err
		}
		if m == nil {
			results[name] = tim.GroupMemberIncluded // 2 says here that he is not in the group
			shut, err := g.keptOut(tx, r.gid, u.UID)
			if err != nil {
				return nil, nil, nil, err
			}
			if shut && k.Seconds == 0 {
				results[name] = tim.GroupMemberHandledSuc
				kept = append(kept, u.UID)
			}
			continue
		}
		results[name] = tim.GroupMemberHandledErr
		if err := g.mayRemove(a, r, me, m, u); err != nil {
			denied = err
			continue
		}
		results[name] = tim.GroupMemberHandledSuc
		out = append(out, u)
	}
	if len(out)+len(kept) == 0 && denied != nil {
		return nil, nil, nil, denied
	}
	return out, kept, results, nil
}

func checkKick(k *protocol.KickMembers) error {
	switch {
	case len(k.Users) == 0:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "nobody is named")
	case len(k.Users) > model.MaxKicks:
		return refusal.New(tim.ErrSVRGroupAcountCountLimit, fmt.Sprintf("at most %d users are removed at once", model.MaxKicks))
	}
	return checkReason(k.Reason)
}

func (g *Groups) mayRemove(a *Actor, r *record, me, m *member, u message.User) error {
	if u.UID == a.UID {
		return refusal.New(tim.ErrSVRGroupPermissionDeny, "nobody removes himself")
	}
	return g.above(r, me, m)
}

func (g *Groups) expel(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, out []message.User, k *protocol.KickMembers) error {
	t := &tip{kind: tim.GroupTipKick}
	for _, u := range out {
		t.about = append(t.about, u.UID)
	}
	if err := t.prepare(g, tx, r, a.UID); err != nil { // while they are members
		return err
	}
	for _, u := range out {
		if err := g.remove(tx, r, o, u); err != nil {
			return err
		}
		if err := g.keepOut(tx, r.gid, u.UID, k.Seconds); err != nil {
			return err
		}
	}
	if err := g.parted(tx, r, o, out...); err != nil {
		return err
	}
	if err := g.say(tx, a, r, o, t); err != nil {
		return err
	}
	why := protocol.Report{Type: tim.GroupReportBeKicked, Operator: t.operator, Platform: a.Platform, Text: k.Reason}
	if r.Type == tim.GroupCommunity && k.Seconds > 0 {
		why.Type = tim.GroupReportBannedFromGroup
	}
	for _, u := range out {
		if err := g.dispatch(tx, r, o, u.UID, why); err != nil {
			return err
		}
	}
	return nil
}

// pardon lets somebody come in again who is kept out. Communities tell him, as live rooms do.
func (g *Groups) pardon(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, uid int64, reason string) error {
	if err := g.keepOut(tx, r.gid, uid, 0); err != nil || r.Type != tim.GroupCommunity {
		return err
	}
	return g.inform(tx, a, r, o, protocol.Report{Type: tim.GroupReportUnbannedFromGroup, Text: reason}, uid)
}

// keepOut says for how many seconds from now somebody may not come into a group by himself, model.MuteForever for ever.
// What was said of him before ends.
func (g *Groups) keepOut(tx *sqlite.Tx, gid, uid int64, seconds uint32) error {
	if seconds == 0 {
		return tx.Exec(`UPDATE sanction SET ban_until=0 WHERE gid=? AND uid=? AND ban_until<>0`, gid, uid)
	}
	return tx.Exec(`INSERT INTO sanction (gid, uid, ban_until) VALUES (?,?,?)
		ON CONFLICT (gid, uid) DO UPDATE SET ban_until=excluded.ban_until`, gid, uid, muteEnd(g.now().Unix(), seconds))
}

// keptOut says whether somebody may not come into a group by himself now.
func (g *Groups) keptOut(q sqlite.Queryer, gid, uid int64) (kept bool, err error) {
	_, err = q.Get(`SELECT ban_until>? FROM sanction WHERE gid=? AND uid=?`, []any{&kept}, g.now().Unix(), gid, uid)
	return kept, err
}
