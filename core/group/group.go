// Package group is what a user can do with groups: make them, come and go, and ask who is there.
//
// Every call is one question to the server, and the server's answer is the result. What a change means to the user's
// conversations comes with the change logs, which package sync applies. Only the list of the user's groups is kept, as
// the server gave it last, for hosts that show it before there is a network.
//
// Rejected: groups and members in local tables (they would have to be kept in step with the server, and large groups
// change all the time; what a conversation shows of its group stands in the conversation).
package group

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Asker puts questions to the server.
type Asker interface {
	Ask(ctx context.Context, op, key string, body []byte, timeout time.Duration) (protocol.Answer, error)
}

// Store keeps the list of the user's groups.
type Store interface {
	Write(ctx context.Context, apply func(*store.Tx) error) error
	Read(ctx context.Context, fn func(sqlite.Queryer) error) error
}

// Groups is the groups of one account. All methods wait for the server; they may be called from any goroutine.
type Groups struct {
	link    Asker
	store   Store
	timeout func() time.Duration
}

// New returns the groups.
func New(link Asker, st Store, timeout func() time.Duration) *Groups {
	return &Groups{link: link, store: st, timeout: timeout}
}

// Create makes a group and answers its id.
func (g *Groups) Create(c protocol.CreateGroup, done event.Done) {
	if code, desc := check(&c); code != 0 {
		done(code, desc, "")
		return
	}
	var a protocol.CreatedGroup
	if why := g.change(protocol.OpGroupCreate, c, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	done(0, "", object{tim.KeyCreateGroupResultGroupId: a.ID}.json())
}

// check refuses early, with the server's codes, what the server would refuse.
func check(c *protocol.CreateGroup) (code int, desc string) {
	if _, built := model.RulesOf(c.Type); !built {
		return tim.ErrSDKInterfaceNotSupport, "this type of groups is not built yet"
	}
	if c.ID != "" && !model.ValidGroupID(c.ID) {
		return tim.ErrSDKGroupInvalidID, "a group id is at most 48 printable ASCII characters and does not begin with " + model.GroupPrefix
	}
	return model.LongGroupTexts.Check(c.Name, c.Introduction, c.Notification, c.Face)
}

// Invite makes users members and answers what became of each.
func (g *Groups) Invite(group string, users []string, done event.Done) {
	if len(users) == 0 {
		done(tim.ErrSDKGroupInviteNoMember, "nobody is invited", "")
		return
	}
	var a protocol.Invited
	if why := g.change(protocol.OpGroupInvite, protocol.Invite{Group: group, Users: users}, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	results := make([]object, 0, len(a.Results))
	for _, r := range a.Results {
		results = append(results, object{tim.KeyGroupInviteMemberResultIdentifier: r.User, tim.KeyGroupInviteMemberResultResult: r.Result})
	}
	done(0, "", list(results))
}

// Join makes the user a member.
func (g *Groups) Join(group string, done event.Done) {
	g.plain(protocol.OpGroupJoin, protocol.OneGroup{Group: group}, done)
}

// Quit ends the user's membership.
func (g *Groups) Quit(group string, done event.Done) {
	g.plain(protocol.OpGroupQuit, protocol.OneGroup{Group: group}, done)
}

// SetMember changes a member.
func (g *Groups) SetMember(m protocol.SetMember, done event.Done) {
	g.plain(protocol.OpGroupSetMember, m, done)
}

// plain makes a change without a result.
func (g *Groups) plain(op string, body any, done event.Done) {
	if why := g.change(op, body, &struct{}{}); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	done(0, "", "")
}

// change asks for a change. Its key makes sure that a request that has to be repeated happens once.
func (g *Groups) change(op string, body, answer any) *transport.Error {
	return g.put(op, rand.Text(), body, answer)
}

func (g *Groups) ask(op string, body, answer any) *transport.Error {
	return g.put(op, "", body, answer)
}

func (g *Groups) put(op, key string, body, answer any) *transport.Error {
	a, err := g.link.Ask(context.Background(), op, key, protocol.Marshal(body), g.timeout())
	if err != nil {
		return transport.AsError(err)
	}
	switch a.Code {
	case 0:
	case protocol.CodeBusy, protocol.CodeInside:
		return &transport.Error{Code: tim.ErrSDKNetWaitAckTimeout, Text: a.Desc}
	case protocol.CodeOp:
		return &transport.Error{Code: tim.ErrSDKInterfaceNotSupport, Text: a.Desc}
	default:
		return &transport.Error{Code: a.Code, Text: a.Desc}
	}
	if err := json.Unmarshal(a.Body, answer); err != nil {
		return &transport.Error{Code: tim.ErrParseResponseFailed, Text: err.Error()}
	}
	return nil
}
