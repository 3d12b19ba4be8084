package message_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/store"
	"timbre/sqlite"
)

// names gives user n the name "un".
type names struct{}

func (names) Name(_ sqlite.Queryer, uid int64) (string, error) { return fmt.Sprint("u", uid), nil }

func (names) Profile(_ sqlite.Queryer, uid int64) (protocol.Profile, error) {
	return protocol.Profile{User: fmt.Sprint("u", uid)}, nil
}

func user(n int64) message.User { return message.User{UID: n, Name: fmt.Sprint("u", n)} }

// world is the module over a real database, and a plain model of what must come out.
type world struct {
	t        *rapid.T
	store    *store.Store
	messages *message.Messages
	reader   *changelog.Reader
	convs    map[[2]int64][]stored
	read     map[[2]int64]uint64 // user, peer
	seen     map[[2]int64]uint64
	clear    map[[2]int64]uint64
	hide     map[[2]int64]uint64
	keys     map[int64][]repeat // by sender
	wait     []chan error
	sends    int
}

// stored is a message of the model; a conversation's slice is in the order of seq.
type stored struct {
	from   int64
	key    string
	counts bool
}

type repeat struct {
	out  message.Outgoing
	sent *protocol.Sent
}

const users = 3

func newWorld(t *rapid.T, dir string) *world {
	log := changelog.New(time.Now)
	m := message.New(log, names{}, message.Rules{}, time.Now)
	s, err := store.Open(store.Config{Dir: dir, Schemas: []sqlite.Schema{changelog.Schema(), message.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, store: s, messages: m, reader: changelog.NewReader(s.Epoch(), m), convs: map[[2]int64][]stored{},
		read: map[[2]int64]uint64{}, seen: map[[2]int64]uint64{}, clear: map[[2]int64]uint64{}, hide: map[[2]int64]uint64{},
		keys: map[int64][]repeat{}}
}

func conv(a, b int64) [2]int64 { return [2]int64{min(a, b), max(a, b)} }

// submit runs a change together with others; check looks at its result after the commit.
func (w *world) submit(apply func(*sqlite.Tx) error, check func()) {
	done := make(chan error, 1)
	w.wait = append(w.wait, done)
	w.store.Submit(apply, func(err error) {
		if err == nil {
			check()
		}
		done <- err
	})
}

func (w *world) settle() {
	for _, ch := range w.wait {
		if err := <-ch; err != nil {
			w.t.Fatal(err)
		}
	}
	w.wait = nil
}

func (w *world) pick(t *rapid.T) (a, b int64) {
	return rapid.Int64Range(1, users).Draw(t, "user"), rapid.Int64Range(1, users).Draw(t, "peer")
}

func (w *world) send(t *rapid.T) {
	a, b := w.pick(t)
	w.sends++
	m := stored{from: a, key: fmt.Sprint("k", w.sends), counts: rapid.Bool().Draw(t, "counts")}
	w.convs[conv(a, b)] = append(w.convs[conv(a, b)], m)
	o := message.Outgoing{From: user(a), To: user(b), Key: m.key, Content: []byte(`{"el":[]}`), Traits: message.Traits{Counts: m.counts}}
	want, sent := uint64(len(w.convs[conv(a, b)])), &protocol.Sent{}
	w.keys[a] = append(w.keys[a], repeat{o, sent})
	w.submit(func(tx *sqlite.Tx) (err error) { *sent, _, err = w.messages.Send(tx, &o); return err }, func() {
		if sent.Seq != want {
			w.t.Errorf("%s got seq %d, want %d", o.Key, sent.Seq, want)
		}
	})
}

// again repeats a key, in the same batch as the first time or later.
func (w *world) again(t *rapid.T) {
	a, _ := w.pick(t)
	if len(w.keys[a]) == 0 {
		t.Skip("nothing sent yet")
	}
	r := rapid.SampledFrom(w.keys[a]).Draw(t, "key")
	var got protocol.Sent
	var changes []changelog.Change
	w.submit(func(tx *sqlite.Tx) (err error) { got, changes, err = w.messages.Send(tx, &r.out); return err }, func() {
		if got != *r.sent || len(changes) > 0 {
			w.t.Errorf("%s again got %+v, first %+v", r.out.Key, got, *r.sent)
		}
	})
}

func (w *world) move(t *rapid.T) {
	a, b := w.pick(t)
	msgs := w.convs[conv(a, b)]
	seq := rapid.Uint64Range(0, uint64(len(msgs))+1).Draw(t, "seq")
	w.sends++
	v := &message.Move{User: user(a), Where: message.Where{Peer: user(b)}, Key: fmt.Sprint("k", w.sends), Seq: seq}
	side, to := [2]int64{a, b}, min(seq, uint64(len(msgs)))
	op := w.messages.Clear
	switch rapid.SampledFrom([]string{"read", "clear", "keep", "hide"}).Draw(t, "how") {
	case "read":
		op = w.messages.Read
		if to > w.read[side] && a != b {
			w.seen[side] = to
		}
	case "clear":
		w.clear[side], w.hide[side] = max(w.clear[side], to), max(w.hide[side], to)
	case "keep":
		v.Keep, w.clear[side] = true, max(w.clear[side], to)
	case "hide":
		v.Hide, w.hide[side] = true, max(w.hide[side], to)
	}
	w.read[side] = max(w.read[side], to)
	want := w.countable(b, a, w.read[side])
	var got protocol.Changed
	w.submit(func(tx *sqlite.Tx) (err error) { got, _, err = op(tx, v); return err }, func() {
		if len(msgs) > 0 && got.Count != want {
			w.t.Errorf("%d read %d up to %d: count %d, want %d", a, b, seq, got.Count, want)
		}
	})
}

// countable counts the messages of one user to another that count as unread, up to seq.
func (w *world) countable(from, to int64, seq uint64) (n uint64) {
	for i, m := range w.convs[conv(from, to)] {
		if from != to && m.from == from && m.counts && uint64(i) < seq {
			n++
		}
	}
	return n
}

// check holds snapshot and log of every user against the model.
func (w *world) check(_ *rapid.T) {
	w.settle()
	for u := int64(1); u <= users; u++ {
		want := map[string]protocol.Conversation{}
		for p := int64(1); p <= users; p++ {
			n := uint64(len(w.convs[conv(u, p)]))
			if n == 0 {
				continue
			}
			mine, theirs := [2]int64{u, p}, [2]int64{p, u}
			c := protocol.Conversation{Peer: user(p).Name, Max: n, PeerCount: w.countable(p, u, n), ReadSeq: w.read[mine],
				ReadCount: w.countable(p, u, w.read[mine]), ClearSeq: w.clear[mine], HideSeq: w.hide[mine]}
			if u != p {
				c.SeenSeq = w.seen[theirs]
			}
			want[c.Peer] = c
		}
		w.same(u, "snapshot", w.snapshot(u, true), want)
		w.same(u, "log", w.replay(u), want)
		for peer, c := range want {
			if c.HideSeq == c.Max {
				delete(want, peer)
			}
		}
		w.same(u, "list", w.snapshot(u, false), want)
	}
}

func (w *world) same(u int64, source string, got, want map[string]protocol.Conversation) {
	if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b {
		w.t.Fatalf("user %d by %s\ngot  %s\nwant %s", u, source, a, b)
	}
}

func (w *world) snapshot(u int64, deleted bool) map[string]protocol.Conversation {
	got := map[string]protocol.Conversation{}
	for cursor := ""; ; {
		var page protocol.SnapshotPage
		w.query(&page, func(q sqlite.Queryer) ([]byte, error) {
			return w.messages.Snapshot(q, u, "e", 0, protocol.Snapshot{Cursor: cursor, Limit: 2, Deleted: deleted})
		})
		for _, c := range page.Convs {
			if unread := c.PeerCount > c.ReadCount; c.Max > c.ClearSeq && len(c.Msgs) == 0 || !unread && len(c.Msgs) > 1 {
				w.t.Errorf("%+v has %d messages", c, len(c.Msgs))
			}
			if c.Time == 0 {
				w.t.Errorf("%+v has no time", c)
			}
			c.Msgs, c.SeenTime, c.Time = nil, 0, 0
			got[c.Peer] = c
		}
		if cursor = page.Cursor; cursor == "" {
			return got
		}
	}
}

func (w *world) query(into any, fn func(sqlite.Queryer) ([]byte, error)) {
	err := w.store.Read(context.Background(), func(q sqlite.Queryer) error {
		body, err := fn(q)
		if err != nil {
			return err
		}
		return json.Unmarshal(body, into)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// replay builds the conversations from the change log, as a client does.
func (w *world) replay(u int64) map[string]protocol.Conversation {
	got := map[string]protocol.Conversation{}
	for pos := uint64(0); ; {
		var body json.RawMessage
		w.query(&body, func(q sqlite.Queryer) ([]byte, error) {
			return w.reader.Diff(q, u, u, protocol.Diff{Epoch: w.store.Epoch(), Pos: pos, Limit: 3})
		})
		l := protocol.ParseLog(body)
		if l.TooLong || l.From != pos+1 {
			w.t.Fatalf("user %d: diff from %d begins at %d", u, pos, l.From)
		}
		for i := range l.Entries {
			apply(got, user(u).Name, &l.Entries[i])
		}
		if pos += uint64(len(l.Entries)); pos == l.Pos {
			return got
		}
	}
}

func apply(got map[string]protocol.Conversation, self string, e *protocol.Entry) {
	peer := e.Peer
	if e.Kind == protocol.EntryMessage {
		if peer = e.Message.From; peer == self {
			peer = e.Message.To
		}
	}
	c := got[peer]
	c.Peer = peer
	switch e.Kind {
	case protocol.EntryMessage:
		c.Max = e.Seq
		if e.Message.From != self {
			c.PeerCount = e.Count
		}
	case protocol.EntryRead:
		c.ReadSeq, c.ReadCount = e.Seq, e.Count
	case protocol.EntrySeen:
		c.SeenSeq = e.Seq
	case protocol.EntryClear:
		var d protocol.Cleared
		if err := json.Unmarshal(e.Data, &d); err != nil || d.All {
			panic(fmt.Sprintf("%s says %s", e.Kind, e.Data))
		}
		if !d.Hide {
			c.ClearSeq = max(c.ClearSeq, e.Seq)
		}
		if !d.Keep {
			c.HideSeq = max(c.HideSeq, e.Seq)
		}
		c.ReadSeq, c.ReadCount = max(c.ReadSeq, e.Seq), e.Count
	}
	got[peer] = c
}

// TestRandomOperations runs random changes, many to a transaction, and holds what two ways of synchronising bring
// against a model.
func TestRandomOperations(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		own := filepath.Join(dir, fmt.Sprint(runs))
		w := newWorld(t, own)
		defer os.RemoveAll(own)
		defer w.store.Close()
		t.Repeat(map[string]func(*rapid.T){"send": w.send, "repeat": w.again, "move": w.move, "look": w.check})
		w.check(t)
	})
}
