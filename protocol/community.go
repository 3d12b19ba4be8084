package protocol

// Operations on communities. Those that change something carry a key. A topic is a Group with a Parent, and what is said in
// it is said in the group of its id.
const (
	OpTopicCreate = "topic.create"
	OpTopicDelete = "topic.delete"
	OpTopicSet    = "topic.set"
	OpTopics      = "topic.list"

	OpRightsCreate  = "rights.create"
	OpRightsDelete  = "rights.delete"
	OpRightsSet     = "rights.set"
	OpRights        = "rights.list"
	OpRightsMembers = "rights.members"
	OpRightsEnlist  = "rights.enlist"
	OpRightsTopics  = "rights.topics"
	OpRightsGrant   = "rights.grant"
)

// Kinds of entries in a community's log.
const (
	EntryTopic  = "top" // a topic was made, changed or deleted: Data is a TopicChange
	EntryRights = "rgt" // a permission group was made, changed or deleted: Data is a RightsChange
)

// Kinds of changes of topics and permission groups.
const (
	ChangeCreated = "create"
	ChangeDeleted = "delete"
	ChangeSet     = "set"
	ChangeEnlist  = "enlist" // members came into a permission group
	ChangeDelist  = "delist"
	ChangeGrant   = "grant"  // a permission group got rights in topics that it had none in
	ChangeRevoke  = "revoke" // it has none in them any more
	ChangeAlter   = "alter"  // it has other ones
	ChangeCustom  = "custom" // the operator sent something to a topic: Data
)

// TopicChange says what became of topics.
type TopicChange struct {
	Change string   `json:"do"`
	Topic  *Group   `json:"topic,omitempty"` // made or changed, without Self
	IDs    []string `json:"ids,omitempty"`   // deleted, or the one that Data is for
	Data   string   `json:"data,omitempty"`
	By     string   `json:"by,omitempty"` // who made or deleted
}

// CreateTopic is the body of OpTopicCreate, which is answered with a CreatedGroup.
type CreateTopic struct {
	Community    string `json:"group"`
	ID           string `json:"id,omitempty"` // "": the server makes one; else the community's id and model.TopicMark begin it
	Name         string `json:"name"`
	Introduction string `json:"intro,omitempty"`
	Notification string `json:"notice,omitempty"`
	Face         string `json:"face,omitempty"`
	Text         string `json:"text,omitempty"`
	MuteAll      bool   `json:"mute_all,omitempty"`
	Rights       uint64 `json:"rights,omitempty"`
}

// SetTopic is the body of OpTopicSet, which is answered with an empty object. What is nil stays as it is.
type SetTopic struct {
	Topic        string  `json:"topic"`
	Name         *string `json:"name,omitempty"`
	Introduction *string `json:"intro,omitempty"`
	Notification *string `json:"notice,omitempty"`
	Face         *string `json:"face,omitempty"`
	MuteAll      *bool   `json:"mute_all,omitempty"`
	Text         *string `json:"text,omitempty"`
	Rights       *uint64 `json:"rights,omitempty"`
}

// AskTopics is the body of OpTopicDelete and OpTopics.
type AskTopics struct {
	Community string   `json:"group"`
	Topics    []string `json:"topics,omitempty"` // of OpTopics: none means all
}

// Topics answers OpTopics with what was found, and OpTopicDelete with a code for each of the request.
type Topics struct {
	List []FoundGroup `json:"list"`
}

// Rights is a permission group of a community.
type Rights struct {
	ID        string            `json:"id"`
	Community string            `json:"group"`
	Name      string            `json:"name"`
	Custom    string            `json:"custom,omitempty"`
	Rights    uint64            `json:"rights,omitempty"` // CommunityPermission bits
	Members   int               `json:"members,omitempty"`
	Created   int64             `json:"created,omitempty"` // seconds
	Topics    map[string]uint64 `json:"topics,omitempty"`  // TopicPermission bits, where they are asked for
}

// RightsChange says what became of a permission group.
type RightsChange struct {
	Change string   `json:"do"`
	Rights Rights   `json:"rights"`          // ID and what changed
	IDs    []string `json:"ids,omitempty"`   // deleted
	Users  []string `json:"users,omitempty"` // enlisted and delisted
	Topics []string `json:"topics,omitempty"`
}

// SetRights is the body of OpRightsCreate (without ID), which is answered with a CreatedGroup, and of OpRightsSet, which is
// answered with an empty object. What is nil stays as it is.
type SetRights struct {
	Community string  `json:"group"`
	ID        string  `json:"id,omitempty"`
	Name      *string `json:"name,omitempty"`
	Custom    *string `json:"custom,omitempty"`
	Rights    *uint64 `json:"rights,omitempty"`
}

// AskRights is the body of OpRightsDelete, OpRights, OpRightsMembers and OpRightsTopics.
type AskRights struct {
	Community string   `json:"group"`
	IDs       []string `json:"ids,omitempty"`  // of OpRights: none means all
	Joined    bool     `json:"mine,omitempty"` // of OpRights: those that the user is in
	ID        string   `json:"id,omitempty"`   // of OpRightsMembers and OpRightsTopics
	Cursor    string   `json:"cursor,omitempty"`
	Topics    []string `json:"topics,omitempty"` // of OpRightsTopics: none means all that it has rights in
}

// FoundRights is a permission group that was asked for, or why there is none.
type FoundRights struct {
	Code   int    `json:"code"`
	Desc   string `json:"desc,omitempty"`
	Rights Rights `json:"rights"`
}

// RightsList answers OpRights, and OpRightsDelete with a code for each of the request.
type RightsList struct {
	List []FoundRights `json:"list"`
}

// RightsMembers answers OpRightsMembers.
type RightsMembers struct {
	Members []Member `json:"members"`
	Cursor  string   `json:"cursor"`
}

// Enlist is the body of OpRightsEnlist, which is answered with Results.
type Enlist struct {
	Community string   `json:"group"`
	ID        string   `json:"id"`
	Users     []string `json:"users"` // at most model.MaxPermissionMembers
	On        bool     `json:"on"`
}

// Grant is the body of OpRightsGrant, which is answered with Results: the rights of a permission group in topics.
type Grant struct {
	Community string            `json:"group"`
	ID        string            `json:"id"`
	Change    string            `json:"do"`               // ChangeGrant, ChangeRevoke or ChangeAlter
	Topics    map[string]uint64 `json:"topics,omitempty"` // at most model.MaxPermissionTopics; of ChangeRevoke the bits mean nothing
}

// Results is what became of each part of a request.
type Results struct {
	List []Result `json:"list"`
}

// Result is what became of one part of a request.
type Result struct {
	ID     string `json:"id"` // a user or a topic
	Code   int    `json:"code"`
	Desc   string `json:"desc,omitempty"`
	Rights uint64 `json:"rights,omitempty"` // OpRightsTopics, which is answered with Results, too
}
