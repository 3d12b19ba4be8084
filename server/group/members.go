package group

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/sqlite"
)

// selectMembers reads members with all that a page shows of them, in one go: a page of a hundred thousand members costs no
// more than one of fifty. What it is asked for is ?1, the group, ?2, whose members they are, and what the condition adds.
const selectMembers = `SELECT m.uid, m.role, m.joined, m.option, m.card, m.custom, coalesce(s.mute_until,0),
		a.name, a.nick, a.face, coalesce(t.read_seq,0)
	FROM member m %s JOIN account a ON a.uid=m.uid
	LEFT JOIN sanction s ON s.gid=m.gid AND s.uid=m.uid
	LEFT JOIN seat t ON t.gid=?1 AND t.uid=m.uid
	WHERE m.gid=?2 %s`

// roleFlags are the roles that a member list may be asked for.
var roleFlags = []struct {
	flag uint64
	role int
}{
	{tim.GroupMemberRoleFlagOwner, tim.MemberRoleOwner},
	{tim.GroupMemberRoleFlagAdmin, tim.MemberRoleAdmin},
	{tim.GroupMemberRoleFlagMember, tim.MemberRoleNormal},
}

// byRole is where the few are found who are not ordinary members, instead of passing over all others.
const byRole = "INDEXED BY member_by_role"

// ofRoles is a query for members with the roles of a TIMGroupMemberRoleFlag.
func ofRoles(flags uint64, condition string) string {
	if flags == tim.GroupMemberRoleFlagAll {
		return fmt.Sprintf(selectMembers, "", condition)
	}
	roles := []string{"0"}
	for _, f := range roleFlags {
		if flags&f.flag != 0 {
			roles = append(roles, strconv.Itoa(f.role))
		}
	}
	condition = "AND m.role IN (" + strings.Join(roles, ",") + ") " + condition
	if flags&tim.GroupMemberRoleFlagMember != 0 {
		return fmt.Sprintf(selectMembers, "", condition)
	}
	return fmt.Sprintf(selectMembers, byRole, "AND m.role<>200 "+condition) // the index has only those
}

// listed is a member on a page.
type listed struct {
	uid int64
	protocol.Member
}

// Members answers a page of a group's members to one of them; of a live room see Roll. Roles is a TIMGroupMemberRoleFlag, 0 for
// all.
func (g *Groups) Members(q sqlite.Queryer, uid, gid int64, roles, next uint64) (page protocol.MemberPage, err error) {
	r, err := g.lists(q, uid, gid)
	if err != nil {
		return page, err
	}
	list, err := members(q, r, ofRoles(roles, `AND m.uid>?3 ORDER BY m.uid LIMIT ?4`), int64(next), model.MemberPage+1)
	if len(list) > model.MemberPage {
		list = list[:model.MemberPage]
		page.Next = uint64(list[len(list)-1].uid)
	}
	page.Members = g.shape(list, uid)
	return page, err
}

// MembersNamed answers those of some users who are members of a group, to one of its members.
func (g *Groups) MembersNamed(q sqlite.Queryer, uid, gid int64, users []message.User) (page protocol.MemberPage, err error) {
	r, err := g.lists(q, uid, gid)
	if err != nil {
		return page, err
	}
	uids := make([]int64, len(users))
	for i, u := range users {
		uids[i] = u.UID
	}
	list, err := g.named(q, r, uids)
	page.Members = g.shape(list, uid)
	return page, err
}

// named returns those of some users who are members, in the order of the question.
func (g *Groups) named(q sqlite.Queryer, r *record, uids []int64) (list []listed, err error) {
	if g.rulesOf(r).Live {
		return g.listening(q, r, uids)
	}
	found, err := members(q, r, ofRoles(tim.GroupMemberRoleFlagAll, `AND m.uid IN (SELECT value FROM json_each(?3))`), string(protocol.Marshal(uids)))
	for _, uid := range uids {
		if i := slices.IndexFunc(found, func(m listed) bool { return m.uid == uid }); i >= 0 {
			list = append(list, found[i])
		}
	}
	return list, err
}

// lists refuses who may not see a group's members.
func (g *Groups) lists(q sqlite.Queryer, uid, gid int64) (*record, error) {
	r, err := find(q, gid)
	if err != nil {
		return nil, err
	}
	_, err = g.permit(q, r, uid, model.GroupListMembers)
	return r, err
}

// members returns the members of a group that a query of ofRoles picks.
func members(q sqlite.Queryer, r *record, query string, args ...any) (list []listed, err error) {
	err = q.Query(query, func(scan func(...any) error) error {
		var m listed
		var custom string
		if err := scan(&m.uid, &m.Role, &m.Joined, &m.Option, &m.NameCard, &custom, &m.MuteUntil, &m.User, &m.Nick, &m.Face, &m.ReadSeq); err != nil {
			return err
		}
		list = append(list, m)
		return parseFields(custom, &list[len(list)-1].Custom)
	}, append([]any{r.gid, r.home()}, args...)...)
	return list, err
}

// shape makes a page: how a member receives is his own matter, and who is connected stands in no table.
func (g *Groups) shape(list []listed, viewer int64) []protocol.Member {
	members := make([]protocol.Member, len(list))
	for i, m := range list {
		if m.uid != viewer {
			m.Option = 0
		}
		members[i] = m.Member
		g.ShowOnline(&members[i], m.uid)
	}
	return members
}

// ShowOnline adds to what is shown of a member whether and where he is online.
func (g *Groups) ShowOnline(m *protocol.Member, uid int64) {
	if g.near.Sessions != nil {
		m.Platforms = g.near.Sessions.Platforms(uid)
	}
	m.Online = len(m.Platforms) > 0
}

// listening describes those of some users who are in a live room.
func (g *Groups) listening(q sqlite.Queryer, r *record, uids []int64) (list []listed, err error) {
	for _, uid := range uids {
		if _, there := g.present(r.gid, uid); !there {
			continue
		}
		m, err := g.describe(q, r, uid)
		if err != nil {
			return nil, err
		}
		list = append(list, listed{uid, m})
	}
	return list, nil
}
