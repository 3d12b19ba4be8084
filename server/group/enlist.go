package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/session"
	"timbre/sqlite"
)

// Actor is who asks for a change.
type Actor struct {
	message.User
	App      uint64
	Platform string // of his device
	Key      string // idempotency key
}

// Outcome is what a change means to the logs and to the sessions.
type Outcome struct {
	Changes []changelog.Change
	Opened  []session.Branch
	Joined  []session.Seat
	Left    []session.Seat
	Closed  []int64     // topics and live rooms that are no more
	Live    []LiveEntry // for those who are in a live room, in no log
	Direct  []session.Direct
}

// LiveEntry is what happened in a live room.
type LiveEntry struct {
	GID   int64
	Entry protocol.Entry
}

// once makes a change unless its key was answered before; then it returns that answer and nothing happens.
func once[T any](g *Groups, tx *sqlite.Tx, a *Actor, change func(*Outcome) (T, error)) (answer T, o Outcome, err error) {
	found, err := g.messages.Answered(tx, a.User, a.Key, &answer)
	if found || err != nil {
		return answer, o, err
	}
	if answer, err = change(&o); err != nil {
		return answer, Outcome{}, err
	}
	return answer, o, g.messages.Remember(tx, a.User, a.Key, answer)
}

// Newcomer is somebody who becomes a member.
type Newcomer struct {
	message.User
	Role   int
	Custom map[string]string
}

// enlist makes users members and tells each of them. What is said in the group from here on is for them.
func (g *Groups) enlist(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, users []Newcomer) error {
	pos, err := g.log.Head(tx, changelog.GroupLog(r.gid))
	if err != nil {
		return err
	}
	for _, u := range users {
		if err := g.seat(tx, a, r, o, u); err != nil {
			return err
		}
	}
	r.Members += len(users)
	if err := tx.Exec(`UPDATE grp SET members=? WHERE gid=?`, r.Members, r.gid); err != nil {
		return err
	}
	for _, u := range users {
		m := protocol.Membership{In: true, Pos: pos}
		if m.Topics, err = g.enterBranches(tx, r, o, u.User); err != nil {
			return err
		}
		if err := g.tell(tx, r, o, u.UID, m); err != nil {
			return err
		}
	}
	return nil
}

// seat makes one user a member. Nobody has to decide about him any more.
func (g *Groups) seat(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, u Newcomer) error {
	rules := g.rulesOf(r)
	if err := tx.Exec(`INSERT INTO member (gid, uid, role, joined, option, custom) VALUES (?,?,?,?,?,?)`,
		r.gid, u.UID, u.Role, g.now().Unix(), rules.ReceiveOption, fieldsText(u.Custom)); err != nil {
		return err
	}
	if err := g.messages.Sit(tx, r.gid, u.UID, g.seesPast(r, nil)); err != nil {
		return err
	}
	o.Joined = append(o.Joined, session.Seat{UID: u.UID, GID: r.gid})
	return g.settle(tx, a, r, u.UID)
}

// announce says in the group's log how some of its members are now.
func (g *Groups) announce(tx *sqlite.Tx, r *record, o *Outcome, uids ...int64) error {
	c := protocol.MembersChange{Count: g.size(r)}
	for _, uid := range uids {
		m, err := g.describe(tx, r, uid)
		if err != nil {
			return err
		}
		c.Members = append(c.Members, m)
	}
	return g.note(tx, r, o, protocol.EntryMembers, c)
}

// welcome makes users members of a group that is there already, and says so. The tip names them if it names nobody.
func (g *Groups) welcome(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, users []Newcomer, t *tip) error {
	if err := g.enlist(tx, a, r, o, users); err != nil {
		return err
	}
	uids := uidsOf(users)
	if err := g.announce(tx, r, o, uids...); err != nil {
		return err
	}
	t.about = uids
	return g.say(tx, a, r, o, t)
}

