package server_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"timbre/protocol"
)

func TestDiff(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	for i := range 12 {
		alice.send("bob", fmt.Sprint(i), "x")
	}
	epoch := bob.epoch()
	get := func(d protocol.Diff) protocol.Log {
		return protocol.ParseLog(bob.call(protocol.OpDiff, "", protocol.Marshal(d)).Body)
	}
	l := get(protocol.Diff{Epoch: epoch, Pos: 4, Limit: 3})
	if l.From != 5 || l.Pos != 12 || len(l.Entries) != 3 || l.Entries[0].Message.Seq != 5 || l.TooLong {
		t.Errorf("%+v", l)
	}
	if l := get(protocol.Diff{Epoch: epoch, Pos: 12}); len(l.Entries) != 0 || l.TooLong || l.Pos != 12 {
		t.Errorf("nothing new: %+v", l)
	}
	for _, d := range []protocol.Diff{{Epoch: "other", Pos: 1}, {Epoch: epoch, Pos: 13}} {
		if !get(d).TooLong {
			t.Errorf("%+v was answered", d)
		}
	}
}

func TestDiffOfLargeMessagesStaysUnderTheLimit(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	text := strings.Repeat("x", 11<<10)
	var sent []<-chan protocol.Answer
	for i := range 150 {
		sent = append(sent, alice.startSend("bob", fmt.Sprint(i), text))
	}
	for _, ch := range sent {
		alice.sent(ch)
	}
	pos, epoch := uint64(0), bob.epoch()
	for pos < 150 {
		a := bob.call(protocol.OpDiff, "", protocol.Marshal(protocol.Diff{Epoch: epoch, Pos: pos}))
		l := protocol.ParseLog(a.Body)
		if len(a.Body) > protocol.MaxLine || l.From != pos+1 || len(l.Entries) == 0 {
			t.Fatalf("at %d: %d bytes from %d", pos, len(a.Body), l.From)
		}
		pos += uint64(len(l.Entries))
	}
	r := ask[protocol.Ranged](bob, protocol.OpRange, "", protocol.Range{Target: protocol.Target{Peer: "alice"}, Limit: 100})
	if r.Hi != 150 || r.Lo != 150-uint64(len(r.Msgs))+1 || len(r.Msgs) == 100 {
		t.Errorf("range %d to %d with %d messages", r.Lo, r.Hi, len(r.Msgs))
	}
	page := bob.call(protocol.OpSnapshot, "", nil)
	if len(page.Body) > protocol.MaxLine {
		t.Errorf("a page of %d bytes", len(page.Body))
	}
}

func TestSnapshotPages(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	bob := s.login(t, "bob")
	const users = 105
	for i := range users {
		c := s.login(t, fmt.Sprintf("u%03d", i))
		c.send("bob", "k", "first")
		c.send("bob", "k2", "second")
		c.close()
	}
	bob.entries(2 * users)
	ask[protocol.Changed](bob, protocol.OpRead, "r", protocol.Read{Target: protocol.Target{Peer: "u104"}, Seq: 1})
	ask[protocol.Changed](bob, protocol.OpClear, "c", protocol.Clear{Target: protocol.Target{Peer: "u103"}, Seq: 2})
	var got []string
	for cursor := ""; ; {
		p := ask[protocol.SnapshotPage](bob, protocol.OpSnapshot, "", protocol.Snapshot{Cursor: cursor, Limit: 40})
		if p.Pos != 2*users+2 {
			t.Fatalf("position %d", p.Pos)
		}
		for _, c := range p.Convs {
			got = append(got, fmt.Sprintf("%s %d/%d %d", c.Peer, c.ReadCount, c.PeerCount, len(c.Msgs)))
		}
		if cursor = p.Cursor; cursor == "" {
			break
		}
	}
	want := []string{"u104 1/2 1"}
	for i := users - 3; i >= 0; i-- {
		inline := 2
		if len(want) >= 100 {
			inline = 1
		}
		want = append(want, fmt.Sprintf("u%03d 0/2 %d", i, inline))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	deleted := ask[protocol.SnapshotPage](bob, protocol.OpSnapshot, "", protocol.Snapshot{Limit: 2, Deleted: true}).Convs[1]
	if deleted.Peer != "u103" || deleted.ReadCount != 2 || deleted.ClearSeq != 2 || len(deleted.Msgs) != 0 {
		t.Errorf("%+v", deleted)
	}
}

// TestOrderUnderConcurrentSenders has everybody write to everybody. Each connection must see its user's log without a
// hole and in order, the answers to its own messages included.
func TestOrderUnderConcurrentSenders(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	const users, each = 5, 200
	names := make([]string, users)
	clients := make([]*client, users)
	for i := range users {
		names[i] = fmt.Sprint("user", i)
		clients[i] = s.login(t, names[i])
	}
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() {
			var sent []<-chan protocol.Answer
			for n := range each {
				sent = append(sent, c.startSend(names[(i+1+n%(users-1))%users], fmt.Sprint("k", n), "x"))
			}
			for _, ch := range sent {
				c.sent(ch)
			}
		})
	}
	all.Wait()
	for i, c := range clients {
		ask[protocol.Pong](c, protocol.OpPing, "", struct{}{}) // behind all pushes
		order := c.arrived()
		for n, pos := range order {
			if pos != uint64(n+1) {
				t.Fatalf("user %d: position %d arrived after %d others", i, pos, n)
			}
		}
		if len(order) != 2*each {
			t.Errorf("user %d: %d of %d positions arrived", i, len(order), 2*each)
		}
	}
	for _, name := range names[1:] {
		c := clients[0]
		r := ask[protocol.Ranged](c, protocol.OpRange, "", protocol.Range{Target: protocol.Target{Peer: name}, Limit: 100})
		if r.Max != 2*each/(users-1) || len(r.Msgs) != int(r.Max) {
			t.Errorf("%s: newest seq %d, %d messages", name, r.Max, len(r.Msgs))
		}
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	var sent []protocol.Sent
	for i := range 20 {
		sent = append(sent, alice.send("bob", fmt.Sprint(i), "x"))
	}
	ask[protocol.Changed](bob, protocol.OpRead, "r", protocol.Read{Target: protocol.Target{Peer: "alice"}, Seq: 7})
	before := diff(bob, 0)
	page := ask[protocol.SnapshotPage](bob, protocol.OpSnapshot, "", protocol.Snapshot{})
	s.stop()

	s = serve(t, dir, nil)
	alice, bob = s.login(t, "alice"), s.login(t, "bob")
	if after := diff(bob, 0); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("log was\n%v\nand is\n%v", before, after)
	}
	if again := ask[protocol.SnapshotPage](bob, protocol.OpSnapshot, "", protocol.Snapshot{}); fmt.Sprint(again) != fmt.Sprint(page) {
		t.Errorf("snapshot was\n%v\nand is\n%v", page, again)
	}
	if again := alice.send("bob", "3", "x"); again != sent[3] {
		t.Errorf("a key of the life before got %+v, not %+v", again, sent[3])
	}
	if next := alice.send("bob", "20", "x"); next.Seq != 21 || next.Count != 21 || next.Time < sent[19].Time {
		t.Errorf("%+v", next)
	}
}
