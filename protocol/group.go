package protocol

import "encoding/json"

// Operations on groups. Those that change something carry a key.
const (
	OpGroupCreate    = "group.create"
	OpGroupInvite    = "group.invite"
	OpGroupJoin      = "group.join"
	OpGroupQuit      = "group.quit"
	OpGroupInfo      = "group.info"
	OpGroupJoined    = "group.joined"
	OpGroupMembers   = "group.members"
	OpGroupSetMember = "group.member.set"
)

// CreateGroup is the body of OpGroupCreate.
type CreateGroup struct {
	ID           string            `json:"id,omitempty"` // "": the server makes one
	Type         int               `json:"type"`         // TIMGroupType
	Name         string            `json:"name"`
	Introduction string            `json:"intro,omitempty"`
	Notification string            `json:"notice,omitempty"`
	Face         string            `json:"face,omitempty"`
	AddOption    *int              `json:"add,omitempty"` // TIMGroupAddOption; nil: as the type has it
	Approve      *int              `json:"approve,omitempty"`
	MaxMembers   int               `json:"max_members,omitempty"` // 0: as the type has it
	Members      []NewMember       `json:"members,omitempty"`     // besides the creator
	Custom       map[string]string `json:"custom,omitempty"`
	Topics       bool              `json:"topics,omitempty"`    // a community with topics
	ByRights     bool              `json:"by_rights,omitempty"` // permission groups decide instead of roles
	Rights       uint64            `json:"rights,omitempty"`    // of every member then: CommunityPermission bits
}

// NewMember is somebody whom a group begins with.
type NewMember struct {
	User string `json:"user"`
	Role int    `json:"role,omitempty"` // TIMGroupMemberRole; 0: an ordinary member
	// Custom is the member's custom fields.
	Custom map[string]string `json:"custom,omitempty"`
}

// CreatedGroup answers OpGroupCreate.
type CreatedGroup struct {
	ID string `json:"id"`
	// Quit is the live rooms that the session was taken out of because a device is in one at a time, and now in this one.
	Quit []string `json:"quit,omitempty"`
}

// Invite is the body of OpGroupInvite.
type Invite struct {
	Group string   `json:"group"`
	Users []string `json:"users"`
	Data  string   `json:"data,omitempty"` // what the inviter says
}

// Invited answers OpGroupInvite: one result a user, in the order of the question.
type Invited struct {
	Results []InviteResult `json:"results"`
}

// InviteResult is what became of one invitation.
type InviteResult struct {
	User   string `json:"user"`
	Result int    `json:"result"` // HandleGroupMemberResult
}

// JoinGroup is the body of OpGroupJoin.
type JoinGroup struct {
	Group  string `json:"group"`
	Reason string `json:"reason,omitempty"` // for those who decide
	// Again says that the user was in this live room before his connection broke: nobody is told that he comes.
	Again bool `json:"again,omitempty"`
	// Seen is with Again the newest number of a message that he has. Of those that the room keeps he gets later ones only,
	// and none without Seen.
	Seen uint64 `json:"seen,omitempty"`
}

// Joined answers OpGroupJoin.
type Joined struct {
	Pending bool `json:"pending,omitempty"` // somebody has to decide first
	// Live says that it is a live room: the session gets PushLive from now on, and nothing after its end.
	Live  bool   `json:"live,omitempty"`
	Group *Group `json:"group,omitempty"` // of a live room
	// Quit is the live rooms that the session was taken out of because a device is in one at a time.
	Quit []string `json:"quit,omitempty"`
}

// OneGroup is the body of operations on a group that need no more; OpGroupQuit and OpGroupDismiss are answered with an empty
// object.
type OneGroup struct {
	Group string `json:"group"`
}

// GroupInfo is the body of OpGroupInfo.
type GroupInfo struct {
	Groups []string `json:"groups"` // at most 50
}

