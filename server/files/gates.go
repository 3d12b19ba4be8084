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
	one := g.take(id)
	if alone {
		one.Lock()
		return func() { one.Unlock(); g.put(id, one) }
	}
	one.RLock()
	return func() { one.RUnlock(); g.put(id, one) }
}

// try locks the gate alone if nobody is there.
func (g *gates) try(id string) (leave func(), ok bool) {
	one := g.take(id)
	if !one.TryLock() {
		g.put(id, one)
		return nil, false
	}
	return func() { one.Unlock(); g.put(id, one) }, true
}

func (g *gates) take(id string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.open[id]
	if one == nil {
		one = &gate{}
		g.open[id] = one
	}
	one.users++
	return one
}

func (g *gates) put(id string, one *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(g.open, id)
	}
}
