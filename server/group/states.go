package group

import (
	"cmp"
	"slices"
	"strconv"

	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

const (
	// statePage is how many groups one answer has, and stateSize how long it may get: with their last messages, a few
	// groups may fill it.
	statePage = 100
	stateSize = protocol.MaxLine / 2
	// slack is by how much clocks may differ that gave the times of entries, in milliseconds.
	slack = 10_000
)

// States answers OpGroups: the groups of a user that he wants to hear of and in which something happened. Now is the time
// before the page is read: what is committed later has a later one. Pages follow the groups' numbers, which do not change
// meanwhile; within a page the newest conversation comes first, as a list shows them.
func (g *Groups) States(q sqlite.Queryer, user message.User, ask protocol.Groups, now int64) (page protocol.GroupsPage, err error) {
	defer func() { newestFirst(page.Groups) }()
	page.Time, page.Groups = now, []protocol.GroupState{}
	after, err := parseCursor(ask.Cursor)
	if err != nil {
		return page, err
	}
	gids, err := g.Followed(q, user.UID)
	if err != nil {
		return page, err
	}
	size := 0
	for _, gid := range gids {
		if wanted, err := g.wanted(q, gid, after, ask.Since); err != nil || !wanted {
			if err != nil {
				return page, err
			}
			continue
		}
		if len(page.Groups) == statePage || size > stateSize {
			page.Cursor = strconv.FormatInt(after, 10)
			return page, nil
		}
		st, err := g.state(q, user, gid)
		if refusal.Of(err) != nil {
			continue // he left it just now
		}
		if err != nil {
			return page, err
		}
		for _, m := range st.Msgs {
			size += len(m)
		}
		page.Groups = append(page.Groups, *st)
		after = gid
	}
	return page, nil
}

// newestFirst sorts groups, which stand in the order of their numbers, by the last thing that was said in them, or their
// beginning. Topics are in no list and come after their communities.
func newestFirst(list []protocol.GroupState) {
	topic := func(st protocol.GroupState) bool { return st.Group.Parent != "" }
	slices.SortStableFunc(list, func(a, b protocol.GroupState) int {
		switch {
		case topic(a) == topic(b):
			return 0
		case topic(a):
			return 1
		}
		return -1
	})
	if first := slices.IndexFunc(list, topic); first >= 0 {
		list = list[:first]
	}
	slices.Reverse(list)
	when := func(st *protocol.GroupState) int64 { return max(st.Group.LastTime, st.Group.Created*1000) }
	slices.SortStableFunc(list, func(a, b protocol.GroupState) int { return cmp.Compare(when(&b), when(&a)) })
}

// wanted says whether a group belongs on the page behind after.
func (g *Groups) wanted(q sqlite.Queryer, gid, after, since int64) (bool, error) {
	if gid <= after || since <= 0 {
		return gid > after, nil
	}
	return g.messages.TouchedSince(q, gid, since-slack)
}

// state is a group with its conversation.
func (g *Groups) state(q sqlite.Queryer, user message.User, gid int64) (*protocol.GroupState, error) {
	st, err := g.messages.State(q, user, gid)
	if err != nil {
		return nil, err
	}
	st.Group, err = g.Group(q, gid, user.UID)
	return st, err
}
