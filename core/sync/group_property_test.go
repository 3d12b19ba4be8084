package sync_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"timbre/protocol"
	"timbre/sqlite"
)

// Whatever comes of the user's own log and of the groups' in whatever order, cut wherever, in however many processes: in
// the end the client stands where the server stands, nothing was applied twice, each log in its order, and only what may
// be passed over was passed over.
func TestGroupsConverge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 18), 1, 50).Draw(rt, "steps")
		seed := rapid.Uint64().Draw(rt, "seed")
		var failed string
		synctest.Test(t, func(t *testing.T) {
			w := &world{server: newServer(), random: rand.New(rand.NewPCG(seed, 1)), names: []string{"a", "b", "c"}}
			failed = w.live(t, steps)
		})
		if failed != "" {
			rt.Fatal(failed)
		}
	})
}

// world is a server, its client and what happens to them.
type world struct {
	server *server
	client *client
	random *rand.Rand
	names  []string
	aside  [][]byte // pieces that were not pushed when they should have been
}

func (w *world) live(t *testing.T, steps []int) string {
	r := &recorder{}
	w.server.found(w.names...)
	w.client = start(r, t, w.server)
	defer w.server.Close()
	defer w.client.stop()
	for _, step := range steps {
		w.step(step)
		if w.random.IntN(2) == 0 {
			synctest.Wait()
		}
	}
	s, c := w.server, w.client
	s.mu.Lock()
	s.fail, s.cutOn = 0, 0
	for _, g := range s.groups {
		g.refuse, g.slow = 0, 0
	}
	s.mu.Unlock()
	time.Sleep(5 * time.Minute)
	s.push(s.grow(1))
	for _, name := range w.names {
		if s.isMember(name) {
			s.push(s.say(name, 1))
		}
	}
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	c.converged(s)
	c.groupsConverged(s)
	questions := func() int {
		return s.count(protocol.OpDiff) + s.count(protocol.OpSnapshot) + s.count(protocol.OpGroups)
	}
	before := questions()
	time.Sleep(time.Hour)
	if n := questions() - before; n != 0 {
		r.Errorf("%d questions in a quiet hour", n)
	}
	return r.failed
}

// say makes a piece of some group's log; nobody pushes the log of a group that the user is not in.
func (w *world) say() []byte {
	name := w.names[w.random.IntN(len(w.names))]
	if w.random.IntN(3) == 0 {
		return w.server.change(name, 1+w.random.IntN(2))
	}
	return w.server.say(name, 1+w.random.IntN(4))
}

func (w *world) step(step int) {
	s := w.server
	name := w.names[w.random.IntN(len(w.names))]
	switch step {
	case 0, 1:
		s.push(s.grow(1 + w.random.IntN(4)))
	case 2, 3, 4:
		s.push(w.say())
	case 5:
		w.aside = append(w.aside, s.grow(1+w.random.IntN(3)))
	case 6, 7:
		w.aside = append(w.aside, w.say())
	case 8, 9:
		if len(w.aside) > 0 {
			s.push(w.aside[w.random.IntN(len(w.aside))])
		}
	case 10:
		p := w.say()
		s.push(p)
		s.push(p)
	case 11:
		time.Sleep(time.Duration(w.random.IntN(1000)) * time.Millisecond)
	case 12:
		s.cut()
	case 13:
		w.client.restart()
	case 14:
		s.mu.Lock()
		s.fail, s.cutOn = w.random.IntN(2), w.random.IntN(3)
		s.mu.Unlock()
	case 15:
		s.mu.Lock()
		s.oldest = uint64(w.random.IntN(len(s.log) + 1))
		s.mu.Unlock()
	case 16:
		s.mu.Lock()
		g := s.groups[name]
		g.oldest, g.slow = uint64(w.random.IntN(len(g.kinds)+1)), time.Duration(w.random.IntN(500))*time.Millisecond
		s.slow = time.Duration(w.random.IntN(500)) * time.Millisecond
		s.mu.Unlock()
	case 17:
		if w.random.IntN(2) == 0 {
			return
		}
		p := s.join(name, !s.isMember(name))
		if w.random.IntN(3) > 0 {
			s.push(p)
		} else {
			w.aside = append(w.aside, p)
		}
	case 18:
		if w.random.IntN(4) == 0 {
			w.aside = nil
			s.lose()
		}
	}
}

// groupsConverged holds the client's groups against the server's.
func (c *client) groupsConverged(s *server) {
	c.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		has, log := c.group(name), s.groups[name]
		// Of who left and came back before his own log told so, what came meanwhile was applied; it may come again.
		if has.known != log.member || has.known && !log.left && has.pos != log.pos() {
			c.t.Errorf("%s: followed %v up to %d; member %v and log up to %d", name, has.known, has.pos, log.member, log.pos())
		}
		if !log.left && !increasing(has.applied) {
			c.t.Errorf("%s: applied in the order %v", name, has.applied)
		}
		if log.member {
			c.nothingPassedOver(name, log, has.applied)
		}
	}
}

func increasing(list []uint64) bool {
	for i := 1; i < len(list); i++ {
		if list[i] <= list[i-1] {
			return false
		}
	}
	return true
}

// nothingPassedOver says whether each entry since the user came in was applied, or a state stands for it that may: for a
// change one that was the first or came with the word that changes may have been missed, for a message also one of a
// program that had just started.
func (c *client) nothingPassedOver(name string, log *groupLog, applied []uint64) {
	c.t.Helper()
	var changes, messages int64
	err := c.store.Read(context.Background(), func(q sqlite.Queryer) error {
		const most = `SELECT coalesce(max(CASE WHEN fresh OR stale THEN pos END),0), coalesce(max(CASE WHEN may THEN pos END),0) FROM group_state WHERE grp=?`
		_, err := q.Get(most, []any{&changes, &messages}, name)
		return err
	})
	if err != nil {
		c.t.Fatalf("%v", err)
	}
	for n, kind := range log.kinds {
		pos, covered := uint64(n+1), changes
		if kind == protocol.EntryMessage {
			covered = messages
		}
		if pos > log.joined && pos > uint64(covered) && !slices.Contains(applied, pos) {
			c.t.Errorf("%s: %s %d is not here (applied %s, states up to %d and %d)", name, kind, pos, fmt.Sprint(applied), changes, messages)
		}
	}
}
