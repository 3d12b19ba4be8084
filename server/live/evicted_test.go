package live

import (
	"testing"
	"testing/synctest"
	"time"
)

// A device that lost its connection comes back by itself, but not into a room that its user was removed from meanwhile. He may come himself.
func TestWhoWasRemovedWhileAwayDoesNotComeBackByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := New(Defaults(), presence, time.Now)
		host := in(rs, studio, 1, 1)
		in(rs, studio, 2, 2)
		after(time.Second)
		rs.End(2, false)
		rs.Evict(1, 2)
		if !rs.Evicted(1, 2) || rs.Evicted(1, 1) {
			t.Error("the wrong one was removed")
		}
		back := &ear{}
		rs.Join(studio, Guest{Session: 3, UID: 2, Conn: back, Again: true}, member(2))
		host.take()
		say(rs, studio, 1, 1, "a")
		after(time.Second)
		hears(t, back)
		if _, there := rs.Since(1, 2); there || rs.In(1, 3) {
			t.Error("he is there again")
		}
		himself := in(rs, studio, 4, 2)
		say(rs, studio, 1, 1, "b")
		after(time.Second)
		if heard := himself.take(); len(heard) == 0 || heard[len(heard)-1] != `"b"` && heard[0] != `"b"` {
			t.Errorf("heard %v", heard)
		}
		other := &ear{}
		rs.Join(studio, Guest{Session: 5, UID: 2, Conn: other, Again: true}, member(2))
		if rs.Evicted(1, 2) || !rs.In(1, 5) {
			t.Error("his other device stays out after he has come himself")
		}
	})
}
