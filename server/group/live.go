package group

import (
	"cmp"
	"slices"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/server/session"
	"timbre/sqlite"
)

// What stands in the database of a live room is its row, its owner and admins, and whom they muted or keep out. Who is there
// is the audience's: the functions here say whether somebody may come, go or be removed, and the gateway has it done after
// the commit.

// liveRoom reads a group that must be a live room: who is in another one stands in a table, and strangers see little of it.
func (g *Groups) liveRoom(q sqlite.Queryer, gid int64) (*record, error) {
	r, err := find(q, gid)
	if err == nil && !g.rulesOf(r).Live {
		err = refusal.New(tim.ErrSVRGroupInvalidParameters, "this group is no live room")
	}
	return r, err
}

// Visit is somebody who comes to a live room.
type Visit struct {
	Group  protocol.Group // as he sees it
	Member protocol.Member
}

// Coming is how somebody comes to a live room.
type Coming int

// The ways to come.
const (
	Enters  Coming = iota
	Returns        // by itself, a device that lost its connection: not after its user was removed
	Watches        // without being there
)

// Visit lets a user into a live room, or lets him watch it.
func (g *Groups) Visit(tx *sqlite.Tx, a *Actor, gid int64, how Coming) (v Visit, err error) {
	r, err := g.liveRoom(tx, gid)
	if err != nil {
		return v, err
	}
	if kept, err := g.keptOut(tx, gid, a.UID); err != nil || kept {
		return v, orElse(err, refusal.New(tim.ErrSVRGroupPermissionDeny, "the user is kept out of this room"))
	}
	removed, err := tx.Get(`SELECT 1 FROM sanction WHERE gid=? AND uid=? AND removed<>0`, []any{new(int)}, gid, a.UID)
	if err != nil || removed && how == Returns {
		return v, orElse(err, refusal.New(tim.ErrSVRGroupPermissionDeny, "the user was removed from this room"))
	}
	if v.Member, err = g.visitor(tx, r, a.UID); err != nil {
		return v, err
	}
	if v.Group, err = g.view(tx, r, cmp.Or(r.owner, a.UID)); err != nil {
		return v, err
	}
	v.Group.Self = &protocol.Self{Role: v.Member.Role, Joined: v.Member.Joined, Option: g.rulesOf(r).ReceiveOption,
		MuteUntil: v.Member.MuteUntil}
	if _, there := g.present(gid, a.UID); !there {
		v.Group.Members++
	}
	if removed && how == Enters {
		err = tx.Exec(`UPDATE sanction SET removed=0 WHERE gid=? AND uid=?`, gid, a.UID)
	}
	return v, err
}

// visitor is what those in a live room see of somebody who comes.
func (g *Groups) visitor(tx *sqlite.Tx, r *record, uid int64) (protocol.Member, error) {
	m, err := g.describe(tx, r, uid)
	if err != nil || m.Role != 0 {
		return m, err
	}
	row, err := membership(tx, r.gid, uid)
	if err != nil {
		return m, err
	}
	m.Role = cmp.Or(row.roleOf(), tim.MemberRoleNormal)
	m.Joined = g.now().Unix()
	m.MuteUntil, err = mutedUntil(tx, r.gid, uid)
	return m, err
}

// Made returns the number of a group that was made in this transaction or before.
func (g *Groups) Made(tx *sqlite.Tx, app uint64, id string) (gid int64, err error) {
	_, err = tx.Get(`SELECT gid FROM grp WHERE app=? AND id=?`, []any{&gid}, int64(app), id)
	return gid, err
}

// MayLeave refuses who may not quit a live room.
func (g *Groups) MayLeave(tx *sqlite.Tx, a *Actor, gid int64) error {
	r, err := g.liveRoom(tx, gid)
	if err == nil {
		_, err = g.permit(tx, r, a.UID, model.GroupQuit)
	}
	return err
}

// endRoom tells those who are in a live room that it is over, in the room itself: a log entry for each would cost too much.
// Its owner hears of it wherever he is.
func (g *Groups) endRoom(tx *sqlite.Tx, r *record, o *Outcome) error {
	why, err := g.endOf(tx, r)
	if err != nil {
		return err
	}
	why.Name = r.Name
	if err = g.note(tx, r, o, protocol.EntryReport, why); err != nil {
		return err
	}
	o.Closed = append(o.Closed, r.gid)
	if _, there := g.present(r.gid, r.owner); !there && r.owner != 0 {
		err = g.report(tx, r, o, r.owner, why)
	}
	return orElse(err, tx.Exec(`DELETE FROM member WHERE gid=?`, r.gid)) // its admins
}

