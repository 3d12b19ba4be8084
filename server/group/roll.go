package group

import (
	"cmp"

	"timbre/model"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Roll is what the tables know of those who are in a live room, and which of them somebody wants to see.
type Roll struct {
	roles  map[int64]int // of those who are not ordinary members
	wanted uint64        // TIMGroupMemberRoleFlag or a mark
	marked map[int64]bool
}

// Roll returns the roll of a live room for somebody who lists it. Who may not is refused.
func (g *Groups) Roll(q sqlite.Queryer, uid, gid int64, wanted uint64) (*Roll, error) {
	r, err := g.lists(q, uid, gid)
	if err != nil {
		return nil, err
	}
	l := &Roll{roles: map[int64]int{}, wanted: wanted}
	err = q.Query(`SELECT uid, role FROM member WHERE gid=? AND role<>200`, func(scan func(...any) error) error {
		var uid int64
		var role int
		err := scan(&uid, &role)
		l.roles[uid] = role
		return err
	}, gid)
	l.roles[r.owner] = tim.MemberRoleOwner
	if err == nil && wanted >= model.MinMark {
		l.marked, err = marked(q, gid, wanted)
	}
	return l, err
}

// Role is the role of somebody who is in the room.
func (l *Roll) Role(uid int64) int { return cmp.Or(l.roles[uid], tim.MemberRoleNormal) }

// Wanted says whether somebody who is in the room is wanted.
func (l *Roll) Wanted(uid int64) bool {
	if l.wanted >= model.MinMark {
		return l.marked[uid]
	}
	for _, f := range roleFlags {
		if f.role == l.Role(uid) {
			return l.wanted == tim.GroupMemberRoleFlagAll || l.wanted&f.flag != 0
		}
	}
	return false
}
