package group

import (
	"timbre/model"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// mine picks the requests that user ?1 decides: those in the groups ?2, and those that invite him. target<>0 says nothing new,
// but the index by target serves only who says it.
const mine = `(type<>1 AND gid IN (SELECT value FROM json_each(?2))
	OR type=1 AND target=?1 AND target<>0 AND EXISTS (SELECT 1 FROM grp WHERE grp.gid=pendency.gid AND grp.dismissed=0))`

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
	gids, err := g.approves(q, user.UID)
	if err != nil {
		return a, err
	}
	in := string(protocol.Marshal(gids))
	found, err := g.pendencies(q, `WHERE `+mine+` AND added<?3 ORDER BY added DESC LIMIT ?4`, user.UID, in, before, limit+1)
	if err != nil {
		return a, err
	}
	for i, p := range found {
		if i == limit {
			a.Next = a.List[limit-1].Added
			break
		}
		name, err := g.Name(q, p.gid)
		if err != nil {
			return a, err
		}
		v, err := g.shown(q, p, name, user.UID)
		if err != nil {
			return a, err
		}
		a.List = append(a.List, v)
	}
	if _, err = q.Get(`SELECT time FROM pendency_read WHERE uid=?`, []any{&a.Read}, user.UID); err != nil {
		return a, err
	}
	_, err = q.Get(`SELECT count(*) FROM pendency WHERE `+mine+` AND added>?3`, []any{&a.Unread}, user.UID, in, a.Read)
	return a, err
}

// approves returns the groups with requests in which a user decides who comes in.
func (g *Groups) approves(q sqlite.Queryer, uid int64) (gids []int64, err error) {
	asked, err := numbers(q, `SELECT m.gid FROM member m JOIN grp g ON g.gid=m.gid WHERE m.uid=? AND (m.role<>200 OR g.by_rights<>0)
		AND EXISTS (SELECT 1 FROM pendency p WHERE p.gid=m.gid AND p.type<>1)`, uid)
	if err != nil {
		return nil, err
	}
	gids = []int64{}
	for _, gid := range asked {
		err := g.May(q, gid, uid, model.GroupApprove)
		switch {
		case err == nil:
			gids = append(gids, gid)
		case refusal.Of(err) == nil:
			return nil, err
		}
	}
	return gids, nil
}

func (g *Groups) pendencies(q sqlite.Queryer, condition string, args ...any) (list []*pendency, err error) {
	err = q.Query(selectPendency+condition, func(scan func(...any) error) error {
		p := &pendency{}
		list = append(list, p)
		return p.scan(scan)
	}, args...)
	return list, err
}

// ReadPendencies notes up to when a user has seen the requests that he decides, in milliseconds; 0 is now.
func (g *Groups) ReadPendencies(tx *sqlite.Tx, user message.User, time int64) error {
	if time == 0 {
		time = g.now().UnixMilli()
	}
	return tx.Exec(`INSERT INTO pendency_read (uid, time) VALUES (?,?) ON CONFLICT (uid) DO UPDATE SET time=max(time, excluded.time)`,
		user.UID, time)
}
