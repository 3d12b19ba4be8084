package group

import (
	"sync"
	"time"
)

// pace bounds how often something may be asked for: at most so many times in any stretch of time of this length.
type pace struct {
	most int
	in   time.Duration

	mu    sync.Mutex
	times []time.Time
}

// allow says whether one more may be, and counts it then.
func (p *pace) allow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for len(p.times) > 0 && now.Sub(p.times[0]) >= p.in {
		p.times = p.times[1:]
	}
	if len(p.times) == p.most {
		return false
	}
	p.times = append(p.times, now)
	return true
}
