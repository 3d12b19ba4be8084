package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// mayMute refuses who may not silence a member. In a topic the ranks of its community count.
func (g *Groups) mayMute(tx *sqlite.Tx, a *Actor, r *record, target message.User, s *protocol.SetMember, me, m *member) error {
	if s.Mute == nil {
		return nil
	}
	if err := g.allow(tx, r, a.UID, me, model.GroupMute); err != nil {
		return err
	}
	switch {
	case m == nil:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "this user is not a member of the group")
	case target.UID == a.UID:
		return refusal.New(tim.ErrSVRGroupPermissionDeny, "nobody mutes himself")
	}
	ranks := r
	if r.parent != 0 {
		var err error
		if ranks, err = find(tx, r.parent); err != nil {
			return err
		}
	}
	return g.above(ranks, me, m)
}

// mute silences a member for some seconds and says so; 0 lets him speak again. It outlives his membership.
func (g *Groups) mute(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, uid int64, seconds uint32) error {
	if err := tx.Exec(`INSERT INTO sanction (gid, uid, mute_until) VALUES (?,?,?) ON CONFLICT (gid, uid) DO UPDATE SET mute_until=excluded.mute_until`,
		r.gid, uid, muteEnd(g.now().Unix(), seconds)); err != nil {
		return err
	}
	if err := tx.Exec(`DELETE FROM sanction WHERE gid=? AND uid=? AND mute_until=0 AND ban_until=0`, r.gid, uid); err != nil {
		return err
	}
	if err := g.altered(tx, r, o, uid); err != nil {
		return err
	}
	t := &tip{kind: tim.GroupTipMemberInfoChange, about: []int64{uid}}
	if err := t.prepare(g, tx, r, a.UID); err != nil {
		return err
	}
	t.mutes = []object{{tim.KeyGroupTipMemberChangeInfoIdentifier: t.members[0].User, tim.KeyGroupTipMemberChangeInfoShutupTime: seconds}}
	if err := g.say(tx, a, r, o, t); err != nil {
		return err
	}
	return g.inform(tx, a, r, o, protocol.Report{Type: tim.GroupReportShutUpMember, Mute: seconds}, uid)
}

// muteEnd is the second in which somebody may speak again.
func muteEnd(now int64, seconds uint32) int64 {
	switch seconds {
	case 0:
		return 0
	case model.MuteForever:
		return model.MuteForever
	}
	return min(now+int64(seconds), model.MuteForever-1)
}
