package sync_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/store"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// groupTables is what the client notes of groups: every entry in the order in which it came, and every state.
const groupTables = `
	CREATE TABLE group_applied (n INTEGER PRIMARY KEY, grp TEXT NOT NULL, pos INTEGER NOT NULL, kind TEXT NOT NULL) STRICT;
	CREATE TABLE group_state (grp TEXT NOT NULL, pos INTEGER NOT NULL, stale INTEGER NOT NULL, fresh INTEGER NOT NULL, may INTEGER NOT NULL) STRICT;
	CREATE TABLE gone (grp TEXT NOT NULL) STRICT`

// groupLog is a group and its log. Position n is kinds[n-1].
type groupLog struct {
	kinds   []string
	member  bool
	joined  uint64 // position of the log when the user came in the last time
	left    bool   // the user has ever left
	touched int64
	oldest  uint64
	refuse  int           // code for differences
	slow    time.Duration // before a difference is answered
}

func (g *groupLog) pos() uint64 { return uint64(len(g.kinds)) }

// changed is the newest position that is not a new message.
func (g *groupLog) changed() uint64 {
	for n := len(g.kinds); n > 0; n-- {
		if g.kinds[n-1] != protocol.EntryMessage {
			return uint64(n)
		}
	}
	return 0
}

// entry makes the entry at a position, which is also its number.
func groupEntry(group, kind string, pos uint64) *protocol.Entry {
	switch kind {
	case protocol.EntryMessage:
		return &protocol.Entry{Kind: kind, Message: protocol.Message{Seq: pos, From: "u", Group: group, Content: []byte(`{}`)}}
	case protocol.EntryNone:
		return &protocol.Entry{Kind: kind}
	}
	return &protocol.Entry{Kind: kind, Group: group, Seq: pos}
}

// groupPiece is the body with the entries from one position to another. s.mu is held.
func (s *server) groupPiece(group string, from, to, pos uint64, newest bool) []byte {
	g := s.groups[group]
	last := uint64(len(g.kinds))
	for last > 0 && g.kinds[last-1] != protocol.EntryMessage {
		last--
	}
	var entries [][]byte
	for p := from; p <= to; p++ {
		kind := g.kinds[p-1]
		if newest && kind == protocol.EntryMessage && p != last {
			kind = protocol.EntryNone
		}
		entries = append(entries, groupEntry(group, kind, p).Append(nil))
	}
	return protocol.AppendLog(nil, s.epoch, group, from, pos, entries)
}

// groupDiff answers a question for a group's log. s.mu is held.
func (s *server) groupDiff(c *linktest.Conn, id uint64, d protocol.Diff) {
	s.asked["group diff"]++
	if d.Newest {
		s.asked["group newest"]++
	}
	g := s.groups[d.Group]
	if g == nil || !g.member {
		c.Answer(id, tim.ErrSVRGroupPermissionDeny, nil)
		return
	}
	if g.refuse != 0 {
		c.Answer(id, g.refuse, nil)
		return
	}
	body := protocol.TooLongLog(s.epoch)
	if d.Epoch == s.epoch && d.Pos >= g.oldest && d.Pos <= g.pos() {
		body = s.groupPiece(d.Group, d.Pos+1, min(d.Pos+s.limit, g.pos()), g.pos(), d.Newest)
	}
	if g.slow == 0 {
		c.Answer(id, 0, body)
		return
	}
	s.asking++
	s.most = max(s.most, s.asking)
	time.AfterFunc(g.slow, func() {
		s.mu.Lock()
		s.asking--
		s.mu.Unlock()
		c.Answer(id, 0, body)
	})
}

// groupsPage answers OpGroups; the cursor is the last name of the page before. s.mu is held.
func (s *server) groupsPage(q protocol.Groups) protocol.GroupsPage {
	if q.Since == 0 {
		s.asked["all groups"]++
	}
	page := protocol.GroupsPage{Time: time.Now().UnixMilli()}
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		g := s.groups[name]
		if !g.member || g.touched < q.Since || name <= q.Cursor {
			continue
		}
		if len(page.Groups) == s.page {
			page.Cursor = page.Groups[s.page-1].Group.ID
			break
		}
		page.Groups = append(page.Groups, protocol.GroupState{Group: protocol.Group{ID: name}, Pos: g.pos(), Changed: g.changed()})
	}
	return page
}

// say adds new messages to a group and returns their piece.
func (s *server) say(group string, n int) []byte { return s.add(group, protocol.EntryMessage, n) }

// change adds other entries.
func (s *server) change(group string, n int) []byte { return s.add(group, protocol.EntryPin, n) }

