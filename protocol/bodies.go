package protocol

import "encoding/json"

// Login is the body of OpLogin, the first request on every connection.
type Login struct {
	Version  int    `json:"version"`
	App      uint64 `json:"app"`
	User     string `json:"user"`
	Sig      string `json:"sig"`      // UserSig
	Device   string `json:"device"`   // made once by the client and kept in its data folder, at most 64 bytes
	Platform string `json:"platform"` // linux, windows, mac, android, ios, web; decides with whom this login competes
	Resume   bool   `json:"resume"`   // a session that this process holds already, after a cut
	Client   string `json:"client"`   // name and version of the client, for the operator
}

// LoggedIn answers a login.
type LoggedIn struct {
	TinyID uint64 `json:"tinyid"` // the account's number, below 2^53
	Epoch  string `json:"epoch"`  // of the change log; another epoch means: take a snapshot
	Pos    uint64 `json:"pos"`    // newest position of the user's change log
	Oldest uint64 `json:"oldest"` // oldest position that a diff may start from
	Time   int64  `json:"time"`   // server clock, milliseconds
	Expire int64  `json:"expire"` // when the UserSig runs out, milliseconds
	// Session names the session in the server's log. With the id of a request it finds the request there.
	Session string `json:"session"`
}

// Target names a conversation: of the user with a peer, or of a group. Exactly one of the two is set.
type Target struct {
	Peer  string `json:"peer,omitempty"`
	Group string `json:"group,omitempty"`
}

// Send is the body of OpSend. Message is parsed apart because it is hot.
type Send struct {
	To      string // a user, or
	Group   string // a group
	Content []byte // a Content object, as the sender wrote it
}

// Sent answers OpSend. A repeated key gets the first answer again.
type Sent struct {
	Seq   uint64 `json:"seq"`
	Time  int64  `json:"time"`  // server clock, milliseconds
	Count uint64 `json:"count"` // as in Message
	Pos   uint64 `json:"pos"`   // position of the message in the sender's change log, or the group's; the answer stands for that entry
	Own   uint64 `json:"own"`   // in a group: as in Message
	// Unread is how many members have not confirmed the message yet, for a group message that asks for receipts.
	Unread *int64 `json:"unread"`
	Card   string `json:"card"` // in a group: the sender's name card, as in the content that others get
	// Group says that it is a group's message. It does not travel: who asked knows.
	Group bool `json:"-"`
}

// Range is the body of OpRange: messages of a conversation with Lo <= seq <= Hi.
type Range struct {
	Target
	Lo    uint64 `json:"lo"`
	Hi    uint64 `json:"hi"`    // 0: up to the newest
	Limit int    `json:"limit"` // at most MaxRange
	Newer bool   `json:"newer"` // true: the Limit oldest of the range; false: the Limit newest
	// Time cuts the range where this time lies, in milliseconds; 0: nowhere. Of the messages on the other side the nearest
	// one stays, so that the answer shows where the time lies. Newer: what is older goes; else what is younger or as young.
	Time int64 `json:"t,omitempty"`
}

// Ranged answers OpRange. Every message that exists with Lo <= seq <= Hi is in Msgs, in ascending order.
type Ranged struct {
	Lo   uint64            `json:"lo"`
	Hi   uint64            `json:"hi"`
	Max  uint64            `json:"max"` // newest seq of the conversation, 0 when there is no conversation
	Min  uint64            `json:"min"` // oldest seq that this user can still get
	Msgs []json.RawMessage `json:"msgs"`
}

// Read is the body of OpRead: the user has read the conversation up to Seq.
type Read struct {
	Target
	Seq uint64 `json:"seq"`
}

// Clear is the body of OpClear: the user deletes the conversation with its history up to Seq.
type Clear struct {
	Target
	Seq uint64 `json:"seq"`
	// Keep says that only the history is deleted: the conversation stays in the lists of the user's devices.
	Keep bool `json:"keep,omitempty"`
	// Hide says that only the conversation goes from the lists, until something newer than Seq comes: the history stays.
	Hide bool `json:"hide,omitempty"`
}

// Changed answers OpRead and OpClear. Pos is 0 when nothing changed; else the answer stands for that log entry.
type Changed struct {
	Pos   uint64 `json:"pos"`
	Seq   uint64 `json:"seq"`
	Count uint64 `json:"count"` // after OpRead: countable messages of the peer up to Seq
}

// Diff is the body of OpDiff: what happened after Pos.
type Diff struct {
	Group string `json:"group,omitempty"` // whose log; "": the user's own
	Epoch string `json:"epoch"`
	Pos   uint64 `json:"pos"`
	Limit int    `json:"limit"`
	// Newest leaves out all new messages of a group's log except the newest: they are history that the user may ask for.
	Newest bool `json:"newest,omitempty"`
}

// Snapshot is the body of OpSnapshot: the conversations, newest first, page by page.
type Snapshot struct {
	Cursor string `json:"cursor"` // "" for the first page
	Limit  int    `json:"limit"`
	// Deleted asks also for conversations that were deleted and have nothing newer. They come without messages; their
	// counts are needed to tell how much is unread when the next message arrives.
	Deleted bool `json:"deleted,omitempty"`
}

// SnapshotPage answers OpSnapshot. Epoch and Pos were taken before the page was read: a diff from the first page's Pos
// brings everything that happened meanwhile.
type SnapshotPage struct {
	Epoch  string         `json:"epoch"`
	Pos    uint64         `json:"pos"`
	Convs  []Conversation `json:"convs"`
	Cursor string         `json:"cursor"` // "" after the last page
}

// Conversation is the state of one conversation as one user sees it.
type Conversation struct {
	Peer      string            `json:"peer"`
	Max       uint64            `json:"max"`        // newest seq
	PeerCount uint64            `json:"peer_count"` // countable messages of the peer
	ReadSeq   uint64            `json:"read_seq"`   // this user's read position
	ReadCount uint64            `json:"read_count"` // countable messages of the peer up to ReadSeq; unread is the difference
	SeenSeq   uint64            `json:"seen_seq"`   // the peer's read position
	SeenTime  int64             `json:"seen_time"`  // when the peer read, milliseconds
	ClearSeq  uint64            `json:"clear_seq"`  // deleted up to here
	HideSeq   uint64            `json:"hide_seq"`   // the conversation stands in the list if Max is greater
	Time      int64             `json:"time"`       // of the newest message, which may be deleted, milliseconds
	Option    int               `json:"opt"`        // how this user receives from the peer, TIMReceiveMessageOpt
	Msgs      []json.RawMessage `json:"msgs"`       // the unread ones (the 250 newest) and at least the last, ascending
}

// Users is the body of OpProfiles (Names) and OpTinyIDs (either).
type Users struct {
	Names   []string `json:"names,omitempty"`
	TinyIDs []uint64 `json:"tinyids,omitempty"`
}

// Profile is what others may know of a user. Unknown users are left out of an answer.
type Profile struct {
	User   string `json:"user"`
	TinyID uint64 `json:"tinyid"`
	Nick   string `json:"nick,omitempty"`
	Face   string `json:"face,omitempty"`
}

// Profiles answers OpProfiles and OpTinyIDs.
type Profiles struct {
	Profiles []Profile `json:"profiles"`
}

// Pong answers OpPing.
type Pong struct {
	Time int64 `json:"time"` // server clock, milliseconds
}

// Kick is the body of PushKick.
type Kick struct {
	Code int    `json:"code"`
	Desc string `json:"desc"`
}
