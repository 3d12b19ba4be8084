package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Mark gives members of a live room a mark or takes it away. Who is not there is passed over.
func (g *Groups) Mark(tx *sqlite.Tx, a *Actor, gid int64, users []message.User, mark uint32, on bool) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := find(tx, gid)
		if err != nil {
			return answer, err
		}
		if _, err = g.permit(tx, r, a.UID, model.GroupMark); err != nil {
			return answer, err
		}
		changed, err := g.toMark(tx, r, users, mark, on)
		if err != nil || len(changed) == 0 {
			return answer, err
		}
		names := make([]string, len(changed))
		for i, u := range changed {
			names[i] = u.Name
			query := `DELETE FROM mark WHERE gid=? AND mark=? AND uid=?`
			if on {
				query = `INSERT INTO mark (gid, mark, uid) VALUES (?,?,?)`
			}
			if err = tx.Exec(query, gid, int64(mark), u.UID); err != nil {
				return answer, err
			}
		}
		return answer, g.say(tx, a, r, o, &tip{kind: tim.GroupTipMemberMarkChange, marks: []object{{
			tim.KeyGroupTipMemberChangeInfoEnableMark: on, tim.KeyGroupTipMemberMarkChangeInfoMarkType: mark,
			tim.KeyGroupTipMemberMarkChangeInfoUserIDList: names}}})
	})
	return o, err
}

// toMark checks a change of marks and returns for whom it changes something.
func (g *Groups) toMark(tx *sqlite.Tx, r *record, users []message.User, mark uint32, on bool) (changed []message.User, err error) {
	if mark < model.MinMark {
		return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "marks begin with 1000")
	}
	if len(users) > model.MaxMarkUsers {
		return nil, refusal.New(tim.ErrSVRGroupAcountCountLimit, "at most 500 users are marked at a time")
	}
	have, err := marked(tx, r.gid, uint64(mark))
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		if _, there := g.present(r.gid, u.UID); there && have[u.UID] != on {
			have[u.UID] = on // named twice, he is marked once
			changed = append(changed, u)
		}
	}
	if !on || len(changed) == 0 {
		return changed, nil
	}
	return changed, g.roomForMarks(tx, r.gid, mark, len(changed))
}

// roomForMarks refuses a mark that too many have, or that is one too many. Those who are not there any more do not count, and
// lose their marks.
func (g *Groups) roomForMarks(tx *sqlite.Tx, gid int64, mark uint32, more int) error {
	counts := map[int64]int{int64(mark): more}
	var absent []int64
	err := tx.Query(`SELECT mark, uid FROM mark WHERE gid=?`, func(scan func(...any) error) error {
		var kind, uid int64
		err := scan(&kind, &uid)
		if _, there := g.present(gid, uid); there {
			counts[kind]++
		} else {
			absent = append(absent, uid)
		}
		return err
	}, gid)
	switch {
	case err != nil:
		return err
	case len(counts) > model.MaxMarks:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "a group has at most 10 different marks")
	case counts[int64(mark)] > model.MaxMarked:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "at most 1,000 members have one mark")
	case len(absent) == 0:
		return nil
	}
	return tx.Exec(`DELETE FROM mark WHERE gid=? AND uid IN (SELECT value FROM json_each(?))`, gid, string(protocol.Marshal(absent)))
}

// marked returns who has a mark in a group.
func marked(q sqlite.Queryer, gid int64, mark uint64) (map[int64]bool, error) {
	set := map[int64]bool{}
	err := q.Query(`SELECT uid FROM mark WHERE gid=? AND mark=?`, func(scan func(...any) error) error {
		var uid int64
		err := scan(&uid)
		set[uid] = true
		return err
	}, gid, int64(mark))
	return set, err
}
