package sync_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

func TestALoginTakesTheStatesOfAllGroups(t *testing.T) {
	bubble(t, func(s *server) {
		for n := range 101 {
			s.found(fmt.Sprintf("g%03d", n))
		}
		s.page = 20
	}, func(t *testing.T, s *server, c *client) {
		if n := s.count(protocol.OpGroups); n != 6 {
			t.Errorf("%d pages of 20 for 101 groups", n)
		}
		if n := s.count("group diff"); n != 0 {
			t.Errorf("%d differences for groups that are new here", n)
		}
		if fmt.Sprint(c.told()) != "[start finish]" {
			t.Errorf("progress %v", c.told())
		}
		for n := range 101 {
			c.has(fmt.Sprintf("g%03d", n), 3)
		}
		c.restart()
		settle()
		if n := s.count("all groups"); n != 6 {
			t.Errorf("%d pages since the beginning of time, 6 were enough", n)
		}
	})
}

func TestAGroupsGapClosesByItself(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		one, two := s.say("a", 1), s.say("a", 2)
		s.push(two)
		s.push(s.say("b", 1)) // another group is not held up
		synctest.Wait()
		c.has("a", 3)
		c.has("b", 4, 4)
		time.Sleep(200 * time.Millisecond)
		s.push(one)
		settle()
		c.has("a", 6, 4, 5, 6)
		if n := s.count("group diff"); n != 0 {
			t.Errorf("%d questions for a gap that closed after 200 ms", n)
		}
	})
}

func TestAGroupsGapThatStaysIsAskedForInFull(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		own, round := s.count(protocol.OpDiff), s.count(protocol.OpGroups)
		s.say("a", 10) // lost
		s.push(s.say("a", 1))
		synctest.Wait()
		time.Sleep(299 * time.Millisecond)
		if s.count("group diff") != 0 {
			t.Error("the gap was asked for before 300 ms")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		c.has("a", 14, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
		settle()
		if n := s.count("group diff"); n != 2 || s.count("group newest") != 0 {
			t.Errorf("%d questions, %d of them for the newest, want 2 full pieces of 7", n, s.count("group newest"))
		}
		if s.count(protocol.OpDiff)-own != 2 || s.count(protocol.OpGroups) != round {
			t.Error("the gap of a group had other logs asked for")
		}
	})
}

// Patience belongs to each log, but questions for gaps of the same moment go out together.
func TestManyGapsAreAskedForTogether(t *testing.T) {
	var names []string
	for n := range 20 {
		names = append(names, fmt.Sprintf("g%02d", n))
	}
	bubble(t, func(s *server) { s.found(names...) }, func(t *testing.T, s *server, c *client) {
		for _, name := range names {
			s.mu.Lock()
			s.groups[name].slow = 100 * time.Millisecond
			s.mu.Unlock()
			s.say(name, 1)
			s.push(s.say(name, 1))
		}
		synctest.Wait()
		time.Sleep(300*time.Millisecond + 6*100*time.Millisecond + 10*time.Millisecond)
		synctest.Wait()
		for _, name := range names {
			c.has(name, 5, 4, 5)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.most != 4 {
			t.Errorf("%d questions at once, want 4", s.most)
		}
	})
}

func TestAGroupNobodyKnowsIsAskedForOnce(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.mu.Lock()
		s.groups["x"] = &groupLog{member: false}
		s.mu.Unlock()
		before := s.count(protocol.OpGroups)
		s.push(s.say("x", 1))
		s.push(s.say("x", 1))
		settle()
		if n := s.count(protocol.OpGroups) - before; n < 1 || n > 2 {
			t.Errorf("%d questions for an unknown group, want one page or two", n)
		}
		if g := c.group("x"); g.known || g.applied != nil {
			t.Errorf("the unknown group became %+v", g)
		}
		before = s.count(protocol.OpGroups)
		time.Sleep(time.Hour)
		if n := s.count(protocol.OpGroups) - before; n != 0 {
			t.Errorf("%d questions in a quiet hour", n)
		}
	})
}

func TestAGroupWhoseBeginningWasMissedIsFound(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.mu.Lock()
		s.groups["x"] = &groupLog{kinds: []string{"msg", "msg"}}
		s.mu.Unlock()
		time.Sleep(time.Second)
		s.join("x", true) // this piece of the user's own log is lost
		s.push(s.say("x", 1))
		settle()
		if g := c.group("x"); !g.known || g.pos != 3 || g.states != 1 {
			t.Errorf("the group is %+v", g)
		}
		s.push(s.say("x", 1))
		synctest.Wait()
		c.has("x", 4, 4)
	})
}

