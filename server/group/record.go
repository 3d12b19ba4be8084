package group

import (
	"cmp"
	"encoding/json"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// record is a group as its row says.
type record struct {
	gid         int64
	owner       int64 // 0: nobody
	parent      int64 // gid of the community whose topic this is, 0: none
	attrVersion uint64
	dismissed   int64 // since when its end is being told to its members, seconds; 0: it lives, see also ended
	protocol.Group
}

// selectGroup reads whether permission groups decide in a topic from its community.
const selectGroup = `SELECT gid, id, type, name, intro, notice, face, owner, created, members, max_members, add_opt, approve,
	info_time, custom, parent, mute_all, visible, searchable, topics,
	coalesce((SELECT p.by_rights FROM grp p WHERE p.gid=grp.parent), by_rights), rights, attr_version, dismissed FROM grp `

// find reads a group that has not ended.
func find(q sqlite.Queryer, gid int64) (*record, error) {
	r, err := read(q, gid)
	if err == nil && r.dismissed != 0 {
		err = notFound()
	}
	return r, err
}

// read is find for a group that may be ending.
func read(q sqlite.Queryer, gid int64) (*record, error) {
	list, err := records(q, `WHERE gid=?`, gid)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, notFound()
	}
	return list[0], nil
}

// records reads groups.
func records(q sqlite.Queryer, where string, args ...any) (list []*record, err error) {
	err = q.Query(selectGroup+where, func(scan func(...any) error) error {
		r := &record{}
		list = append(list, r)
		return r.scan(scan)
	}, args...)
	return list, err
}

func (r *record) scan(scan func(...any) error) error {
	var custom string
	var rights int64
	if err := scan(&r.gid, &r.ID, &r.Type, &r.Name, &r.Introduction, &r.Notification, &r.Face, &r.owner, &r.Created, &r.Members,
		&r.MaxMembers, &r.AddOption, &r.Approve, &r.LastInfo, &custom, &r.parent, &r.MuteAll, &r.Visible, &r.Searchable, &r.Topics,
		&r.ByRights, &rights, &r.attrVersion, &r.dismissed); err != nil {
		return err
	}
	r.Rights = uint64(rights)
	if r.parent != 0 {
		r.Parent = model.CommunityOf(r.ID)
		r.Text = custom
		return nil
	}
	return parseFields(custom, &r.Custom)
}

// parseFields reads custom fields as a row has them.
func parseFields(text string, fields *map[string]string) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), fields)
}

func (g *Groups) rulesOf(r *record) model.GroupRules { return *g.tables[r.Type] }

// home is the group whose members the members of this one are: of a topic its community.
func (r *record) home() int64 { return cmp.Or(r.parent, r.gid) }

// may refuses what a role may not do in a group of this type. Role is 0 for who is not in it.
func (g *Groups) may(r *record, a model.GroupAction, role int) error {
	rules := g.rulesOf(r)
	code := rules.May(a, role)
	switch {
	case code == 0:
		return nil
	case role == 0:
		return refusal.New(code, "not a member of the group")
	}
	return refusal.New(code, "in a group of this type the user may not "+string(a))
}

// permit refuses what a user may not do: by his role, or where permission groups decide by his rights. It returns who he is
// in the group.
func (g *Groups) permit(q sqlite.Queryer, r *record, uid int64, a model.GroupAction) (*member, error) {
	m, err := g.member(q, r, uid)
	if err != nil {
		return nil, err
	}
	return m, g.allow(q, r, uid, m, a)
}

// May refuses what a user may not do in a group.
func (g *Groups) May(q sqlite.Queryer, gid, uid int64, a model.GroupAction) error {
	r, err := find(q, gid)
	if err == nil {
		_, err = g.permit(q, r, uid, a)
	}
	return err
}

// Offers refuses what nobody may do in groups of this type. Who is not in the group is refused for that first. It costs
// nothing where there is nothing to refuse.
func (g *Groups) Offers(q sqlite.Queryer, gid, uid int64, a model.GroupAction) error {
	table := g.tables[g.Kind(gid).Type]
	if table.May(a, tim.MemberRoleOwner) == 0 {
		return nil
	}
	return g.May(q, gid, uid, a)
}

func (g *Groups) allow(q sqlite.Queryer, r *record, uid int64, m *member, a model.GroupAction) error {
	role := m.roleOf()
	if g.near.Rights != nil && (r.ByRights || r.parent != 0) && m != nil && role != tim.MemberRoleOwner {
		allows, decides, err := g.near.Rights.Allows(q, r.gid, uid, a)
		switch {
		case err != nil:
			return err
		case decides && !allows:
			return refusal.New(tim.ErrSVRGroupPermissionDeny, "the user has no right to "+string(a))
		case decides:
			return g.may(r, a, tim.MemberRoleOwner) // unless there is no such thing here
		}
	}
	return g.may(r, a, role)
}

// above refuses who does not stand above another member. Where permission groups decide, only the owner stands above others
// and whoever has the right to it may act on all but him.
func (g *Groups) above(r *record, m, other *member) error {
	if r.ByRights && other.role != tim.MemberRoleOwner || model.Outranks(m.role, other.role) {
		return nil
	}
	return refusal.New(tim.ErrSVRGroupPermissionDeny, "the user does not stand above the other one")
}

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

func notFound() error { return refusal.New(tim.ErrSVRGroupNotFound, "there is no such group") }
