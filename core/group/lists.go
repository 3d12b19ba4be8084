package group

import (
	"context"
	"errors"
	"slices"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Joined answers the user's groups, without live rooms and communities with topics: as the server has them, or without a
// network as they are known here.
func (g *Groups) Joined(online bool, done event.Done) {
	g.joined(online, func(r *protocol.Group) bool { return !r.Topics }, done)
}

// JoinedCommunities answers the communities with topics that the user is in, likewise.
func (g *Groups) JoinedCommunities(online bool, done event.Done) {
	g.joined(online, func(r *protocol.Group) bool { return r.Topics }, done)
}

func (g *Groups) joined(online bool, wanted func(*protocol.Group) bool, done event.Done) {
	var why *transport.Error
	if online {
		if why = g.list(); why != nil && Unreachable(why.Code) {
			online, why = false, nil
		}
	}
	var groups []protocol.Group
	if why == nil {
		groups, why = g.kept(!online)
	}
	if why != nil {
		done(why.Code, why.Text, "")
		return
	}
	all := make([]object, 0, len(groups))
	for i := range groups {
		if wanted(&groups[i]) {
			all = append(all, base(&groups[i]))
		}
	}
	done(0, "", list(all))
}

// Unreachable says whether a code means that the server could not be asked.
func Unreachable(code int) bool {
	return code >= tim.ErrSDKNetDisconnect && code <= tim.ErrSDKNetSendRemainingTimeoutNoNetwork || code == tim.ErrSDKNetWaitAckTimeout
}

// list asks for the user's groups and keeps them.
func (g *Groups) list() *transport.Error {
	moves := g.moves.Load()
	var groups []protocol.Group
	var page protocol.JoinedPage
	for more := true; more; more = page.Cursor != "" {
		ask := protocol.JoinedGroups{Cursor: page.Cursor}
		page = protocol.JoinedPage{}
		if why := g.Ask(protocol.OpGroupJoined, ask, &page); why != nil {
			return why
		}
		groups = append(groups, page.Groups...)
	}
	return g.DatabaseError(g.Store.Write(context.Background(), func(tx *store.Tx) error { return g.keep(tx, groups, moves) }))
}

// keep makes the list what is here. If the log has told of a coming or going meanwhile, it is ahead of the list, and only what
// stands in both is taken over.
func (g *Groups) keep(tx *store.Tx, groups []protocol.Group, moves uint64) error {
	before, err := each[protocol.Group](tx, `SELECT data FROM joined_group`)
	if err != nil {
		return err
	}
	current := g.moves.Load() == moves
	known := map[string]*protocol.Group{}
	for i := range before {
		known[before[i].ID] = &before[i]
	}
	for i := range groups {
		r := &groups[i]
		b := known[r.ID]
		delete(known, r.ID)
		if b == nil && !current {
			continue
		}
		if b != nil { // which the list does not say
			r.Introduction, r.Notification = b.Introduction, b.Notification
		}
		if err := keepOne(tx, r); err != nil {
			return err
		}
	}
	if !current {
		return nil
	}
	tx.After(func() { g.listed.Store(true) })
	for id := range known {
		if err := drop(tx, id); err != nil {
			return err
		}
	}
	return nil
}

// kept is the groups that are here. alone says that the server could not be asked how far the user has come in them: then his
// conversations know it best.
func (g *Groups) kept(alone bool) (groups []protocol.Group, why *transport.Error) {
	err := g.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		groups, err = each[protocol.Group](q, `SELECT data FROM joined_group ORDER BY id`)
		for i := range groups {
			if err == nil && alone {
				err = reached(q, &groups[i])
			}
		}
		return err
	})
	return groups, g.DatabaseError(err)
}

// reached takes over from a group's conversation how far the user has come in it.
func reached(q sqlite.Queryer, r *protocol.Group) error {
	c, err := conversation.Find(q, tim.ConvGroup, r.ID)
	if c == nil || err != nil || r.Self == nil {
		return err
	}
	r.Max, r.Self.ReadSeq = max(r.Max, c.MaxSeq), max(r.Self.ReadSeq, c.ReadSeq)
	r.Self.Unread, r.Self.Option = c.Unread(), c.Option
	return nil
}

// DatabaseError is the result of a call that the database refused, nil for no error.
func (g *Groups) DatabaseError(err error) *transport.Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrClosed):
		return &transport.Error{Code: g.Ended(), Text: "the account was closed meanwhile"}
	}
	return &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: store.Explain(err)}
}

// Info answers what the user may know of groups, in the order of the question.
func (g *Groups) Info(names []string, done event.Done) {
	all := make([]object, 0, len(names))
	for some := range slices.Chunk(names, model.MaxGroupsAsk) {
		var a protocol.GroupInfos
		if why := g.Ask(protocol.OpGroupInfo, protocol.GroupInfo{Groups: some}, &a); why != nil {
			done(why.Code, why.Text, "")
			return
		}
		for i := range a.List {
			f := &a.List[i]
			all = append(all, object{tim.KeyGetGroupInfoResultCode: f.Code, tim.KeyGetGroupInfoResultDesc: f.Desc,
				tim.KeyGetGroupInfoResultInfo: detail(&f.Group)})
		}
	}
	done(0, "", list(all))
}

// Members answers members of a group: those that are named, or a page of all. Searches find them from then on.
func (g *Groups) Members(ask protocol.AskMembers, done event.Done) {
	var page protocol.MemberPage
	if why := g.Ask(protocol.OpGroupMembers, ask, &page); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	if err := g.Store.Write(context.Background(), func(tx *store.Tx) error { return seeAll(tx, ask.Group, page.Members) }); err != nil {
		g.Log.Warn("group: members are not kept for searches", "group", ask.Group, "err", err)
	}
	members := make([]object, 0, len(page.Members))
	for i := range page.Members {
		members = append(members, MemberInfo(ask.Group, &page.Members[i]))
	}
	result := object{}
	result.set(tim.KeyGroupGetMemberInfoListResultNexSeq, page.Next)
	result.set(tim.KeyGroupGetMemberInfoListResultInfoArray, members)
	done(0, "", result.json())
}

// seeAll keeps members of a group that is kept itself.
func seeAll(tx *store.Tx, group string, members []protocol.Member) error {
	r, err := find(tx.Tx, group)
	if r == nil || err != nil {
		return err
	}
	for i := range members {
		if err := see(tx, group, &members[i]); err != nil {
			return err
		}
	}
	return nil
}
