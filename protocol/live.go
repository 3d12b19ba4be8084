package protocol

// PushLive brings what happened in a live room since the last one: its body is a Log with the room's name and without
// positions (From and Pos are 0). Messages have a seq that grows and is not dense. Entries are messages, tips among them, the
// kinds of a group's log, and EntryReport: then it is for everybody who is there, and if it says Gone, the room is over (the
// server has taken everybody out). What is for one user alone comes through his own log, as in other groups: that he was
// removed, for instance. The session that a message comes from does not get it.
const PushLive = "live"

// OpLivePeek begins or ends to watch a live room without being in it: the session gets PushLive and its end ends it, but it is
// not counted, nobody is told of it, and it may not speak. It carries no key and is answered with a Joined. Somebody who is in
// the room or joins it later gets everything once.
const OpLivePeek = "live.peek"

// LivePeek is the body of OpLivePeek.
type LivePeek struct {
	Group string `json:"group"`
	On    bool   `json:"on"`
}

// Operations beside messages and groups. OpTrans is not repeated and carries no key.
const (
	OpTrans         = "trans.send"
	OpReceiveOption = "opt.flags"     // carries a key
	OpAllOptions    = "opt.flags.all" // without a body
)

// PushTrans is a Trans that somebody sent, with From.
const PushTrans = "trans"

// Trans is something for an application that is neither stored nor counted: to a user, to a group, or with neither of them
// to the sender's own devices. Only who is connected gets it. OpTrans is answered with an empty object.
type Trans struct {
	Target
	Platform int    `json:"p,omitempty"` // own devices: 1 Android, 2 iOS, 3 Web, 4 PC, 255 all
	Command  string `json:"cmd"`         // at most model.MaxTrans bytes
	From     string `json:"from,omitempty"`
	Time     int64  `json:"t,omitempty"` // milliseconds, in a push
}

// ReceiveFlags are two switches that are one option in the interface: shielded is RecvMsgOptNotReceive, else not disturbed
// is RecvMsgOptNotNotify.
type ReceiveFlags struct {
	NoDisturb bool `json:"quiet,omitempty"`
	Shield    bool `json:"shield,omitempty"`
}

// SetReceiveFlags is the body of OpReceiveOption, which is answered with an empty object. Without Peer and Group it is for
// everything. What is nil stays as it is.
type SetReceiveFlags struct {
	Target
	NoDisturb *bool `json:"quiet,omitempty"`
	Shield    *bool `json:"shield,omitempty"`
}

// AllReceiveFlags answers OpAllOptions: all that differ from the default.
type AllReceiveFlags struct {
	All    ReceiveFlags            `json:"all"`
	Users  map[string]ReceiveFlags `json:"users"`
	Groups map[string]ReceiveFlags `json:"groups"`
}
