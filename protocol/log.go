package protocol

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"
)

// Kinds of entries in a user's change log.
const (
	EntryMessage    = "msg"   // a message was added to a conversation
	EntryUpdate     = "upd"   // a message was edited or revoked: it comes as it is now
	EntryRead       = "read"  // this user read a conversation up to Seq, on any device
	EntrySeen       = "seen"  // the peer read the conversation up to Seq
	EntryClear      = "clear" // this user deleted a conversation up to Seq, on any device
	EntryDelete     = "del"   // this user deleted messages: Data is a Deleted
	EntryReceipt    = "rcpt"  // somebody confirmed that he read message Seq of this user: Data is a ReceiptCount
	EntryExtensions = "ext"   // extensions of message Seq changed: Data is an ExtensionChange
	EntryReaction   = "rct"   // a reaction to message Seq changed: Data is a ReactionChange
	EntryPin        = "pin"   // message Seq of a group was pinned or not any more: Data is a Pinning
	EntryOption     = "opt"   // this user changed a receive option: Data is an OptionChange
	EntryGroup      = "grp"   // this user came into a group, left it or changed in it: Data is a Membership
	EntryGone       = "gone"  // a message that this user deleted: nothing to see, but it counts. Count is as in Message; Data, of own messages in a group, is an OwnMessage
	EntryNone       = "none"  // what stood here is gone; the position counts all the same
)

// Message is a message as the server numbered it.
type Message struct {
	Seq     uint64 // dense per conversation; 0: a message for those who are online, which is not kept
	From    string
	To      string // the other user, "" in a group
	Group   string // the group, "" between two users
	Time    int64  // server clock, milliseconds
	Count   uint64 // of countable messages up to this one: of From's between two users, of everybody's in a group
	Own     uint64 // in a group: how many of them are From's
	Version uint64 // how often it was changed
	State   []byte // a State object, nil when nothing happened to the message
	Key     string // the sender's idempotency key
	Content []byte // a Content object, byte for byte as the sender wrote it; the server adds his name card
}

// OwnMessage is the data of EntryGone when the message was this user's own in a group. Without it a device that never saw
// the message would take it for one of others.
type OwnMessage struct {
	Own uint64 `json:"own"` // as in Message
}

// State is what became of a message.
type State struct {
	Revoked *Revocation `json:"rv,omitempty"`
	// Read and Unread count the receipts of a group message that asks for them, for its sender only.
	Read   uint64 `json:"r,omitempty"`
	Unread *int64 `json:"u,omitempty"`
	// PeerRead says that the receiver of a one-to-one message confirmed it.
	PeerRead bool `json:"pr,omitempty"`
	// Confirmed says that the user who asks has confirmed the message.
	Confirmed bool `json:"cf,omitempty"`
}

// Revocation says who took a message back. Its content has no elements any more.
type Revocation struct {
	User   string `json:"u"`
	Nick   string `json:"n,omitempty"`
	Face   string `json:"f,omitempty"`
	Reason string `json:"w,omitempty"`
}

// Content of a message is a JSON object made by the sender's client:
//
//	id    string  message id, "<tinyid>-<client time>-<rand>"
//	ct    int     client time, seconds
//	r     int     random number, 32 bits
//	p     int     platform of the sender, TIMPlatform
//	el    array   elements, as in the public JSON of a message, at least one
//	x     object  further keys of the public JSON that are not at their default, by their public names; optional
//	card  string  name card that the sender of a group message had when he sent it, if any; the server writes it
//
// Only id, el and a few keys of x mean something to the server. It refuses a content that comes with a card.
const ContentElements, ContentExtra, ContentID, ContentCard = "el", "x", "id", "card"

// AppendFields appends the message's members without braces.
func (m *Message) AppendFields(b []byte) []byte {
	b = append(b, `"s":`...)
	b = strconv.AppendUint(b, m.Seq, 10)
	b = append(b, `,"f":`...)
	b = AppendString(b, m.From)
	if m.Group != "" {
		b = append(b, `,"g":`...)
		b = AppendString(b, m.Group)
		b = append(b, `,"o":`...)
		b = strconv.AppendUint(b, m.Own, 10)
	} else {
		b = append(b, `,"t":`...)
		b = AppendString(b, m.To)
	}
	b = append(b, `,"st":`...)
	b = strconv.AppendInt(b, m.Time, 10)
	b = append(b, `,"c":`...)
	b = strconv.AppendUint(b, m.Count, 10)
	if m.Version > 0 {
		b = append(b, `,"v":`...)
		b = strconv.AppendUint(b, m.Version, 10)
	}
	if len(m.State) > 0 {
		b = append(b, `,"a":`...)
		b = append(b, m.State...)
	}
	if m.Key != "" {
		b = append(b, `,"key":`...)
		b = AppendString(b, m.Key)
	}
	b = append(b, `,"m":`...)
	return append(b, m.Content...)
}

// Append appends the message as a JSON object.
func (m *Message) Append(b []byte) []byte {
	b = append(b, '{')
	b = m.AppendFields(b)
	return append(b, '}')
}

// ParseMessage reads a message object. The content is copied.
func ParseMessage(raw []byte) (Message, bool) {
	var e Entry
	e.parse(gjson.ParseBytes(raw))
	return e.Message, e.Message.Content != nil
}

// Entry is one entry of a change log. Which fields count depends on the kind.
type Entry struct {
	Kind    string
	Message Message // EntryMessage
	Peer    string  // the conversation, of the other kinds
	Group   string  // likewise, when it is a group's
	Seq     uint64  // likewise
	Count   uint64  // EntryRead, EntryClear: countable messages of others up to this user's read position
	Time    int64   // when, milliseconds
	Data    []byte  // what the kind says; nil where it says nothing
}

