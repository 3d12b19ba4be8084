package protocol

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"
)

func FuzzParseRequest(f *testing.F) {
	r := Request{ID: 7, Op: OpSend, Key: "k", Body: AppendSend(nil, "bob", false, []byte(`{"el":[{"elem_type":0}]}`))}
	f.Add(r.Append(nil))
	f.Add([]byte(` { "id" : 1 , "op" : "x" , "body" : [1, {"a":"\u0041"}] } `))
	f.Add([]byte(`[{"op":"x"}]`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, ok := ParseRequest(line)
		if !ok {
			return
		}
		if len(r.Body) > 0 && !json.Valid(r.Body) {
			t.Fatalf("the body of %q is %q", line, r.Body)
		}
		s := ParseSend(r.Body)
		if len(s.Content) > 0 && !json.Valid(s.Content) {
			t.Fatalf("the content of %q is %q", line, s.Content)
		}
		if bytes.ContainsAny([]byte(r.Op), "\"\\\n") || bytes.IndexByte(line, '\n') >= 0 {
			return // Append is for operations of this package, and lines have no line breaks
		}
		again, ok := ParseRequest(r.Append(nil))
		if !ok || again.ID != r.ID || again.Op != r.Op || len(r.Body) > 0 && !bytes.Equal(again.Body, r.Body) {
			t.Fatalf("%q became %q", line, r.Append(nil))
		}
	})
}

func FuzzParseServerLine(f *testing.F) {
	a := Answer{ID: 3, Code: 20003, Desc: "no such user", Body: []byte(`{"seq":1}`)}
	p := Push{Kind: PushKick, Body: Marshal(Kick{Code: 6208})}
	f.Add(a.Append(nil))
	f.Add((&Answer{ID: 4, Ack: true}).Append(nil))
	f.Add(p.Append(nil))
	f.Fuzz(func(t *testing.T, line []byte) {
		a, p, ok := ParseServerLine(line)
		if !ok {
			return
		}
		body := a.Body
		if p != nil {
			body = p.Body
		}
		if len(body) > 0 && !json.Valid(body) {
			t.Fatalf("the body of %q is %q", line, body)
		}
	})
}

func FuzzParseLog(f *testing.F) {
	e := Entry{Kind: EntryMessage, Message: Message{Seq: 1, From: "a", To: "b", Time: 2, Count: 1, Key: "k", Content: []byte(`{"el":[]}`)}}
	s := Entry{Kind: EntrySeen, Peer: "a", Seq: 3, Time: 4}
	f.Add(AppendLog(nil, "epoch", "", 5, 6, [][]byte{e.Append(nil), s.Append(nil)}))
	f.Add(TooLongLog("epoch"))
	f.Add([]byte(`{"entries":[{"k":"msg","m":`))
	f.Fuzz(func(t *testing.T, body []byte) {
		l := ParseLog(body)
		ParseMessage(body)
		if !json.Valid(body) {
			return // callers check the line first
		}
		entries := make([][]byte, len(l.Entries))
		for i := range l.Entries {
			if m := l.Entries[i].Message; len(m.Content) > 0 && !json.Valid(m.Content) {
				t.Fatalf("the content in %q is %q", body, m.Content)
			}
			entries[i] = l.Entries[i].Append(nil)
		}
		if again := ParseLog(AppendLog(nil, l.Epoch, l.Group, l.From, l.Pos, entries)); len(again.Entries) != len(l.Entries) || again.From != l.From {
			t.Fatalf("%+v became %+v", l, again)
		}
	})
}

// FuzzEntry writes an entry of each kind and reads it again: nothing may be lost, and nothing may come in.
func FuzzEntry(f *testing.F) {
	f.Add("ann", "bob", "", "key", uint64(1), int64(2), uint64(3), uint64(0), uint64(0), []byte(`{"el":[]}`), []byte(nil))
	f.Add("ann", "", "friends", "", uint64(1), int64(2), uint64(3), uint64(2), uint64(5), []byte(`{"x":"\u0000"}`), []byte(`{"rv":{"u":"bob"}}`))
	f.Fuzz(func(t *testing.T, from, to, group, key string, seq uint64, time int64, count, own, version uint64, content, extra []byte) {
		for _, s := range []string{from, to, group, key} {
			if !utf8.ValidString(s) {
				return
			}
		}
		content, extra = bytes.TrimSpace(content), bytes.TrimSpace(extra)
		if !json.Valid(content) || len(extra) > 0 && !json.Valid(extra) {
			return
		}
		if len(extra) == 0 {
			extra = nil
		}
		msg := Message{Seq: seq, From: from, To: to, Group: group, Time: time, Count: count, Own: own, Version: version, State: extra,
			Key: key, Content: content}
		if group != "" {
			msg.To = ""
		} else {
			msg.Own = 0
		}
		if got, ok := ParseMessage(msg.Append(nil)); !ok || !reflect.DeepEqual(got, msg) {
			t.Fatalf("%+v became %+v", msg, got)
		}
		entries := []Entry{{Kind: EntryNone}}
		for _, kind := range []string{EntryMessage, EntryUpdate} {
			entries = append(entries, Entry{Kind: kind, Message: msg, Group: group, Seq: seq, Count: count, Time: time})
		}
		for _, kind := range []string{EntryRead, EntrySeen, EntryClear, EntryDelete, EntryReceipt, EntryExtensions, EntryReaction, EntryPin, EntryGone,
			EntryOption, EntryGroup} {
			e := Entry{Kind: kind, Peer: to, Group: group, Seq: seq, Count: count, Time: time, Data: extra}
			if e.Message = (Message{Group: group, Seq: seq, Count: count, Time: time}); group != "" {
				e.Peer = ""
			}
			entries = append(entries, e)
		}
		var encoded [][]byte
		for i := range entries {
			encoded = append(encoded, entries[i].Append(nil))
		}
		got := ParseLog(AppendLog(nil, key, group, seq, count, encoded))
		if want := (Log{Epoch: key, Group: group, From: seq, Pos: count, Entries: entries}); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v became %+v", want, got)
		}
	})
}
