package dispatch

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New()
		want := func(want Stats) {
			t.Helper()
			synctest.Wait()
			if got := q.Stats(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		want(Stats{})
		leave := make(chan struct{})
		q.Post(0, &Item{Run: func() { <-leave }})
		time.Sleep(time.Second)
		q.Post(0, &Item{Run: func() { want(Stats{Waiting: 1, Most: 2, Oldest: 3 * time.Second, Ran: 1, Running: 1}) }})
		time.Sleep(2 * time.Second)
		q.Post(0, &Item{Run: func() {}})
		time.Sleep(3 * time.Second)
		want(Stats{Waiting: 2, Most: 2, Oldest: 5 * time.Second, Running: 6 * time.Second})
		close(leave)
		q.Idle()
		want(Stats{Most: 2, Ran: 3})
	})
}
