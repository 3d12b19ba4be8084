package message_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"timbre/protocol"
	"timbre/server/message"
	"timbre/sqlite"
)

// theGroup is the group in which all users are; the model calls it by this number instead of a pair.
const theGroup = 1

// said is a message of the model.
type said struct {
	from    int64
	text    string
	time    time.Duration
	version uint64
	gone    bool // revoked, or too old
	only    []int64
	hidden  map[int64]bool
}

// archive is the module and a plain model of what each user may find.
type archive struct {
	*bench
	convs map[[2]int64][]*said // by pair; the group is {0, theGroup}; in the order of seq
	clear map[[3]int64]int     // by user and conversation: how many he does not see
	n     int
}

var vocabulary = []string{"今天", "天气", "apple", "好", "42"}

func newArchive(t *rapid.T, dir string) *archive {
	a := &archive{bench: benchIn(t, dir), convs: map[[2]int64][]*said{}, clear: map[[3]int64]int{}}
	a.write(func(tx *sqlite.Tx) error {
		for uid := int64(1); uid <= users; uid++ {
			if uid == 1 {
				if err := a.messages.OpenRoom(tx, theGroup, "g"); err != nil {
					return err
				}
			}
			if err := a.messages.Sit(tx, theGroup, uid, true); err != nil {
				return err
			}
		}
		return nil
	})
	return a
}

// place draws a user and a conversation of his.
func (a *archive) place(t *rapid.T) (uid int64, conv [2]int64, w message.Where) {
	uid = rapid.Int64Range(1, users).Draw(t, "user")
	if rapid.Bool().Draw(t, "group") {
		return uid, [2]int64{0, theGroup}, message.Where{GID: theGroup, Group: "g"}
	}
	peer := rapid.Int64Range(1, users).Draw(t, "peer")
	return uid, pairOf(uid, peer), message.Where{Peer: user(peer)}
}

func pairOf(a, b int64) [2]int64 { return conv(a, b) }

func (a *archive) draw(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 1, 3).Draw(t, "text"), " ")
}

func (a *archive) key() string { a.n++; return fmt.Sprint("key", a.n) }

func (a *archive) say(t *rapid.T) {
	uid, c, w := a.place(t)
	m := &said{from: uid, text: a.draw(t), time: a.ahead, hidden: map[int64]bool{}}
	o := &message.Outgoing{From: user(uid), To: w.Peer, GID: w.GID, Key: a.key(), Content: content(m.text)}
	if w.GID != 0 && rapid.Bool().Draw(t, "directed") {
		m.only = []int64{rapid.Int64Range(1, users).Draw(t, "target")}
		o.Targets = m.only
	}
	a.convs[c] = append(a.convs[c], m)
	a.write(func(tx *sqlite.Tx) (err error) {
		if w.GID != 0 {
			_, _, err = a.messages.Post(tx, o)
			return err
		}
		_, _, err = a.messages.Send(tx, o)
		return err
	})
}

// some draws a message that a user may change.
func (a *archive) some(t *rapid.T) (m *said, ch *message.Change, c [2]int64) {
	uid, c, w := a.place(t)
	list := a.convs[c]
	if len(list) == 0 {
		t.Skip("nothing said")
	}
	i := rapid.IntRange(0, len(list)-1).Draw(t, "message")
	m = list[i]
	if !a.sees(uid, c, i, m) || m.from != uid {
		t.Skip("not his")
	}
	return m, &message.Change{User: user(uid), Where: w, Key: a.key(), Seq: uint64(i + 1)}, c
}

func (a *archive) edit(t *rapid.T) {
	m, ch, _ := a.some(t)
	m.text = a.draw(t)
	a.write(func(tx *sqlite.Tx) error {
		_, _, err := a.messages.Edit(tx, ch, m.version, content(m.text))
		return err
	})
	m.version++
}

func (a *archive) revoke(t *rapid.T) {
	m, ch, _ := a.some(t)
	m.gone = true
	a.write(func(tx *sqlite.Tx) error { _, _, err := a.messages.Revoke(tx, ch, ""); return err })
}

func (a *archive) hide(t *rapid.T) {
	m, ch, _ := a.some(t)
	m.hidden[ch.User.UID] = true
	v := &message.Move{User: ch.User, Where: ch.Where, Key: ch.Key}
	a.write(func(tx *sqlite.Tx) error { _, _, err := a.messages.Delete(tx, v, []uint64{ch.Seq}); return err })
}

func (a *archive) forget(t *rapid.T) {
	_, ch, c := a.some(t)
	k := [3]int64{ch.User.UID, c[0], c[1]}
	a.clear[k] = max(a.clear[k], int(ch.Seq))
	v := &message.Move{User: ch.User, Where: ch.Where, Key: ch.Key, Seq: ch.Seq}
	a.write(func(tx *sqlite.Tx) error { _, _, err := a.messages.Clear(tx, v); return err })
}

// age lets time pass, and sweeps what is older than a day.
func (a *archive) age(t *rapid.T) {
	// The minute keeps ages off the limit itself, where the time between two lines of the test would decide.
	a.ahead += time.Duration(rapid.IntRange(1, 14).Draw(t, "hours"))*time.Hour + time.Minute
	for _, list := range a.convs {
		for _, m := range list {
			m.gone = m.gone || a.ahead-m.time >= 24*time.Hour
		}
	}
	a.write(func(tx *sqlite.Tx) error { _, err := a.messages.Sweep(tx); return err })
}

