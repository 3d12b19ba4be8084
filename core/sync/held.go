package sync

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"timbre/core/guard"
	"timbre/protocol"
)

// gap is a log of which something is missing.
type gap struct {
	pieces []protocol.Log // what lies behind it
	more   bool           // something else is missing that no piece tells of
	timer  *time.Timer    // the patience
}

// gap returns the gap of a log. e.mu is held.
func (e *Engine) gap(group string) *gap {
	g := e.gaps[group]
	if g == nil {
		g = &gap{}
		e.gaps[group] = g
	}
	return g
}

// closeGap lets go of a gap. e.mu is held.
func (e *Engine) closeGap(group string, g *gap) {
	e.held -= len(g.pieces)
	if g.timer != nil {
		g.timer.Stop()
	}
	delete(e.gaps, group)
}

// hold keeps a piece that cannot be applied yet and starts the patience.
func (e *Engine) hold(piece protocol.Log) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return
	}
	g := e.gap(piece.Group)
	if e.held < maxHeld {
		g.pieces = append(g.pieces, piece)
		e.held++
	} else {
		g.more = true
	}
	e.wait(piece.Group, g)
}

// wait starts the patience, unless questions are on their way: their end starts it. e.mu is held.
func (e *Engine) wait(group string, g *gap) {
	if g.timer == nil && !e.catching && !e.stopped {
		g.timer = guard.AfterFunc(e.log, gapPatience, "a gap", func() { e.gapStayed(group) })
	}
}

func (e *Engine) gapStayed(group string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.gaps[group]
	if g == nil || e.stopped {
		return
	}
	g.timer = nil
	e.due[group] = true
	e.start(nil)
}

// Catch asks for the difference: something may have happened that the server will not push.
func (e *Engine) Catch() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = true
	e.start(nil)
}

// retry offers what is held of a log again.
func (e *Engine) retry(group string) {
	for _, piece := range e.takeHeld(group) {
		e.Pushed(piece)
	}
}

// takeHeld returns the pieces in their order. Those that still do not fit come back and get a new patience.
func (e *Engine) takeHeld(group string) []protocol.Log {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.gaps[group]
	if g == nil {
		return nil
	}
	pieces := g.pieces
	if g.more {
		g.pieces = nil
		e.held -= len(pieces)
		e.wait(group, g)
	} else {
		e.closeGap(group, g)
	}
	slices.SortFunc(pieces, func(a, b protocol.Log) int { return cmp.Compare(a.From, b.From) })
	return pieces
}

func (e *Engine) retryAll() {
	e.mu.Lock()
	groups := slices.Sorted(maps.Keys(e.gaps))
	e.mu.Unlock()
	for _, group := range groups {
		e.retry(group)
	}
}

// followed offers what came before the group was followed. What was dropped meanwhile the difference brings, or with doubt
// whatever there is.
func (e *Engine) followed(group string, doubt bool) {
	e.mu.Lock()
	if (doubt || e.missed[group]) && !e.stopped {
		g := e.gap(group)
		g.more = true
		e.wait(group, g)
	}
	delete(e.missed, group)
	e.mu.Unlock()
	e.retry(group)
}

// dropUnknown lets go of what is held of a group that the server does not know as the user's.
func (e *Engine) dropUnknown(group string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if g := e.gaps[group]; g != nil {
		e.missed[group] = true
		e.closeGap(group, g)
	}
}

// dropOthers lets go of pieces of another epoch: no gap that closes could make them fit. e.mu is held.
func (e *Engine) dropOthers(epoch string) {
	for group, g := range e.gaps {
		before := len(g.pieces)
		g.pieces = slices.DeleteFunc(g.pieces, func(p protocol.Log) bool { return p.Epoch != epoch })
		e.held -= before - len(g.pieces)
		if len(g.pieces) == 0 && !g.more {
			e.closeGap(group, g)
		}
	}
}

// asking notes that the difference of a log is about to be asked for: what was missing until now it brings.
func (e *Engine) asking(group string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if g := e.gaps[group]; g != nil {
		g.more = false
	}
}
