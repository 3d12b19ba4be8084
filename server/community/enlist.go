package community

import (
	"strconv"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/sqlite"
)

// Enlist takes members of the community into a permission group or out of it, and says of each what became of it. Users are
// the numbers of those names that exist.
func (c *Communities) Enlist(tx *sqlite.Tx, a *group.Actor, gid int64, e *protocol.Enlist, users map[string]int64) (protocol.Results, group.Outcome, error) {
	return group.Within(c.groups, tx, a, gid, func(at *group.Site) (answer protocol.Results, err error) {
		if err = c.mayEnlist(tx, at); err != nil {
			return answer, err
		}
		if len(e.Users) == 0 || len(e.Users) > model.MaxPermissionMembers {
			return answer, invalid("from 1 to 20 users come into a permission group, or leave it, at a time")
		}
		r, err := find(tx, gid, at.ID, e.ID)
		if err != nil {
			return answer, err
		}
		var moved []string
		for _, name := range e.Users {
			result, changed, err := enlist(tx, at, r, message.User{UID: users[name], Name: name}, e.On)
			if err != nil {
				return answer, err
			}
			answer.List = append(answer.List, result)
			if changed {
				moved = append(moved, name)
			}
		}
		if len(moved) == 0 {
			return answer, nil
		}
		if err = tx.Exec(`UPDATE permission_group SET members=? WHERE pid=?`, r.Members, r.pid); err != nil {
			return answer, err
		}
		change := protocol.RightsChange{Change: protocol.ChangeEnlist, Rights: r.Rights, Users: moved}
		if !e.On {
			change.Change = protocol.ChangeDelist
		}
		return answer, at.Note(tx, protocol.EntryRights, change)
	})
}

// mayEnlist refuses who may not say who is in permission groups: that is a right of its own.
func (c *Communities) mayEnlist(tx *sqlite.Tx, at *group.Site) error {
	if at.Owned() {
		return nil
	}
	r, on, err := c.of(tx, at.GID, at.Actor.UID)
	if err == nil && (!on || r.community&tim.CommunityPermissionManagePermissionGroupMember == 0) {
		err = denied()
	}
	return err
}

// enlist takes one user in or out. Who is where he shall be already stays there.
func enlist(tx *sqlite.Tx, at *group.Site, r *record, u message.User, on bool) (result protocol.Result, changed bool, err error) {
	result.ID = u.Name
	member, err := at.Has(tx, u)
	switch {
	case err != nil:
		return result, false, err
	case u.UID == 0:
		result.Code, result.Desc = tim.ErrSVRGroupAccountNotFound, "there is no such user"
		return result, false, nil
	case !member:
		result.Code, result.Desc = tim.ErrSVRGroupInvalidParameters, "this user is not a member of the community"
		return result, false, nil
	}
	statement, step := `INSERT OR IGNORE INTO permission_member (gid, uid, pid) VALUES (?,?,?)`, 1
	if !on {
		statement, step = `DELETE FROM permission_member WHERE gid=? AND uid=? AND pid=?`, -1
	}
	n, err := tx.Change(statement, at.GID, u.UID, r.pid)
	if n > 0 {
		r.Members += step
	}
	return result, n > 0, err
}

// Members answers who is in a permission group, page by page, to a member of the community.
func (c *Communities) Members(q sqlite.Queryer, uid, gid int64, ask *protocol.AskRights) (page protocol.RightsMembers, err error) {
	page.Members = []protocol.Member{}
	if err = c.groups.MayAsk(q, gid, uid); err != nil {
		return page, err
	}
	r, err := find(q, gid, ask.Community, ask.ID)
	if err != nil {
		return page, err
	}
	after := int64(0)
	if ask.Cursor != "" {
		if after, err = strconv.ParseInt(ask.Cursor, 10, 64); err != nil {
			return page, invalid("this is no cursor of a list of members")
		}
	}
	var uids []int64
	if err = q.Query(`SELECT uid FROM permission_member WHERE pid=? AND uid>? ORDER BY uid LIMIT ?`, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		uids = append(uids, n)
		return err
	}, r.pid, after, model.MemberPage+1); err != nil {
		return page, err
	}
	if len(uids) > model.MemberPage {
		uids = uids[:model.MemberPage]
		page.Cursor = strconv.FormatInt(uids[model.MemberPage-1], 10)
	}
	for _, uid := range uids {
		m, err := c.groups.Describe(q, gid, uid)
		if err != nil {
			return page, err
		}
		page.Members = append(page.Members, m)
	}
	return page, nil
}
