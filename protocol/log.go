package protocol

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"
)

// Kinds of entries in a user's change log.
const (
	EntryMessage = "msg"   // a message was added to a conversation
	EntryRead    = "read"  // this user read a conversation up to Seq, on any device
	EntrySeen    = "seen"  // the peer read the conversation up to Seq
	EntryClear   = "clear" // this user deleted a conversation up to Seq, on any device
	EntryNone    = "none"  // what stood here is gone; the position counts all the same
)

// Message is a message as the server numbered it.
type Message struct {
	Seq     uint64 // dense per conversation
	From    string
	To      string
	Time    int64  // server clock, milliseconds
	Count   uint64 // number of From's countable messages in the conversation, this one included
	Key     string // the sender's idempotency key
	Content []byte // a Content object, byte for byte as the sender wrote it
}

// Content of a message is a JSON object made by the sender's client:
//
//	id  string  message id, "<tinyid>-<client time>-<rand>"
//	ct  int     client time, seconds
//	r   int     random number, 32 bits
//	p   int     platform of the sender, TIMPlatform
//	el  array   elements, as in the public JSON of a message, at least one
//	x   object  further keys of the public JSON that are not at their default, by their public names; optional
//
// Only id, el and a few keys of x mean something to the server.
const ContentElements, ContentExtra, ContentID = "el", "x", "id"

// AppendFields appends the message's members without braces.
func (m *Message) AppendFields(b []byte) []byte {
	b = append(b, `"s":`...)
	b = strconv.AppendUint(b, m.Seq, 10)
	b = append(b, `,"f":`...)
	b = AppendString(b, m.From)
	b = append(b, `,"t":`...)
	b = AppendString(b, m.To)
	b = append(b, `,"st":`...)
	b = strconv.AppendInt(b, m.Time, 10)
	b = append(b, `,"c":`...)
	b = strconv.AppendUint(b, m.Count, 10)
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
	Peer    string  // EntryRead, EntrySeen, EntryClear
	Seq     uint64  // likewise
	Count   uint64  // EntryRead, EntryClear: countable messages of the peer up to this user's read position
	Time    int64   // EntrySeen: when, milliseconds
}

// Append appends the entry as a JSON object.
func (e *Entry) Append(b []byte) []byte {
	b = append(b, `{"k":"`...)
	b = append(b, e.Kind...)
	b = append(b, '"')
	switch e.Kind {
	case EntryMessage:
		b = append(b, ',')
		b = e.Message.AppendFields(b)
	case EntryRead, EntrySeen, EntryClear:
		b = append(b, `,"peer":`...)
		b = AppendString(b, e.Peer)
		b = append(b, `,"s":`...)
		b = strconv.AppendUint(b, e.Seq, 10)
		b = append(b, `,"c":`...)
		b = strconv.AppendUint(b, e.Count, 10)
		b = append(b, `,"st":`...)
		b = strconv.AppendInt(b, e.Time, 10)
	}
	return append(b, '}')
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
		case "key":
			m.Key = v.String()
		case "m":
			m.Content = bytes.Clone([]byte(v.Raw))
		}
		return true
	})
	m.Seq, m.Count, m.Time = e.Seq, e.Count, e.Time
}

// Log is a piece of a change log: Entries[i] stands at position From+i. It is the body of PushLog and of the answer to
// OpDiff.
type Log struct {
	Epoch   string
	From    uint64
	Entries []Entry
	Pos     uint64 // answers to OpDiff: newest position of the log
	TooLong bool   // answers to OpDiff: the log does not reach back that far or has another epoch; take a snapshot
}

// AppendLog appends a log body around entries that are encoded already.
func AppendLog(b []byte, epoch string, from uint64, pos uint64, entries [][]byte) []byte {
	b = append(b, `{"epoch":`...)
	b = AppendString(b, epoch)
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

// AppendSend appends the body of OpSend.
func AppendSend(b []byte, to string, content []byte) []byte {
	b = append(b, `{"to":`...)
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
	return append(b, '}')
}
