package group

import (
	"crypto/rand"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
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
		answer.ID = r.ID
		if !g.rulesOf(r).Live { // who is in a live room stands in no table
			err = g.begin(tx, a, r, o, first)
		}
		if err != nil {
			return answer, err
		}
		return answer, g.inform(tx, a, r, o, protocol.Report{Type: tim.GroupReportCreate}, a.UID)
	})
}

// begin makes the creator and others the first members.
func (g *Groups) begin(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, first []Newcomer) error {
	first, _, err := g.newcomers(tx, r, first, true)
	if err != nil {
		return err
	}
	all := append([]Newcomer{{User: a.User, Role: tim.MemberRoleOwner}}, first...)
	if err = g.enlist(tx, a, r, o, all); err != nil || len(first) == 0 {
		return err
	}
	if err = g.announce(tx, r, o, uidsOf(all)...); err != nil {
		return err
	}
	if err = g.say(tx, a, r, o, &tip{kind: tim.GroupTipInvite, join: tim.GroupJoinInvite, about: uidsOf(first)}); err != nil {
		return err
	}
	return g.inform(tx, a, r, o, protocol.Report{Type: tim.GroupReportInvite}, uidsOf(first)...)
}

// draft checks what a group shall be.
func (g *Groups) draft(c *protocol.CreateGroup) (*record, error) {
	rules, built := g.rules.Rules(c.Type)
	if err := g.mayMake(c, built, &rules); err != nil {
		return nil, err
	}
	now := g.now().Unix()
	r := &record{Group: protocol.Group{ID: c.ID, Type: c.Type, Name: c.Name, Introduction: c.Introduction,
		Notification: c.Notification, Face: c.Face, Created: now, LastInfo: now, MaxMembers: rules.MaxMembers,
		AddOption: rules.AddOption, Approve: rules.ApproveOption, Visible: shown, Searchable: shown, Custom: c.Custom,
		Topics: c.Topics, ByRights: c.ByRights, Rights: c.Rights}}
	if c.MaxMembers > 0 && rules.MaxMembers > 0 {
		r.MaxMembers = c.MaxMembers
	}
	for _, option := range []struct {
		given, field *int
		fixed        bool
	}{{c.AddOption, &r.AddOption, rules.FixedAdd}, {c.Approve, &r.Approve, rules.FixedApprove}} {
		if option.given == nil {
			continue
		}
		if *option.given < tim.GroupAddOptForbid || *option.given > tim.GroupAddOptAny {
			return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such option for joining")
		}
		if !option.fixed { // else it is as the type has it: many applications give an option without a look at the type
			*option.field = *option.given
		}
	}
	return r, nil
}

// mayMake refuses a group that cannot be.
func (g *Groups) mayMake(c *protocol.CreateGroup, built bool, rules *model.GroupRules) error {
	switch {
	case !built || c.Type == tim.GroupBChatRoom:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "groups of this type cannot be made")
	case c.Type == tim.GroupCommunity && !g.rules.Communities:
		return refusal.New(model.CodeCommunityOff, "this server has no communities")
	case c.Type != tim.GroupCommunity && (c.Topics || c.ByRights || c.Rights != 0):
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "only communities have topics and permission groups")
	case c.ID != "" && !model.ValidGroupID(c.Type, c.ID):
		return refusal.New(tim.ErrSDKGroupInvalidID, "a group id is at most 48 printable ASCII characters and does not begin with "+
			model.GroupPrefix+", or of a community with "+model.CommunityPrefix)
	case c.MaxMembers < 0 || rules.MaxMembers > 0 && c.MaxMembers > rules.MaxMembers:
		return refusal.New(tim.ErrSDKGroupMemberCountLimit, "a group of this type has fewer members")
	}
	if code, desc := g.rules.Texts().Check(c.Name, c.Introduction, c.Notification, c.Face); code != 0 {
		return refusal.New(code, desc)
	}
	return checkFields(c.Custom, model.MaxGroupFields, model.MaxGroupField)
}

// firstMembers checks with whom a group shall begin.
func (g *Groups) firstMembers(r *record, a *Actor, given []protocol.NewMember, users map[string]int64) (list []Newcomer, err error) {
	switch {
	case len(given) > model.MaxInvites:
		return nil, refusal.New(tim.ErrSVRGroupAcountCountLimit, "a group begins with at most 20 members besides its creator")
	case len(given) > 0 && g.rulesOf(r).Live:
		return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "a live room begins without members")
	}
	for _, m := range given {
		uid, known := users[m.User]
		n := Newcomer{User: message.User{UID: uid, Name: m.User}, Role: tim.MemberRoleNormal, Custom: m.Custom}
		if err := checkFields(m.Custom, model.MaxMemberFields, model.MaxMemberField); err != nil {
			return nil, err
		}
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
	if r.MaxMembers > 0 && len(list) >= r.MaxMembers {
		return nil, refusal.New(tim.ErrSVRGroupFullMemberCount, "the group has no room for its first members")
	}
	return list, nil
}

// claim gives the group an id that is not taken, and makes sure that the creator may be in one more group. The id of a group
// that has ended is free: its row is used again, so the history goes on behind the old one's end and no device takes a new
// message for one that it has.
func (g *Groups) claim(tx *sqlite.Tx, a *Actor, r *record) error {
	if fits, err := g.fits(tx, a.UID); err != nil || !fits {
		return orElse(err, refusal.New(tim.ErrSVRGroupCountLimit, "the user is in too many groups"))
	}
	if r.ID == "" {
		prefix := model.GroupPrefix
		if r.Type == tim.GroupCommunity {
			prefix = model.CommunityPrefix
		}
		r.ID = prefix + rand.Text()[:16] // 80 bits: it is not there yet
		return nil
	}
	var gid, owner, dismissed int64
	taken, err := tx.Get(`SELECT gid, owner, dismissed FROM grp WHERE app=? AND id=?`, []any{&gid, &owner, &dismissed}, int64(a.App), r.ID)
	switch {
	case err != nil || !taken:
		return err
	case dismissed == ended:
		r.gid = gid
		return nil
	case owner == a.UID && dismissed == 0:
		return refusal.New(tim.ErrSVRGroupGroupidInUsedForSuper, "the user has a group with this id")
	}
	return refusal.New(tim.ErrSVRGroupGroupidInUsed, "there is a group with this id")
}

func (g *Groups) insert(tx *sqlite.Tx, a *Actor, r *record) (err error) {
	r.owner = a.UID
	columns := []any{r.Type, r.Name, r.Introduction, r.Notification, r.Face, r.owner, r.Created, r.MaxMembers, r.AddOption, r.Approve,
		r.LastInfo, fieldsText(r.Custom), r.Topics, r.ByRights, int64(r.Rights), int64(a.App), r.ID}
	if r.gid != 0 {
		g.relearn(r.gid, r.Type)
		err = tx.Exec(`UPDATE grp SET type=?, name=?, intro=?, notice=?, face=?, owner=?, created=?, max_members=?, add_opt=?, approve=?,
			info_time=?, custom=?, topics=?, by_rights=?, rights=?, members=0, mute_all=0, visible=2, searchable=2, dismissed=0
			WHERE app=? AND id=?`, columns...)
	} else {
		r.gid, err = tx.Insert(`INSERT INTO grp (type, name, intro, notice, face, owner, created, max_members, add_opt, approve,
			info_time, custom, topics, by_rights, rights, app, id) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, columns...)
	}
	if err != nil || g.rulesOf(r).Live {
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
