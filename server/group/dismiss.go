package group

import (
	"strings"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// ended stands in grp.dismissed when nothing of a group is left but its id, which may be used again.
const ended = -1

// endPiece is how many members, or rows of one kind, one call of EndSome takes.
const endPiece = 500

// Dismiss ends a group. From here on nobody can do anything in it; its members are told, and what it had is deleted, in
// pieces, because a large group would stop everybody else: the first piece here, the others by EndSome. What members
// have of it on their devices stays there, and files stay as long as files do. When all is done the id is free.
func (g *Groups) Dismiss(tx *sqlite.Tx, a *Actor, gid int64) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := top(tx, gid)
		if err != nil {
			return answer, err
		}
		if _, err = g.permit(tx, r, a.UID, model.GroupDismiss); err != nil {
			return answer, err
		}
		return answer, g.dissolve(tx, r, o)
	})
	return o, err
}

// dissolve begins the end of a group.
func (g *Groups) dissolve(tx *sqlite.Tx, r *record, o *Outcome) error {
	if err := tx.Exec(`UPDATE grp SET dismissed=?, owner=? WHERE gid=?`, g.now().Unix(), r.owner, r.gid); err != nil {
		return err
	}
	topics, err := branches(tx, r.gid)
	if err != nil {
		return err
	}
	for _, topic := range topics {
		if err := g.endBranch(tx, topic); err != nil {
			return err
		}
	}
	o.Closed = append(o.Closed, topics...)
	if g.rulesOf(r).Live {
		if err := g.endRoom(tx, r, o); err != nil {
			return err
		}
	}
	g.Ending()
	_, err = g.end(tx, r, o)
	return err
}

// Ending says that a group is ending: there is work for whoever calls EndSome.
func (g *Groups) Ending() {
	select {
	case g.ending <- struct{}{}:
	default: // somebody said so already
	}
}

// EndSome does a piece of what is left to do of groups that are ending. Call it again while more is true, each time in a
// transaction of its own: so it goes on after a restart, too.
func (g *Groups) EndSome(tx *sqlite.Tx) (o Outcome, more bool, err error) {
	var gid int64
	if found, err := tx.Get(`SELECT gid FROM grp WHERE dismissed>0 ORDER BY dismissed, gid LIMIT 1`, []any{&gid}); err != nil || !found {
		return o, false, err
	}
	r, err := read(tx, gid)
	if err != nil {
		return o, false, err
	}
	_, err = g.end(tx, r, &o)
	return o, true, err // there may be another group
}

// end does a piece of the end of a group: of a small one all of it, so its id can be used again at once.
func (g *Groups) end(tx *sqlite.Tx, r *record, o *Outcome) (more bool, err error) {
	for _, step := range []func(*sqlite.Tx, *record, *Outcome) (bool, error){g.release, g.purge, g.strip} {
		if more, err := step(tx, r, o); err != nil || more {
			return more, err
		}
	}
	return false, g.bury(tx, r)
}

// release ends some of the memberships and tells those whom they were of.
func (g *Groups) release(tx *sqlite.Tx, r *record, o *Outcome) (more bool, err error) {
	uids, err := numbers(tx, `SELECT uid FROM member WHERE gid=? ORDER BY uid LIMIT ?`, r.gid, endPiece)
	if err != nil || len(uids) == 0 {
		return false, err
	}
	why, err := g.endOf(tx, r)
	if err != nil {
		return false, err
	}
	for _, uid := range uids {
		if err := tx.Exec(`DELETE FROM member WHERE gid=? AND uid=?`, r.gid, uid); err != nil {
			return false, err
		}
		if err := g.messages.Forget(tx, r.gid, uid); err != nil {
			return false, err
		}
		if r.Topics && g.near.Rights != nil {
			if err := g.near.Rights.Left(tx, r.gid, uid); err != nil {
				return false, err
			}
		}
		if err := g.dispatch(tx, r, o, uid, why); err != nil {
			return false, err
		}
	}
	return len(uids) == endPiece, nil
}

// endOf is the report that a group has ended. Its owner can have ended it, or the operator, who leaves it without one.
func (g *Groups) endOf(tx *sqlite.Tx, r *record) (why protocol.Report, err error) {
	why.Type, why.Gone = tim.GroupReportDelete, true
	if r.owner == nobody {
		why.Type = tim.GroupReportGroupRecycle
	}
	why.Operator, err = g.describe(tx, r, r.owner)
	if r.owner != nobody {
		why.Operator.Role = tim.MemberRoleOwner // although he may be out by now
	}
	return why, err
}

// purge deletes some of the history.
func (g *Groups) purge(tx *sqlite.Tx, r *record, _ *Outcome) (more bool, err error) {
	return g.messages.Purge(tx, r.gid)
}

// strip deletes some of what a group has beside members and history.
func (g *Groups) strip(tx *sqlite.Tx, r *record, _ *Outcome) (more bool, err error) {
	for _, statement := range []string{
		`DELETE FROM topic_option WHERE gid=?1 AND uid IN (SELECT uid FROM topic_option WHERE gid=?1 LIMIT ?2)`,
		`DELETE FROM sanction WHERE gid=?1 AND uid IN (SELECT uid FROM sanction WHERE gid=?1 LIMIT ?2)`,
		`DELETE FROM pendency WHERE id IN (SELECT id FROM pendency WHERE gid=?1 LIMIT ?2)`,
		`DELETE FROM mark WHERE (gid, mark, uid) IN (SELECT gid, mark, uid FROM mark WHERE gid=?1 LIMIT ?2)`,
		`DELETE FROM attribute WHERE (gid, key) IN (SELECT gid, key FROM attribute WHERE gid=?1 LIMIT ?2)`,
		`DELETE FROM counter WHERE (gid, key) IN (SELECT gid, key FROM counter WHERE gid=?1 LIMIT ?2)`,
	} {
		n, err := tx.Change(statement, r.gid, endPiece)
		if err != nil || n == endPiece {
			return true, err
		}
	}
	return false, nil
}

// bury ends what is left. The row of a group whose id an application may have chosen stays, see claim, with the version of its
// attributes: devices take an older one for old news.
func (g *Groups) bury(tx *sqlite.Tx, r *record) error {
	if g.near.Rights != nil {
		if err := g.near.Rights.Ended(tx, r.gid); err != nil {
			return err
		}
	}
	log := changelog.GroupLog(r.gid)
	if r.parent == 0 && (!strings.HasPrefix(r.ID, model.GroupPrefix) || r.Type == tim.GroupCommunity) {
		if err := g.log.Cut(tx, log); err != nil {
			return err
		}
		return tx.Exec(`UPDATE grp SET dismissed=?, owner=0, members=0 WHERE gid=?`, ended, r.gid)
	}
	if err := g.log.End(tx, log); err != nil {
		return err
	}
	if err := g.messages.CloseRoom(tx, r.gid); err != nil {
		return err
	}
	var app int64
	if _, err := tx.Get(`SELECT app FROM grp WHERE gid=?`, []any{&app}, r.gid); err != nil {
		return err
	}
	g.unlearn(id{uint64(app), r.ID}, r.gid)
	return tx.Exec(`DELETE FROM grp WHERE gid=?`, r.gid)
}
