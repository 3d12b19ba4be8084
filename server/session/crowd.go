package session

import "time"

// A write to a connection costs the machine some 20 microseconds, however little is written. A group of hundreds that is
// woken for each message does nothing else, so such a crowd is woken in waves: the first message goes out at once, and
// what comes while its wave is being written goes out together in the next one.
const (
	crowded  = 32                    // connections that make a crowd
	stride   = 20 * time.Microsecond // from wave to wave, for each connection
	maxPause = 50 * time.Millisecond // from wave to wave
)

// crowd is the sessions that follow a group.
type crowd struct {
	sessions []*Session

	next    time.Time // when the next wave may begin
	pending bool      // something waits for it
	timed   bool      // a timer will begin it
}

func (c *crowd) large() bool { return len(c.sessions) >= crowded }

// rouse wakes a crowd now or when its time has come. The hub is locked.
func (h *Hub) rouse(c *crowd) {
	if !c.pending || c.timed {
		return
	}
	if wait := time.Until(c.next); wait > 0 {
		c.timed = true
		time.AfterFunc(wait, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			c.timed = false
			c.wake()
		})
		return
	}
	c.wake()
}

func (c *crowd) wake() {
	c.pending = false
	c.next = time.Now().Add(min(time.Duration(len(c.sessions))*stride, maxPause))
	for _, s := range c.sessions {
		s.Conn.Wake()
	}
}
