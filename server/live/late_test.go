package live

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who comes between two ticks hears only what is said from then on, unless the room keeps messages for newcomers.
func TestNewcomersDoNotHearWhatWasSaidBefore(t *testing.T) {
	for history, want := range map[int][]string{0: {"join u3 of 2", "after she came"}, 1: {"join u3 of 2", "before she came", "after she came"},
		5: {"the first one", "join u3 of 2", "before she came", "after she came"}} {
		synctest.Test(t, func(t *testing.T) {
			c := Defaults()
			c.History = history
			rs := New(c, presence, time.Now)
			ann := in(rs, studio, 1, 1)
			time.Sleep(10 * c.Tick)
			say(rs, studio, 9, 9, "the first one")
			synctest.Wait()
			ann.take()
			say(rs, studio, 9, 9, "before she came")
			eve := in(rs, studio, 3, 3)
			say(rs, studio, 9, 9, "after she came")
			time.Sleep(c.Tick)
			synctest.Wait()
			hears(t, ann, "join u3 of 2", "before she came", "after she came")
			hears(t, eve, want...)
			say(rs, studio, 9, 9, "much later")
			time.Sleep(c.Tick)
			synctest.Wait()
			hears(t, eve, "much later")
			rs.Quit(studio.GID, 1)
			rs.Quit(studio.GID, 3)
			time.Sleep(time.Hour)
		})
	}
}

// A session that comes back before its own message was delivered does not hear it.
func TestWhoComesBackDoesNotHearHimself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quietly()
		c.History = 5
		rs := New(c, presence, time.Now)
		in(rs, studio, 1, 1)
		time.Sleep(10 * c.Tick)
		say(rs, studio, 9, 9, "the first one")
		synctest.Wait()
		mine := say(rs, studio, 1, 1, "my own one")
		say(rs, studio, 9, 9, "missed by me")
		e := &ear{}
		rs.End(1, false)
		rs.Join(studio, Guest{Session: 2, UID: 1, Conn: e, Again: true, Seen: mine}, member(1))
		time.Sleep(c.Tick)
		synctest.Wait()
		hears(t, e, "missed by me")
		rs.Quit(studio.GID, 2)
		time.Sleep(time.Hour)
	})
}
