package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/server/refusal"
	"timbre/sqlite"
)

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
