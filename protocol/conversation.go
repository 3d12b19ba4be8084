package protocol

// Operations on a user's own view of his conversations, and on his devices.
const (
	OpSetAttributes = "conv.set"
	OpAttributes    = "conv.attrs"
	OpSetConvGroup  = "conv.group"
	OpDevices       = "device.list"
)

// Kinds of entries in a user's log that speak of several conversations: they name none outside of their data.
const (
	EntryAttributes = "att" // attributes of conversations changed: Data is an AttributesChange
	EntryConvGroup  = "cgr" // a conversation group changed: Data is a ConvGroupChange
)

// Attributes is what a user has attached to one of his conversations. They are his alone, the same on all of his devices,
// and gone when he deletes the conversation: an EntryClear without Keep ends them and the conversation's place in
// conversation groups without an entry of their own.
type Attributes struct {
	Target
	Pinned bool   `json:"pin,omitempty"`
	Marks  uint64 `json:"marks,omitempty"`  // bits of TIMConversationMarkType
	Custom string `json:"custom,omitempty"` // at most model.MaxConvCustom bytes
}

// SetAttributes is the body of OpSetAttributes. Exactly one of Pin, Mark and Custom is set.
type SetAttributes struct {
	Convs  []Target `json:"convs"` // at most model.MaxConvs
	Pin    *bool    `json:"pin,omitempty"`
	Mark   *Mark    `json:"mark,omitempty"`
	Custom *string  `json:"custom,omitempty"`
}

// Mark sets bits of the marks, or takes them away.
type Mark struct {
	Bits uint64 `json:"bits"`
	On   bool   `json:"on"`
}

// ConvsSet answers OpSetAttributes and OpSetConvGroup. Pos is the entry in the user's log that the answer stands for, 0
// when nothing changed. Codes has one code for each conversation of the request, in its order.
type ConvsSet struct {
	Pos   uint64 `json:"pos"`
	Codes []int  `json:"codes,omitempty"`
}

// AttributesChange is the data of EntryAttributes: the attributes of some conversations as they are now.
type AttributesChange struct {
	Convs []Attributes `json:"convs"`
}

// Changes of a conversation group.
const (
	ConvGroupCreate = "create" // a new group with Convs
	ConvGroupDelete = "delete"
	ConvGroupRename = "rename" // Name becomes New
	ConvGroupAdd    = "add"    // Convs come into the group
	ConvGroupRemove = "remove" // Convs leave it
)

// ConvGroupChange is the body of OpSetConvGroup and the data of EntryConvGroup. In an entry Convs is only those that
// really came or left.
type ConvGroupChange struct {
	Change string   `json:"do"`
	Name   string   `json:"name"`
	New    string   `json:"new,omitempty"`
	Convs  []Target `json:"convs,omitempty"` // at most model.MaxConvs
}

// ConvGroup is a conversation group with what is in it.
type ConvGroup struct {
	Name  string   `json:"name"`
	Convs []Target `json:"convs"`
}

// AskAttributes is the body of OpAttributes: everything that the user has attached to his conversations, page by page. Nearly
// always it is one page: it takes thousands of conversations in groups to fill another.
type AskAttributes struct {
	Cursor string `json:"cursor,omitempty"` // "" for the first page
}

// AllAttributes answers OpAttributes. What changes while pages are read comes in the user's log, too.
type AllAttributes struct {
	Convs  []Attributes `json:"convs"`            // those that have any
	Groups []ConvGroup  `json:"groups"`           // empty ones too, oldest first; one may go on on the next page
	Cursor string       `json:"cursor,omitempty"` // "" after the last page
}

// Devices answers OpDevices, whose body is empty.
type Devices struct {
	List []LoggedInDevice `json:"list"` // newest login first, at most model.MaxDeviceList
}

// LoggedInDevice is a device on which the user has logged in.
type LoggedInDevice struct {
	Device   string `json:"device"`
	Platform string `json:"platform"`
	Login    int64  `json:"login"` // the last one, milliseconds
	Online   bool   `json:"online,omitempty"`
	LoggedIn bool   `json:"in,omitempty"`     // it has not logged out and was not kicked
	Kicked   bool   `json:"kicked,omitempty"` // another device took its place and it has not logged in since
}
