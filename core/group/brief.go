package group

import (
	"timbre/core/transport"
	"timbre/protocol"
)

// Brief is the ids and roles of all members of a group.
func (g *Groups) Brief(group string) (members []protocol.Member, why *transport.Error) {
	ask := protocol.AskMembers{Group: group, Brief: true}
	for first := true; first || ask.Next != 0; first = false {
		var page protocol.MemberPage
		if why := g.Ask(protocol.OpGroupMembers, ask, &page); why != nil {
			return nil, why
		}
		members = append(members, page.Members...)
		ask.Next = page.Next
	}
	return members, nil
}
