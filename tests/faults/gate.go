package main

import "sync"

// gate counts the bytes of one direction and holds them when there were enough, so that what happens then happens in the
// middle of a file, however fast the machine is.
type gate struct {
	mu   sync.Mutex
	left int64         // bytes that may pass before it shuts
	held chan struct{} // closed when it shuts; nil: it does not
	open chan struct{} // closed when more may pass
}

// allow lets so many bytes pass. The channel is closed when it is shut again.
func (g *gate) allow(n int64) (held <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unlock()
	g.left, g.held, g.open = n, make(chan struct{}), make(chan struct{})
	return g.held
}

// release lets everything pass.
func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unlock()
	g.held = nil
}

func (g *gate) unlock() {
	if g.open != nil {
		close(g.open)
		g.open = nil
	}
}

// pass waits until bytes may pass, or their link has ended.
func (g *gate) pass(n int, closed <-chan struct{}) {
	for {
		g.mu.Lock()
		if g.held == nil || g.left > 0 {
			g.left -= int64(n)
			g.mu.Unlock()
			return
		}
		select {
		case <-g.held:
		default:
			close(g.held)
		}
		open := g.open
		g.mu.Unlock()
		select {
		case <-open:
		case <-closed:
			return
		}
	}
}
