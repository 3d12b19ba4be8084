package group

import (
	"slices"
	"strconv"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// keepDecided is for how long requests that were decided can be listed.
const keepDecided = 30 * 24 * time.Hour

// pendency is a request that somebody decides: who wants to come in asks those who decide in the group, whoever invites asks
// them or the invited.
type pendency struct {
	id       int64
	gid      int64
	kind     int   // TIMGroupPendencyType
	origin   int64 // who wants to come in, or who invites
	target   int64 // who is invited, 0: nobody
	added    int64 // milliseconds
	text     string
	decider  int64 // 0: open
	accepted bool
	answer   string
}

const selectPendency = `SELECT id, gid, type, origin, target, added, text, decider, accepted, answer FROM pendency `

func (p *pendency) scan(scan func(...any) error) error {
	return scan(&p.id, &p.gid, &p.kind, &p.origin, &p.target, &p.added, &p.text, &p.decider, &p.accepted, &p.answer)
}

// newcomer is who would be a member.
func (p *pendency) newcomer() int64 {
	if p.kind == tim.GroupPendencyRequestJoin {
		return p.origin
	}
	return p.target
}

// shown is the request as a user sees it.
func (g *Groups) shown(q sqlite.Queryer, p *pendency, group string, viewer int64) (v protocol.Pendency, err error) {
	v = protocol.Pendency{Group: group, Type: p.kind, Added: p.added, Text: p.text, Accepted: p.accepted, Answer: p.answer,
		Key: strconv.FormatInt(p.id, 10)}
	for _, who := range []struct {
		uid  int64
		name *string
	}{{p.origin, &v.From}, {p.target, &v.To}, {p.decider, &v.Decider}} {
		if who.uid == 0 {
			continue
		}
		if *who.name, err = g.accounts.Name(q, who.uid); err != nil {
			return v, err
		}
	}
	switch p.decider {
	case 0:
	case viewer:
		v.Handled = tim.GroupPendencyOperatorHandle
	default:
		v.Handled = tim.GroupPendencyOtherHandle
	}
	return v, nil
}

// request asks those who decide. Who asks again before he got an answer has one request still, the newer one.
func (g *Groups) request(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, p *pendency) (err error) {
	if err = g.forget(tx, r.gid, p); err != nil {
		return err
	}
	p.gid = r.gid
	if p.added, err = g.nextAdded(tx); err != nil {
		return err
	}
	if p.id, err = tx.Insert(`INSERT INTO pendency (gid, type, origin, target, added, text) VALUES (?,?,?,?,?,?)`,
		p.gid, p.kind, p.origin, p.target, p.added, p.text); err != nil {
		return err
	}
	v, err := g.shown(tx, p, r.ID, 0)
	if err != nil {
		return err
	}
	asked := []int64{p.target}
	if p.kind != tim.GroupPendencyInviteJoin {
		if asked, err = g.deciders(tx, r); err != nil {
			return err
		}
	}
	return g.inform(tx, a, r, o, question(p, &v), asked...)
}

// question is the report to those who are asked.
func question(p *pendency, v *protocol.Pendency) protocol.Report {
	switch p.kind {
	case tim.GroupPendencyRequestJoin:
		return protocol.Report{Type: tim.GroupReportAddRequest, Pendency: v, Text: p.text}
	case tim.GroupPendencyReqAndInvite:
		return protocol.Report{Type: tim.GroupReportInviteReqToAdmin, Pendency: v, Data: p.text}
	}
	return protocol.Report{Type: tim.GroupReportInviteReqToInvitee, Pendency: v, Data: p.text}
}

// forget deletes the request that a newer one stands for, and those that were decided long ago.
func (g *Groups) forget(tx *sqlite.Tx, gid int64, p *pendency) error {
	if err := tx.Exec(`DELETE FROM pendency WHERE origin=? AND gid=? AND type=? AND target=? AND decider=0`,
		p.origin, gid, p.kind, p.target); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM pendency WHERE gid=? AND added<? AND decider<>0`, gid, g.now().Add(-keepDecided).UnixMilli())
}

// nextAdded gives every request a time of its own, so that pages end between two of them.
func (g *Groups) nextAdded(tx *sqlite.Tx) (int64, error) {
	var newest int64
	_, err := tx.Get(`SELECT added FROM pendency ORDER BY id DESC LIMIT 1`, []any{&newest})
	return max(newest+1, g.now().UnixMilli()), err
}

// deciders returns who decides about newcomers.
func (g *Groups) deciders(q sqlite.Queryer, r *record) (list []int64, err error) {
	all, err := numbers(q, `SELECT uid FROM member WHERE gid=? AND role<>200 ORDER BY role DESC, uid`, r.gid)
	if err != nil {
		return nil, err
	}
	if r.ByRights && g.near.Rights != nil {
		more, err := g.near.Rights.Deciders(q, r.gid)
		if err != nil {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(more, func(uid int64) bool { return slices.Contains(all, uid) })...)
	}
	for _, uid := range all {
		_, err := g.permit(q, r, uid, model.GroupApprove)
		if refusal.Of(err) != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, uid)
	}
	return list, nil
}

// settle closes the open requests about somebody who came in.
func (g *Groups) settle(tx *sqlite.Tx, a *Actor, r *record, uid int64) error {
	now := g.now().UnixMilli()
	if err := tx.Exec(`UPDATE pendency SET decider=?, accepted=1, decided=? WHERE origin=? AND gid=? AND type=0 AND decider=0`,
		a.UID, now, uid, r.gid); err != nil {
		return err
	}
	if err := tx.Exec(`UPDATE pendency SET decider=?, accepted=1, decided=? WHERE target=? AND target<>0 AND gid=? AND decider=0`,
		a.UID, now, uid, r.gid); err != nil {
		return err
	}
	return g.keepOut(tx, r.gid, uid, 0)
}
