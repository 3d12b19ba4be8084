package group

import (
	"strconv"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Info answers what a user may know of groups.
func (g *Groups) Info(q sqlite.Queryer, app uint64, uid int64, names []string) (a protocol.GroupInfos, err error) {
	if len(names) > model.MaxGroupsAsk {
		return a, refusal.New(tim.ErrInvalidParameters, "too many groups in one request")
	}
	a.List = make([]protocol.FoundGroup, len(names))
	for i, name := range names {
		f := &a.List[i]
		gid, found, err := g.ID(q, app, name)
		if err != nil {
			return a, err
		}
		if !found {
			r := refusal.Of(notFound())
			*f = protocol.FoundGroup{Code: r.Code, Desc: r.Desc, Group: protocol.Group{ID: name}}
			continue
		}
		if f.Group, err = g.Group(q, gid, uid); err != nil {
			return a, err
		}
	}
	return a, nil
}

// Group returns a group as a user sees it.
func (g *Groups) Group(q sqlite.Queryer, gid, uid int64) (protocol.Group, error) {
	r, err := find(q, gid)
	if err != nil {
		return protocol.Group{}, err
	}
	return g.view(q, r, uid)
}

// joinedPage is how many groups one answer has.
const joinedPage = 100

// Joined answers the user's groups, page by page.
func (g *Groups) Joined(q sqlite.Queryer, uid int64, cursor string) (page protocol.JoinedPage, err error) {
	after, err := parseCursor(cursor)
	if err != nil {
		return page, err
	}
	gids, err := numbers(q, `SELECT gid FROM member WHERE uid=? AND gid>? ORDER BY gid LIMIT ?`, uid, after, joinedPage+1)
	if err != nil {
		return page, err
	}
	if len(gids) > joinedPage {
		gids = gids[:joinedPage]
		page.Cursor = strconv.FormatInt(gids[joinedPage-1], 10)
	}
	page.Groups = make([]protocol.Group, 0, len(gids))
	for _, gid := range gids {
		v, err := g.Group(q, gid, uid)
		if err != nil {
			return page, err
		}
		v.Introduction, v.Notification = "", ""
		page.Groups = append(page.Groups, v)
	}
	return page, nil
}

// parseCursor reads the cursor of a list of groups: the number of the last one.
func parseCursor(cursor string) (after int64, err error) {
	if cursor == "" {
		return 0, nil
	}
	if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
		return 0, refusal.New(tim.ErrInvalidParameters, "this is no cursor of a list of groups")
	}
	return after, nil
}

func numbers(q sqlite.Queryer, query string, args ...any) (list []int64, err error) {
	err = q.Query(query, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		list = append(list, n)
		return err
	}, args...)
	return list, err
}

// roleFlags are the roles that a member list may be asked for.
var roleFlags = []struct {
	flag uint64
	role int
}{
	{tim.GroupMemberRoleFlagOwner, tim.MemberRoleOwner},
	{tim.GroupMemberRoleFlagAdmin, tim.MemberRoleAdmin},
	{tim.GroupMemberRoleFlagMember, tim.MemberRoleNormal},
}

// Members answers a page of a group's members to one of them. Roles is TIMGroupMemberRoleFlag, 0 for all.
func (g *Groups) Members(q sqlite.Queryer, uid, gid int64, roles, next uint64) (page protocol.MemberPage, err error) {
	page.Members = []protocol.Member{}
	if _, err = in(q, gid, uid); err != nil {
		return page, err
	}
	wanted := [3]int{}
	for i, f := range roleFlags {
		if roles == tim.GroupMemberRoleFlagAll || roles&f.flag != 0 {
			wanted[i] = f.role
		}
	}
	uids, err := numbers(q, `SELECT uid FROM member WHERE gid=? AND uid>? AND role IN (?,?,?) ORDER BY uid LIMIT ?`,
		gid, int64(next), wanted[0], wanted[1], wanted[2], model.MemberPage+1)
	if err != nil {
		return page, err
	}
	if len(uids) > model.MemberPage {
		uids = uids[:model.MemberPage]
		page.Next = uint64(uids[model.MemberPage-1])
	}
	page.Members, err = g.describeAll(q, gid, uid, uids)
	return page, err
}

// MembersNamed answers those of some users who are members of a group, to one of its members.
func (g *Groups) MembersNamed(q sqlite.Queryer, uid, gid int64, users []message.User) (page protocol.MemberPage, err error) {
	page.Members = []protocol.Member{}
	if _, err = in(q, gid, uid); err != nil {
		return page, err
	}
	var uids []int64
	for _, u := range users {
		m, err := membership(q, gid, u.UID)
		if err != nil {
			return page, err
		}
		if m != nil {
			uids = append(uids, u.UID)
		}
	}
	page.Members, err = g.describeAll(q, gid, uid, uids)
	return page, err
}

func (g *Groups) describeAll(q sqlite.Queryer, gid, viewer int64, uids []int64) ([]protocol.Member, error) {
	list := make([]protocol.Member, 0, len(uids))
	for _, uid := range uids {
		m, err := g.describe(q, gid, uid)
		if err != nil {
			return nil, err
		}
		if uid == viewer {
			self, err := in(q, gid, uid)
			if err != nil {
				return nil, err
			}
			m.Option = self.option
		}
		list = append(list, m)
	}
	return list, nil
}