// GroupInfos answers OpGroupInfo, in the order of the question.
type GroupInfos struct {
	List []FoundGroup `json:"list"`
}

// FoundGroup is a group that was asked for, or why there is none.
type FoundGroup struct {
	Code  int    `json:"code"`
	Desc  string `json:"desc,omitempty"`
	Group Group  `json:"group"`
}

// JoinedGroups is the body of OpGroupJoined: the user's groups, page by page.
type JoinedGroups struct {
	Cursor string `json:"cursor,omitempty"`
}

// JoinedPage answers OpGroupJoined. The groups come without introduction and notification.
type JoinedPage struct {
	Groups []Group `json:"groups"`
	Cursor string  `json:"cursor"` // "" after the last page
}

// AskMembers is the body of OpGroupMembers: members by name, or page by page.
type AskMembers struct {
	Group string   `json:"group"`
	Users []string `json:"users,omitempty"`
	Roles uint64   `json:"roles,omitempty"` // TIMGroupMemberRoleFlag, of pages; 0: all
	Next  uint64   `json:"next,omitempty"`  // 0 for the first page
	// Brief asks for pages of model.BriefPage members with nothing but their names and roles. Live rooms know no such pages.
	Brief bool `json:"brief,omitempty"`
}

// MemberPage answers OpGroupMembers. Who is no member is left out.
type MemberPage struct {
	Members []Member `json:"members"`
	Next    uint64   `json:"next"` // 0 after the last page
}

// Member is somebody in a group.
type Member struct {
	User      string            `json:"user"`
	Nick      string            `json:"nick,omitempty"`
	Face      string            `json:"face,omitempty"`
	Role      int               `json:"role"`          // TIMGroupMemberRole
	Joined    int64             `json:"joined"`        // seconds
	Option    int               `json:"opt,omitempty"` // TIMReceiveMessageOpt; only of the user who asks
	NameCard  string            `json:"card,omitempty"`
	MuteUntil int64             `json:"mute,omitempty"` // seconds; MuteForever until it is taken back
	Custom    map[string]string `json:"custom,omitempty"`
	Online    bool              `json:"online,omitempty"`
	Platforms []string          `json:"on,omitempty"`   // kinds of devices on which he is online
	ReadSeq   uint64            `json:"read,omitempty"` // how far he has read
}

// SetMember is the body of OpGroupSetMember, which is answered with an empty object. What is nil stays as it is.
type SetMember struct {
	Group  string            `json:"group"`
	User   string            `json:"user"`
	Role   *int              `json:"role,omitempty"`
	Option *int              `json:"opt,omitempty"`  // only of the user himself
	Mute   *uint32           `json:"mute,omitempty"` // seconds from now; 0 ends it, model.MuteForever has no end
	Card   *string           `json:"card,omitempty"`
	Custom map[string]string `json:"custom,omitempty"` // the fields that change
}

// Group is what members know of a group; others know the part without Self. A topic is a group with a Parent.
type Group struct {
	ID           string            `json:"id"`
	Type         int               `json:"type"`             // TIMGroupType
	Parent       string            `json:"parent,omitempty"` // the community whose topic this is
	Name         string            `json:"name"`
	Introduction string            `json:"intro,omitempty"`
	Notification string            `json:"notice,omitempty"`
	Face         string            `json:"face,omitempty"`
	Owner        string            `json:"owner,omitempty"`
	Created      int64             `json:"created,omitempty"` // seconds
	Members      int               `json:"members,omitempty"`
	MaxMembers   int               `json:"max_members,omitempty"`
	AddOption    int               `json:"add,omitempty"`
	Approve      int               `json:"approve,omitempty"`
	MuteAll      bool              `json:"mute_all,omitempty"`
	Visible      int               `json:"visible,omitempty"`
	Searchable   int               `json:"searchable,omitempty"`
	Custom       map[string]string `json:"custom,omitempty"`
	Text         string            `json:"text,omitempty"`      // a topic's custom string
	Topics       bool              `json:"topics,omitempty"`    // a community with topics
	ByRights     bool              `json:"by_rights,omitempty"` // permission groups decide instead of roles
	Rights       uint64            `json:"rights,omitempty"`    // of every member: CommunityPermission bits, of a topic TopicPermission bits
	Online       int               `json:"online,omitempty"`    // members who are connected, where it is asked for
	LastTime     int64             `json:"last_time,omitempty"` // of the newest message, milliseconds
	LastInfo     int64             `json:"last_info,omitempty"` // of the newest change of the above, seconds
	Max          uint64            `json:"max,omitempty"`       // newest seq
	Self         *Self             `json:"self,omitempty"`
}