func (s *server) add(group, kind string, n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[group]
	from := g.pos() + 1
	g.kinds = append(g.kinds, slices.Repeat([]string{kind}, n)...)
	g.touched = time.Now().UnixMilli()
	return s.groupPiece(group, from, g.pos(), g.pos(), false)
}

// found makes groups that the user was in from the beginning, with some history.
func (s *server) found(names ...string) {
	for _, name := range names {
		s.groups[name] = &groupLog{member: true, joined: 0, kinds: []string{"msg", "pin", "msg"}, touched: time.Now().UnixMilli()}
	}
}

// join lets the user in or out and returns the piece of his own log.
func (s *server) join(group string, in bool) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[group]
	g.member, g.touched = in, time.Now().UnixMilli()
	if in {
		g.joined = g.pos()
	} else {
		g.left = true
	}
	s.log = append(s.log, entry{group: group, in: protocol.Membership{In: in, Pos: g.pos()}})
	pos := uint64(len(s.log))
	return s.piece(pos, pos, 0)
}

func (s *server) isMember(group string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups[group].member
}

func (c *client) applyGroup(tx *store.Tx, e *protocol.Entry) error {
	switch e.Kind {
	case protocol.EntryNone:
		return nil
	case protocol.EntryGroup:
		var in protocol.Membership
		if err := json.Unmarshal(e.Data, &in); err != nil {
			return err
		}
		if in.In {
			c.engine.Follow(tx, e.Group, in.Pos)
		} else {
			c.engine.Unfollow(tx, e.Group)
		}
		return nil
	}
	return tx.Exec(`INSERT INTO group_applied (grp,pos,kind) VALUES (?,?,?)`, e.Group, int64(e.Seq), e.Kind)
}

// GroupState notes the state and whether messages may be passed over for it.
func (c *client) GroupState(tx *store.Tx, st *protocol.GroupState, stale bool) error {
	var pos int64
	known, err := tx.Get(`SELECT pos FROM group_log WHERE grp=?`, []any{&pos}, st.Group.ID)
	if err != nil {
		return err
	}
	c.mu.Lock()
	may := !known || stale || !c.finished || int64(st.Pos)-pos > 500
	c.mu.Unlock()
	return tx.Exec(`INSERT INTO group_state VALUES (?,?,?,?,?)`, st.Group.ID, int64(st.Pos), stale, !known, may)
}

func (c *client) GroupGone(tx *store.Tx, group string) error {
	return tx.Exec(`INSERT INTO gone VALUES (?)`, group)
}

// group is what the client has of a group.
type group struct {
	pos     uint64
	known   bool
	applied []uint64
	states  int
	stale   int
}

func (c *client) group(name string) (g group) {
	c.t.Helper()
	err := c.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		var pos int64
		if g.known, err = q.Get(`SELECT pos FROM group_log WHERE grp=?`, []any{&pos}, name); err != nil {
			return err
		}
		g.pos = uint64(pos)
		if _, err = q.Get(`SELECT count(*), coalesce(sum(stale),0) FROM group_state WHERE grp=?`, []any{&g.states, &g.stale}, name); err != nil {
			return err
		}
		return q.Query(`SELECT pos FROM group_applied WHERE grp=? ORDER BY n`, func(scan func(...any) error) error {
			var pos uint64
			err := scan(&pos)
			g.applied = append(g.applied, pos)
			return err
		}, name)
	})
	if err != nil {
		c.t.Fatalf("%v", err)
	}
	return g
}

// has checks the position and the entries of a group that were applied.
func (c *client) has(name string, pos uint64, applied ...uint64) {
	c.t.Helper()
	if g := c.group(name); !g.known || g.pos != pos || !slices.Equal(g.applied, applied) {
		c.t.Errorf("%s: position %d (%v) with %v, want %d with %v", name, g.pos, g.known, g.applied, pos, applied)
	}
}

// names lists what a query finds.
func (c *client) names(query string) (list []string) {
	c.t.Helper()
	err := c.store.Read(context.Background(), func(q sqlite.Queryer) error {
		return q.Query(query, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			list = append(list, name)
			return err
		})
	})
	if err != nil {
		c.t.Fatalf("%v", err)
	}
	return list
}

const followedGroups = `SELECT grp FROM group_log ORDER BY grp`

// inGroups runs a test with groups "a", "b" and "c" of three entries each.
func inGroups(t *testing.T, test func(t *testing.T, s *server, c *client)) {
	t.Helper()
	bubble(t, func(s *server) { s.found("a", "b", "c") }, test)
}

func settle() {
	time.Sleep(time.Minute)
	synctest.Wait()
}