func uidsOf(users []Newcomer) (uids []int64) {
	for _, u := range users {
		uids = append(uids, u.UID)
	}
	return uids
}

// tell adds what a user is to the group now to his own log, with the group as he sees it.
func (g *Groups) tell(tx *sqlite.Tx, r *record, o *Outcome, uid int64, m protocol.Membership) error {
	if m.In {
		v, err := g.view(tx, r, uid)
		if err != nil {
			return err
		}
		m.Group = &v
	}
	c, err := g.log.Note(tx, uid, changelog.Pointer{Kind: protocol.EntryGroup, Group: r.ID, Time: g.now().UnixMilli(),
		Data: protocol.Marshal(m)})
	o.Changes = append(o.Changes, c)
	return err
}

// note adds an entry to the group's log, for all members; in a live room those who are there get it.
func (g *Groups) note(tx *sqlite.Tx, r *record, o *Outcome, kind string, data any) error {
	now := g.now().UnixMilli()
	if g.rulesOf(r).Live {
		o.Live = append(o.Live, LiveEntry{r.gid, protocol.Entry{Kind: kind, Group: r.ID, Time: now, Data: protocol.Marshal(data)}})
		return nil
	}
	c, err := g.log.Note(tx, changelog.GroupLog(r.gid), changelog.Pointer{Kind: kind, Group: r.ID, Time: now, Data: protocol.Marshal(data)})
	if err != nil {
		return err
	}
	c.Group = r.ID
	o.Changes = append(o.Changes, c)
	return g.messages.Changed(tx, r.gid, c.Pos)
}

// report tells one user something that is for him alone.
func (g *Groups) report(tx *sqlite.Tx, r *record, o *Outcome, uid int64, what protocol.Report) error {
	what.Name = r.Name
	c, err := g.log.Note(tx, uid, changelog.Pointer{Kind: protocol.EntryReport, Group: r.ID, Time: g.now().UnixMilli(),
		Data: protocol.Marshal(what)})
	o.Changes = append(o.Changes, c)
	return err
}

// fits says whether a user may be in one more group.
func (g *Groups) fits(tx *sqlite.Tx, uid int64) (bool, error) {
	n, err := count(tx, uid)
	return n < model.MaxGroups, err
}

// newcomers leaves out who is in the group already, named twice, kept out of it or in too many groups, and who finds no room
// any more. Lift says that who is kept out may be brought in all the same. The results are those of an invitation, by user.
func (g *Groups) newcomers(tx *sqlite.Tx, r *record, users []Newcomer, lift bool) (list []Newcomer, results map[string]int, err error) {
	results = map[string]int{}
	for _, u := range users {
		if _, seen := results[u.Name]; seen {
			continue
		}
		result, err := g.candidate(tx, r, u.UID, len(list), lift)
		if err != nil {
			return nil, nil, err
		}
		if results[u.Name] = result; result == tim.GroupMemberHandledSuc {
			list = append(list, u)
		}
	}
	return list, results, nil
}

// candidate is what becomes of the invitation of a user behind some others.
func (g *Groups) candidate(tx *sqlite.Tx, r *record, uid int64, before int, lift bool) (int, error) {
	m, err := membership(tx, r.gid, uid)
	if err != nil {
		return 0, err
	}
	fits, err := g.fits(tx, uid)
	if err != nil {
		return 0, err
	}
	kept, err := g.keptOut(tx, r.gid, uid)
	switch {
	case err != nil:
		return 0, err
	case m != nil:
		return tim.GroupMemberIncluded, nil
	case !fits:
		return model.InviteTooManyGroups, nil
	case kept && !lift, !g.room(r, before):
		return tim.GroupMemberHandledErr, nil
	}
	return tim.GroupMemberHandledSuc, nil
}

// room says whether one more finds room in a group behind some others.
func (g *Groups) room(r *record, before int) bool {
	return r.MaxMembers == 0 || r.Members+before < r.MaxMembers
}