// Self is the user's own part in a group.
type Self struct {
	Role      int    `json:"role"`   // TIMGroupMemberRole
	Joined    int64  `json:"joined"` // seconds
	Option    int    `json:"opt"`    // TIMReceiveMessageOpt
	NameCard  string `json:"card,omitempty"`
	MuteUntil int64  `json:"mute,omitempty"` // seconds
	Unread    uint64 `json:"unread,omitempty"`
	ReadSeq   uint64 `json:"read_seq,omitempty"`
	// ReadCount is how many countable messages of others there were up to ReadSeq.
	ReadCount uint64 `json:"read_count,omitempty"`
	ClearSeq  uint64 `json:"clear_seq,omitempty"` // what lies before cannot be seen
}

// Membership is the data of EntryGroup: the group as the user sees it, or with In false that he is not in it any more.
type Membership struct {
	In  bool   `json:"in"`
	Pos uint64 `json:"pos,omitempty"` // of the group's log when the user came in: what follows is for him
	// Changed says that the user was in before, with Pos 0: only what the group says of him is new.
	Changed bool   `json:"changed,omitempty"`
	Group   *Group `json:"group,omitempty"`
	// Topics is the topics of a community that the user came into: each has a log of its own, which he follows from here on.
	// When their last messages are long, only the first ones have Msgs.
	Topics []GroupState `json:"topics,omitempty"`
}

// Groups is the body of OpGroups: the groups of the user in which something happened at or after Since, page by page.
type Groups struct {
	Since  int64  `json:"since"` // milliseconds as an answer gave them; 0: all
	Cursor string `json:"cursor,omitempty"`
}

// GroupsPage answers OpGroups. Time is what to ask with the next time, taken before the first page was read.
type GroupsPage struct {
	Time   int64        `json:"time"`
	Groups []GroupState `json:"groups"`
	Cursor string       `json:"cursor"` // "" after the last page
}

// GroupState is a group's conversation as one member sees it.
type GroupState struct {
	Group     Group             `json:"group"`
	Pos       uint64            `json:"pos"`        // newest position of the group's log
	Changed   uint64            `json:"changed"`    // newest position that is not just a new message: whoever knows the log up to there lacks only messages
	Max       uint64            `json:"max"`        // newest seq
	PeerCount uint64            `json:"peer_count"` // countable messages of others
	Own       uint64            `json:"own"`        // countable messages of this user
	ReadSeq   uint64            `json:"read_seq"`
	ReadCount uint64            `json:"read_count"`       // countable messages of others up to there
	ClearSeq  uint64            `json:"clear_seq"`        // what lies before cannot be seen
	HideSeq   uint64            `json:"hide_seq"`         // the conversation stands in the list if it is 0 or Max is greater
	Hidden    bool              `json:"hidden,omitempty"` // it does not, though both are 0: it was taken out before anything was said
	At        []Mention         `json:"at,omitempty"`
	Msgs      []json.RawMessage `json:"msgs"` // the newest one that may be the last message
}

// Mention says that an unread message speaks to the user (1), to all (2) or to both (3).
type Mention struct {
	Seq  uint64 `json:"s"`
	Type int    `json:"t"`
}
