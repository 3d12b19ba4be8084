package conversation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// host notes what it is told.
type host struct{ told []event.Event }

func (h *host) Emit(e event.Event) { h.told = append(h.told, e) }
func (h *host) Waiting() int       { return 0 }

// fataler is what tests and properties fail by.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// shelf is a book with its database and its host.
type shelf struct {
	t     fataler
	store *store.Store
	book  *Book
	host  host
}

func open(t fataler, folder string) *shelf {
	t.Helper()
	st, err := store.Open(folder, Schema)
	if err != nil {
		t.Fatalf("%v", err)
	}
	s := &shelf{t: t, store: st}
	s.book = New(&s.host, func(_ sqlite.Queryer, c *Conversation) string { return fmt.Sprintf("%q", c.Peer) })
	return s
}

func (s *shelf) write(apply func(tx *store.Tx) error) {
	s.t.Helper()
	if err := s.store.Write(context.Background(), apply); err != nil {
		s.t.Fatalf("%v", err)
	}
}

// change changes a conversation and touches it.
func (s *shelf) change(peer string, change func(tx *store.Tx, e *Entry)) {
	s.t.Helper()
	s.write(func(tx *store.Tx) error {
		e, err := s.book.Open(tx, tim.ConvC2C, peer)
		if err == nil {
			change(tx, e)
			e.Touch(tx, false)
		}
		return err
	})
}

func (s *shelf) read(read func(q sqlite.Queryer) error) {
	s.t.Helper()
	if err := s.store.Read(context.Background(), read); err != nil {
		s.t.Fatalf("%v", err)
	}
}

func (s *shelf) peers() []string {
	s.t.Helper()
	var all []string
	s.read(func(q sqlite.Queryer) error {
		list, err := List(q)
		for _, c := range list {
			all = append(all, c.Peer)
		}
		return err
	})
	return all
}

// heard returns the events since the last time: the setter without "TIMSetConv" and "Callback", and the arguments.
func (s *shelf) heard() (all []string) {
	for _, e := range s.host.told {
		name := strings.TrimSuffix(strings.TrimPrefix(e.Setter.String(), "TIMSetConv"), "Callback")
		for _, a := range e.Args {
			if a.Text != "" {
				name += " " + a.Text
			} else {
				name += fmt.Sprint(" ", a.Num)
			}
		}
		all = append(all, name)
	}
	s.host.told = nil
	return all
}

