package live

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// ear is a connection that keeps what it hears.
type ear struct {
	mu    sync.Mutex
	lines int
	heard []string
}

// Live keeps what a line says: texts of messages and kinds of other entries.
func (e *ear) Live(line []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lines++
	_, push, ok := protocol.ParseServerLine(line)
	if !ok || push == nil {
		panic(fmt.Sprintf("unreadable: %s", line))
	}
	if push.Kind != protocol.PushLive {
		e.heard = append(e.heard, push.Kind)
		return
	}
	l := protocol.ParseLog(push.Body)
	for _, entry := range l.Entries {
		if entry.Kind == protocol.EntryMessage {
			if entry.Message.Group != l.Group {
				panic("a message of another room")
			}
			e.heard = append(e.heard, string(entry.Message.Content))
		} else {
			e.heard = append(e.heard, entry.Kind)
		}
	}
}

func (*ear) Wake() {}

func (e *ear) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	heard := e.heard
	e.heard = nil
	return heard
}

// presence is what a tip says, as a JSON string.
func presence(_ Place, kind int, users []protocol.Member, count int) []byte {
	what := "quit"
	if kind == tim.GroupTipInvite {
		what = "join"
	}
	var names []string
	for _, u := range users {
		names = append(names, u.User)
	}
	return fmt.Appendf(nil, `"%s %s of %d"`, what, strings.Join(names, "+"), count)
}

var studio = Place{GID: 1, App: 7, ID: "studio", Name: "Studio"}

func quietly() Config {
	c := Defaults()
	c.Tips = false
	return c
}

func in(rs *Rooms, p Place, session uint64, uid int64) *ear {
	e := &ear{}
	rs.Join(p, Guest{Session: session, UID: uid, Conn: e}, member(uid))
	return e
}

func member(uid int64) protocol.Member {
	return protocol.Member{User: fmt.Sprintf("u%d", uid), Joined: 100 + uid}
}

func say(rs *Rooms, p Place, session uint64, uid int64, text string) uint64 {
	m := protocol.Message{Seq: rs.Number(), From: member(uid).User, Group: p.ID, Key: text, Content: fmt.Appendf(nil, "%q", text)}
	rs.Say(p.GID, uid, session, m)
	return m.Seq
}

func hears(t *testing.T, e *ear, want ...string) {
	t.Helper()
	for i, w := range want {
		if strings.Contains(w, " ") || len(w) < 3 {
			want[i] = fmt.Sprintf("%q", w)
		}
	}
	if heard := e.take(); !slices.Equal(heard, want) {
		t.Fatalf("heard %v, want %v", heard, want)
	}
}

// at lets time pass and everything that is due happen.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestTheFirstMessageGoesOutAtOnceAndTheNextTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(quietly(), presence, time.Now)
		host, fan, far := in(rs, studio, 1, 1), in(rs, studio, 2, 2), in(rs, Place{GID: 2, ID: "other"}, 3, 3)
		say(rs, studio, 1, 1, "a")
		synctest.Wait()
		hears(t, fan, "a")
		say(rs, studio, 1, 1, "b")
		say(rs, studio, 2, 2, "c")
		after(rs.cfg.Tick - 1)
		hears(t, fan)
		after(1)
		hears(t, fan, "b")
		hears(t, host, "c") // nobody hears himself
		hears(t, far)
		if fan.lines != 2 {
			t.Errorf("%d lines for two ticks", fan.lines)
		}
		after(rs.cfg.Tick)
		say(rs, studio, 1, 1, "d")
		synctest.Wait()
		hears(t, fan, "d")
	})
}

func TestOtherDevicesOfTheSenderHearHim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(Defaults(), presence, time.Now)
		phone := in(rs, studio, 1, 1)
		synctest.Wait()
		hears(t, phone, "join u1 of 1")
		pc := in(rs, studio, 2, 1)
		if n := rs.Size(1); n != 1 {
			t.Errorf("%d users", n)
		}
		after(rs.cfg.Tick)
		hears(t, phone) // he is there already
		hears(t, pc)
		say(rs, studio, 1, 1, "a")
		after(rs.cfg.Tick)
		hears(t, phone)
		hears(t, pc, "a")
		rs.Quit(1, 1)
		if n := rs.Size(1); n != 1 || rs.In(1, 1) || !rs.In(1, 2) {
			t.Errorf("%d users", n)
		}
		after(rs.cfg.Tick)
		hears(t, pc) // he is still there
	})
}

func TestWhoComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(Defaults(), presence, time.Now)
		host := in(rs, studio, 1, 1)
		synctest.Wait()
		hears(t, host, "join u1 of 1")
		in(rs, studio, 2, 2)
		in(rs, studio, 3, 3)
		in(rs, studio, 4, 4)
		rs.Quit(1, 3) // nobody has heard of him
		after(rs.cfg.Tick)
		hears(t, host, "join u2+u4 of 3")
		rs.Quit(1, 2)
		rs.End(4, true)
		in(rs, studio, 5, 5)
		after(rs.cfg.Tick)
		hears(t, host, "join u5 of 2", "quit u2+u4 of 2")
		if got := rs.Newest(1); !slices.Equal(got, []int64{5, 1}) {
			t.Errorf("newest first: %v", got)
		}
	})
}

func TestPagesOfTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := quietly()
		cfg.Members = 7
		rs := New(cfg, presence, time.Now)
		for i := range 10 {
			in(rs, studio, uint64(i+1), int64(i+1))
		}
		var got []int64
		for next, first := uint64(0), true; first || next != 0; first = false {
			var list []User
			list, next = rs.Page(1, next, 2, func(uid int64) bool { return uid != 8 })
			for _, u := range list {
				got = append(got, u.UID)
			}
		}
		if !slices.Equal(got, []int64{10, 9, 7, 6, 5, 4}) {
			t.Errorf("listed %v", got)
		}
	})
}

func TestWhoGoesAndComesWithinATickWasNeverAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(Defaults(), presence, time.Now)
		host := in(rs, studio, 1, 1)
		in(rs, studio, 2, 2)
		after(time.Second)
		host.take()
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryGroupInfo})
		synctest.Wait()
		host.take()
		rs.End(2, true)
		in(rs, studio, 3, 2)
		after(time.Second)
		hears(t, host)
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryGroupInfo})
		synctest.Wait()
		host.take()
		rs.End(3, true)
		in(rs, studio, 4, 2)
		rs.End(4, true)
		after(time.Second)
		hears(t, host, "quit u2 of 1")
	})
}

func TestWhoComesAgainAfterHisRemovalIsToldLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(Defaults(), presence, time.Now)
		host := in(rs, studio, 1, 1)
		in(rs, studio, 2, 2)
		after(time.Second)
		host.take()
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryGroupInfo})
		synctest.Wait()
		host.take()
		for session := range uint64(2) {
			rs.Tell(1, protocol.Entry{Kind: protocol.EntryMembers})
			rs.Evict(1, 2)
			in(rs, studio, 3+session, 2)
		}
		in(rs, studio, 9, 3)
		after(time.Second)
		hears(t, host, "join u3 of 3", "mem", "mem", "join u2 of 3")
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryGroupInfo})
		synctest.Wait()
		host.take()
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryMembers})
		rs.Evict(1, 2)
		in(rs, studio, 10, 2)
		rs.End(10, true)
		after(time.Second)
		hears(t, host, "mem")
	})
}

func TestACrowdIsNotNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(Defaults(), presence, time.Now)
		host := in(rs, studio, 1, 1)
		after(rs.cfg.Tick)
		host.take()
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryGroupInfo})
		synctest.Wait()
		for i := range 500 {
			in(rs, studio, uint64(i+2), int64(i+2))
		}
		after(rs.cfg.Tick)
		heard := host.take()
		if len(heard) != 2 || strings.Count(heard[1], "+") != named-1 || !strings.HasSuffix(heard[1], `of 501"`) {
			t.Errorf("heard %v", heard)
		}
	})
}

func TestWhoComesBackInTimeWasNeverAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(Defaults(), presence, time.Now)
		host := in(rs, studio, 1, 1)
		in(rs, studio, 2, 2)
		in(rs, studio, 3, 3)
		after(time.Second)
		host.take()
		rs.End(2, false)
		rs.End(3, false)
		if _, there := rs.Since(1, 2); there || rs.Size(1) != 1 {
			t.Error("without a connection nobody is there")
		}
		after(rs.cfg.Grace - 1)
		hears(t, host)
		in(rs, studio, 4, 2)
		if since, there := rs.Since(1, 2); !there || since != 102 {
			t.Errorf("there %v since %d", there, since)
		}
		after(time.Second)
		hears(t, host, "quit u3 of 2")
		again := &ear{}
		rs.Join(studio, Guest{Session: 5, UID: 3, Conn: again, Again: true}, member(3))
		after(rs.cfg.Grace)
		hears(t, host)
	})
}

func TestHistoryForThoseWhoCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := quietly()
		cfg.History = 2
		rs := New(cfg, presence, time.Now)
		in(rs, studio, 1, 1)
		say(rs, studio, 1, 1, "a")
		b := say(rs, studio, 1, 1, "b")
		after(cfg.Tick)
		say(rs, studio, 1, 1, "c")
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryGroupInfo})
		after(cfg.Tick)
		late := in(rs, studio, 2, 2)
		hears(t, late, "b", "c")
		say(rs, studio, 1, 1, "d")
		say(rs, studio, 1, 1, "e")
		later := in(rs, studio, 3, 3) // while they are pending
		after(cfg.Tick)
		hears(t, late, "d", "e")
		if heard := later.take(); !slices.Equal(heard, []string{`"b"`, `"c"`, `"d"`, `"e"`}) && !slices.Equal(heard, []string{`"d"`, `"e"`}) {
			t.Errorf("heard %v", heard)
		}
		back := &ear{}
		rs.Join(studio, Guest{Session: 4, UID: 3, Conn: back, Again: true, Seen: b}, member(3))
		hears(t, back, "d", "e")
		none := &ear{}
		rs.Join(studio, Guest{Session: 5, UID: 3, Conn: none, Again: true}, member(3))
		hears(t, none)
	})
}

func TestEmptyRoomsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := quietly()
		cfg.History = 5
		rs := New(cfg, presence, time.Now)
		in(rs, studio, 1, 1)
		say(rs, studio, 1, 1, "a")
		after(cfg.Tick)
		rs.End(1, true)
		after(cfg.Idle - 1)
		hears(t, in(rs, studio, 2, 2), "a")
		after(cfg.Idle)
		rs.End(2, true)
		after(cfg.Idle)
		if f := rs.Figures(); f.Rooms != 0 || f.Audience != 0 || len(rs.sessions) != 0 {
			t.Errorf("%+v, %d sessions", f, len(rs.sessions))
		}
	})
}

func TestRemovedUsersHearOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(quietly(), presence, time.Now)
		host, phone, pc := in(rs, studio, 1, 1), in(rs, studio, 2, 2), in(rs, studio, 3, 2)
		say(rs, studio, 2, 2, "x")
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryMembers})
		rs.Evict(1, 2)
		say(rs, studio, 1, 1, "y")
		after(rs.cfg.Tick)
		hears(t, phone, "mem")
		hears(t, pc, "x", "mem")
		hears(t, host, "x", "mem")
		if rs.In(1, 2) || rs.In(1, 3) || rs.Size(1) != 1 || !slices.Equal(rs.Newest(1), []int64{1}) {
			t.Error("he is still there")
		}
	})
}

func TestTheEndOfARoomIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(quietly(), presence, time.Now)
		host := in(rs, studio, 1, 1)
		say(rs, studio, 2, 2, "a")
		synctest.Wait()
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryReport})
		rs.Close(1)
		if rs.In(1, 1) || rs.Size(1) != 0 || rs.Figures().Rooms != 0 {
			t.Error("it is still there")
		}
		after(rs.cfg.Tick)
		hears(t, host, "a", "rep")
		rs.End(1, true)
		say(rs, studio, 1, 1, "b") // nothing
		after(rs.cfg.Tick)
		hears(t, host)
	})
}

func TestOneRoomAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := quietly()
		cfg.Single = true
		rs := New(cfg, presence, time.Now)
		hall := Place{GID: 2, ID: "hall"}
		in(rs, studio, 1, 1)
		in(rs, studio, 2, 1)
		if got := rs.Others(1, 2); !slices.Equal(got, []string{"studio"}) {
			t.Errorf("others: %v", got)
		}
		in(rs, hall, 1, 1)
		if rs.In(1, 1) || !rs.In(1, 2) || !rs.In(2, 1) {
			t.Error("the session left not just its other room")
		}
		if got := rs.Rooms(1); !slices.Equal(got, []int64{1, 2}) {
			t.Errorf("rooms: %v", got)
		}
	})
}

func TestWatchersHearAndAreNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(Defaults(), presence, time.Now)
		in(rs, studio, 1, 1)
		after(time.Second)
		e := &ear{}
		g := Guest{Session: 2, UID: 2, Conn: e}
		rs.Watch(studio, g, true)
		say(rs, studio, 1, 1, "a")
		after(time.Second)
		hears(t, e, "a")
		if rs.In(1, 2) || rs.Size(1) != 1 {
			t.Error("he is there")
		}
		rs.Join(studio, g, member(2))
		say(rs, studio, 1, 1, "b")
		after(time.Second)
		hears(t, e, "join u2 of 2", "b") // once
		rs.Quit(1, 2)
		after(time.Second)
		hears(t, e, "quit u2 of 1") // he still watches
		rs.Watch(studio, g, false)
		say(rs, studio, 1, 1, "c")
		after(time.Second)
		hears(t, e)
		if len(rs.sessions) != 1 {
			t.Errorf("%d sessions", len(rs.sessions))
		}
	})
}

func TestBroadcastAndRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(quietly(), presence, time.Now)
		a, b := in(rs, studio, 1, 1), in(rs, Place{GID: 2, App: 7, ID: "hall"}, 2, 2)
		other := in(rs, Place{GID: 3, App: 8, ID: "far"}, 3, 3)
		if n := rs.Broadcast(7, protocol.Message{From: "admin", Content: []byte(`"all"`)}); n != 2 {
			t.Errorf("%d rooms", n)
		}
		after(time.Second)
		hears(t, a, `"all"`)
		hears(t, b, `"all"`)
		hears(t, other)
		push := protocol.Push{Kind: protocol.PushTrans, Body: []byte(`{}`)}
		say(rs, studio, 9, 9, "a")
		rs.Relay(1, 9, push.Append(nil))
		say(rs, studio, 9, 9, "b")
		after(time.Second)
		hears(t, a, "a", "trans", "b")
	})
}

func TestRepetitionsAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(quietly(), presence, time.Now)
		in(rs, studio, 1, 1)
		first := say(rs, studio, 1, 1, "k0")
		if s, found := rs.Said(1, 1, "k0"); !found || s.Seq != first {
			t.Errorf("%+v", s)
		}
		if _, found := rs.Said(1, 2, "k0"); found {
			t.Error("another user's key")
		}
		for i := range remembered {
			say(rs, studio, 1, 1, fmt.Sprint("k", i+1))
		}
		if _, found := rs.Said(1, 1, "k0"); found || len(rs.rooms[1].recent.answers) != remembered {
			t.Error("nothing is forgotten")
		}
		after(time.Second)
	})
}

func TestNumbersGrowThoughTheClockStandsStill(t *testing.T) {
	now := time.Now()
	rs := New(quietly(), presence, func() time.Time { return now })
	a, b := rs.Number(), rs.Number()
	now = now.Add(-time.Hour)
	c := rs.Number()
	now = now.Add(2 * time.Hour)
	if d := rs.Number(); a >= b || b >= c || c >= d || d >= 1<<53 || d < uint64(now.UnixMicro()) {
		t.Errorf("%d %d %d %d", a, b, c, d)
	}
}

func TestLongTicksAreSeveralLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(quietly(), presence, time.Now)
		e := in(rs, studio, 1, 1)
		rs.Tell(1, protocol.Entry{Kind: protocol.EntryGroupInfo})
		synctest.Wait()
		e.take()
		long := strings.Repeat("x", protocol.MaxFrame/2)
		for range 5 {
			say(rs, studio, 2, 2, long)
		}
		after(time.Second)
		if len(e.take()) != 5 || e.lines != 6 {
			t.Errorf("%d lines", e.lines)
		}
	})
}
