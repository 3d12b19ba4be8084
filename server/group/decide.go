package group

import (
	"strconv"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Decide accepts or refuses a request, which can be done once. Users are the numbers of those names in it that exist.
func (g *Groups) Decide(tx *sqlite.Tx, a *Actor, gid int64, d *protocol.DecidePendency, users map[string]int64) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := top(tx, gid)
		if err != nil {
			return answer, err
		}
		p, err := g.mayDecide(tx, a, r, d, users)
		if err != nil {
			return answer, err
		}
		p.decider, p.accepted, p.answer = a.UID, d.Accept, d.Answer
		if err = tx.Exec(`UPDATE pendency SET decider=?, accepted=?, answer=?, decided=? WHERE id=?`,
			a.UID, d.Accept, d.Answer, g.now().UnixMilli(), p.id); err != nil {
			return answer, err
		}
		if d.Accept {
			return answer, g.accept(tx, a, r, o, p)
		}
		return answer, g.answered(tx, a, r, o, p)
	})
	return o, err
}

// mayDecide finds the request and refuses what cannot be done with it.
func (g *Groups) mayDecide(tx *sqlite.Tx, a *Actor, r *record, d *protocol.DecidePendency, users map[string]int64) (*pendency, error) {
	p, err := g.requested(tx, r, &d.Pendency, users)
	switch {
	case err != nil:
		return nil, err
	case p.kind == tim.GroupPendencyInviteJoin && p.target != a.UID:
		return nil, refusal.New(tim.ErrSVRGroupPermissionDeny, "the invited user decides")
	case p.kind != tim.GroupPendencyInviteJoin:
		_, err = g.permit(tx, r, a.UID, model.GroupApprove)
	}
	switch {
	case err != nil:
		return nil, err
	case p.decider != 0:
		return nil, refusal.New(tim.ErrSVRGroupReqAllreadyBeenProcessed, "somebody has decided this request already")
	}
	if err = checkReason(d.Answer); err != nil || !d.Accept {
		return p, err
	}
	fits, err := g.fits(tx, p.newcomer())
	switch {
	case err != nil:
		return nil, err
	case !g.room(r, 0):
		return nil, full()
	case !fits:
		return nil, tooManyGroups()
	}
	return p, nil
}

// requested finds a request by its key, or by who asked when.
func (g *Groups) requested(tx *sqlite.Tx, r *record, v *protocol.Pendency, users map[string]int64) (*pendency, error) {
	var list []*pendency
	id, err := strconv.ParseInt(v.Key, 10, 64)
	if err == nil {
		list, err = g.pendencies(tx, `WHERE id=? AND gid=?`, id, r.gid)
	} else {
		list, err = g.pendencies(tx, `WHERE origin=?1 AND gid=?2 AND type=?3 AND (target=?4 OR type=0) AND (added=?5 OR ?5=0)
			ORDER BY id DESC LIMIT 1`, users[v.From], r.gid, v.Type, users[v.To], v.Added)
	}
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such request")
	}
	return list[0], nil
}

// accept lets the newcomer in, or asks the invited once those who decide have agreed.
func (g *Groups) accept(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, p *pendency) error {
	if p.kind == tim.GroupPendencyReqAndInvite && g.rulesOf(r).Consent {
		name, err := g.accounts.Name(tx, p.origin)
		if err != nil {
			return err
		}
		inviter := *a
		inviter.User = message.User{UID: p.origin, Name: name}
		return g.request(tx, &inviter, r, o, &pendency{kind: tim.GroupPendencyInviteJoin, origin: p.origin, target: p.target, text: p.text})
	}
	name, err := g.accounts.Name(tx, p.newcomer())
	if err != nil {
		return err
	}
	list := []Newcomer{{User: message.User{UID: p.newcomer(), Name: name}, Role: tim.MemberRoleNormal}}
	t := &tip{kind: tim.GroupTipInvite, join: tim.GroupJoinInvite, by: p.origin}
	if p.kind == tim.GroupPendencyRequestJoin {
		t.join = tim.GroupJoinApply
	}
	if err := g.welcome(tx, a, r, o, list, t); err != nil {
		return err
	}
	if p.kind == tim.GroupPendencyReqAndInvite {
		what := protocol.Report{Type: tim.GroupReportInvite, Data: p.text}
		if what.Operator, err = g.describe(tx, r, p.origin); err != nil {
			return err
		}
		if err := g.report(tx, r, o, p.target, what); err != nil {
			return err
		}
	}
	return g.answered(tx, a, r, o, p)
}

// answered reports to who asked what was decided.
func (g *Groups) answered(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, p *pendency) error {
	v, err := g.shown(tx, p, r.ID, p.origin)
	if err != nil {
		return err
	}
	return g.inform(tx, a, r, o, protocol.Report{Type: verdict(p), Text: p.answer, Pendency: &v}, p.origin)
}

// verdict is the report about a decision.
func verdict(p *pendency) int {
	switch {
	case p.kind == tim.GroupPendencyRequestJoin && p.accepted:
		return tim.GroupReportAddAccept
	case p.kind == tim.GroupPendencyRequestJoin:
		return tim.GroupReportAddRefuse
	case p.accepted:
		return tim.GroupReportInviteAccept
	}
	return tim.GroupReportInviteRefuse
}
