package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// mine picks the requests that a user may decide, as far as his role says it.
const mine = `(type<>1 AND gid IN (SELECT m.gid FROM member m JOIN grp g ON g.gid=m.gid WHERE m.uid=?1 AND (m.role<>200 OR g.by_rights<>0))
	OR type=1 AND target=?1)`

// Pendencies answers the requests that a user decides in all his groups.
func (g *Groups) Pendencies(q sqlite.Queryer, user message.User, ask protocol.AskPendencies) (a protocol.Pendencies, err error) {
	a.List = []protocol.Pendency{}
	limit := model.PendencyPage
	if ask.Limit > 0 {
		limit = min(limit, ask.Limit)
	}
	before := ask.Before
	if before <= 0 {
		before = 1 << 62
	}
	if _, err = q.Get(`SELECT time FROM pendency_read WHERE uid=?`, []any{&a.Read}, user.UID); err != nil {
		return a, err
	}
	for len(a.List) < limit && before != 0 {
		if before, err = g.page(q, user, &a, before, limit); err != nil {
			return a, err
		}
	}
	a.Next = before
	return a, g.countUnread(q, user, &a)
}

// page adds requests that came before a time and returns where the next page begins, 0 when there is none.
func (g *Groups) page(q sqlite.Queryer, user message.User, a *protocol.Pendencies, before int64, limit int) (int64, error) {
	found, err := g.pendencies(q, `WHERE `+mine+` AND added<?2 ORDER BY added DESC LIMIT ?3`, user.UID, before, limit+1)
	if err != nil {
		return 0, err
	}
	for _, p := range found {
		if len(a.List) == limit {
			return a.List[limit-1].Added, nil
		}
		v, decides, err := g.forDecider(q, p, user.UID)
		if err != nil {
			return 0, err
		}
		if before = p.added; decides {
			a.List = append(a.List, v)
		}
	}
	if len(found) <= limit {
		return 0, nil
	}
	return before, nil
}

func (g *Groups) pendencies(q sqlite.Queryer, condition string, args ...any) (list []*pendency, err error) {
	err = q.Query(selectPendency+condition, func(scan func(...any) error) error {
		p := &pendency{}
		list = append(list, p)
		return p.scan(scan)
	}, args...)
	return list, err
}

// forDecider is a request as a user sees it, and whether he may decide such ones.
func (g *Groups) forDecider(q sqlite.Queryer, p *pendency, uid int64) (v protocol.Pendency, decides bool, err error) {
	r, err := g.decides(q, p.gid, p.kind, uid)
	if r == nil || err != nil {
		return v, false, err
	}
	v, err = g.shown(q, p, r.ID, uid)
	return v, err == nil, err
}

// decides returns the group if a user may decide requests of a kind there.
func (g *Groups) decides(q sqlite.Queryer, gid int64, kind int, uid int64) (*record, error) {
	r, err := find(q, gid)
	if err == nil && kind != tim.GroupPendencyInviteJoin {
		_, err = g.permit(q, r, uid, model.GroupApprove)
	}
	if refusal.Of(err) != nil {
		return nil, nil
	}
	return r, err
}

// countUnread asks once for each group.
func (g *Groups) countUnread(q sqlite.Queryer, user message.User, a *protocol.Pendencies) error {
	type some struct {
		gid  int64
		kind int
		n    int
	}
	var list []some
	if err := q.Query(`SELECT gid, type, count(*) FROM pendency WHERE `+mine+` AND added>?2 GROUP BY gid, type`, func(scan func(...any) error) error {
		var s some
		err := scan(&s.gid, &s.kind, &s.n)
		list = append(list, s)
		return err
	}, user.UID, a.Read); err != nil {
		return err
	}
	for _, s := range list {
		r, err := g.decides(q, s.gid, s.kind, user.UID)
		if err != nil {
			return err
		}
		if r != nil {
			a.Unread += s.n
		}
	}
	return nil
}

// ReadPendencies notes up to when a user has seen the requests that he decides, in milliseconds.
func (g *Groups) ReadPendencies(tx *sqlite.Tx, user message.User, time int64) error {
	return tx.Exec(`INSERT INTO pendency_read (uid, time) VALUES (?,?) ON CONFLICT (uid) DO UPDATE SET time=max(time, excluded.time)`,
		user.UID, time)
}