// PresenceTip is the content of the tip that users came to a live room (GroupTipInvite) or went (GroupTipQuit). Count is how
// many are there then.
func PresenceTip(group, name string, kind int, users []protocol.Member, count int, now time.Time) []byte {
	t := &tip{kind: kind, operator: users[0], members: users}
	if kind == tim.GroupTipInvite {
		t.join = tim.GroupJoinApply
	}
	return t.content(&record{Group: protocol.Group{ID: group, Name: name, Members: count}}, "", now.Unix())
}

// Expel removes users from a live room and keeps them out for a time, also those who are not there. Somebody who is kept out
// may come again when he is removed for no time.
func (g *Groups) Expel(tx *sqlite.Tx, a *Actor, gid int64, k *protocol.KickMembers, users map[string]int64) (protocol.Invited, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.Invited, err error) {
		r, err := g.liveRoom(tx, gid)
		if err != nil {
			return answer, err
		}
		list, err := g.unwanted(tx, a, r, k, users)
		if err != nil {
			return answer, err
		}
		t := &tip{kind: tim.GroupTipKick}
		for _, u := range list {
			answer.Results = append(answer.Results, protocol.InviteResult{User: u.name, Result: u.result})
			if u.there {
				t.about = append(t.about, u.uid)
			}
			if u.result == tim.GroupMemberHandledErr || u.uid == nobody {
				continue
			}
			o.Left = append(o.Left, session.Seat{UID: u.uid, GID: gid})
			if err = tx.Exec(`INSERT INTO sanction (gid, uid, removed) VALUES (?,?,1)
				ON CONFLICT (gid, uid) DO UPDATE SET removed=1`, gid, u.uid); err != nil { // who is not there may be on his way back
				return answer, err
			}
		}
		if len(t.about) > 0 {
			err = g.say(tx, a, r, o, t)
		}
		for _, u := range list {
			err = orElse(err, g.showOut(tx, a, r, o, u, k))
		}
		return answer, err
	})
}

// unwanted is a user who is to be removed from a live room, or why he is not.
type unwanted struct {
	uid    int64
	name   string
	there  bool
	kept   bool // out, until now
	result int  // HandleGroupMemberResult
}

// unwanted sorts out whom the user may remove.
func (g *Groups) unwanted(tx *sqlite.Tx, a *Actor, r *record, k *protocol.KickMembers, users map[string]int64) (list []unwanted, err error) {
	me, err := g.permit(tx, r, a.UID, model.GroupKick)
	if err != nil {
		return nil, err
	}
	if err := checkKick(k); err != nil {
		return nil, err
	}
	var denied error
	done := false
	for i, name := range k.Users {
		if slices.Contains(k.Users[:i], name) {
			continue
		}
		u := unwanted{uid: users[name], name: name}
		if u.uid != 0 {
			why, err := g.judge(tx, a, r, me, &u, k.Seconds)
			if err != nil {
				return nil, err
			}
			denied = orElse(why, denied)
		}
		done = done || u.result == tim.GroupMemberHandledSuc
		list = append(list, u)
	}
	if denied != nil && !done {
		return nil, denied
	}
	return list, nil
}

// judge says what is to become of a user who is to be removed, and why he is not.
func (g *Groups) judge(tx *sqlite.Tx, a *Actor, r *record, me *member, u *unwanted, seconds uint32) (denied, err error) {
	v, err := g.visitor(tx, r, u.uid)
	if err != nil {
		return nil, err
	}
	if u.kept, err = g.keptOut(tx, r.gid, u.uid); err != nil {
		return nil, err
	}
	_, u.there = g.present(r.gid, u.uid)
	denied = g.mayRemove(a, r, me, &member{role: v.Role}, message.User{UID: u.uid, Name: u.name})
	switch {
	case denied != nil:
		u.result = tim.GroupMemberHandledErr
	case u.there || u.kept || seconds > 0:
		u.result = tim.GroupMemberHandledSuc
	default:
		u.result = tim.GroupMemberIncluded // 2 says here that he is not in the room
	}
	return denied, nil
}

// showOut notes how long somebody is kept out and tells him.
func (g *Groups) showOut(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, u unwanted, k *protocol.KickMembers) error {
	if u.result != tim.GroupMemberHandledSuc {
		return nil
	}
	if err := g.keepOut(tx, r.gid, u.uid, k.Seconds); err != nil {
		return err
	}
	report := protocol.Report{Type: tim.GroupReportBeKicked, Text: k.Reason, Gone: u.there}
	switch {
	case k.Seconds > 0:
		report.Type = tim.GroupReportBannedFromGroup
	case !u.there:
		report.Type = tim.GroupReportUnbannedFromGroup
	}
	return g.inform(tx, a, r, o, report, u.uid)
}
