// Package session knows who is connected and hands every change to the sessions that must hear of it.
//
// Changes arrive in commit order from the one goroutine that writes the database, and are queued at the sessions in the
// same order, together with the answers of the same commit. So a connection sees the positions of its user's log
// ascending and without holes, as long as its queue does not overflow. Sessions are woken only when a whole commit has
// been queued: one frame then carries all that the commit has for it.
package session

import (
	"sync"

	"timbre/server/account"
	"timbre/server/changelog"
)

// Event is what one request changed.
type Event struct {
	Origin  uint64 // number of the session that gets the answer, which stands for its user's entry
	Changes []changelog.Change
}

// Waker is a connection that has something to write.
type Waker interface{ Wake() }

// Connection is a session's way to its client. None of the methods may block.
type Connection interface {
	Waker
	// Log queues an entry of the user's log without waking the connection.
	Log(pos uint64, e *changelog.Encoded)
	// Kick tells the client that another device took its place and ends the connection.
	Kick()
	// Replace ends the connection because its device has a newer one.
	Replace()
}

// Session is one logged-in connection.
type Session struct {
	Number uint64
	App    uint64
	UID    int64
	User   string
	Device account.Device
	Conn   Connection
}

// Hub holds the sessions of this node.
type Hub struct {
	policy account.Policy

	mu    sync.RWMutex
	users map[int64][]*Session

	touched []Waker // used on the database writer's goroutine only
}

// NewHub returns an empty hub.
func NewHub(policy account.Policy) *Hub { return &Hub{policy: policy, users: map[int64][]*Session{}} }

// Enter adds a session and ends those that it replaces or competes with.
func (h *Hub) Enter(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	stay := []*Session{s}
	for _, old := range h.users[s.UID] {
		switch {
		case old.Device.ID == s.Device.ID:
			old.Conn.Replace()
		case h.policy.Compete(s.Device, old.Device):
			old.Conn.Kick()
		default:
			stay = append(stay, old)
		}
	}
	h.users[s.UID] = stay
}

// Leave removes a session if it is still there.
func (h *Hub) Leave(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var stay []*Session
	for _, other := range h.users[s.UID] {
		if other != s {
			stay = append(stay, other)
		}
	}
	if len(stay) == 0 {
		delete(h.users, s.UID)
		return
	}
	h.users[s.UID] = stay
}

// Touch has a connection woken when the commit is settled.
func (h *Hub) Touch(w Waker) { h.touched = append(h.touched, w) }

// Deliver queues an event at the sessions of this node.
func (h *Hub) Deliver(e Event) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, c := range e.Changes {
		for _, s := range h.users[c.UID] {
			if s.Number != e.Origin {
				s.Conn.Log(c.Pos, c.Entry)
				h.Touch(s.Conn)
			}
		}
	}
}

// Wake wakes the connections that Deliver and Touch named.
func (h *Hub) Wake() {
	for _, w := range h.touched {
		w.Wake()
	}
	clear(h.touched)
	h.touched = h.touched[:0]
}
