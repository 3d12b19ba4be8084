package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Set changes what a group is. Whoever may not change one of the parts changes none.
func (g *Groups) Set(tx *sqlite.Tx, a *Actor, gid int64, s *protocol.SetGroup) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := find(tx, gid)
		if err != nil {
			return answer, err
		}
		if err = g.maySet(tx, a, r, s); err != nil {
			return answer, err
		}
		e, err := g.apply(r, s)
		if err != nil || !e.changed {
			return answer, err
		}
		r.LastInfo = g.now().Unix()
		if err = r.save(tx); err != nil {
			return answer, err
		}
		if err = g.noteInfo(tx, r, o); err != nil || len(e.tip) == 0 {
			return answer, err
		}
		return answer, g.say(tx, a, r, o, &tip{kind: tim.GroupTipGroupInfoChange, change: e.tip})
	})
	return o, err
}

// maySet refuses who may not change one of the parts.
func (g *Groups) maySet(tx *sqlite.Tx, a *Actor, r *record, s *protocol.SetGroup) error {
	m, err := g.member(tx, r, a.UID)
	switch {
	case err != nil:
		return err
	case m == nil:
		return outside()
	case r.parent != 0:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "topics are changed as topics")
	case s.Owner != nil:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "a group is handed over alone")
	}
	for _, part := range []struct {
		given  bool
		action model.GroupAction
	}{
		{s.Name != nil || s.Introduction != nil || s.Notification != nil || s.Face != nil, model.GroupEditTexts},
		{s.AddOption != nil || s.Approve != nil || s.MaxMembers != nil || s.Visible != nil || s.Searchable != nil || s.Custom != nil, model.GroupEditOptions},
		{s.MuteAll != nil, model.GroupMuteAll},
		{s.ByRights != nil || s.Rights != nil, model.GroupManageRights},
	} {
		if !part.given {
			continue
		}
		if err := g.allow(tx, r, a.UID, m, part.action); err != nil {
			return err
		}
	}
	return nil
}

// apply checks the new values and puts them into the record.
func (g *Groups) apply(r *record, s *protocol.SetGroup) (*edit, error) {
	if err := g.checkSet(r, s); err != nil {
		return nil, err
	}
	e, says := &edit{}, g.rulesOf(r).OptionTips
	e.texts(r, s)
	e.number(s.AddOption, &r.AddOption, tim.GroupTipChangeFlagGroupAddOpt, says)
	e.number(s.Approve, &r.Approve, tim.GroupTipChangeFlagGroupApproveOpt, says)
	e.number(s.MaxMembers, &r.MaxMembers, 0, false)
	e.number(s.Visible, &r.Visible, 0, false)
	e.number(s.Searchable, &r.Searchable, 0, false)
	e.flag(s.MuteAll, &r.MuteAll, tim.GroupTipChangeFlagShutupAll, says)
	e.flag(s.ByRights, &r.ByRights, tim.GroupTipChangeFlagEnablePermissionGroup, true)
	if s.Rights != nil && *s.Rights != r.Rights {
		e.changed, r.Rights = true, *s.Rights
		e.say(tim.GroupTipChangeFlagDefaultPermissions, tim.KeyGroupTipGroupChangeInfoUint64Value, r.Rights)
	}
	e.custom(r, s.Custom)
	return e, nil
}

// checkSet refuses values that a group of this type cannot have.
func (g *Groups) checkSet(r *record, s *protocol.SetGroup) error {
	or := func(given *string, valid string) string {
		if given == nil {
			return valid
		}
		return *given
	}
	if code, desc := g.rules.Texts().Check(or(s.Name, "name"), or(s.Introduction, ""), or(s.Notification, ""), or(s.Face, "")); code != 0 {
		return refusal.New(code, desc)
	}
	rules := g.rulesOf(r)
	if err := checkOption(s.AddOption, r.AddOption, rules.FixedAdd); err != nil {
		return err
	}
	if err := checkOption(s.Approve, r.Approve, rules.FixedApprove); err != nil {
		return err
	}
	for _, n := range []*int{s.Visible, s.Searchable} {
		if n != nil && (*n < 0 || *n > shown) {
			return refusal.New(tim.ErrSVRGroupInvalidParameters, "visible and searchable are 0 to 2")
		}
	}
	if s.MaxMembers != nil {
		if err := checkMax(r, &rules, *s.MaxMembers); err != nil {
			return err
		}
	}
	return checkFields(merge(r.Custom, s.Custom), model.MaxGroupFields, model.MaxGroupField)
}

func checkOption(given *int, now int, fixed bool) error {
	switch {
	case given == nil || *given == now:
		return nil
	case fixed:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "in a group of this type the option is fixed")
	case *given < tim.GroupAddOptForbid || *given > tim.GroupAddOptAny:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such option for joining")
	}
	return nil
}

func checkMax(r *record, rules *model.GroupRules, members int) error {
	switch {
	case rules.MaxMembers == 0:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "a group of this type has no limit of members")
	case members < 1 || members > rules.MaxMembers:
		return refusal.New(tim.ErrSDKGroupMemberCountLimit, "a group of this type has fewer members")
	case members < r.Members:
		return refusal.New(tim.ErrSVRGroupMemberCountLimit, "the group has more members already")
	}
	return nil
}

// save writes what Set may change.
func (r *record) save(tx *sqlite.Tx) error {
	return tx.Exec(`UPDATE grp SET name=?, intro=?, notice=?, face=?, add_opt=?, approve=?, max_members=?, visible=?, searchable=?,
		mute_all=?, by_rights=?, rights=?, custom=?, info_time=? WHERE gid=?`, r.Name, r.Introduction, r.Notification, r.Face, r.AddOption,
		r.Approve, r.MaxMembers, r.Visible, r.Searchable, r.MuteAll, r.ByRights, int64(r.Rights), fieldsText(r.Custom), r.LastInfo, r.gid)
}

// noteInfo tells the members what the group is now.
func (g *Groups) noteInfo(tx *sqlite.Tx, r *record, o *Outcome) error {
	v := r.Group
	v.Members = g.size(r)
	if r.owner != 0 {
		p, err := g.accounts.Profile(tx, r.owner)
		if err != nil {
			return err
		}
		v.Owner = p.User
	}
	return g.note(tx, r, o, protocol.EntryGroupInfo, v)
}
