package live

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"timbre/protocol"
)

// said is a message as the model knows it.
type said struct {
	room   int64
	origin uint64
	text   string
	at     time.Time
}

// stay is a session's time in a room.
type stay struct {
	room        int64
	session     uint64
	uid         int64
	begun, over int // messages said before it began and before it was over
	left        time.Time
	ear         *ear
}

// audience is rooms and what must be true of them.
type audience struct {
	rooms *Rooms
	log   []said
	now   map[[2]int64]*stay // by room and session
	past  []*stay
	wrong string // the first thing that was not as it must be
}

func (a *audience) fail(format string, args ...any) {
	a.wrong = cmp.Or(a.wrong, fmt.Sprintf(format, args...))
}

const propertyRooms, propertySessions = 2, 8

// step is something that is done. It is drawn before the clock of the test begins.
type step struct{ act, room, session, ms int }

func (a *audience) pick(s step) (Place, uint64, int64, *stay) {
	room, session := int64(s.room), uint64(s.session)
	return Place{GID: room, App: 1, ID: fmt.Sprint("r", room)}, session, int64(session+1) / 2, a.now[[2]int64{room, int64(session)}]
}

func (a *audience) join(step step) {
	p, session, uid, there := a.pick(step)
	if there != nil {
		a.rooms.Join(p, Guest{Session: session, UID: uid, Conn: &ear{}}, member(uid)) // once more changes nothing
		return
	}
	s := &stay{room: p.GID, session: session, uid: uid, begun: len(a.log), ear: &ear{}}
	a.rooms.Join(p, Guest{Session: session, UID: uid, Conn: s.ear}, member(uid))
	a.now[[2]int64{p.GID, int64(session)}] = s
}

// leave ends stays that fit.
func (a *audience) leave(fits func(*stay) bool) {
	for key, s := range a.now {
		if fits(s) {
			s.over, s.left = len(a.log), time.Now()
			a.past = append(a.past, s)
			delete(a.now, key)
		}
	}
}

func (a *audience) quit(step step) {
	p, session, _, there := a.pick(step)
	if a.rooms.Quit(p.GID, session) != (there != nil) {
		a.fail("%d in %d: %v", session, p.GID, there)
	}
	a.leave(func(s *stay) bool { return s == there })
}

func (a *audience) end(step step) {
	_, session, _, _ := a.pick(step)
	a.rooms.End(session, step.ms%2 == 0)
	a.leave(func(s *stay) bool { return s.session == session })
}

func (a *audience) evict(step step) {
	p, _, uid, _ := a.pick(step)
	a.rooms.Evict(p.GID, uid)
	a.leave(func(s *stay) bool { return s.room == p.GID && s.uid == uid })
}

func (a *audience) close(step step) {
	p, _, _, _ := a.pick(step)
	a.rooms.Close(p.GID)
	a.leave(func(s *stay) bool { return s.room == p.GID })
}

func (a *audience) say(step step) {
	p, session, uid, there := a.pick(step)
	if there == nil {
		return
	}
	text := fmt.Sprintf("m %d", len(a.log))
	a.log = append(a.log, said{p.GID, session, text, time.Now()})
	a.rooms.Say(p.GID, uid, session, protocol.Message{Seq: a.rooms.Number(), Group: p.ID, Key: text, Content: fmt.Appendf(nil, "%q", text)})
}

func (a *audience) wait(step step) {
	time.Sleep(time.Duration(step.ms) * time.Millisecond)
	synctest.Wait()
}

// check holds who is there against the model.
func (a *audience) check() {
	for room := range int64(propertyRooms) {
		users := map[int64]bool{}
		for _, s := range a.now {
			if s.room == room+1 {
				users[s.uid] = true
				if !a.rooms.In(room+1, s.session) {
					a.fail("%d is not in %d", s.session, room+1)
				}
			}
		}
		if n, listed := a.rooms.Size(room+1), a.rooms.Newest(room+1); n != len(users) || len(listed) != n {
			a.fail("%d users in %d, listed %v, want %v", n, room+1, listed, users)
		}
	}
	if f := a.rooms.Figures(); f.Audience != len(a.now) {
		a.fail("%d connections, want %d", f.Audience, len(a.now))
	}
}

// settle ends everything and holds what everybody heard against what was said while he was there: all of it in order and
// once, besides his own and what was still to be told when he left.
func (a *audience) settle() {
	time.Sleep(2 * a.rooms.cfg.Tick)
	synctest.Wait()
	a.leave(func(*stay) bool { return true })
	for _, s := range a.past {
		var may, must []string
		for _, m := range a.log[s.begun:s.over] {
			if m.room != s.room || m.origin == s.session {
				continue
			}
			text := fmt.Sprintf("%q", m.text)
			may = append(may, text)
			if s.left.Sub(m.at) > a.rooms.cfg.Tick {
				must = append(must, text)
			}
		}
		heard := s.ear.take()
		if len(heard) < len(must) || len(heard) > len(may) || !slices.Equal(heard, may[:len(heard)]) {
			a.fail("session %d in %d heard %v, must %v, may %v", s.session, s.room, heard, must, may)
		}
	}
	for session := range uint64(propertySessions) {
		a.rooms.End(session+1, true)
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	if f := a.rooms.Figures(); f.Rooms != 0 || f.Audience != 0 || len(a.rooms.sessions) != 0 {
		a.fail("left over: %+v", f)
	}
}

func TestEverybodyHearsWhatIsSaidWhileHeIsThere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{rapid.IntRange(0, 11).Draw(t, "act"), rapid.IntRange(1, propertyRooms).Draw(t, "room"),
				rapid.IntRange(1, propertySessions).Draw(t, "session"), rapid.IntRange(1, 300).Draw(t, "ms")}
		}), 60, 300).Draw(rt, "steps") // long enough to meet each other
		var wrong string
		synctest.Test(t, func(*testing.T) {
			a := &audience{rooms: New(quietly(), presence, time.Now), now: map[[2]int64]*stay{}}
			acts := []func(step){a.join, a.join, a.join, a.say, a.say, a.say, a.wait, a.wait, a.quit, a.end, a.evict, a.close}
			for _, s := range steps {
				acts[s.act](s)
				a.check()
			}
			a.settle()
			wrong = a.wrong
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}
