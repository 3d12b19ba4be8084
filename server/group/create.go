package group

import (
	"crypto/rand"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Create makes a group. The creator owns it; users are the other first members by name, as far as they exist.
func (g *Groups) Create(tx *sqlite.Tx, a *Actor, c *protocol.CreateGroup, users map[string]int64) (protocol.CreatedGroup, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.CreatedGroup, err error) {
		r, err := g.draft(c)
		if err != nil {
			return answer, err
		}
		first, err := g.firstMembers(r, a, c.Members, users)
		if err != nil {
			return answer, err
		}
		if err = g.claim(tx, a, r); err != nil {
			return answer, err
		}
		if err = g.insert(tx, a, r); err != nil {
			return answer, err
		}
		if first, _, err = g.newcomers(tx, r, first); err != nil {
			return answer, err
		}
		if err = g.enlist(tx, r, o, append([]Newcomer{{a.User, tim.MemberRoleOwner}}, first...)); err != nil {
			return answer, err
		}
		answer.ID = r.ID
		if len(first) == 0 {
			return answer, nil
		}
		return answer, g.say(tx, a, r, o, brought(first))
	})
}

// draft checks what a group shall be.
func (g *Groups) draft(c *protocol.CreateGroup) (*record, error) {
	rules, built := g.rules.Rules(c.Type)
	if !built {
		return nil, refusal.New(tim.ErrSDKInterfaceNotSupport, "this type of groups is not built")
	}
	if code, desc := g.rules.Texts().Check(c.Name, c.Introduction, c.Notification, c.Face); code != 0 {
		return nil, refusal.New(code, desc)
	}
	if c.ID != "" && !model.ValidGroupID(c.ID) {
		return nil, refusal.New(tim.ErrSDKGroupInvalidID, "a group id is at most 48 printable ASCII characters and does not begin with "+model.GroupPrefix)
	}
	if c.MaxMembers < 0 || c.MaxMembers > rules.MaxMembers {
		return nil, refusal.New(tim.ErrSDKGroupMemberCountLimit, "a group of this type has fewer members")
	}
	now := g.now().Unix()
	r := &record{Group: protocol.Group{ID: c.ID, Type: c.Type, Name: c.Name, Introduction: c.Introduction,
		Notification: c.Notification, Face: c.Face, Created: now, LastInfo: now, MaxMembers: rules.MaxMembers,
		AddOption: rules.AddOption, Approve: rules.ApproveOption}}
	if c.MaxMembers > 0 {
		r.MaxMembers = c.MaxMembers
	}
	for _, option := range []struct{ given, field *int }{{c.AddOption, &r.AddOption}, {c.Approve, &r.Approve}} {
		if option.given == nil {
			continue
		}
		if *option.given < tim.GroupAddOptForbid || *option.given > tim.GroupAddOptAny {
			return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such option for joining")
		}
		*option.field = *option.given
	}
	return r, nil
}

// firstMembers checks with whom a group shall begin.
func (g *Groups) firstMembers(r *record, a *Actor, given []protocol.NewMember, users map[string]int64) (list []Newcomer, err error) {
	if len(given) > model.MaxInvites {
		return nil, refusal.New(tim.ErrSVRGroupAcountCountLimit, "a group begins with at most 20 members besides its creator")
	}
	for _, m := range given {
		uid, known := users[m.User]
		n := Newcomer{Role: tim.MemberRoleNormal}
		n.UID, n.Name = uid, m.User
		switch m.Role {
		case tim.MemberRoleNone, tim.MemberRoleNormal:
		case tim.MemberRoleAdmin:
			n.Role = tim.MemberRoleAdmin
		case tim.MemberRoleOwner:
			if m.User != a.Name {
				return nil, refusal.New(tim.ErrSDKGroupInviteSuperDeny, "the creator owns the group")
			}
		default:
			return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such role")
		}
		switch {
		case m.User == a.Name:
			continue
		case !known:
			return nil, refusal.New(tim.ErrSVRGroupAccountNotFound, "a first member does not exist")
		case n.Role == tim.MemberRoleAdmin && !g.rulesOf(r).Admins:
			return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "a group of this type has no admins")
		}
		list = append(list, n)
	}
	if len(list) >= r.MaxMembers {
		return nil, refusal.New(tim.ErrSVRGroupFullMemberCount, "the group has no room for its first members")
	}
	return list, nil
}

// claim gives the group an id that is not taken, and makes sure that the creator may be in one more group.
func (g *Groups) claim(tx *sqlite.Tx, a *Actor, r *record) error {
	if fits, err := g.fits(tx, a.UID); err != nil || !fits {
		return orElse(err, refusal.New(tim.ErrSVRGroupCountLimit, "the user is in too many groups"))
	}
	if r.ID == "" {
		r.ID = model.GroupPrefix + rand.Text()[:16] // 80 bits: it is not there yet
		return nil
	}
	var owner int64
	taken, err := tx.Get(`SELECT owner FROM grp WHERE app=? AND id=?`, []any{&owner}, int64(a.App), r.ID)
	switch {
	case err != nil || !taken:
		return err
	case owner == a.UID:
		return refusal.New(tim.ErrSVRGroupGroupidInUsedForSuper, "the user has a group with this id")
	}
	return refusal.New(tim.ErrSVRGroupGroupidInUsed, "there is a group with this id")
}

func (g *Groups) insert(tx *sqlite.Tx, a *Actor, r *record) (err error) {
	r.owner = a.UID
	r.gid, err = tx.Insert(`INSERT INTO grp (app, id, type, name, intro, notice, face, owner, created, max_members, add_opt, approve,
		info_time) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`, int64(a.App), r.ID, r.Type, r.Name, r.Introduction, r.Notification, r.Face,
		r.owner, r.Created, r.MaxMembers, r.AddOption, r.Approve, r.LastInfo)
	if err != nil {
		return err
	}
	return g.messages.OpenRoom(tx, r.gid, r.ID)
}

// orElse returns err, or the other one when there is none.
func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
