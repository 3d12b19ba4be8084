package protocol

import "encoding/json"

// Get is the body of OpGet: messages by their numbers. Those that do not exist or that the user may not see are left out
// of the answer, a Got.
type Get struct {
	Target
	Seqs []uint64 `json:"seqs"` // at most MaxRange
}

// Got answers OpGet.
type Got struct {
	Msgs []json.RawMessage `json:"msgs"` // ascending
}

// Revoke is the body of OpRevoke: the message is taken back for everybody.
type Revoke struct {
	Target
	Seq    uint64 `json:"seq"`
	Reason string `json:"reason,omitempty"`
}

// Edit is the body of OpEdit: the message gets another content, unless it is not at Version any more. Then the answer
// has the code of a conflict and, like that of a success, an Edited with the message as it is.
type Edit struct {
	Target
	Seq     uint64          `json:"seq"`
	Version uint64          `json:"v"`
	Content json.RawMessage `json:"m"`
}

// Edited answers OpRevoke and OpEdit. Pos is the entry in the user's log, or the group's, that the answer stands for.
type Edited struct {
	Pos uint64          `json:"pos"`
	Msg json.RawMessage `json:"msg"`
}

// Delete is the body of OpDelete: the user does not want to see these messages again. The answer is a Changed.
type Delete struct {
	Target
	Seqs []uint64 `json:"seqs"` // at most MaxRange
}

// Deleted is the data of EntryDelete. The messages are named by their ids too, for a device that has forgotten their numbers.
type Deleted struct {
	Seqs []uint64 `json:"seqs"`
	IDs  []string `json:"ids,omitempty"` // in the order of Seqs
}

// Cleared is the data of EntryClear. All is set when the server has deletions follow to the user's other devices; Keep and
// Hide are as in the request.
type Cleared struct {
	All  bool `json:"all"`            // they delete too
	Keep bool `json:"keep,omitempty"` // only the history
	Hide bool `json:"hide,omitempty"` // only the place in the list
}

// Seqs is the body of OpConfirm, OpReceipts, OpExtensions and OpReactions: messages of one conversation.
type Seqs struct {
	Target
	Seqs []uint64 `json:"seqs"`          // at most MaxRange
	Max  int      `json:"max,omitempty"` // OpReactions: users to name for each reaction
}

// ReceiptCount is how many have confirmed a message, and the data of EntryReceipt.
type ReceiptCount struct {
	Seq      uint64 `json:"s"`
	Read     uint64 `json:"r"`
	Unread   uint64 `json:"u"`
	PeerRead bool   `json:"p,omitempty"` // between two users
	Time     int64  `json:"t,omitempty"` // of the newest, milliseconds
	Code     int    `json:"code,omitempty"`
}

// Receipts answers OpReceipts and OpConfirm.
type Receipts struct {
	List []ReceiptCount `json:"list"`
}

// Readers is the body of OpReaders: who has confirmed a group message, or who has not. The answer is a Users page.
type Readers struct {
	Target
	Seq    uint64 `json:"seq"`
	Unread bool   `json:"unread,omitempty"`
	Next   uint64 `json:"next"` // 0 for the first page
	Count  int    `json:"count"`
}

// Page is a page of users.
type Page struct {
	Users []Profile `json:"users"`
	Next  uint64    `json:"next"` // 0 after the last page
}

// Extension is a key of a message that its readers may set.
type Extension struct {
	Key   string `json:"k"`
	Value string `json:"v"`
	// Seq counts the changes of the key. A change names the one that it saw; another one is a conflict.
	Seq uint64 `json:"q,omitempty"`
}

// SetExtensions is the body of OpSetExtensions. Clear deletes all.
type SetExtensions struct {
	Target
	Seq   uint64      `json:"seq"`
	Set   []Extension `json:"set,omitempty"`
	Del   []Extension `json:"del,omitempty"`
	Clear bool        `json:"clear,omitempty"`
}

// ExtensionChange is the data of EntryExtensions.
type ExtensionChange struct {
	Set []Extension `json:"set,omitempty"`
	Del []string    `json:"del,omitempty"`
}

// ExtensionResult is what became of one key. On a conflict the extension is the present one.
type ExtensionResult struct {
	Code int `json:"code"`
	Extension
}

// ExtensionsSet answers OpSetExtensions.
type ExtensionsSet struct {
	Pos     uint64            `json:"pos"` // the entry that the answer stands for, 0: nothing changed
	Results []ExtensionResult `json:"results"`
}

