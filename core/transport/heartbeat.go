package transport

import "time"

// Times between two heartbeats of an idle connection.
const (
	beatFirst = 60 * time.Second
	beatMin   = 30 * time.Second
	beatMax   = 120 * time.Second
	beatStep  = 30 * time.Second
)

// Answered heartbeats before the next one may come later: at first, and at most.
const (
	trustFirst = 3
	trustMost  = 960 // a day at 90 s
)

// heartbeat finds out how long the network leaves an idle connection alone: routers forget connections over which nothing
// came for a while, and tell nobody. As long as all goes well the beats become rarer, because each one wakes a radio. When
// an idle connection was dead they become more frequent, and then need twice as many good ones to become rarer again.
type heartbeat struct {
	every    time.Duration
	answered int // in a row, at this distance
	trust    int // so many let it grow
}

func newHeartbeat() heartbeat { return heartbeat{every: beatFirst, trust: trustFirst} }

// lived notes that a connection answered after a whole distance of silence.
func (h *heartbeat) lived() {
	if h.answered++; h.answered >= h.trust && h.every < beatMax {
		h.every, h.answered = h.every+beatStep, 0
	}
}

// died notes that a connection was lost while it was idle.
func (h *heartbeat) died() {
	h.every, h.answered = max(beatMin, h.every-beatStep), 0
	h.trust = min(trustMost, h.trust*2)
}
