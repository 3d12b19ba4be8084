package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/sqlite"
)

// Site is a community in which another module changes something.
type Site struct {
	GID   int64
	Actor *Actor
	Role  int // TIMGroupMemberRole of the actor
	protocol.Group

	groups *Groups
	record *record
	out    *Outcome
}

// Within makes another module's change of a community with topics unless its key was answered before. Only members come so far.
func Within[T any](g *Groups, tx *sqlite.Tx, a *Actor, gid int64, change func(*Site) (T, error)) (T, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer T, err error) {
		r, err := findCommunity(tx, gid)
		if err != nil {
			return answer, err
		}
		m, err := g.member(tx, r, a.UID)
		if err != nil || m == nil {
			return answer, orElse(err, outside())
		}
		return change(&Site{gid, a, m.role, r.Group, g, r, o})
	})
}

// Owned says whether the actor owns the community.
func (s *Site) Owned() bool { return s.Role == tim.MemberRoleOwner }

// Permit refuses what the actor may not do.
func (s *Site) Permit(tx *sqlite.Tx, a model.GroupAction) error {
	_, err := s.groups.permit(tx, s.record, s.Actor.UID, a)
	return err
}

// PermitIn is Permit for a topic of the community, whose number it returns.
func (s *Site) PermitIn(tx *sqlite.Tx, topic string, a model.GroupAction) (gid int64, err error) {
	t, err := topicNamed(tx, s.Actor.App, s.GID, topic)
	if err != nil {
		return 0, err
	}
	_, err = s.groups.permit(tx, t, s.Actor.UID, a)
	return t.gid, err
}

// Has says whether a user is a member.
func (s *Site) Has(tx *sqlite.Tx, u message.User) (bool, error) {
	m, err := membership(tx, s.GID, u.UID)
	return m != nil, err
}

// Note tells all members.
func (s *Site) Note(tx *sqlite.Tx, kind string, data any) error {
	return s.groups.note(tx, s.record, s.out, kind, data)
}

// MayAsk refuses a question about a community with topics to who is not in it.
func (g *Groups) MayAsk(q sqlite.Queryer, gid, uid int64) error {
	r, err := findCommunity(q, gid)
	if err != nil {
		return err
	}
	m, err := g.member(q, r, uid)
	if err == nil && m == nil {
		err = outside()
	}
	return err
}

// Describe is what members see of one of them in a list.
func (g *Groups) Describe(q sqlite.Queryer, gid, uid int64) (protocol.Member, error) {
	r, err := find(q, gid)
	if err != nil {
		return protocol.Member{}, err
	}
	m, err := g.describe(q, r, uid)
	g.ShowOnline(&m, uid)
	return m, err
}