// Extensions answers OpExtensions, which asks for one message.
type Extensions struct {
	List []Extension `json:"list"`
}

// React is the body of OpReact: the user adds a reaction or takes it back.
type React struct {
	Target
	Seq uint64 `json:"seq"`
	ID  string `json:"id"`
	On  bool   `json:"on"`
}

// Reaction is how users reacted to a message.
type Reaction struct {
	ID    string    `json:"id"`
	Total uint64    `json:"n"`
	Users []Profile `json:"u"` // some of them, the first ones
	Mine  bool      `json:"mine,omitempty"`
}

// ReactionChange is the data of EntryReaction. A total of 0 means that the reaction is gone.
type ReactionChange struct {
	Reaction
	Others []string `json:"o,omitempty"` // the names of the rest: whoever gets this knows whether he is among them
	By     string   `json:"by"`
	On     bool     `json:"on"`
}

// Reacted answers OpReact.
type Reacted struct {
	Pos uint64 `json:"pos"`
}

// Reactions answers OpReactions: one list a message, in the order of the question.
type Reactions struct {
	List []MessageReactions `json:"list"`
}

// MessageReactions is the reactions to one message.
type MessageReactions struct {
	Seq       uint64     `json:"seq"`
	Code      int        `json:"code,omitempty"`
	Reactions []Reaction `json:"reactions"`
}

// ReactionUsers is the body of OpReactionUsers. The answer is a Page.
type ReactionUsers struct {
	Target
	Seq   uint64 `json:"seq"`
	ID    string `json:"id"`
	Next  uint64 `json:"next"`
	Count int    `json:"count"`
}

// Pin is the body of OpPin.
type Pin struct {
	Group string `json:"group"`
	Seq   uint64 `json:"seq"`
	On    bool   `json:"on"`
}

// Pinning is the data of EntryPin.
type Pinning struct {
	On bool   `json:"on"`
	By string `json:"by"`
}

// Pinned answers OpPinned, whose body is a Target: the pinned messages, newest pin first.
type Pinned struct {
	List []PinnedMessage `json:"list"`
}

// PinnedMessage is a pinned message and who pinned it.
type PinnedMessage struct {
	Msg json.RawMessage `json:"msg"`
	By  Profile         `json:"by"`
}

// SetOption is the body of OpSetOption: how the user wants to receive. Exactly one of the three is set.
type SetOption struct {
	Peers  []string   `json:"peers,omitempty"`
	Group  string     `json:"group,omitempty"`
	Option int        `json:"option"` // TIMReceiveMessageOpt
	All    *AllOption `json:"all,omitempty"`
}

// AllOption is the receive option for everything at certain times.
type AllOption struct {
	Option   int   `json:"option"`
	Hour     int   `json:"h,omitempty"` // the clock of the device that set it
	Minute   int   `json:"m,omitempty"`
	Second   int   `json:"s,omitempty"`
	Duration int64 `json:"duration"`        // seconds
	Start    int64 `json:"start,omitempty"` // seconds since 1970; 0: by the clock, every day
}

// OptionChange is the data of EntryOption. For one conversation its peer or group is the entry's.
type OptionChange struct {
	Option int        `json:"option"`
	All    *AllOption `json:"all,omitempty"`
}

// Options answers OpOptions, whose body is a Users (names; none: only All).
type Options struct {
	Peers map[string]int `json:"peers"` // those that are not 0
	All   *AllOption     `json:"all,omitempty"`
}

// Search is the body of OpSearch.
type Search struct {
	Target            // the conversation; neither set: all
	Keywords []string `json:"keywords"`
	And      bool     `json:"and,omitempty"`
	Senders  []string `json:"senders,omitempty"`
	Types    []int    `json:"types,omitempty"` // element types
	From     int64    `json:"from,omitempty"`  // milliseconds, 0: no limit
	To       int64    `json:"to,omitempty"`
	Cursor   string   `json:"cursor,omitempty"`
	Count    int      `json:"count"`
}

// Found answers OpSearch.
type Found struct {
	Total  int         `json:"total"`
	Convs  []FoundConv `json:"convs"`
	Cursor string      `json:"cursor"` // "" after the last page
}

// FoundConv is the hits in one conversation.
type FoundConv struct {
	Target
	Total int               `json:"total"`
	Msgs  []json.RawMessage `json:"msgs"`
}
