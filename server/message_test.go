package server_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"timbre/model/tim"
	"timbre/protocol"
)

func TestMessageReachesEveryOtherSession(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	second := s.dial(t) // alice's other device
	body := loginBody("alice")
	body.Device, body.Platform = "alice-2", "ios"
	ask[protocol.LoggedIn](second, protocol.OpLogin, "", body)

	sent := alice.send("bob", "k1", "hello")
	if sent.Seq != 1 || sent.Count != 1 || sent.Pos != 1 || sent.Time == 0 {
		t.Fatalf("sent %+v", sent)
	}
	want := protocol.Message{Seq: 1, From: "alice", To: "bob", Time: sent.Time, Count: 1, Key: "k1", Content: textContent("hello")}
	for _, c := range []*client{bob, second} {
		e := c.entries(1)[0]
		if e.Kind != protocol.EntryMessage || !reflect.DeepEqual(e.Message, want) {
			t.Fatalf("pushed %+v, want %+v", e.Message, want)
		}
	}
	if again := alice.send("bob", "k1", "another text"); again != sent {
		t.Fatalf("a repeated key got %+v, the first answer was %+v", again, sent)
	}
	if next := alice.send("bob", "k2", "two"); next.Seq != 2 || next.Pos != 2 {
		t.Fatalf("after a repetition came %+v", next)
	}
	if got := bob.entries(1)[0].Message.Key; got != "k2" {
		t.Fatalf("bob was pushed %s after k1", got)
	}
}

func TestRepeatedKeyWithinOneBatch(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	var pending []<-chan protocol.Answer
	for range 50 {
		pending = append(pending, alice.startSend("bob", "same", "x"))
	}
	first := alice.sent(pending[0])
	for _, ch := range pending[1:] {
		if again := alice.sent(ch); again != first {
			t.Fatalf("got %+v and %+v for one key", first, again)
		}
	}
	if d := diff(bob, 0); len(d.Entries) != 1 {
		t.Fatalf("bob has %d entries", len(d.Entries))
	}
}

func TestRefusedMessages(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	s.login(t, "bob")
	long := strings.Repeat("x", 12<<10)
	for content, want := range map[string]int{
		`{"el":[]}`: tim.ErrSVRMsgInvalidJSONBodyFormat, `{"x":1}`: tim.ErrSVRMsgInvalidJSONBodyFormat,
		`[]`: tim.ErrSVRMsgInvalidJSONBodyFormat, `{"el":[1]}`: tim.ErrSVRMsgInvalidJSONBodyFormat,
		`{"el":{"elem_type":0}}`:                                       tim.ErrSVRMsgInvalidJSONBodyFormat,
		`{"el":[{"elem_type":5}]}`:                                     tim.ErrSVRMsgInvalidJSONBodyFormat,
		`{"el":[{"elem_type":8}]}`:                                     tim.ErrSVRMsgInvalidJSONBodyFormat,
		`{"el":[{"elem_type":"0"}]}`:                                   tim.ErrSVRMsgInvalidJSONBodyFormat,
		`{"el":[{"elem_type":0,"text_elem_content":"` + long + `y"}]}`: tim.ErrSVRCommBodySizeLimit,
		`{"el":[{"elem_type":0,"text_elem_content":"` + long + `"}]}`:  0,
		`{"el":[{"elem_type":12},{"elem_type":3}]}`:                    0,
	} {
		if got := alice.refused("bob", "k"+content[:min(40, len(content))], content); got != want {
			t.Errorf("%.60s: code %d, want %d", content, got, want)
		}
	}
	if got := alice.refused("nobody", "n", string(textContent("x"))); got != tim.ErrSVRMsgInvalidID {
		t.Errorf("unknown receiver: code %d", got)
	}
	if got := alice.refused("bob", "", string(textContent("x"))); got != tim.ErrInvalidParameters {
		t.Errorf("no key: code %d", got)
	}
}

func diff(c *client, pos uint64) protocol.Log {
	c.t.Helper()
	a := c.call(protocol.OpDiff, "", protocol.Marshal(protocol.Diff{Epoch: c.epoch(), Pos: pos, Limit: protocol.MaxDiff}))
	if a.Code != 0 {
		c.t.Fatalf("diff: %d %s", a.Code, a.Desc)
	}
	return protocol.ParseLog(a.Body)
}

// epoch asks for the epoch as a client does that has none.
func (c *client) epoch() string {
	return ask[protocol.SnapshotPage](c, protocol.OpSnapshot, "", protocol.Snapshot{Limit: 1}).Epoch
}