func TestFollowTakesWhatCameBefore(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.mu.Lock()
		s.groups["x"] = &groupLog{kinds: []string{"msg", "msg"}}
		s.mu.Unlock()
		before := s.count(protocol.OpGroups) + s.count("group diff")
		in := s.join("x", true)
		s.push(s.say("x", 2))
		synctest.Wait()
		s.push(in)
		settle()
		c.has("x", 4, 3, 4)
		if n := s.count(protocol.OpGroups) + s.count("group diff") - before; n != 0 {
			t.Errorf("%d questions although the user's own log told all in time", n)
		}
		s.push(s.join("x", false))
		late := s.say("x", 1)
		synctest.Wait()
		if c.group("x").known {
			t.Error("a group that the user left is followed")
		}
		s.push(late)
		settle()
		if g := c.group("x"); g.known || len(g.applied) != 2 {
			t.Errorf("after the user left and a late piece: %+v", g)
		}
	})
}

// What was dropped because the group was unknown is not lost when the user's own log names it at last.
func TestFollowAfterTheDropBringsTheDifference(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.mu.Lock()
		s.groups["x"] = &groupLog{kinds: []string{"msg", "msg"}}
		s.mu.Unlock()
		s.push(s.say("x", 2)) // a server that is ahead of its own list of groups
		settle()
		s.mu.Lock()
		s.groups["x"].member = true
		s.log = append(s.log, entry{group: "x", in: protocol.Membership{In: true, Pos: 2}})
		in := s.piece(uint64(len(s.log)), uint64(len(s.log)), 0)
		s.mu.Unlock()
		s.push(in)
		settle()
		c.has("x", 4, 3, 4)
	})
}

func TestAReconnectBringsGroupsInFull(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.cut()
		time.Sleep(time.Millisecond)
		s.say("a", 10)
		s.change("a", 1)
		s.say("b", 1)
		settle()
		c.has("a", 14, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
		c.has("b", 4, 4)
		c.has("c", 3)
		if s.count("group newest") != 0 {
			t.Error("a running program was given the newest message only")
		}
		if g := c.group("a"); g.states != 1 {
			t.Errorf("%d states of a group whose difference says it all", g.states)
		}
	})
}

func TestAReconnectAfterVeryMuchIsLikeAStart(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.mu.Lock()
		s.limit = 500
		s.mu.Unlock()
		s.cut()
		s.change("a", 1)
		s.say("a", 501)
		s.say("b", 500)
		settle()
		c.has("a", 505, 4, 505)
		if g := c.group("b"); g.pos != 503 || len(g.applied) != 500 {
			t.Errorf("500 messages were missed and %d came, position %d", len(g.applied), g.pos)
		}
	})
}

func TestAStartLeavesHistoryOut(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		c.end()
		s.say("a", 3) // messages only: the state is enough
		s.say("b", 2)
		s.change("b", 1)
		s.say("b", 3)
		c.run()
		settle()
		c.has("a", 6)
		c.has("b", 9, 6, 9)
		if n := s.count("group newest"); n != 1 || s.count("group diff") != 1 {
			t.Errorf("%d questions for the newest of %d, want 1 of 1", n, s.count("group diff"))
		}
		for name, want := range map[string]int{"a": 2, "b": 2, "c": 1} {
			if g := c.group(name); g.states != want || g.stale != 0 {
				t.Errorf("%s: %d states, %d stale, want %d", name, g.states, g.stale, want)
			}
		}
		s.push(s.say("b", 1))
		synctest.Wait()
		c.has("b", 10, 6, 9, 10)
	})
}

func TestWhatIsSaidDuringAStartIsNoHistory(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		c.end()
		s.change("a", 1)
		s.say("a", 2)
		s.mu.Lock()
		s.slow = time.Second
		s.mu.Unlock()
		c.run()
		time.Sleep(500 * time.Millisecond) // the state is on its way
		s.push(s.say("a", 2))
		s.say("a", 2) // lost
		settle()
		c.has("a", 10, 4, 7, 8, 9, 10)
	})
}

