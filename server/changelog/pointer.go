package changelog

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"

	"timbre/protocol"
)

// Pointer is an entry as a log keeps it: what is needed to find or make the entry that a client gets.
type Pointer struct {
	Kind  string // of package protocol
	Conv  int64  // EntryMessage, EntryUpdate: where the message is; of other kinds no log keeps it
	Seq   uint64
	Peer  string // other kinds: the conversation, by the other user's name
	Group string // or by the group's
	Count uint64
	Time  int64
	Data  []byte // JSON, nil where the kind has none
}

// Message points to a message.
func Message(conv int64, seq uint64) Pointer {
	return Pointer{Kind: protocol.EntryMessage, Conv: conv, Seq: seq}
}

// Update points to a message that was changed. Whoever reads the log gets it as it is then.
func Update(conv int64, seq uint64) Pointer {
	return Pointer{Kind: protocol.EntryUpdate, Conv: conv, Seq: seq}
}

// GroupLog is the owner's number of a group's log. Users' numbers are positive.
func GroupLog(gid int64) int64 { return -gid }

func (p *Pointer) message() bool {
	return p.Kind == protocol.EntryMessage || p.Kind == protocol.EntryUpdate
}

// beside says whether the entry is about something that stands beside a message.
func (p *Pointer) beside() bool {
	return p.Kind == protocol.EntryExtensions || p.Kind == protocol.EntryReaction || p.Kind == protocol.EntryPin
}

// append writes ["msg",conv,seq], or [kind,"peer",seq,count,time], then "group" and data where there are any.
func (p *Pointer) append(b []byte) []byte {
	b = append(b, `["`...)
	b = append(b, p.Kind...)
	b = append(b, `",`...)
	if p.message() {
		b = strconv.AppendInt(b, p.Conv, 10)
	} else {
		b = protocol.AppendString(b, p.Peer)
	}
	b = append(b, ',')
	b = strconv.AppendUint(b, p.Seq, 10)
	if !p.message() {
		b = append(b, ',')
		b = strconv.AppendUint(b, p.Count, 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, p.Time, 10)
		b = p.appendRest(b)
	}
	return append(b, ']')
}

func (p *Pointer) appendRest(b []byte) []byte {
	if p.Group == "" && len(p.Data) == 0 {
		return b
	}
	b = protocol.AppendString(append(b, ','), p.Group)
	if len(p.Data) > 0 {
		b = append(append(b, ','), p.Data...)
	}
	return b
}

func parsePointers(entries []byte) []Pointer {
	var list []Pointer
	gjson.ParseBytes(entries).ForEach(func(_, e gjson.Result) bool {
		f := e.Array()
		p := Pointer{Kind: f[0].Str, Seq: f[2].Uint()}
		if p.message() {
			p.Conv = f[1].Int()
		} else {
			p.Peer, p.Count, p.Time = f[1].String(), f[3].Uint(), f[4].Int()
		}
		if len(f) > 5 {
			p.Group = f[5].String()
		}
		if len(f) > 6 {
			p.Data = bytes.Clone([]byte(f[6].Raw))
		}
		list = append(list, p)
		return true
	})
	return list
}

// Entry is what a client gets for a pointer that is no message.
func (p *Pointer) Entry() protocol.Entry {
	return protocol.Entry{Kind: p.Kind, Peer: p.Peer, Group: p.Group, Seq: p.Seq, Count: p.Count, Time: p.Time, Data: p.Data}
}
