package protocol

import (
	"bytes"
	"encoding/json"
	"testing"
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
