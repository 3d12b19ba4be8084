package group

import (
	"time"

	"timbre/core/event"
	"timbre/model/tim"
	"timbre/protocol"
)

// Pendencies answers requests that the user may decide, the newest first.
func (g *Groups) Pendencies(ask protocol.AskPendencies, done event.Done) {
	var a protocol.Pendencies
	if why := g.Ask(protocol.OpPendencies, ask, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	faces := g.profiles(a.List)
	all := make([]object, 0, len(a.List))
	for i := range a.List {
		all = append(all, g.pendency(&a.List[i], faces))
	}
	done(0, "", object{
		tim.KeyGroupPendencyResultNextStartTime: a.Next, tim.KeyGroupPendencyResultReadTimeSeq: a.Read,
		tim.KeyGroupPendencyResultUnReadNum: a.Unread, tim.KeyGroupPendencyResultPendencyArray: all,
	}.json())
}

// profiles finds who asks. Without them the list is still worth having.
func (g *Groups) profiles(requests []protocol.Pendency) map[string]protocol.Profile {
	found := map[string]protocol.Profile{}
	var ask protocol.Users
	for _, p := range requests {
		if _, named := found[p.From]; !named {
			found[p.From] = protocol.Profile{}
			ask.Names = append(ask.Names, p.From)
		}
	}
	if ask.Names == nil {
		return found
	}
	var a protocol.Profiles
	if why := g.Ask(protocol.OpProfiles, ask, &a); why != nil {
		g.Log.Info("group: requests are shown without nicknames", "code", why.Code)
	}
	for _, p := range a.Profiles {
		found[p.User] = p
	}
	return found
}

// pendency is a GroupPendency.
func (g *Groups) pendency(p *protocol.Pendency, faces map[string]protocol.Profile) object {
	result, data := tim.GroupPendencyRefuse, ""
	if p.Accepted {
		result = tim.GroupPendencyAccept
	}
	if p.Type != tim.GroupPendencyGroupJoinNeedApprovedByAdmin {
		data = p.Text // what the inviter says is his own data, too
	}
	return object{
		tim.KeyGroupPendencyGroupId: p.Group, tim.KeyGroupPendencyFromIdentifier: p.From,
		tim.KeyGroupPendencyFromNickName: faces[p.From].Nick, tim.KeyGroupPendencyFromFaceUrl: faces[p.From].Face,
		tim.KeyGroupPendencyToIdentifier: p.To, tim.KeyGroupPendencyAddTime: p.Added,
		tim.KeyGroupPendencyPendencyType: p.Type, tim.KeyGroupPendencyHandled: p.Handled,
		tim.KeyGroupPendencyHandleResult: result, tim.KeyGroupPendencyApplyInviteMsg: p.Text,
		tim.KeyGroupPendencyFromUserDefinedData: data, tim.KeyGroupPendencyApprovalMsg: p.Answer,
		tim.KeyGroupPendencyToUserDefinedData: "", tim.KeyGroupPendencyKey: p.Key,
		tim.KeyGroupPendencyAuthentication: p.Signature, tim.KeyGroupPendencySelfIdentifier: g.User,
	}
}

// Decide accepts or refuses a request.
func (g *Groups) Decide(d protocol.DecidePendency, done event.Done) {
	g.plain(protocol.OpDecidePendency, d, done)
}

// farthestSecond is larger than any time in seconds; what is larger is milliseconds.
const farthestSecond = uint64(100_000_000_000)

// ReadPendencies marks the requests up to a time as seen; 0 means all that there are.
func (g *Groups) ReadPendencies(at uint64, done event.Done) {
	var ms int64
	switch {
	case at == 0: // the server's clock decides: ours may lag behind the newest request
	case at < farthestSecond:
		ms = int64(at)*1000 + int64(time.Second/time.Millisecond) - 1
	default:
		ms = int64(min(at, 1<<53))
	}
	g.plain(protocol.OpReadPendencies, protocol.ReadPendencies{Time: ms}, done)
}