func (a *archive) index(t *rapid.T) {
	convs := rapid.SliceOf(rapid.SampledFrom([]int64{-theGroup, 1, 2, 3, 4, 5, 6})).Draw(t, "conversations")
	a.write(func(tx *sqlite.Tx) error { _, err := a.messages.IndexSome(tx, convs); return err })
}

// sees says whether a user may find message i of a conversation.
func (a *archive) sees(uid int64, c [2]int64, i int, m *said) bool {
	return !m.gone && !m.hidden[uid] && i >= a.clear[[3]int64{uid, c[0], c[1]}] &&
		(m.only == nil || m.from == uid || slices.Contains(m.only, uid))
}

// check compares what every user finds with what he should find.
func (a *archive) check(t *rapid.T) {
	search := protocol.Search{Keywords: rapid.SliceOfNDistinct(rapid.SampledFrom(vocabulary), 0, 2, rapid.ID).Draw(t, "keywords"), And: rapid.Bool().Draw(t, "and")}
	var senders []int64
	if len(search.Keywords) == 0 || rapid.Bool().Draw(t, "by sender") {
		senders = []int64{rapid.Int64Range(1, users).Draw(t, "sender")}
		search.Senders = []string{user(senders[0]).Name}
	}
	for uid := int64(1); uid <= users; uid++ {
		want := map[string]int{}
		for c, list := range a.convs {
			if c[0] != 0 && c[0] != uid && c[1] != uid {
				continue
			}
			name, w := "g", message.Where{GID: theGroup, Group: "g"}
			if c[0] != 0 {
				w = message.Where{Peer: user(c[0] + c[1] - uid)}
				name = w.Peer.Name
			}
			var texts []string
			for i, m := range list {
				if a.sees(uid, c, i, m) && matches(m, &search, senders) {
					texts = append(texts, m.text)
				}
			}
			slices.Reverse(texts)
			if got := a.all(uid, &w, search, senders); !slices.Equal(got, texts) {
				t.Fatalf("user %d finds in %s %q, want %q, by %+v", uid, name, got, texts, search)
			}
			if len(texts) > 0 {
				want[name] = len(texts)
			}
		}
		if got := a.totals(t, uid, search, senders); !maps.Equal(got, want) {
			t.Fatalf("user %d finds %v, want %v, by %+v", uid, got, want, search)
		}
	}
}

func matches(m *said, s *protocol.Search, senders []int64) bool {
	if senders != nil && !slices.Contains(senders, m.from) {
		return false
	}
	n := 0
	for _, k := range s.Keywords {
		if strings.Contains(m.text, k) {
			n++
		}
	}
	return len(s.Keywords) == 0 || n == len(s.Keywords) || n > 0 && !s.And
}

// ask searches as the gateway does.
func (a *archive) ask(ask *message.Question) (f protocol.Found) {
	if err := a.messages.CheckSearch(&ask.Search); err != nil {
		a.t.Fatal(err)
	}
	read := func(fn func(q sqlite.Queryer) error) {
		if err := a.store.Read(context.Background(), fn); err != nil {
			a.t.Fatal(err)
		}
	}
	var late []int64
	read(func(q sqlite.Queryer) (err error) { late, err = a.messages.Unindexed(q, ask); return err })
	for len(late) > 0 {
		a.write(func(tx *sqlite.Tx) (err error) { late, err = a.messages.IndexSome(tx, late); return err })
	}
	read(func(q sqlite.Queryer) error {
		body, err := a.messages.Search(q, ask)
		if err == nil {
			err = json.Unmarshal(body, &f)
		}
		return err
	})
	return f
}

// all walks the pages of one conversation.
func (a *archive) all(uid int64, w *message.Where, s protocol.Search, senders []int64) (texts []string) {
	for s.Count = 2; ; {
		f := a.ask(&message.Question{Search: s, User: user(uid), Where: w, Senders: senders})
		for _, c := range f.Convs {
			for _, m := range c.Msgs {
				texts = append(texts, gjson.GetBytes(m, "m.el.0.text_elem_content").String())
			}
		}
		if s.Cursor = f.Cursor; s.Cursor == "" {
			if f.Total != len(texts) {
				a.t.Fatal("total ", f.Total, " of ", texts)
			}
			return texts
		}
	}
}

// totals walks the pages over all conversations.
func (a *archive) totals(t *rapid.T, uid int64, s protocol.Search, senders []int64) map[string]int {
	got := map[string]int{}
	for s.Count = 2; ; {
		f := a.ask(&message.Question{Search: s, User: user(uid), Senders: senders})
		for _, c := range f.Convs {
			if got[c.Peer+c.Group] != 0 || (c.Total == 1) != (len(c.Msgs) == 1) || len(c.Msgs) > 1 {
				t.Fatalf("%+v after %v", c, got)
			}
			got[c.Peer+c.Group] = c.Total
		}
		if s.Cursor = f.Cursor; s.Cursor == "" {
			if f.Total != len(got) {
				t.Fatalf("total %d of %v", f.Total, got)
			}
			return got
		}
	}
}

func TestSearchFindsWhatAUserMaySee(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		sub := filepath.Join(dir, fmt.Sprint(n))
		defer os.RemoveAll(sub)
		a := newArchive(t, sub)
		defer a.store.Close()
		t.Repeat(map[string]func(*rapid.T){
			"say": a.say, "say more": a.say, "edit": a.edit, "revoke": a.revoke, "hide": a.hide, "clear": a.forget, "age": a.age,
			"index": a.index, "check": a.check,
		})
		a.check(t)
	})
}
