package files

import "sync"

// gates lets the parts of one file be written at once, and its end only alone: what was compared with the checksum must
// not change afterwards.
type gates struct {
	mu   sync.Mutex
	open map[string]*gate
}

type gate struct {
	sync.RWMutex
	users int
}

// enter locks the gate of a file, shared or alone, and returns how to leave it.
func (g *gates) enter(id string, alone bool) (leave func()) {
	g.mu.Lock()
	one := g.open[id]
	if one == nil {
		one = &gate{}
		g.open[id] = one
	}
	one.users++
	g.mu.Unlock()
	unlock := one.RUnlock
	if alone {
		one.Lock()
		unlock = one.Unlock
	} else {
		one.RLock()
	}
	return func() {
		unlock()
		g.mu.Lock()
		defer g.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(g.open, id)
		}
	}
}