func (s *shelf) expect(want ...string) {
	s.t.Helper()
	if got := s.heard(); !slices.Equal(got, want) {
		s.t.Fatalf("the host heard\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func targets(peers ...string) (list []protocol.Target) {
	for _, p := range peers {
		list = append(list, protocol.Target{Peer: p})
	}
	return list
}

func (s *shelf) group(change, name string, peers ...string) (fits bool) {
	s.t.Helper()
	return s.regroup(protocol.ConvGroupChange{Change: change, Name: name, Convs: targets(peers...)})
}

func (s *shelf) rename(name, to string) bool {
	s.t.Helper()
	return s.regroup(protocol.ConvGroupChange{Change: protocol.ConvGroupRename, Name: name, New: to})
}

func (s *shelf) regroup(c protocol.ConvGroupChange) (fits bool) {
	s.t.Helper()
	s.write(func(tx *store.Tx) (err error) {
		fits, err = s.book.ChangeGroup(tx, &c)
		return err
	})
	return fits
}

// groups is what stands in each conversation group, by its name.
func (s *shelf) groups() map[string][]string {
	s.t.Helper()
	all := map[string][]string{}
	s.read(func(q sqlite.Queryer) error {
		names, err := Groups(q)
		if err != nil {
			return err
		}
		for _, name := range names {
			all[name] = []string{}
		}
		members, err := list(q, `WHERE in_groups<>'' ORDER BY peer`)
		for _, c := range members {
			for _, name := range c.GroupNames() {
				if all[name] == nil {
					return fmt.Errorf("%s stands in %q, which is no group", c.Peer, name)
				}
				all[name] = append(all[name], c.Peer)
			}
		}
		return err
	})
	return all
}

func TestEventsOfGroups(t *testing.T) {
	s := open(t, "")
	defer s.store.Close()
	for _, p := range []string{"a", "b"} {
		s.change(p, func(tx *store.Tx, e *Entry) { e.Touch(tx, true) })
	}
	s.heard()
	s.group(protocol.ConvGroupCreate, "x", "a", "b", "a")
	s.expect(`Event 2 ["a"]`, `Event 2 ["b"]`, `ConversationGroupCreated x ["a","b"]`)
	s.group(protocol.ConvGroupAdd, "x", "b")
	s.expect()
	s.rename("x", "y")
	s.expect(`Event 2 ["a"]`, `Event 2 ["b"]`, `ConversationGroupNameChanged x y`)
	s.group(protocol.ConvGroupRemove, "y", "a", "c")
	s.expect(`Event 2 ["a"]`, `ConversationsDeletedFromGroup y ["a"] 0`)
	s.group(protocol.ConvGroupAdd, "y", "c")
	s.expect(`ConversationsAddedToGroup y ["c"]`) // it is not in the list
	s.group(protocol.ConvGroupDelete, "y")
	s.expect(`Event 2 ["b"]`, `ConversationGroupDeleted y`)
	if got := s.groups(); len(got) != 0 {
		t.Errorf("left are %v", got)
	}
}

// A conversation is announced once a batch, and what undoes itself while it waits is not announced at all.
func TestMerge(t *testing.T) {
	for _, c := range []struct {
		older, newer, want int
		some               bool
	}{
		{tim.ConvEventAdd, tim.ConvEventUpdate, tim.ConvEventAdd, true},
		{tim.ConvEventAdd, tim.ConvEventDel, 0, false},
		{tim.ConvEventUpdate, tim.ConvEventDel, tim.ConvEventDel, true},
		{tim.ConvEventDel, tim.ConvEventAdd, tim.ConvEventUpdate, true},
		{tim.ConvEventUpdate, tim.ConvEventUpdate, tim.ConvEventUpdate, true},
	} {
		of := func(kind int, text string) event.Event {
			return event.Event{Args: []event.Arg{event.Num(kind), event.Text(text)}}
		}
		got, some := merge(of(c.older, "old"), of(c.newer, "new"))
		if some != c.some || some && (got.Args[0].Num != uint64(c.want) || got.Args[1].Text != "new") {
			t.Errorf("%d and then %d: %v %v, want %d %v", c.older, c.newer, got.Args, some, c.want, c.some)
		}
	}
}

// A page of a long list comes from the index in its order.
func TestListUsesTheIndex(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.store.Close()
	mark := uint64(1)
	where, _ := Filter{Mark: &mark}.where()
	for _, query := range []string{
		`SELECT ` + columns + ` FROM conversation WHERE visible ORDER BY place DESC`,
		`SELECT ` + columns + ` FROM conversation WHERE visible AND place<5` + where + ` ORDER BY place DESC LIMIT 20`,
		`SELECT place FROM conversation WHERE visible AND place<5 ORDER BY place DESC LIMIT 1`,
		`SELECT id FROM conversation WHERE visible AND place=5 AND id<>5`,
	} {
		s.planned(query, "INDEX conversation_place")
	}
	s.planned(countUnread+where, "INDEX conversation_unread")
}

// planned fails unless the plan of a query says so.
func (s *shelf) planned(query, says string) {
	s.t.Helper()
	s.read(func(q sqlite.Queryer) error {
		return q.Query(`EXPLAIN QUERY PLAN `+strings.ReplaceAll(query, "?", "1"), func(scan func(...any) error) error {
			var id, parent, unused int
			var detail string
			err := scan(&id, &parent, &unused, &detail)
			if err == nil && !strings.Contains(detail, says) {
				return fmt.Errorf("%s\n\t%s, want %s", query, detail, says)
			}
			return err
		})
	})
}

// A database of the release before keeps its list and its order; what had been deleted there stays hidden.
func TestUpgrade(t *testing.T) {
	folder := t.TempDir()
	before := Schema
	before.Steps = Schema.Steps[:2]
	st, err := store.Open(folder, before)
	if err != nil {
		t.Fatal(err)
	}
	err = st.Write(context.Background(), func(tx *store.Tx) error {
		return tx.Exec(`INSERT INTO conversation (type,peer,visible,active,clear_seq) VALUES (1,'old',1,5,0),(1,'new',1,9,0),(1,'same',1,9,0),(1,'gone',0,7,3)`)
	})
	st.Close()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, folder)
	defer s.store.Close()
	if got := s.peers(); !slices.Equal(got, []string{"same", "new", "old"}) {
		t.Errorf("the list is %v", got)
	}
	s.read(func(q sqlite.Queryer) error {
		c, err := Find(q, tim.ConvC2C, "gone")
		if err == nil && c.HideSeq != 3 {
			t.Errorf("hidden up to %d, want 3", c.HideSeq)
		}
		return err
	})
}

// Of conversations that come newest first, as in a snapshot, none stands above a newer one, however many share a time.
func TestPlacesKeepTheOrderOfTimes(t *testing.T) {
	s := open(t, "")
	defer s.store.Close()
	const all, together = 1500, 500
	s.write(func(tx *store.Tx) error {
		for i := range all {
			e, err := s.book.Open(tx, tim.ConvC2C, fmt.Sprint(i))
			if err != nil {
				return err
			}
			e.Place(tx, 1000-int64(i/together))
		}
		return nil
	})
	for i, peer := range s.peers() {
		if n, _ := strconv.Atoi(peer); n/together != i/together {
			t.Fatalf("%s stands at %d", peer, i)
		}
	}
}

func TestFilterUnderstandsTheOlderKeyOfAGroup(t *testing.T) {
	for text, want := range map[string]string{
		`{"conversation_list_filter_group_name":"work"}`:                                                    "work",
		`{"conversation_list_filter_group_name":"old","conversation_list_filter_conversation_group":"new"}`: "new",
	} {
		if f, err := ParseFilter(text); err != nil || f.Group == nil || *f.Group != want {
			t.Errorf("%s became %s (%v)", text, f.JSON(), err)
		}
	}
}

func TestFilterIsEchoed(t *testing.T) {
	for _, text := range []string{`{}`, `{"conversation_list_filter_conv_type":1,"conversation_list_filter_conversation_group":"",` +
		`"conversation_list_filter_mark_type":9223372036854775808,"conversation_list_filter_has_unread_count":false,"conversation_list_filter_has_group_at_info":true}`} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseFilter(f.JSON())
		var want, got map[string]any
		_ = json.Unmarshal([]byte(text), &want)
		_ = json.Unmarshal([]byte(f.JSON()), &got)
		if err != nil || !f.same(again) || fmt.Sprint(want) != fmt.Sprint(got) {
			t.Errorf("%s became %s (%v)", text, f.JSON(), err)
		}
	}
}
