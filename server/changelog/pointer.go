package changelog

import (
	"strconv"

	"github.com/tidwall/gjson"

	"timbre/protocol"
)

// Pointer is an entry as the log keeps it: what is needed to find or make the entry that a client gets.
type Pointer struct {
	Kind  string // of package protocol
	Pair  int64  // EntryMessage: the conversation
	Seq   uint64
	Peer  string // other kinds: the conversation, by the other user's name
	Count uint64
	Time  int64
}

// Message points to a message.
func Message(pair int64, seq uint64) Pointer {
	return Pointer{Kind: protocol.EntryMessage, Pair: pair, Seq: seq}
}

// append writes ["msg",pair,seq], or [kind,"peer",seq,count,time].
func (p *Pointer) append(b []byte) []byte {
	b = append(b, `["`...)
	b = append(b, p.Kind...)
	b = append(b, `",`...)
	if p.Kind == protocol.EntryMessage {
		b = strconv.AppendInt(b, p.Pair, 10)
	} else {
		b = protocol.AppendString(b, p.Peer)
	}
	b = append(b, ',')
	b = strconv.AppendUint(b, p.Seq, 10)
	if p.Kind != protocol.EntryMessage {
		b = append(b, ',')
		b = strconv.AppendUint(b, p.Count, 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, p.Time, 10)
	}
	return append(b, ']')
}

func parsePointers(entries []byte) []Pointer {
	var list []Pointer
	gjson.ParseBytes(entries).ForEach(func(_, e gjson.Result) bool {
		f := e.Array()
		p := Pointer{Kind: f[0].Str, Seq: f[2].Uint()}
		if p.Kind == protocol.EntryMessage {
			p.Pair = f[1].Int()
		} else {
			p.Peer, p.Count, p.Time = f[1].String(), f[3].Uint(), f[4].Int()
		}
		list = append(list, p)
		return true
	})
	return list
}

// Entry is what a client gets for a pointer that is no message.
func (p *Pointer) Entry() protocol.Entry {
	return protocol.Entry{Kind: p.Kind, Peer: p.Peer, Seq: p.Seq, Count: p.Count, Time: p.Time}
}
