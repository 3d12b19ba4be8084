package outbox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/outbox"
	"timbre/core/transport/linktest"
	"timbre/protocol"
)

func TestStats(t *testing.T) {
	bubble(t, func(b *box) {
		var silent, busy atomic.Bool
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) {
			switch {
			case busy.Load():
				c.Answer(r.ID, protocol.CodeBusy, nil)
			case !silent.Load():
				c.Answer(r.ID, 0, []byte(`{}`))
			}
		}
		want := func(want outbox.Stats) {
			t.Helper()
			synctest.Wait()
			if got := b.out.Stats(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		want(outbox.Stats{})
		b.add("lane", 1, 0, false)
		time.Sleep(time.Second)
		b.add("other", 2, 0, false)
		want(outbox.Stats{Depth: 2, Lanes: 2, Age: time.Second, State: outbox.StateLogin})
		silent.Store(true)
		b.out.Online()
		want(outbox.Stats{Depth: 2, Lanes: 2, Age: time.Second, State: outbox.StateAnswer})
		busy.Store(true)
		b.server.Conn().Cut() // the link asks again
		time.Sleep(10*time.Second + 50*time.Millisecond)
		got := b.out.Stats()
		if got.State != outbox.StatePause || got.Depth != 2 || got.Age < 10*time.Second {
			t.Errorf("with a busy server: %+v", got)
		}
		busy.Store(false)
		silent.Store(false)
		time.Sleep(time.Second)
		want(outbox.Stats{})
	})
}

// TestStatsOfWhatWasLeft: the oldest is one that an earlier process left, and what is given up counts no more.
func TestStatsOfWhatWasLeft(t *testing.T) {
	bubble(t, func(b *box) {
		b.add("lane", 1, 0, false)
		b.out.Stop(errStop)
		b.out = b.fresh()
		b.add("lane", 2, time.Minute, false)
		time.Sleep(time.Second)
		if err := b.store.Write(context.Background(), b.out.Load); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		want := outbox.Stats{Depth: 2, Lanes: 1, Age: time.Second, State: outbox.StateLogin}
		if got := b.out.Stats(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		b.out.Stop(errStop)
		synctest.Wait()
		b.add("lane", 3, time.Minute, false) // comes too late
		synctest.Wait()
		if got := b.out.Stats(); got.Depth != 1 {
			t.Errorf("after Stop: %+v, want the one that nobody waits for", got)
		}
	})
}
