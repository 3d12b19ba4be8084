package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// top reads a group that has members of its own; a topic has those of its community.
func top(q sqlite.Queryer, gid int64) (*record, error) {
	r, err := find(q, gid)
	if err == nil && r.parent != 0 {
		return r, refusal.New(tim.ErrSVRGroupInvalidParameters, "a topic's members are those of its community")
	}
	return r, err
}

// lasting is top for a group in which members stay. Whoever comes here by the name of a live room has deceived the gateway.
func (g *Groups) lasting(q sqlite.Queryer, gid int64) (*record, error) {
	r, err := top(q, gid)
	if err == nil && g.rulesOf(r).Live {
		err = refusal.New(tim.ErrSVRGroupInvalidParameters, "nobody is a member of a live room for good")
	}
	return r, err
}

// Join makes a user a member of a group that lets everybody in, or asks those who decide.
func (g *Groups) Join(tx *sqlite.Tx, a *Actor, gid int64, reason string) (protocol.Joined, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.Joined, err error) {
		r, err := g.lasting(tx, gid)
		if err != nil {
			return answer, err
		}
		if err = g.mayJoin(tx, a, r, reason); err != nil {
			return answer, err
		}
		if answer.Pending = r.AddOption == tim.GroupAddOptAuth; answer.Pending {
			return answer, g.request(tx, a, r, o, &pendency{kind: tim.GroupPendencyRequestJoin, origin: a.UID, text: reason})
		}
		return answer, g.welcome(tx, a, r, o, []Newcomer{{User: a.User, Role: tim.MemberRoleNormal}},
			&tip{kind: tim.GroupTipInvite, join: tim.GroupJoinApply})
	})
}

func (g *Groups) mayJoin(tx *sqlite.Tx, a *Actor, r *record, reason string) error {
	m, err := membership(tx, r.gid, a.UID)
	if err != nil {
		return err
	}
	kept, err := g.keptOut(tx, r.gid, a.UID)
	switch {
	case err != nil:
		return err
	case m != nil:
		return refusal.New(tim.ErrSVRGroupAllreadyMember, "a member already")
	case kept:
		return refusal.New(tim.ErrSVRGroupPermissionDeny, "the user was removed and may not come in yet")
	case r.AddOption == tim.GroupAddOptForbid && g.rulesOf(r).AddOption == tim.GroupAddOptForbid:
		return refusal.New(tim.ErrSDKGroupJoinPrivateGroupDeny, "members of a group of this type are invited")
	case r.AddOption == tim.GroupAddOptForbid:
		return refusal.New(tim.ErrSVRGroupPermissionDeny, "the group lets nobody join")
	case !g.room(r, 0):
		return full()
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	if fits, err := g.fits(tx, a.UID); err != nil || !fits {
		return orElse(err, tooManyGroups())
	}
	return nil
}

func full() error { return refusal.New(tim.ErrSVRGroupFullMemberCount, "the group is full") }

func tooManyGroups() error {
	return refusal.New(tim.ErrSVRGroupCountLimit, "the user is in too many groups")
}

func checkReason(text string) error {
	if len(text) > model.MaxJoinReason {
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "what is said to it is too long")
	}
	return nil
}

// Invite makes users members, or asks those who decide. Users are the numbers of those names that exist.
func (g *Groups) Invite(tx *sqlite.Tx, a *Actor, gid int64, in *protocol.Invite, users map[string]int64) (protocol.Invited, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.Invited, err error) {
		r, err := top(tx, gid)
		if err != nil {
			return answer, err
		}
		manager, err := g.mayInvite(tx, a, r, in)
		if err != nil {
			return answer, err
		}
		list, results, err := g.newcomers(tx, r, existing(in.Users, users), manager)
		if err != nil {
			return answer, err
		}
		if len(list) == 0 && !g.room(r, 0) {
			return answer, full()
		}
		asked, err := g.bring(tx, a, r, o, list, manager, in.Data)
		for _, name := range in.Users {
			result := results[name] // of who does not exist: failed
			if asked && result == tim.GroupMemberHandledSuc {
				result = tim.GroupMemberInvited
			}
			answer.Results = append(answer.Results, protocol.InviteResult{User: name, Result: result})
		}
		return answer, err
	})
}

// existing is the users of those names that exist.
func existing(names []string, users map[string]int64) (list []Newcomer) {
	for _, name := range names {
		if uid, ok := users[name]; ok {
			list = append(list, Newcomer{User: message.User{UID: uid, Name: name}, Role: tim.MemberRoleNormal})
		}
	}
	return list
}

// mayInvite says whether the inviter is one of those who decide about newcomers.
func (g *Groups) mayInvite(tx *sqlite.Tx, a *Actor, r *record, in *protocol.Invite) (manager bool, err error) {
	m, err := g.permit(tx, r, a.UID, model.GroupInvite)
	switch {
	case err != nil:
		return false, err
	case len(in.Users) == 0:
		return false, refusal.New(tim.ErrSDKGroupInviteNoMember, "nobody is invited")
	case len(in.Users) > model.MaxInvites:
		return false, refusal.New(tim.ErrSVRGroupAcountCountLimit, "an invitation is for at most 20 users")
	case r.Approve == tim.GroupAddOptForbid:
		return false, refusal.New(tim.ErrSVRGroupPermissionDeny, "nobody is invited to this group")
	}
	if err := checkReason(in.Data); err != nil {
		return false, err
	}
	err = g.allow(tx, r, a.UID, m, model.GroupApprove)
	if refusal.Of(err) != nil {
		return false, nil
	}
	return err == nil, err
}

// bring makes invited users members, unless somebody has to be asked first: those who decide, or the invited.
func (g *Groups) bring(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, list []Newcomer, manager bool, data string) (asked bool, err error) {
	kind := tim.GroupPendencyInviteJoin
	if r.Approve == tim.GroupAddOptAuth && !manager {
		kind = tim.GroupPendencyReqAndInvite
	} else if !g.rulesOf(r).Consent {
		return false, g.brought(tx, a, r, o, list, data)
	}
	for _, u := range list {
		p := &pendency{kind: kind, origin: a.UID, target: u.UID, text: data}
		if err := g.request(tx, a, r, o, p); err != nil {
			return true, err
		}
	}
	return true, nil
}

// brought makes users members whom the actor invited.
func (g *Groups) brought(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, list []Newcomer, data string) error {
	if len(list) == 0 {
		return nil
	}
	if err := g.welcome(tx, a, r, o, list, &tip{kind: tim.GroupTipInvite, join: tim.GroupJoinInvite}); err != nil {
		return err
	}
	return g.inform(tx, a, r, o, protocol.Report{Type: tim.GroupReportInvite, Data: data}, uidsOf(list)...)
}
