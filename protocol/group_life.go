package protocol

// Operations on who is in a group. All carry a key except OpPendencies.
const (
	OpGroupDismiss   = "group.dismiss"
	OpGroupKick      = "group.kick"
	OpPendencies     = "group.pendencies"
	OpDecidePendency = "group.pendency.decide"
	OpReadPendencies = "group.pendency.read"
)

// EntryReport stands in a user's log: the group tells him alone. Data is a Report.
const EntryReport = "rep"

// PushReport brings reports that stand in no log: its body is a Log with the group's name, entries of EntryReport and no
// positions.
const PushReport = "report"

// Report is what a group tells one user.
type Report struct {
	Type     int    `json:"type"` // TIMGroupReportType
	Operator Member `json:"op"`   // empty when the server itself acts
	Platform string `json:"p,omitempty"`
	Text     string `json:"text,omitempty"` // the reason of who asks or decides
	Data     string `json:"data,omitempty"` // what the inviter or the operator adds
	Mute     uint32 `json:"mute,omitempty"` // GroupReportShutUpMember: seconds
	Option   int    `json:"opt,omitempty"`  // GroupReportGroupMessageRecvOption
	Name     string `json:"name,omitempty"` // of the group
	Gone     bool   `json:"gone,omitempty"` // the user is not in the group any more
	// Pendency is the request that this report asks to decide or tells the end of.
	Pendency *Pendency `json:"pend,omitempty"`
}

// KickMembers is the body of OpGroupKick, which is answered with an Invited.
type KickMembers struct {
	Group   string   `json:"group"`
	Users   []string `json:"users"` // at most model.MaxKicks
	Reason  string   `json:"reason,omitempty"`
	Seconds uint32   `json:"sec,omitempty"` // how long they cannot come in again; model.MuteForever: until they are invited
}

// Pendency is a request that somebody decides.
type Pendency struct {
	Group     string `json:"group"`
	Type      int    `json:"type"`           // TIMGroupPendencyType
	From      string `json:"from"`           // who wants to come in, or who invites
	To        string `json:"to,omitempty"`   // who is invited
	Added     int64  `json:"t"`              // milliseconds
	Text      string `json:"text,omitempty"` // what From says
	Handled   int    `json:"h,omitempty"`    // TIMGroupPendencyHandle, for the user who asks
	Accepted  bool   `json:"ok,omitempty"`
	Answer    string `json:"answer,omitempty"` // what was said to it
	Decider   string `json:"by,omitempty"`
	Key       string `json:"key,omitempty"` // names the request
	Signature string `json:"auth,omitempty"`
}

// AskPendencies is the body of OpPendencies: requests that the user may decide, newest first.
type AskPendencies struct {
	Before int64 `json:"before,omitempty"` // milliseconds as Next says; 0: the newest
	Limit  int   `json:"limit,omitempty"`  // at most model.PendencyPage, which 0 means
}

// Pendencies answers OpPendencies.
type Pendencies struct {
	List   []Pendency `json:"list"`
	Next   int64      `json:"next"`   // 0 after the last page
	Read   int64      `json:"read"`   // what the user has seen, milliseconds
	Unread int        `json:"unread"` // requests that came since
}

// DecidePendency is the body of OpDecidePendency, which is answered with an empty object.
type DecidePendency struct {
	Pendency Pendency `json:"pend"` // as it was received; Group, Type, From, To and Added or Key find it
	Accept   bool     `json:"ok"`
	Answer   string   `json:"answer,omitempty"`
}

// ReadPendencies is the body of OpReadPendencies, which is answered with an empty object.
type ReadPendencies struct {
	Time int64 `json:"t"` // milliseconds; 0: now, by the server's clock
}
