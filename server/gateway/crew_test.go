package gateway

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Nobody waits for anybody else, and whoever has nothing to do goes home: else the bubble would not end.
func TestCrew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew()
		var done atomic.Int32
		gate := make(chan struct{})
		for range 10 {
			c.do(func() { <-gate; done.Add(1) })
		}
		c.do(func() { done.Add(1) })
		synctest.Wait()
		if n := done.Load(); n != 1 {
			t.Errorf("%d are done", n)
		}
		close(gate)
		synctest.Wait()
		if n := done.Load(); n != 11 {
			t.Errorf("%d are done", n)
		}
		time.Sleep(idleTime / 2)
		c.do(func() { done.Add(1) })
		synctest.Wait()
		select {
		case c.work <- func() { done.Add(1) }: // somebody waits for work
		default:
			t.Error("nobody is left")
		}
		time.Sleep(2 * idleTime)
		synctest.Wait()
		select {
		case c.work <- func() {}:
			t.Error("somebody waits for ever")
		default:
		}
		if n := done.Load(); n != 13 {
			t.Errorf("%d are done", n)
		}
	})
}
