package group

import (
	"slices"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/server/session"
	"timbre/sqlite"
)

// nobody is the number of no user. It stands for the server's operator where somebody acts, and for a group's owner when
// there is none.
const nobody = 0

// Recycle ends a group for the operator, also one that no user may dismiss. Its members get another report than when
// their owner does it.
func (g *Groups) Recycle(tx *sqlite.Tx, gid int64) (o Outcome, err error) {
	r, err := top(tx, gid)
	if err != nil {
		return o, err
	}
	owner := r.owner
	r.owner = nobody
	why, err := g.endOf(tx, r)
	if err != nil {
		return o, err
	}
	if _, there := g.present(gid, owner); owner != nobody && g.rulesOf(r).Live && !there {
		if err = g.report(tx, r, &o, owner, why); err != nil {
			return o, err
		}
	}
	err = g.dissolve(tx, r, &o)
	return o, err
}

// Remove takes members out of a group for the operator, its owner too: where groups have successors, another member takes his
// place. Users who are no members are passed over.
func (g *Groups) Remove(tx *sqlite.Tx, app uint64, gid int64, users []message.User, reason string) (o Outcome, err error) {
	r, err := top(tx, gid)
	if err != nil {
		return o, err
	}
	if g.rulesOf(r).Live {
		return o, refusal.New(tim.ErrSVRGroupInvalidParameters, "in a live room only its owner removes users")
	}
	var out []message.User
	for _, u := range users {
		m, err := membership(tx, gid, u.UID)
		if err != nil {
			return o, err
		}
		if m != nil && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	k := &protocol.KickMembers{Reason: reason}
	if len(out) == 0 {
		return o, refusal.New(tim.ErrSVRGroupInvalidParameters, "nobody of them is a member")
	}
	if err := checkReason(reason); err != nil {
		return o, err
	}
	operator := &Actor{App: app}
	owned := r.owner != nobody
	if err := g.expel(tx, operator, r, &o, out, k); err != nil {
		return o, err
	}
	if owned && r.owner == nobody && g.rulesOf(r).Successor {
		err = g.succeed(tx, operator, r, &o)
	}
	return o, err
}

// Notify hands something of the operator's to the members of a group who are connected, or to those of some users who are
// members. Nothing of it is kept.
func (g *Groups) Notify(q sqlite.Queryer, gid int64, users []message.User, data string) (o Outcome, err error) {
	r, err := top(q, gid)
	if err != nil {
		return o, err
	}
	what := protocol.Report{Type: tim.GroupReportUserDefine, Operator: protocol.Member{User: model.Administrator}, Data: data, Name: r.Name}
	entry := protocol.Entry{Kind: protocol.EntryReport, Group: r.ID, Time: g.now().UnixMilli(), Data: protocol.Marshal(what)}
	if g.rulesOf(r).Live && len(users) == 0 {
		o.Live = []LiveEntry{{gid, entry}}
		return o, nil
	}
	push := protocol.Push{Kind: protocol.PushReport, Body: protocol.AppendLog(nil, "", r.ID, 0, 0, [][]byte{entry.Append(nil)})}
	d := session.Direct{GID: gid, Line: push.Append(nil)}
	if len(users) > 0 {
		d.GID = 0
	}
	for _, u := range users {
		m, err := g.member(q, r, u.UID)
		if err != nil {
			return o, err
		}
		if m != nil && !slices.Contains(d.UIDs, u.UID) {
			d.UIDs = append(d.UIDs, u.UID)
		}
	}
	o.Direct = []session.Direct{d}
	return o, nil
}