// Append appends the entry as a JSON object.
func (e *Entry) Append(b []byte) []byte {
	b = append(b, `{"k":"`...)
	b = append(b, e.Kind...)
	b = append(b, '"')
	switch e.Kind {
	case EntryMessage, EntryUpdate:
		b = append(b, ',')
		b = e.Message.AppendFields(b)
	case EntryNone:
	default:
		b = e.appendChange(b)
	}
	return append(b, '}')
}

func (e *Entry) appendChange(b []byte) []byte {
	if e.Group != "" {
		b = append(b, `,"g":`...)
		b = AppendString(b, e.Group)
	} else {
		b = append(b, `,"peer":`...)
		b = AppendString(b, e.Peer)
	}
	b = append(b, `,"s":`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	b = append(b, `,"c":`...)
	b = strconv.AppendUint(b, e.Count, 10)
	b = append(b, `,"st":`...)
	b = strconv.AppendInt(b, e.Time, 10)
	if len(e.Data) > 0 {
		b = append(b, `,"d":`...)
		b = append(b, e.Data...)
	}
	return b
}

func (e *Entry) parse(v gjson.Result) {
	m := &e.Message
	v.ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case "k":
			e.Kind = v.String()
		case "s":
			e.Seq = v.Uint()
		case "c":
			e.Count = v.Uint()
		case "st":
			e.Time = v.Int()
		case "peer":
			e.Peer = v.String()
		case "f":
			m.From = v.String()
		case "t":
			m.To = v.String()
		case "g":
			m.Group = v.String()
		case "o":
			m.Own = v.Uint()
		case "v":
			m.Version = v.Uint()
		case "a":
			m.State = bytes.Clone([]byte(v.Raw))
		case "d":
			e.Data = bytes.Clone([]byte(v.Raw))
		case "key":
			m.Key = v.String()
		case "m":
			m.Content = bytes.Clone([]byte(v.Raw))
		}
		return true
	})
	m.Seq, m.Count, m.Time, e.Group = e.Seq, e.Count, e.Time, m.Group
}

// Log is a piece of a change log: Entries[i] stands at position From+i. It is the body of PushLog and of the answer to
// OpDiff.
type Log struct {
	Epoch   string
	Group   string // the group whose log it is, "" for the user's own
	From    uint64
	Entries []Entry
	Pos     uint64 // answers to OpDiff: newest position of the log
	TooLong bool   // answers to OpDiff: the log does not reach back that far or has another epoch; take a snapshot
}

// AppendLog appends a log body around entries that are encoded already. Group is "" for the user's own log.
func AppendLog(b []byte, epoch, group string, from uint64, pos uint64, entries [][]byte) []byte {
	b = append(b, `{"epoch":`...)
	b = AppendString(b, epoch)
	if group != "" {
		b = append(b, `,"g":`...)
		b = AppendString(b, group)
	}
	b = append(b, `,"from":`...)
	b = strconv.AppendUint(b, from, 10)
	b = append(b, `,"pos":`...)
	b = strconv.AppendUint(b, pos, 10)
	b = append(b, `,"entries":[`...)
	for i, e := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e...)
	}
	return append(b, "]}"...)
}

// TooLongLog is the answer to OpDiff that asks for a snapshot.
func TooLongLog(epoch string) []byte {
	b := append([]byte(nil), `{"epoch":`...)
	b = AppendString(b, epoch)
	return append(b, `,"too_long":true}`...)
}

// ParseLog reads a log body. Nothing refers to body afterwards.
func ParseLog(body []byte) Log {
	var l Log
	gjson.ParseBytes(body).ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case "epoch":
			l.Epoch = v.String()
		case "g":
			l.Group = v.String()
		case "from":
			l.From = v.Uint()
		case "pos":
			l.Pos = v.Uint()
		case "too_long":
			l.TooLong = v.Bool()
		case "entries":
			v.ForEach(func(_, v gjson.Result) bool {
				var e Entry
				e.parse(v)
				l.Entries = append(l.Entries, e)
				return true
			})
		}
		return true
	})
	return l
}

// AppendSend appends the body of OpSend. Group says that to is a group.
func AppendSend(b []byte, to string, group bool, content []byte) []byte {
	if group {
		b = append(b, `{"g":`...)
	} else {
		b = append(b, `{"to":`...)
	}
	b = AppendString(b, to)
	b = append(b, `,"m":`...)
	b = append(b, content...)
	return append(b, '}')
}

// ParseSend reads the body of OpSend. Content refers to body's memory.
func ParseSend(body []byte) Send {
	var s Send
	gjson.ParseBytes(body).ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case "to":
			s.To = v.String()
		case "g":
			s.Group = v.String()
		case "m":
			s.Content = body[v.Index : v.Index+len(v.Raw)]
		}
		return true
	})
	return s
}

// AppendSent appends the body of the answer to OpSend.
func AppendSent(b []byte, s Sent) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, s.Seq, 10)
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, s.Time, 10)
	b = append(b, `,"count":`...)
	b = strconv.AppendUint(b, s.Count, 10)
	b = append(b, `,"pos":`...)
	b = strconv.AppendUint(b, s.Pos, 10)
	if s.Own > 0 {
		b = append(b, `,"own":`...)
		b = strconv.AppendUint(b, s.Own, 10)
	}
	if s.Unread != nil {
		b = append(b, `,"unread":`...)
		b = strconv.AppendInt(b, *s.Unread, 10)
	}
	if s.Card != "" {
		b = append(b, `,"card":`...)
		b = AppendString(b, s.Card)
	}
	return append(b, '}')
}
