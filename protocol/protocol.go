// Package protocol is what crosses the wire between the client engine and timbred. docs/protocol.md explains it to
// somebody who wants to write another client.
//
// A WebSocket text frame holds one or more JSON objects, one a line. A line is a Request (client to server), an Answer
// or a Push (server to client). Both sides gather what is ready into one frame, because a delivery costs ten times more
// as its own write than as a line of a larger one.
//
// The envelope and the hot bodies (messages, log entries) are written by appending and read with gjson, without
// reflection; a message's content travels as the sender's bytes. Rare bodies use encoding/json on the structs below.
//
// Rejected: protobuf (the content is JSON at both ends anyway, and a line can be read by a person), one object a frame
// (no coalescing), length prefixes on raw TCP (no proxies, no browsers).
package protocol

import (
	"encoding/json"
	"strconv"

	"github.com/tidwall/gjson"
)

// Version is the number of the protocol. A server answers a login with another one with CodeVersion.
const Version = 1

// Limits of the wire.
const (
	// MaxLine is the longest line that a peer accepts, in bytes.
	MaxLine = 1 << 20
	// MaxFrame is how much a writer gathers into one frame, in bytes.
	MaxFrame = 64 << 10
	// MaxDiff is the largest number of entries in one answer to OpDiff.
	MaxDiff = 500
	// MaxSnapshot is the largest number of conversations in one answer to OpSnapshot.
	MaxSnapshot = 100
	// MaxRange is the largest number of messages in one answer to OpRange.
	MaxRange = 100
)

// Operations that a client may request. Those that change something carry a key.
const (
	OpLogin    = "login"
	OpLogout   = "logout"
	OpPing     = "ping"
	OpSend     = "msg.send"
	OpRange    = "msg.range"
	OpRead     = "conv.read"
	OpClear    = "conv.clear"
	OpDiff     = "sync.diff"
	OpSnapshot = "sync.snapshot"
	OpGroups   = "sync.groups"
	OpProfiles = "profile.get"
	OpTinyIDs  = "id.get"
)

// Operations on messages that are there already.
const (
	OpGet           = "msg.get"
	OpRevoke        = "msg.revoke"
	OpEdit          = "msg.edit"
	OpDelete        = "msg.delete"
	OpConfirm       = "msg.confirm"  // send read receipts
	OpReceipts      = "msg.receipts" // how many have confirmed
	OpReaders       = "msg.readers"  // who has
	OpSetExtensions = "msg.ext.set"
	OpExtensions    = "msg.ext.get"
	OpReact         = "msg.react"
	OpReactions     = "msg.reactions"
	OpReactionUsers = "msg.react.users"
	OpPin           = "msg.pin"
	OpPinned        = "msg.pinned"
	OpSearch        = "msg.search"
	OpSetOption     = "opt.set"
	OpOptions       = "opt.get"
)

// Pushes that a server sends on its own.
const (
	PushLog     = "log"     // Log
	PushMessage = "msg"     // Message without a number: it is shown and not kept
	PushKick    = "kick"    // Kick: the session is over, another device took its place
	PushExpired = "expired" // the UserSig ran out, the session is over
	PushDrain   = "drain"   // the server is going away: finish and connect again
)

// Codes of the protocol itself, which no public error code covers. They stay inside the engine.
const (
	CodeVersion = 1001 // the other side speaks another version
	CodeOp      = 1002 // unknown operation
	CodeBusy    = 1003 // a queue of the server is full: try again later
	CodeInside  = 1004 // the server failed inside: try again later
)

// Request is a line from the client.
type Request struct {
	ID   uint64 // chosen by the client, echoed in the answer
	Op   string
	Key  string // idempotency key, "" for requests that change nothing
	Body []byte // one JSON value
}

// Append appends the request as one line.
func (r *Request) Append(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, r.ID, 10)
	b = append(b, `,"op":"`...)
	b = append(b, r.Op...)
	b = append(b, '"')
	if r.Key != "" {
		b = append(b, `,"key":`...)
		b = AppendString(b, r.Key)
	}
	b = append(b, `,"body":`...)
	b = appendBody(b, r.Body)
	return append(b, "}\n"...)
}

// ParseRequest reads a line. Body refers to the line's memory.
func ParseRequest(line []byte) (Request, bool) {
	var r Request
	if !gjson.ValidBytes(line) {
		return r, false
	}
	gjson.ParseBytes(line).ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case "id":
			r.ID = v.Uint()
		case "op":
			r.Op = v.Str
		case "key":
			r.Key = v.Str
		case "body":
			r.Body = line[v.Index : v.Index+len(v.Raw)]
		}
		return true
	})
	return r, r.Op != ""
}

// Answer is the server's line for one request.
type Answer struct {
	ID   uint64
	Ack  bool // the request arrived; the real answer follows
	Code int
	Desc string
	Body []byte
}

// Append appends the answer as one line.
func (a *Answer) Append(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, a.ID, 10)
	if a.Ack {
		return append(b, `,"ack":true}`+"\n"...)
	}
	b = append(b, `,"code":`...)
	b = strconv.AppendInt(b, int64(a.Code), 10)
	if a.Desc != "" {
		b = append(b, `,"desc":`...)
		b = AppendString(b, a.Desc)
	}
	b = append(b, `,"body":`...)
	b = appendBody(b, a.Body)
	return append(b, "}\n"...)
}

// Push is a line that nobody asked for.
type Push struct {
	Kind string
	Body []byte
}

// Append appends the push as one line.
func (p *Push) Append(b []byte) []byte {
	b = append(b, `{"push":"`...)
	b = append(b, p.Kind...)
	b = append(b, `","body":`...)
	b = appendBody(b, p.Body)
	return append(b, "}\n"...)
}

// ParseServerLine reads a line from the server: an answer (push == nil) or a push. Bodies refer to the line's memory.
func ParseServerLine(line []byte) (answer Answer, push *Push, ok bool) {
	if !gjson.ValidBytes(line) {
		return answer, nil, false
	}
	var kind string
	var body []byte
	hasID := false
	gjson.ParseBytes(line).ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case "id":
			answer.ID, hasID = v.Uint(), true
		case "ack":
			answer.Ack = v.Bool()
		case "code":
			answer.Code = int(v.Int())
		case "desc":
			answer.Desc = v.String()
		case "push":
			kind = v.Str
		case "body":
			body = line[v.Index : v.Index+len(v.Raw)]
		}
		return true
	})
	if kind != "" {
		return answer, &Push{Kind: kind, Body: body}, true
	}
	answer.Body = body
	return answer, nil, hasID
}

// Lines calls fn for every line of a frame and stops when fn returns false.
func Lines(frame []byte, fn func(line []byte) bool) {
	for len(frame) > 0 {
		end := 0
		for end < len(frame) && frame[end] != '\n' {
			end++
		}
		if end > 0 && !fn(frame[:end]) {
			return
		}
		if end == len(frame) {
			return
		}
		frame = frame[end+1:]
	}
}

// Marshal encodes a rare body. The structs of this package always encode.
func Marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("protocol: " + err.Error()) // a programming error: the type cannot be encoded
	}
	return b
}

func appendBody(b, body []byte) []byte {
	if len(body) == 0 {
		return append(b, "{}"...)
	}
	return append(b, body...)
}

// AppendString appends s as a JSON string.
func AppendString(b []byte, s string) []byte {
	return gjson.AppendJSONString(b, s)
}