func TestReadSeenClear(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	for i := range 5 {
		alice.send("bob", fmt.Sprint("a", i), "x")
	}
	bob.send("alice", "b0", "y")
	alice.entries(1)
	bob.entries(5)

	a := ask[protocol.Changed](bob, protocol.OpRead, "r1", protocol.Read{Target: protocol.Target{Peer: "alice"}, Seq: 3})
	if a != (protocol.Changed{Pos: 7, Seq: 3, Count: 3}) {
		t.Fatalf("read: %+v", a)
	}
	seen := alice.entries(1)[0]
	if seen.Kind != protocol.EntrySeen || seen.Peer != "bob" || seen.Seq != 3 || seen.Time == 0 {
		t.Fatalf("seen: %+v", seen)
	}
	if again := ask[protocol.Changed](bob, protocol.OpRead, "r1", protocol.Read{Target: protocol.Target{Peer: "alice"}, Seq: 5}); again != a {
		t.Fatalf("a repeated key got %+v", again)
	}
	if back := ask[protocol.Changed](bob, protocol.OpRead, "r2", protocol.Read{Target: protocol.Target{Peer: "alice"}, Seq: 2}); back != (protocol.Changed{Seq: 3, Count: 3}) {
		t.Fatalf("reading backwards: %+v", back)
	}
	if past := ask[protocol.Changed](bob, protocol.OpRead, "r3", protocol.Read{Target: protocol.Target{Peer: "alice"}, Seq: 99}); past != (protocol.Changed{Pos: 8, Seq: 6, Count: 5}) {
		t.Fatalf("reading past the end: %+v", past)
	}
	cleared := ask[protocol.Changed](bob, protocol.OpClear, "c1", protocol.Clear{Target: protocol.Target{Peer: "alice"}, Seq: 6})
	if cleared != (protocol.Changed{Pos: 9, Seq: 6, Count: 5}) {
		t.Fatalf("clear: %+v", cleared)
	}
	d := diff(bob, 6)
	kinds := []string{}
	for _, e := range d.Entries {
		kinds = append(kinds, fmt.Sprintf("%s %d %d", e.Kind, e.Seq, e.Count))
	}
	if got := strings.Join(kinds, ", "); got != "read 3 3, read 6 5, clear 6 5" {
		t.Fatalf("bob's log: %s", got)
	}
	if page := ask[protocol.SnapshotPage](bob, protocol.OpSnapshot, "", protocol.Snapshot{}); len(page.Convs) != 0 {
		t.Fatalf("a deleted conversation is in the snapshot: %+v", page.Convs)
	}
}

func TestOwnConversation(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	alice.send("alice", "k1", "note")
	if sent := alice.send("alice", "k2", "note"); sent.Seq != 2 || sent.Pos != 2 {
		t.Fatalf("%+v", sent)
	}
	page := ask[protocol.SnapshotPage](alice, protocol.OpSnapshot, "", protocol.Snapshot{})
	c := page.Convs[0]
	if c.Peer != "alice" || c.PeerCount != c.ReadCount || len(c.Msgs) != 1 {
		t.Fatalf("%+v", c)
	}
}

func TestRange(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	for i := range 10 {
		alice.send("bob", fmt.Sprint(i), "x")
	}
	get := func(r protocol.Range) string {
		r.Peer = "alice"
		a := ask[protocol.Ranged](bob, protocol.OpRange, "", r)
		seqs := []uint64{}
		for _, raw := range a.Msgs {
			m, ok := protocol.ParseMessage(raw)
			if !ok {
				t.Fatalf("message %s", raw)
			}
			seqs = append(seqs, m.Seq)
		}
		return fmt.Sprint(a.Lo, a.Hi, a.Max, a.Min, seqs)
	}
	check := func(r protocol.Range, want string) {
		t.Helper()
		if got := get(r); got != want {
			t.Errorf("%+v: got %s, want %s", r, got, want)
		}
	}
	check(protocol.Range{Lo: 1, Limit: 3}, "8 10 10 1 [8 9 10]")
	check(protocol.Range{Lo: 1, Limit: 3, Newer: true}, "1 3 10 1 [1 2 3]")
	check(protocol.Range{Lo: 4, Hi: 6, Limit: 3}, "4 6 10 1 [4 5 6]")
	check(protocol.Range{Lo: 0, Hi: 2, Limit: 50}, "1 2 10 1 [1 2]")
	check(protocol.Range{Lo: 11, Hi: 20}, "11 10 10 1 []")
	ask[protocol.Changed](bob, protocol.OpClear, "c", protocol.Clear{Target: protocol.Target{Peer: "alice"}, Seq: 8})
	check(protocol.Range{Lo: 1}, "1 10 10 9 [9 10]")
	if a := ask[protocol.Ranged](bob, protocol.OpRange, "", protocol.Range{Target: protocol.Target{Peer: "nobody"}}); a.Max != 0 || len(a.Msgs) != 0 {
		t.Errorf("unknown peer: %+v", a)
	}
}

func TestExcludedMessagesDoNotCount(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	quiet := `{"el":[{"elem_type":0}],"x":{"message_is_excluded_from_unread_count":true}}`
	alice.send("bob", "1", "x")
	a := alice.call(protocol.OpSend, "2", protocol.AppendSend(nil, "bob", false, []byte(quiet)))
	var sent protocol.Sent
	if err := json.Unmarshal(a.Body, &sent); err != nil || sent.Seq != 2 || sent.Count != 1 {
		t.Fatalf("%v %+v", err, sent)
	}
	c := ask[protocol.SnapshotPage](bob, protocol.OpSnapshot, "", protocol.Snapshot{}).Convs[0]
	if c.Max != 2 || c.PeerCount != 1 || c.ReadCount != 0 || len(c.Msgs) != 2 {
		t.Fatalf("%+v", c)
	}
}

func TestContentTravelsByteForByte(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	content := `{ "el" : [ {"elem_type":0, "text_elem_content":"<你好> \u00e9 & 👋"} ],  "n":12345678901234567890 }`
	if a := alice.call(protocol.OpSend, "k", protocol.AppendSend(nil, "bob", false, []byte(content))); a.Code != 0 {
		t.Fatal(a.Desc)
	}
	if got := string(bob.entries(1)[0].Message.Content); got != content {
		t.Errorf("pushed %s", got)
	}
	if got := string(diff(bob, 0).Entries[0].Message.Content); got != content {
		t.Errorf("diff %s", got)
	}
	a := bob.call(protocol.OpRange, "", []byte(`{"peer":"alice"}`))
	if !strings.Contains(string(a.Body), content) {
		t.Errorf("range %s", a.Body)
	}
}
