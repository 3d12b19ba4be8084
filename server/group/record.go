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
	dismissed   int64 // since when its end is being told to its members, seconds; 0: it lives
	protocol.Group
}

const selectGroup = `SELECT gid, id, type, name, intro, notice, face, owner, created, members, max_members, add_opt, approve,
	info_time, custom, parent, mute_all, visible, searchable, topics, by_rights, rights, attr_version, dismissed FROM grp `

// find reads a group that exists: its number was found before, and no group is deleted.
func find(q sqlite.Queryer, gid int64) (*record, error) {
	r := &record{}
	var custom string
	var rights int64
	found, err := q.Get(selectGroup+`WHERE gid=?`, []any{&r.gid, &r.ID, &r.Type, &r.Name, &r.Introduction, &r.Notification,
		&r.Face, &r.owner, &r.Created, &r.Members, &r.MaxMembers, &r.AddOption, &r.Approve, &r.LastInfo, &custom, &r.parent,
		&r.MuteAll, &r.Visible, &r.Searchable, &r.Topics, &r.ByRights, &rights, &r.attrVersion, &r.dismissed}, gid)
	switch {
	case err != nil:
		return r, err
	case !found || r.dismissed != 0:
		return r, notFound()
	}
	r.Rights = uint64(rights)
	if r.parent != 0 {
		r.Text = custom
		return r, nil
	}
	return r, parseFields(custom, &r.Custom)
}

// parseFields reads custom fields as a row has them.
func parseFields(text string, fields *map[string]string) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), fields)
}

func (g *Groups) rulesOf(r *record) model.GroupRules {
	rules, _ := g.rules.Rules(r.Type) // only types that have rules are created
	return rules
}

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

// member is a member's row.
type member struct {
	role      int
	joined    int64
	option    int
	card      string
	muteUntil int64
}

// membership reads a member's row, nil when the user is none.
func membership(q sqlite.Queryer, gid, uid int64) (*member, error) {
	m := &member{}
	found, err := q.Get(`SELECT role, joined, option, card, mute_until FROM member WHERE gid=? AND uid=?`,
		[]any{&m.role, &m.joined, &m.option, &m.card, &m.muteUntil}, gid, uid)
	if !found || err != nil {
		return nil, err
	}
	return m, nil
}

// in reads the row of a user who must be a member.
func in(q sqlite.Queryer, gid, uid int64) (*member, error) {
	m, err := membership(q, gid, uid)
	if err == nil && m == nil {
		err = refusal.New(tim.ErrSVRGroupPermissionDeny, "not a member of the group")
	}
	return m, err
}

// count returns in how many groups a user is.
func count(q sqlite.Queryer, uid int64) (n int, err error) {
	_, err = q.Get(`SELECT count(*) FROM member WHERE uid=?`, []any{&n}, uid)
	return n, err
}

// view is the group as a user sees it: who is not in it sees nothing of its messages and of himself.
func (g *Groups) view(q sqlite.Queryer, r *record, uid int64) (protocol.Group, error) {
	v := r.Group
	if r.owner != 0 {
		p, err := g.accounts.Profile(q, r.owner)
		if err != nil {
			return v, err
		}
		v.Owner = p.User
	}
	m, err := membership(q, r.gid, uid)
	if m == nil || err != nil {
		return v, err
	}
	st, err := g.messages.Standing(q, r.gid, uid)
	v.Max, v.LastTime = st.Max, st.LastTime
	v.Self = &protocol.Self{Role: m.role, Joined: m.joined, Option: m.option, NameCard: m.card, Unread: st.Unread,
		ReadSeq: st.Read, ReadCount: st.ReadCount, ClearSeq: st.Clear}
	if !unread(r.Type) {
		v.Self.Unread = 0
	}
	return v, err
}

// unread says whether a type of groups counts what is unread.
func unread(groupType int) bool { return groupType != tim.GroupChatRoom }

// describe is what members see of a member.
func (g *Groups) describe(q sqlite.Queryer, gid, uid int64) (protocol.Member, error) {
	p, err := g.accounts.Profile(q, uid)
	if err != nil {
		return protocol.Member{}, err
	}
	m, err := membership(q, gid, uid)
	m = cmp.Or(m, &member{})
	return protocol.Member{User: p.User, Nick: p.Nick, Face: p.Face, Role: m.role, Joined: m.joined, NameCard: m.card,
		MuteUntil: m.muteUntil}, err
}

func notFound() error { return refusal.New(tim.ErrSVRGroupNotFound, "there is no such group") }
