package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/transport"
	"timbre/model/tim"
)

// Keys of answers beyond the interface, which names none for the members of a group.
const (
	KeyBriefMembers = "ext_response_brief_group_member_list"
)

// watchLive begins to show a live room to a visitor.
func watchLive(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	return c.watchRoom(r.Get(tim.KeyRequestStartMessageLongPollingIDParam).String(), true)
}

// unwatchLive ends it.
func unwatchLive(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	return c.watchRoom(r.Get(tim.KeyRequestStopMessageLongPollingIDParam).String(), false)
}

func (c *call) watchRoom(group string, on bool) (_ map[string]any, bad *transport.Error) {
	a, bad := c.onlineAccount()
	if bad != nil {
		return nil, bad
	}
	if group == "" {
		return nil, invalid("a group id is needed")
	}
	a.Live.Watch(group, on, func(code int, desc, _ string) {
		if code != 0 {
			bad = &transport.Error{Code: code, Text: desc}
		}
	})
	return nil, bad
}

// briefMembers answers who is in a group, and nothing more of them than their roles.
func briefMembers(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	a, bad := c.onlineAccount()
	if bad != nil {
		return nil, bad
	}
	group := r.Get(tim.KeyRequestGetBriefGroupMemberListGroupIDParam).String()
	if group == "" {
		return nil, invalid("a group id is needed")
	}
	members, bad := a.Groups.Brief(group)
	if bad != nil {
		return nil, bad
	}
	list := make([]map[string]any, len(members))
	for i, m := range members {
		list[i] = map[string]any{tim.KeyGroupMemberInfoIdentifier: m.User, tim.KeyGroupMemberInfoMemberRole: m.Role}
	}
	return map[string]any{KeyBriefMembers: list}, nil
}

// onlineAccount is the account of an operation that asks the server.
func (c *call) onlineAccount() (*client.Account, *transport.Error) {
	a, bad := c.account()
	if bad == nil && !a.Online {
		bad = &transport.Error{Code: tim.ErrSDKNotLoggedIn, Text: "not logged in"}
	}
	return a, bad
}
