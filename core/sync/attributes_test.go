package sync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/store"
	"timbre/core/sync"
	"timbre/protocol"
	"timbre/sqlite"
)

// attributesPage is one conversation that is pinned, or the group of its name on the second page. s.mu is held.
func (s *server) attributesPage(body []byte) protocol.AllAttributes {
	var q protocol.AskAttributes
	_ = json.Unmarshal(body, &q)
	if q.Cursor != "" {
		return protocol.AllAttributes{Groups: []protocol.ConvGroup{{Name: fmt.Sprint("at ", len(s.log))}}}
	}
	return protocol.AllAttributes{Convs: []protocol.Attributes{{Target: protocol.Target{Peer: "p0"}, Pinned: true}}, Cursor: "2"}
}

// Attributes implements sync.Applier: it notes what else the transaction finds.
func (c *client) Attributes(tx *store.Tx, all *protocol.AllAttributes) error {
	if len(all.Convs) != 1 || len(all.Groups) != 1 || all.Cursor != "" {
		c.t.Errorf("the pages were not put together: %+v", all)
	}
	var n int
	if _, err := tx.Get(`SELECT count(*) FROM state`, []any{&n}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attributes = append(c.attributes, fmt.Sprintf("%s, %d conversations", all.Groups[0].Name, n))
	return nil
}

func (c *client) taken() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.attributes)
}

// The attributes come before the first conversations of a snapshot, in their transaction, and only once.
func TestAttributesComeWithTheFirstPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		defer s.Close()
		s.grow(3)
		c := start(t, t, s)
		defer c.stop()
		synctest.Wait()
		want := []string{"at 3, 0 conversations"}
		if got := c.taken(); !slices.Equal(got, want) {
			t.Errorf("taken %q, want %q", got, want)
		}
		c.restart()
		synctest.Wait()
		if got := c.taken(); !slices.Equal(got, want) {
			t.Errorf("taken %q after another login, want %q", got, want)
		}
	})
}

// A database of an earlier release, or one in doubt, takes the attributes at the next login, after the log.
func TestAttributesAreTakenInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		defer s.Close()
		c := start(t, t, s)
		defer c.stop()
		synctest.Wait()
		c.write(func(tx *store.Tx) error { return c.engine.Doubt(tx) })
		c.end()
		s.grow(4)
		c.run()
		time.Sleep(time.Minute) // of the bubble
		want := fmt.Sprintf("at 4, %d conversations", c.number(`SELECT count(*) FROM state`))
		if got := c.taken(); len(got) != 2 || got[1] != want {
			t.Errorf("taken %q, the second time must be %q", got, want)
		}
		if len(c.told()) != 4 {
			t.Errorf("the host was told %q", c.told())
		}
	})
}

// An answer's entry has its effect at once, and when something is missing before it, a second time at its place.
func TestStands(t *testing.T) {
	mine := protocol.Entry{Kind: protocol.EntryRead, Peer: "mine", Seq: 1000}
	for _, missing := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			defer s.Close()
			c := start(t, t, s)
			defer c.stop()
			synctest.Wait()
			asked, times := s.count(protocol.OpDiff), 1
			var before []byte
			if missing {
				before, times = s.grow(1), 2
			}
			s.grow(1)
			pos := uint64(times)
			c.write(func(tx *store.Tx) error { return c.engine.Stands(tx, pos, mine) })
			if n := c.number(`SELECT times FROM applied WHERE seq=1000`); n != 1 {
				t.Errorf("missing %v: applied %d times at once, want once", missing, n)
			}
			if missing {
				s.push(before)
			}
			time.Sleep(time.Minute)
			if at := c.number(`SELECT value FROM meta WHERE key='log_pos'`); at != times {
				t.Errorf("missing %v: stands at %d, want %d", missing, at, pos)
			}
			c.write(func(tx *store.Tx) error { return c.engine.Stands(tx, pos, mine) })
			if n := c.number(`SELECT times FROM applied WHERE seq=1000`); n != times {
				t.Errorf("missing %v: applied %d times, want %d", missing, n, times)
			}
			if n := s.count(protocol.OpDiff) - asked; n != 0 {
				t.Errorf("missing %v: %d questions, want none", missing, n)
			}
		})
	}
}

func (c *client) write(apply func(tx *store.Tx) error) {
	c.t.Helper()
	if err := c.store.Write(context.Background(), apply); err != nil {
		c.t.Fatalf("%v", err)
	}
}

func (c *client) number(query string) (n int) {
	c.t.Helper()
	err := c.store.Read(context.Background(), func(q sqlite.Queryer) error {
		_, err := q.Get(query, []any{&n})
		return err
	})
	if err != nil {
		c.t.Fatalf("%v", err)
	}
	return n
}

var _ sync.Applier = (*client)(nil)
