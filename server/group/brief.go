package group

import (
	"timbre/model"
	"timbre/protocol"
	"timbre/sqlite"
)

// Brief answers a page of a group's members to one of them, with nothing but their names and roles.
func (g *Groups) Brief(q sqlite.Queryer, uid, gid int64, next uint64) (page protocol.MemberPage, err error) {
	r, err := g.lists(q, uid, gid)
	if err != nil {
		return page, err
	}
	page.Members = []protocol.Member{}
	var last int64
	err = q.Query(`SELECT m.uid, a.name, m.role FROM member m JOIN account a ON a.uid=m.uid
		WHERE m.gid=? AND m.uid>? ORDER BY m.uid LIMIT ?`, func(scan func(...any) error) error {
		var m protocol.Member
		err := scan(&last, &m.User, &m.Role)
		page.Members = append(page.Members, m)
		return err
	}, r.home(), int64(next), model.BriefPage)
	if len(page.Members) == model.BriefPage { // the next page may be empty
		page.Next = uint64(last)
	}
	return page, err
}
