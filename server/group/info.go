package group

import (
	"strconv"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Info answers what a user may know of groups.
func (g *Groups) Info(q sqlite.Queryer, app uint64, uid int64, names []string) (a protocol.GroupInfos, err error) {
	if len(names) > model.MaxGroupsAsk {
		return a, refusal.New(tim.ErrInvalidParameters, "too many groups in one request")
	}
	a.List = make([]protocol.FoundGroup, len(names))
	for i, name := range names {
		f := &a.List[i]
		gid, found, err := g.ID(q, app, name)
		if err != nil {
			return a, err
		}
		if !found {
			r := refusal.Of(notFound())
			*f = protocol.FoundGroup{Code: r.Code, Desc: r.Desc, Group: protocol.Group{ID: name}}
			continue
		}
		if f.Group, err = g.shownTo(q, gid, uid); err == nil {
			continue
		}
		r := refusal.Of(err)
		if r == nil {
			return a, err
		}
		*f = protocol.FoundGroup{Code: r.Code, Desc: r.Desc, Group: protocol.Group{ID: name}}
	}
	return a, nil
}

// shownTo is a group as somebody sees it who asks for it by name.
func (g *Groups) shownTo(q sqlite.Queryer, gid, uid int64) (v protocol.Group, err error) {
	r, err := find(q, gid)
	if err != nil {
		return v, err
	}
	if v, err = g.view(q, r, uid); err != nil {
		return v, err
	}
	if v.Self != nil {
		v.Online, err = g.online(q, r)
		return v, err
	}
	return v, hidden(&v)
}

// Group returns a group as a user sees it.
func (g *Groups) Group(q sqlite.Queryer, gid, uid int64) (protocol.Group, error) {
	r, err := find(q, gid)
	if err != nil {
		return protocol.Group{}, err
	}
	return g.view(q, r, uid)
}

// joinedPage is how many groups one answer has.
const joinedPage = 100

// Joined answers the user's groups, page by page.
func (g *Groups) Joined(q sqlite.Queryer, uid int64, cursor string) (page protocol.JoinedPage, err error) {
	after, err := parseCursor(cursor)
	if err != nil {
		return page, err
	}
	gids, err := numbers(q, `SELECT m.gid FROM member m JOIN grp g ON g.gid=m.gid WHERE m.uid=? AND m.gid>? AND g.type NOT IN (3,4)
		ORDER BY m.gid LIMIT ?`, uid, after, joinedPage+1) // admins of live rooms have rows, too
	if err != nil {
		return page, err
	}
	if len(gids) > joinedPage {
		gids = gids[:joinedPage]
		page.Cursor = strconv.FormatInt(gids[joinedPage-1], 10)
	}
	page.Groups = make([]protocol.Group, 0, len(gids))
	for _, gid := range gids {
		v, err := g.Group(q, gid, uid)
		if refusal.Of(err) != nil {
			continue // its end is being told to its members
		}
		if err != nil {
			return page, err
		}
		v.Introduction, v.Notification = "", ""
		page.Groups = append(page.Groups, v)
	}
	return page, nil
}

// parseCursor reads the cursor of a list of groups: the number of the last one.
func parseCursor(cursor string) (after int64, err error) {
	if cursor == "" {
		return 0, nil
	}
	if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
		return 0, refusal.New(tim.ErrInvalidParameters, "this is no cursor of a list of groups")
	}
	return after, nil
}

func numbers(q sqlite.Queryer, query string, args ...any) (list []int64, err error) {
	err = q.Query(query, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		list = append(list, n)
		return err
	}, args...)
	return list, err
}
