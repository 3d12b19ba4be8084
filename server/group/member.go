package group

import (
	"cmp"

	"timbre/model/tim"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// member is a member's row, or who is in a live room.
type member struct {
	role      int
	joined    int64
	option    int
	card      string
	custom    map[string]string
	muteUntil int64
}

// roleOf is 0 for nobody.
func (m *member) roleOf() int {
	if m == nil {
		return 0
	}
	return m.role
}

const selectMember = `SELECT m.uid, m.role, m.joined, m.option, m.card, m.custom, coalesce(s.mute_until,0)
	FROM member m LEFT JOIN sanction s ON s.gid=m.gid AND s.uid=m.uid `

func (m *member) scan(uid *int64, scan func(...any) error) error {
	var custom string
	if err := scan(uid, &m.role, &m.joined, &m.option, &m.card, &custom, &m.muteUntil); err != nil {
		return err
	}
	return parseFields(custom, &m.custom)
}

// membership reads a member's row, nil when the user is none.
func membership(q sqlite.Queryer, gid, uid int64) (m *member, err error) {
	err = q.Query(selectMember+`WHERE m.gid=? AND m.uid=?`, func(scan func(...any) error) error {
		m = &member{}
		return m.scan(&uid, scan)
	}, gid, uid)
	return m, err
}

// in reads the row of a user who must be a member.
func in(q sqlite.Queryer, gid, uid int64) (*member, error) {
	m, err := membership(q, gid, uid)
	if err == nil && m == nil {
		err = outside()
	}
	return m, err
}

func outside() error { return refusal.New(tim.ErrSVRGroupPermissionDeny, "not a member of the group") }

// member says who a user is in a group of any type, nil for nobody. A live room's owner is so whether he is there or not; a
// row there says only that the user is an admin of it when he is there.
func (g *Groups) member(q sqlite.Queryer, r *record, uid int64) (*member, error) {
	m, err := membership(q, r.home(), uid)
	if m != nil && err == nil && r.parent != 0 {
		err = m.branchOff(q, r.gid, uid)
	}
	if err != nil || !g.rulesOf(r).Live {
		return m, err
	}
	since, there := g.present(r.gid, uid)
	switch {
	case uid == r.owner:
		return &member{role: tim.MemberRoleOwner, joined: cmp.Or(since, r.Created)}, nil
	case !there:
		return nil, nil
	}
	m = cmp.Or(m, &member{role: tim.MemberRoleNormal})
	m.joined = since
	m.muteUntil, err = mutedUntil(q, r.gid, uid)
	return m, err
}

// present says since when a user is in a live room.
func (g *Groups) present(gid, uid int64) (since int64, there bool) {
	if g.near.Audience == nil {
		return 0, false
	}
	return g.near.Audience.Since(gid, uid)
}

// mutedUntil says until when a user may not speak in a group, in seconds.
func mutedUntil(q sqlite.Queryer, gid, uid int64) (until int64, err error) {
	_, err = q.Get(`SELECT mute_until FROM sanction WHERE gid=? AND uid=?`, []any{&until}, gid, uid)
	return until, err
}

// count returns in how many groups a user is.
func count(q sqlite.Queryer, uid int64) (n int, err error) {
	_, err = q.Get(`SELECT count(*) FROM member WHERE uid=?`, []any{&n}, uid)
	return n, err
}
