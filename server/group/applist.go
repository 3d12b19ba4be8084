package group

import (
	"strconv"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// appPage is how many groups of an app one answer has at most.
const appPage = 100

// Whom a list of an app's groups is for.
const (
	groupsFound = iota
	groupsJoined
	groupsManaged
)

// selection is which groups of an app somebody asks for, as a condition of a query and its arguments.
type selection struct {
	where string
	args  []any
}

// List answers groups of an app, the oldest first: those that can be found, those that the user is in, or those that he owns
// or administers. Total is how many there are without pages.
func (g *Groups) List(q sqlite.Queryer, app uint64, uid int64, ask *protocol.AskAppGroups) (a protocol.AppGroups, err error) {
	a.Groups, a.Start = []protocol.Group{}, ask.Start
	after, err := parseCursor(ask.Cursor)
	if err != nil {
		return a, err
	}
	s, err := g.selection(app, uid, ask)
	if err != nil {
		return a, err
	}
	if _, err = q.Get(`SELECT count(*) FROM grp g WHERE `+s.where, []any{&a.Total}, s.args...); err != nil {
		return a, err
	}
	if after > 0 { // where the page begins follows from the cursor
		if _, err = q.Get(`SELECT count(*) FROM grp g WHERE `+s.where+` AND g.gid<=?`, []any{&a.Start}, append(s.args, after)...); err != nil {
			return a, err
		}
	}
	skip := a.Start
	if after > 0 {
		skip = 0
	}
	limit := appPage
	if ask.Limit > 0 {
		limit = min(ask.Limit, appPage)
	}
	gids, err := numbers(q, `SELECT g.gid FROM grp g WHERE `+s.where+` AND g.gid>? ORDER BY g.gid LIMIT ? OFFSET ?`, append(s.args, after, limit+1, skip)...)
	if err != nil {
		return a, err
	}
	if len(gids) > limit {
		gids = gids[:limit]
		a.Cursor = strconv.FormatInt(gids[limit-1], 10)
	}
	for _, gid := range gids {
		v, err := g.Group(q, gid, uid)
		if refusal.Of(err) != nil {
			continue // it ended just now
		}
		if err != nil {
			return a, err
		}
		a.Groups = append(a.Groups, v)
	}
	return a, nil
}

func (g *Groups) selection(app uint64, uid int64, ask *protocol.AskAppGroups) (*selection, error) {
	types, err := g.listedTypes(ask)
	if err != nil {
		return nil, err
	}
	s := &selection{`g.app=? AND g.type IN (SELECT value FROM json_each(?)) AND g.parent=0 AND g.dismissed=0 AND `,
		[]any{int64(app), string(protocol.Marshal(types))}}
	const in = `SELECT gid FROM member WHERE uid=?`
	switch ask.Role {
	case groupsFound:
		s.where += `(g.searchable>=? OR g.gid IN (` + in + `))`
		s.args = append(s.args, shown, uid)
	case groupsJoined:
		rooms := []int64{}
		if g.near.Audience != nil {
			rooms = append(rooms, g.near.Audience.Rooms(uid)...)
		}
		s.where += `g.gid IN (SELECT m.gid FROM member m JOIN grp o ON o.gid=m.gid WHERE m.uid=? AND o.type NOT IN (3,4)
			UNION SELECT value FROM json_each(?))`
		s.args = append(s.args, uid, string(protocol.Marshal(rooms)))
	case groupsManaged:
		s.where += `(g.owner=? OR g.gid IN (` + in + ` AND role<>200))`
		s.args = append(s.args, uid, uid)
	default:
		return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such list of groups")
	}
	return s, nil
}

// listedTypes is the types that are asked for. Groups that nobody can join without an invitation are found by their members
// only.
func (g *Groups) listedTypes(ask *protocol.AskAppGroups) ([]int, error) {
	asked := ask.Types
	if len(asked) == 0 {
		asked = []int{tim.GroupAVChatRoom}
	}
	types := []int{}
	for _, t := range asked {
		rules, known := g.tables[t]
		if !known {
			return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such type of groups")
		}
		if t == tim.GroupAVChatRoom {
			types = append(types, tim.GroupBChatRoom)
		}
		if ask.Role != groupsFound || rules.AddOption != tim.GroupAddOptForbid {
			types = append(types, t)
		}
	}
	return types, nil
}
