package transport

import (
	"context"
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"timbre/core/guard"
)

// Times after which a silent connection is doubted. Together they stay below 30 s: so long a host waits at most for the
// news that a request went into a dead connection.
const (
	silence     = 10 * time.Second // with something to wait for, quiet for so long means: ask whether it lives
	askPatience = 10 * time.Second // the answer must come within
	nowPatience = 3 * time.Second  // likewise, when the host says that the network changed, or the machine has slept
	glance      = 15 * time.Second // so often the watch looks whether the machine has slept
)

// watch finds a dead connection. It sleeps until the next moment at which something could be due; what makes that moment
// come earlier wakes it. The timers stand still while the machine sleeps and the network forgets the connection.
func (l *Link) watch(ctx context.Context, c *connection) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	clocks := newClocks(l.cfg.Wall)
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-c.doubt:
		}
		if slept := clocks.slept(); slept >= silence {
			l.cfg.Log.Info("the machine has slept, asking whether the server lives", "for", slept)
			c.ask(nowPatience, false)
		}
		var next time.Duration
		if !guard.Run(l.cfg.Log, "watching a connection", func() { next = l.examine(c) }) || next == 0 {
			c.end(dead())
			return
		}
		timer.Reset(min(next, glance))
	}
}

// clocks find out that the machine has slept: the clock on the wall has gone on, and the one of the timers has not.
type clocks struct {
	wall          func() time.Time
	shown, passed time.Time // by the one and by the other, when they were last compared
}

func newClocks(wall func() time.Time) *clocks {
	if wall == nil {
		wall = func() time.Time { return time.Now().Round(0) }
	}
	return &clocks{wall: wall, shown: wall(), passed: time.Now()}
}

// slept is how much more time has gone by than the timers know, since it was asked for last. A clock that was set forward
// looks the same, which costs a question to the server.
func (c *clocks) slept() time.Duration {
	shown, passed := c.wall(), time.Now()
	ahead := shown.Sub(c.shown) - passed.Sub(c.passed)
	c.shown, c.passed = shown, passed
	return ahead
}

func dead() *Error { return lost("the server was silent and did not say that it lives") }

// examine asks whether the connection lives if it is time to, and returns how long to sleep, 0 when it is dead.
func (l *Link) examine(c *connection) time.Duration {
	l.mu.Lock()
	every, waiting := beatMin, false // before the login the server closes a connection that is silent for a minute
	if l.open {
		every, waiting = l.beat.every, len(l.pending) > 0
	}
	l.mu.Unlock()
	now := time.Now()
	due, idle := c.due(every, waiting)
	if !due.After(now) && c.asked() {
		l.cfg.Log.Warn("the server is silent, connecting anew", "quiet", c.quiet())
		return 0
	}
	if !due.After(now) {
		c.ask(askPatience, idle)
		due, _ = c.due(every, waiting)
	}
	return max(due.Sub(now), time.Millisecond)
}

// learn lets the heartbeat know how a connection ended that was logged in. One that the server closed in good form says
// nothing about the network.
func (l *Link) learn(c *connection, err error) {
	var bye *websocket.CloseError
	if errors.As(err, &bye) && bye.Code != websocket.CloseAbnormalClosure {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open && c.diedIdle() {
		l.beat.died()
		l.cfg.Log.Info("an idle connection was lost", "heartbeat", l.beat.every)
	}
}

// due is when the connection has to be asked, or when it is dead if it was asked. idle says that nothing is waited for.
func (c *connection) due(every time.Duration, waiting bool) (at time.Time, idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() {
		return c.until, c.idle
	}
	at, idle = c.lastHeard.Add(every), true
	since := c.lastHeard
	if !c.unanswered.IsZero() {
		since, waiting = c.unanswered, true
	}
	if soon := since.Add(silence); waiting && soon.Before(at) {
		at, idle = soon, false
	}
	return at, idle && c.unanswered.IsZero()
}

// ask wants a sign of life within a time. A question that is open already may become more urgent.
func (c *connection) ask(patience time.Duration, idle bool) {
	c.mu.Lock()
	first := c.until.IsZero()
	if until := time.Now().Add(patience); first || until.Before(c.until) {
		c.until, c.idle = until, idle
	}
	c.mu.Unlock()
	if first {
		c.send(ping.Append, nil)
	}
	c.wonder()
}

// wonder wakes the watch.
func (c *connection) wonder() {
	select {
	case c.doubt <- struct{}{}:
	default:
	}
}

// heard notes a sign of life. It says whether it answers a heartbeat that came after a whole distance of silence.
func (c *connection) heard() (beat bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	beat = c.idle && !c.until.IsZero()
	c.lastHeard, c.unanswered, c.until, c.idle = time.Now(), time.Time{}, time.Time{}, false
	return beat
}

func (c *connection) quiet() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.lastHeard)
}

func (c *connection) asked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.until.IsZero()
}

// diedIdle says whether a connection that has ended was idle before: it left a heartbeat unanswered, or it broke by itself
// after a silence.
func (c *connection) diedIdle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() {
		return c.idle
	}
	return !c.closed && c.unanswered.IsZero() && time.Since(c.lastHeard) >= beatMin
}
