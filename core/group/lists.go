package group

import (
	"context"
	"encoding/json"
	"slices"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// metaJoined is the list of the user's groups as the server gave it last.
const metaJoined = "groups_joined"

// Joined answers the user's groups: as the server has them, or without a network as it had them last.
func (g *Groups) Joined(online bool, done event.Done) {
	groups, why := g.kept()
	if online && why == nil {
		var asked []protocol.Group
		if asked, why = g.askJoined(); why == nil {
			groups = asked
			why = g.keep(asked)
		} else if unreachable(why.Code) {
			why = nil
		}
	}
	if why != nil {
		done(why.Code, why.Text, "")
		return
	}
	all := make([]object, 0, len(groups))
	for i := range groups {
		all = append(all, base(&groups[i]))
	}
	done(0, "", list(all))
}

// unreachable says whether a code means that the server could not be asked.
func unreachable(code int) bool {
	return code >= tim.ErrSDKNetDisconnect && code <= tim.ErrSDKNetSendRemainingTimeoutNoNetwork
}

func (g *Groups) askJoined() (groups []protocol.Group, why *transport.Error) {
	var page protocol.JoinedPage
	for more := true; more; more = page.Cursor != "" {
		ask := protocol.JoinedGroups{Cursor: page.Cursor}
		page = protocol.JoinedPage{}
		if why = g.ask(protocol.OpGroupJoined, ask, &page); why != nil {
			return nil, why
		}
		groups = append(groups, page.Groups...)
	}
	return groups, nil
}

func (g *Groups) kept() (groups []protocol.Group, why *transport.Error) {
	var text string
	err := g.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		text, err = store.Meta(q, metaJoined)
		return err
	})
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &groups)
	}
	return groups, dbError(err)
}

func (g *Groups) keep(groups []protocol.Group) *transport.Error {
	return dbError(g.store.Write(context.Background(), func(tx *store.Tx) error {
		return store.SetMeta(tx.Tx, metaJoined, string(protocol.Marshal(groups)))
	}))
}

func dbError(err error) *transport.Error {
	if err == nil {
		return nil
	}
	return &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: err.Error()}
}

// Info answers what the user may know of groups, in the order of the question.
func (g *Groups) Info(names []string, done event.Done) {
	all := make([]object, 0, len(names))
	for some := range slices.Chunk(names, model.MaxGroupsAsk) {
		var a protocol.GroupInfos
		if why := g.ask(protocol.OpGroupInfo, protocol.GroupInfo{Groups: some}, &a); why != nil {
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

// Members answers members of a group: those that are named, or a page of all.
func (g *Groups) Members(ask protocol.AskMembers, done event.Done) {
	var page protocol.MemberPage
	if why := g.ask(protocol.OpGroupMembers, ask, &page); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	members := make([]object, 0, len(page.Members))
	for i := range page.Members {
		members = append(members, member(ask.Group, &page.Members[i]))
	}
	result := object{}
	result.set(tim.KeyGroupGetMemberInfoListResultNexSeq, page.Next)
	result.set(tim.KeyGroupGetMemberInfoListResultInfoArray, members)
	done(0, "", result.json())
}
