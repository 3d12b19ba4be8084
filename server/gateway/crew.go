package gateway

import "time"

// crew is goroutines that handle requests. A connection's own goroutine does nothing but wait for the next frame: handling
// one, with the database under it, makes a stack of 16 KB, which the runtime gives back late or never, and most connections
// are silent. The crew's stacks have grown once and are used by all.
type crew struct{ work chan func() }

func newCrew() *crew { return &crew{work: make(chan func())} }

// idleTime is how long somebody of the crew waits for work.
const idleTime = 200 * time.Millisecond

// do has a function run by whoever is free, or by somebody new.
func (c *crew) do(fn func()) {
	select {
	case c.work <- fn:
	default:
		go c.run(fn)
	}
}

func (c *crew) run(fn func()) {
	idle := time.NewTimer(idleTime)
	defer idle.Stop()
	for {
		fn()
		idle.Reset(idleTime)
		select {
		case fn = <-c.work:
		case <-idle.C:
			return
		}
	}
}
