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
	Live    []LiveEntry // for those who are in a live room, in no log
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
	Role int
}

// enlist makes users members and tells each of them. What is said in the group from here on is for them.
func (g *Groups) enlist(tx *sqlite.Tx, r *record, o *Outcome, users []Newcomer) error {
	pos, err := g.log.Head(tx, changelog.GroupLog(r.gid))
	if err != nil {
		return err
	}
	rules := g.rulesOf(r)
	for _, u := range users {
		if err := tx.Exec(`INSERT INTO member (gid, uid, role, joined, option) VALUES (?,?,?,?,?)`,
			r.gid, u.UID, u.Role, g.now().Unix(), rules.ReceiveOption); err != nil {
			return err
		}
		if err := g.messages.Sit(tx, r.gid, u.UID, rules.History); err != nil {
			return err
		}
		o.Joined = append(o.Joined, session.Seat{UID: u.UID, GID: r.gid})
	}
	r.Members += len(users)
	if err := tx.Exec(`UPDATE grp SET members=? WHERE gid=?`, r.Members, r.gid); err != nil {
		return err
	}
	for _, u := range users {
		if err := g.tell(tx, r, o, u.UID, protocol.Membership{In: true, Pos: pos}); err != nil {
			return err
		}
	}
	return nil
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

// newcomers leaves out who is in the group already, named twice, or in too many groups, and who finds no room any more.
// The results are those of an invitation, by user.
func (g *Groups) newcomers(tx *sqlite.Tx, r *record, users []Newcomer) (list []Newcomer, results map[string]int, err error) {
	results = map[string]int{}
	for _, u := range users {
		if _, seen := results[u.Name]; seen {
			continue
		}
		m, err := membership(tx, r.gid, u.UID)
		if err != nil {
			return nil, nil, err
		}
		fits, err := g.fits(tx, u.UID)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case m != nil:
			results[u.Name] = tim.GroupMemberIncluded
		case !fits || r.Members+len(list) >= r.MaxMembers:
			results[u.Name] = tim.GroupMemberHandledErr
		default:
			results[u.Name] = tim.GroupMemberHandledSuc
			list = append(list, u)
		}
	}
	return list, results, nil
}
