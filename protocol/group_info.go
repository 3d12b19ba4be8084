package protocol

import "reflect"

// Operations on what a group is and has. Those that change something carry a key.
const (
	OpGroupSet           = "group.set"
	OpGroupMark          = "group.mark"
	OpGroupOnline        = "group.online"
	OpGroupSetAttributes = "group.attrs.set"
	OpGroupAttributes    = "group.attrs"
	OpGroupSetCounters   = "group.counters.set"
	OpGroupCounters      = "group.counters"
	OpAppGroups          = "group.list"
)

// Kinds of entries in a group's log, besides what is said there. In a live room they come with PushLive.
const (
	EntryGroupInfo       = "gin" // the group itself changed: Data is a Group without Self
	EntryMembers         = "mem" // members came, went or changed: Data is a MembersChange
	EntryGroupAttributes = "gat" // Data is all of the group's attributes: a GroupAttributes
	EntryGroupCounter    = "gct" // Data is a Counter
)

// SetGroup is the body of OpGroupSet, which is answered with an empty object. What is nil stays as it is.
type SetGroup struct {
	Group        string            `json:"group"`
	Name         *string           `json:"name,omitempty"`
	Introduction *string           `json:"intro,omitempty"`
	Notification *string           `json:"notice,omitempty"`
	Face         *string           `json:"face,omitempty"`
	AddOption    *int              `json:"add,omitempty"`
	Approve      *int              `json:"approve,omitempty"`
	MaxMembers   *int              `json:"max_members,omitempty"`
	Visible      *int              `json:"visible,omitempty"`
	Searchable   *int              `json:"searchable,omitempty"`
	MuteAll      *bool             `json:"mute_all,omitempty"`
	Custom       map[string]string `json:"custom,omitempty"` // the fields that change
	Owner        *string           `json:"owner,omitempty"`  // hands the group over; alone
	ByRights     *bool             `json:"by_rights,omitempty"`
	Rights       *uint64           `json:"rights,omitempty"`
}

// Alone says whether the change hands the group over and does nothing else.
func (s *SetGroup) Alone() bool {
	rest := *s
	rest.Group, rest.Owner = "", nil
	return s.Owner != nil && reflect.ValueOf(rest).IsZero()
}

// MembersChange says who is how in a group now, and who is not in it any more.
type MembersChange struct {
	Members []Member `json:"in,omitempty"`
	Gone    []string `json:"out,omitempty"`
	Count   int      `json:"n"` // members of the group
}

// MarkMembers is the body of OpGroupMark, which is answered with an empty object.
type MarkMembers struct {
	Group string   `json:"group"`
	Users []string `json:"users"` // at most model.MaxMarkUsers
	Mark  uint32   `json:"mark"`  // model.MinMark or more
	On    bool     `json:"on"`
}

// OnlineMembers answers OpGroupOnline, whose body is a OneGroup.
type OnlineMembers struct {
	Online int `json:"online"`
}

// Ways of writing attributes.
const (
	AttributesInit   = "init"   // what is not named goes
	AttributesSet    = "set"    // what is not named stays
	AttributesDelete = "delete" // those of Keys go, without Keys all
)

// SetGroupAttributes is the body of OpGroupSetAttributes, which is answered with a GroupAttributes. Version is the one that
// the writer has read; when it is not the newest for a key that he writes, another one was first: 10056.
type SetGroupAttributes struct {
	Group   string            `json:"group"`
	Way     string            `json:"do"`
	Attrs   map[string]string `json:"attrs,omitempty"`
	Keys    []string          `json:"keys,omitempty"`
	Version uint64            `json:"v"`
}

// AskGroupAttributes is the body of OpGroupAttributes and OpGroupCounters.
type AskGroupAttributes struct {
	Group string   `json:"group"`
	Keys  []string `json:"keys,omitempty"` // none: all
}

// GroupAttributes is attributes of a group.
type GroupAttributes struct {
	Attrs   map[string]string `json:"attrs"`
	Version uint64            `json:"v"` // grows with every change of any of them
}

// Counter is one of a group's counters.
type Counter struct {
	Key   string `json:"key"`
	Value int64  `json:"value"`
}

// SetGroupCounters is the body of OpGroupSetCounters, which is answered with a GroupCounters of those that were written.
type SetGroupCounters struct {
	Group    string    `json:"group"`
	Add      bool      `json:"add,omitempty"` // the values are added; a counter that is not there begins with 0
	Counters []Counter `json:"counters"`
}

// GroupCounters answers OpGroupCounters, too.
type GroupCounters struct {
	Counters []Counter `json:"counters"`
}

// AskAppGroups is the body of OpAppGroups: groups of the app, by the order in which they were made.
type AskAppGroups struct {
	Types  []int  `json:"types,omitempty"` // TIMGroupType; none: live rooms
	Role   int    `json:"role,omitempty"`  // 0 all that may be found, 1 those that the user is in, 2 those that he owns or administers
	Start  int    `json:"start,omitempty"` // how many to skip; Cursor is quicker
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit,omitempty"` // at most 100, which 0 means
}

// AppGroups answers OpAppGroups.
type AppGroups struct {
	Total  int     `json:"total"`
	Groups []Group `json:"groups"`
	Start  int     `json:"start"`  // of the first one
	Cursor string  `json:"cursor"` // "" after the last page
}
