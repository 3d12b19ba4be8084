package group

import (
	"crypto/rand"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// Create makes a group and answers its id.
func (g *Groups) Create(c protocol.CreateGroup, done event.Done) {
	if code, desc := check(&c); code != 0 {
		done(code, desc, "")
		return
	}
	var a protocol.CreatedGroup
	made := func() string { return object{tim.KeyCreateGroupResultGroupId: a.ID}.json() }
	if c.Type != tim.GroupAVChatRoom {
		g.Do(protocol.OpGroupCreate, c, &a, done, made)
		return
	}
	if c.ID != "" {
		g.Rooms.Entering(c.ID)
	}
	if why := g.Change(protocol.OpGroupCreate, c, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	// Who opens a room is in it.
	if why := g.enter(protocol.JoinGroup{Group: a.ID}, a.Quit, func() { done(0, "", made()) }); why != nil {
		g.Log.Warn("a live room was made and could not be entered", "group", a.ID, "code", why.Code)
		done(0, "", made())
	}
}

// enter joins a group and calls told before anything of it reaches the host. Quit is the rooms that this device was taken out
// of when it made the group.
func (g *Groups) enter(j protocol.JoinGroup, quit []string, told func()) *transport.Error {
	var a protocol.Joined
	return g.put(protocol.OpGroupJoin, rand.Text(), j, &a, func(why *transport.Error) {
		switch {
		case why != nil:
		case a.Live:
			if a.Group == nil {
				a.Group = &protocol.Group{ID: j.Group, Type: tim.GroupAVChatRoom}
			}
			g.Rooms.Entered(a.Group, append(quit, a.Quit...), told)
		default:
			told()
		}
	})
}

// check refuses early, with the server's codes, what the server would refuse.
func check(c *protocol.CreateGroup) (code int, desc string) {
	if _, known := model.RulesOf(c.Type); !known || c.Type == tim.GroupBChatRoom {
		return tim.ErrSVRGroupInvalidParameters, "groups of this type cannot be made"
	}
	if c.ID != "" && !model.ValidGroupID(c.Type, c.ID) {
		return tim.ErrSDKGroupInvalidID, "a group id is at most 48 printable ASCII characters and does not begin with " + model.GroupPrefix
	}
	return model.LongGroupTexts.Check(c.Name, c.Introduction, c.Notification, c.Face)
}

// Dismiss ends a group. A device that is in a live room leaves it with the report of the end, as everybody there does.
func (g *Groups) Dismiss(group string, done event.Done) {
	g.plain(protocol.OpGroupDismiss, protocol.OneGroup{Group: group}, done)
}

// Join makes the user a member, or asks those who decide. The result says nothing of which it was: what follows does.
func (g *Groups) Join(group, reason string, done event.Done) {
	if len(reason) > model.MaxJoinReason {
		done(tim.ErrInvalidParameters, "the reason is longer than 300 bytes", "")
		return
	}
	g.Rooms.Entering(group)
	if why := g.enter(protocol.JoinGroup{Group: group, Reason: reason}, nil, func() { done(0, "", "") }); why != nil {
		done(why.Code, why.Text, "")
	}
}

// Quit ends the user's membership. A live room that this device lost with its connection does not know it any more: that is
// what it wanted. The device is out of the room before the host knows, who may come back at once.
func (g *Groups) Quit(group string, done event.Done) {
	there := g.Rooms.Leaving(group)
	g.put(protocol.OpGroupQuit, rand.Text(), protocol.OneGroup{Group: group}, &struct{}{}, func(why *transport.Error) {
		if why != nil && !(there && why.Code == tim.ErrSVRGroupPermissionDeny) {
			g.Rooms.Stays(group)
			done(why.Code, why.Text, "")
			return
		}
		g.Rooms.Left(group)
		done(0, "", "")
	})
}

// Invite makes users members, or asks those who decide, and answers what became of each.
func (g *Groups) Invite(i protocol.Invite, done event.Done) {
	if len(i.Users) == 0 {
		done(tim.ErrSDKGroupInviteNoMember, "nobody is invited", "")
		return
	}
	g.results(protocol.OpGroupInvite, i, tim.KeyGroupInviteMemberResultIdentifier, tim.KeyGroupInviteMemberResultResult, done)
}

// Kick removes members and answers what became of each.
func (g *Groups) Kick(k protocol.KickMembers, done event.Done) {
	if len(k.Users) == 0 {
		done(tim.ErrInvalidParameters, "nobody is to be removed", "")
		return
	}
	g.results(protocol.OpGroupKick, k, tim.KeyGroupDeleteMemberResultIdentifier, tim.KeyGroupDeleteMemberResultResult, done)
}

// results makes a change of several users.
func (g *Groups) results(op string, body any, user, result string, done event.Done) {
	var a protocol.Invited
	g.Do(op, body, &a, done, func() string {
		all := make([]object, 0, len(a.Results))
		for _, r := range a.Results {
			all = append(all, object{user: r.User, result: r.Result})
		}
		return list(all)
	})
}

// SetMember changes a member.
func (g *Groups) SetMember(m protocol.SetMember, done event.Done) {
	if m.Card != nil && len(*m.Card) > model.MaxNameCard {
		done(tim.ErrSDKGroupInvalidNameCard, "the name card is longer than 50 bytes", "")
		return
	}
	g.plain(protocol.OpGroupSetMember, m, done)
}

// Mark marks members of a live room, or takes the mark away.
func (g *Groups) Mark(m protocol.MarkMembers, done event.Done) {
	switch {
	case len(m.Users) == 0 || len(m.Users) > model.MaxMarkUsers:
		done(tim.ErrInvalidParameters, "1 to 500 users are needed", "")
	case m.Mark < model.MinMark:
		done(tim.ErrInvalidParameters, "marks begin with 1000", "")
	default:
		g.plain(protocol.OpGroupMark, m, done)
	}
}

// Set changes the group itself.
func (g *Groups) Set(s protocol.SetGroup, done event.Done) {
	name := "as it is"
	if s.Name != nil {
		name = *s.Name
	}
	if code, desc := model.LongGroupTexts.Check(name, text(s.Introduction), text(s.Notification), text(s.Face)); code != 0 {
		done(code, desc, "")
		return
	}
	g.plain(protocol.OpGroupSet, s, done)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
