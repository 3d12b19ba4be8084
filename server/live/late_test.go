package live

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who comes between two ticks hears only what is said from then on, unless the room keeps messages for newcomers.
func TestNewcomersDoNotHearWhatWasSaidBefore(t *testing.T) {
	for history, want := range map[int][]string{0: {"join u3 of 2", "after she came"}, 5: {"join u3 of 2", "before she came", "after she came"}} {
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
			if history > 0 {
				want = append([]string{"the first one"}, want...)
			}
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