func TestAGroupsLogTooShortMakesItsStateStale(t *testing.T) {
	shorten := func(s *server) {
		s.say("a", 20)
		s.change("a", 1)
		s.mu.Lock()
		s.groups["a"].oldest = 10
		s.mu.Unlock()
	}
	stale := func(c *client) {
		c.t.Helper()
		c.has("a", 24)
		if g := c.group("a"); g.stale != 1 {
			c.t.Errorf("%d stale states, want 1", g.stale)
		}
	}
	t.Run("start", func(t *testing.T) {
		inGroups(t, func(t *testing.T, s *server, c *client) {
			c.end()
			shorten(s)
			c.run()
			settle()
			stale(c)
		})
	})
	t.Run("reconnect", func(t *testing.T) {
		inGroups(t, func(t *testing.T, s *server, c *client) {
			s.cut()
			shorten(s)
			settle()
			stale(c)
		})
	})
	t.Run("gap", func(t *testing.T) {
		inGroups(t, func(t *testing.T, s *server, c *client) {
			time.Sleep(time.Second)
			shorten(s)
			s.push(s.say("a", 1))
			settle()
			c.has("a", 25)
			if g := c.group("a"); g.stale != 1 {
				t.Errorf("%d stale states, want 1", g.stale)
			}
			before := s.count("group diff") + s.count(protocol.OpGroups)
			time.Sleep(time.Hour)
			if n := s.count("group diff") + s.count(protocol.OpGroups) - before; n != 0 {
				t.Errorf("%d questions in a quiet hour", n)
			}
		})
	})
}

func TestAnotherEpochForgetsTheGroups(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.say("a", 1)
		s.push(s.say("a", 1)) // held behind a gap when the log is lost
		synctest.Wait()
		s.lose()
		s.mu.Lock()
		s.groups["b"].member = false
		s.mu.Unlock()
		s.say("a", 2)
		settle()
		c.has("a", 2)
		if got := c.names(followedGroups); !slices.Equal(got, []string{"a", "c"}) {
			t.Errorf("followed: %v", got)
		}
		s.push(s.say("a", 1))
		synctest.Wait()
		c.has("a", 3, 3)
	})
}

func TestAfterASnapshotGroupsThatAreNotNamedAreGone(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		c.end()
		s.join("b", false)
		s.grow(5)
		s.mu.Lock()
		s.oldest = 4 // the entry that told of b's end is lost
		s.fail = 1   // and the question for the groups may fail without harm
		s.mu.Unlock()
		c.run()
		settle()
		if got := c.names(followedGroups); !slices.Equal(got, []string{"a", "c"}) {
			t.Errorf("followed: %v", got)
		}
		if got := c.names(`SELECT grp FROM gone`); !slices.Equal(got, []string{"b"}) {
			t.Errorf("gone: %v, want b, once", got)
		}
	})
}

// The answer about the groups is older than what the user's own log says meanwhile.
func TestTheOwnLogOvertakesTheAnswerAboutGroups(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		c.end()
		time.Sleep(time.Second)
		s.join("b", false)
		s.grow(5)
		s.say("a", 1)
		s.say("b", 1)
		s.mu.Lock()
		s.oldest = 4 // the entry that told of b's end is lost: all groups are asked for
		s.slow = 200 * time.Millisecond
		s.mu.Unlock()
		c.run()
		time.Sleep(100 * time.Millisecond) // a and c are named, b is not
		s.push(s.join("a", false))
		s.push(s.join("b", true))
		settle()
		if got := c.names(followedGroups); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("followed: %v", got)
		}
		if got := c.names(`SELECT grp FROM gone`); got != nil {
			t.Errorf("gone: %v", got)
		}
		c.has("b", 4)
	})
}

func TestARefusedGroupIsNotFollowedAnyMore(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		c.end()
		s.change("a", 1)
		s.change("b", 1)
		s.mu.Lock()
		s.groups["a"].refuse = tim.ErrSVRGroupPermissionDeny
		s.mu.Unlock()
		c.run()
		settle()
		if got := c.names(followedGroups); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("followed: %v", got)
		}
		c.has("b", 4, 4)
		if told := c.told(); told[len(told)-1] != "finish" {
			t.Errorf("progress %v", told)
		}
	})
}

func TestABusyServerDoesNotEndAGroup(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		c.end()
		s.change("a", 1)
		s.mu.Lock()
		s.groups["a"].refuse = protocol.CodeBusy
		s.mu.Unlock()
		c.run()
		settle()
		if told := c.told(); told[len(told)-1] != "start" {
			t.Errorf("progress %v while a group is missing", told)
		}
		s.mu.Lock()
		s.groups["a"].refuse = 0
		s.mu.Unlock()
		settle()
		c.has("a", 4, 4)
	})
}

