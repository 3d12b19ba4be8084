package group

import (
	"cmp"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// shown is the value of visible and searchable that shows a group to who is not in it; smaller ones hide it.
const shown = 2

// view is the group as a user sees it: who is not in it gets the public part.
func (g *Groups) view(q sqlite.Queryer, r *record, uid int64) (protocol.Group, error) {
	v := r.Group
	if r.owner != 0 {
		p, err := g.accounts.Profile(q, r.owner)
		if err != nil {
			return v, err
		}
		v.Owner = p.User
	}
	v.Members = g.size(r)
	m, err := g.member(q, r, uid)
	switch {
	case err != nil:
		return v, err
	case m == nil && r.parent != 0: // a topic has no public part
		return protocol.Group{ID: r.ID, Type: r.Type, Parent: r.Parent}, nil
	case m == nil:
		return public(&v), nil
	}
	v.Self = m.self()
	if g.rulesOf(r).Live {
		return v, nil
	}
	err = g.stand(q, r, uid, &v)
	return v, err
}

// size is how many users are in a group.
func (g *Groups) size(r *record) int {
	if g.near.Audience != nil && g.rulesOf(r).Live {
		return g.near.Audience.Size(r.gid)
	}
	return r.Members
}

// self is what a member knows of himself, without how far he has come.
func (m *member) self() *protocol.Self {
	return &protocol.Self{Role: m.role, Joined: m.joined, Option: m.option, NameCard: m.card, MuteUntil: m.muteUntil}
}

// stand adds how far the user has come in the group's history.
func (g *Groups) stand(q sqlite.Queryer, r *record, uid int64, v *protocol.Group) error {
	st, err := g.messages.Standing(q, r.gid, uid)
	v.Max, v.LastTime = st.Max, st.LastTime
	v.Self.Unread, v.Self.ReadSeq, v.Self.ReadCount, v.Self.ClearSeq = st.Unread, st.Read, st.ReadCount, st.Clear
	if !g.rulesOf(r).Unread {
		v.Self.Unread = 0
	}
	return err
}

// public is what everybody may know of a group: what he needs to decide whether he wants to be in it.
func public(v *protocol.Group) protocol.Group {
	return protocol.Group{ID: v.ID, Type: v.Type, Name: v.Name, Introduction: v.Introduction, Face: v.Face, Owner: v.Owner,
		Created: v.Created, Members: v.Members, MaxMembers: v.MaxMembers, AddOption: v.AddOption, Visible: v.Visible,
		Searchable: v.Searchable, Topics: v.Topics}
}

// hidden refuses to show a group to who is not in it, if the group wants that.
func hidden(v *protocol.Group) error {
	if v.Self != nil || v.Visible >= shown {
		return nil
	}
	return refusal.New(tim.ErrSVRGroupPermissionDeny, "the group shows itself to its members only")
}

// describe is what members see of a member.
func (g *Groups) describe(q sqlite.Queryer, r *record, uid int64) (protocol.Member, error) {
	if uid == nobody {
		return protocol.Member{User: model.Administrator}, nil
	}
	p, err := g.accounts.Profile(q, uid)
	if err != nil {
		return protocol.Member{}, err
	}
	m, err := g.member(q, r, uid)
	m = cmp.Or(m, &member{})
	return protocol.Member{User: p.User, Nick: p.Nick, Face: p.Face, Role: m.role, Joined: m.joined, NameCard: m.card,
		MuteUntil: m.muteUntil, Custom: m.custom}, err
}