func TestOwnAnswersOutOfOrder(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.say("a", 3) // the server does not push them: the answers tell
		answer := func(group string, pos uint64) {
			t.Helper()
			if err := c.store.Write(context.Background(), func(tx *store.Tx) error { return c.engine.Applied(tx, group, pos) }); err != nil {
				t.Fatal(err)
			}
		}
		answer("a", 6)
		answer("a", 5)
		answer("a", 0)
		synctest.Wait()
		c.has("a", 3)
		answer("a", 4)
		synctest.Wait()
		c.has("a", 6)
		answer("a", 5)
		answer("a", 6)
		settle()
		s.push(s.say("a", 1))
		settle()
		c.has("a", 7, 7)
		if n := s.count("group diff"); n != 0 {
			t.Errorf("%d questions, the answers should have closed the gap", n)
		}
	})
}

func TestALateAnswerMakesGroupsLooked(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		time.Sleep(time.Second)
		s.say("a", 1) // an own message whose answer came too late
		c.engine.Catch()
		settle()
		c.has("a", 4, 4)
	})
}

func TestFollowDoesNotGoBack(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		err := c.store.Write(context.Background(), func(tx *store.Tx) error { c.engine.Follow(tx, "a", 1); return nil })
		if err != nil {
			t.Fatal(err)
		}
		c.has("a", 3)
	})
}

// A topic may be deleted and made again under the same id while a device is away: then nothing but its own log tells what it
// has by now.
func TestFollowingAgainAsksForWhatIsThere(t *testing.T) {
	for _, batches := range []int{1, 2} {
		inGroups(t, func(t *testing.T, s *server, c *client) {
			s.mu.Lock()
			s.groups["a"].kinds = []string{"msg", "msg"}
			s.mu.Unlock()
			steps := []func(tx *store.Tx) error{
				func(tx *store.Tx) error { c.engine.Unfollow(tx, "a"); return nil },
				func(tx *store.Tx) error { c.engine.Follow(tx, "a", 0); return nil },
			}
			if batches == 1 {
				both := steps
				steps = []func(tx *store.Tx) error{func(tx *store.Tx) error { return errors.Join(both[0](tx), both[1](tx)) }}
			}
			for _, step := range steps {
				if err := c.store.Write(context.Background(), step); err != nil {
					t.Fatal(err)
				}
			}
			settle()
			c.has("a", 2, 1, 2)
		})
	}
}

func TestABusyHostStopsTheGroups(t *testing.T) {
	busy := func(c *client, waiting int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waiting = waiting
	}
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.mu.Lock()
		s.groups["x"] = &groupLog{}
		s.mu.Unlock()
		for _, name := range []string{"a", "x"} {
			before := s.count("group diff") + s.count(protocol.OpGroups)
			s.say(name, 1)
			s.push(s.say(name, 1))
			synctest.Wait()
			busy(c, 20000)
			settle()
			if n := s.count("group diff") + s.count(protocol.OpGroups) - before; n != 0 {
				t.Errorf("%s: %d questions while the host has 20,000 callbacks waiting", name, n)
			}
			busy(c, 0)
			settle()
			if s.count("group diff")+s.count(protocol.OpGroups) == before {
				t.Errorf("%s: no question afterwards", name)
			}
		}
		c.has("a", 5, 4, 5)
	})
}

// What arrives behind a gap while an answer is on its way is held or, beyond the bound, brought by another difference,
// though nothing is pushed any more.
func TestWhatComesDuringAQuestionIsNotForgotten(t *testing.T) {
	inGroups(t, func(t *testing.T, s *server, c *client) {
		s.mu.Lock()
		s.limit = 500
		s.groups["a"].slow = time.Second
		s.mu.Unlock()
		s.say("a", 1) // lost
		s.push(s.say("a", 1))
		synctest.Wait()
		time.Sleep(800 * time.Millisecond)
		s.say("b", 1) // lost
		for range 600 {
			s.push(s.say("a", 1))
			s.push(s.say("b", 1))
		}
		s.say("c", 1) // lost
		s.push(s.say("c", 1))
		settle()
		for name, want := range map[string]int{"a": 602, "b": 601, "c": 2} {
			if g := c.group(name); len(g.applied) != want {
				t.Errorf("%s: %d entries, want %d", name, len(g.applied), want)
			}
		}
	})
}
