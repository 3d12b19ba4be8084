// Package session knows who is connected and hands every change to the sessions that must hear of it.
//
// Changes arrive in commit order from the one goroutine that writes the database, and are queued at the sessions in the
// same order, together with the answers of the same commit. So a connection sees the positions of every log that it
// follows ascending and without holes, as long as its queue does not overflow. Sessions are woken only when a whole commit
// has been queued: one frame then carries all that the commit has for it, or in a large group all of a few commits.
//
// A session follows its user's log and those of his groups. Each group has a list of the sessions that follow it, so a
// message to a group costs its online members and not its members.
package session

import (
	"slices"
	"sync"

	"timbre/server/account"
	"timbre/server/changelog"
)

// Event is what one request changed.
type Event struct {
	Origin  uint64   // number of the session that gets the answer, which stands for its user's entry
	Opened  []Branch // topics that those who follow a community follow from now on, too
	Joined  []Seat   // users whose sessions follow a group from now on: they get the changes of this event
	Changes []changelog.Change
	Left    []Seat  // users whose sessions do not follow it any more, after the changes
	Closed  []int64 // groups that nobody follows any more, after the changes
	Direct  []Direct
}

// Seat is a user's place in a group.
type Seat struct{ UID, GID int64 }

// Branch is a topic of a community. Whoever follows the community follows it.
type Branch struct{ GID, Parent int64 }

// Direct is a line for those who are online, which stands in no log.
type Direct struct {
	UIDs []int64
	GID  int64   // or everybody who follows this group
	Only []int64 // or those of them; nil: all
	// Platforms is on what devices they must be; none: on any.
	Platforms []string
	Line      []byte
}

// Waker is a connection that has something to write.
type Waker interface{ Wake() }

// Connection is a session's way to its client. None of the methods may block.
type Connection interface {
	Waker
	// Log queues an entry of the user's log, or with a group's name of that group's, without waking the connection.
	Log(group string, pos uint64, e *changelog.Encoded)
	// Tell queues a line without waking the connection.
	Tell(line []byte)
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

	at map[int64]int // index in each group's list
}

// Hub holds the sessions of this node.
type Hub struct {
	mu     sync.RWMutex
	users  map[int64][]*Session
	groups map[int64]*crowd

	touched []Waker  // used on the database writer's goroutine only
	stirred []*crowd // likewise: large ones
}

// NewHub returns an empty hub.
func NewHub() *Hub {
	return &Hub{users: map[int64][]*Session{}, groups: map[int64]*crowd{}}
}

// Enter adds a session, which follows these groups. It ends the session of the same device before, and those of the user's
// devices that lost their places by this login.
func (h *Hub) Enter(s *Session, groups []int64, lost []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	stay := []*Session{s}
	for _, old := range h.users[s.UID] {
		switch {
		case old.Device.ID == s.Device.ID:
			old.Conn.Replace()
		case slices.Contains(lost, old.Device.ID):
			old.Conn.Kick()
		default:
			stay = append(stay, old)
			continue
		}
		h.unfollowAll(old)
	}
	h.users[s.UID] = stay
	for _, gid := range groups {
		h.follow(s, gid)
	}
}

// Leave removes a session if it is still there.
func (h *Hub) Leave(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unfollowAll(s)
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

func (h *Hub) follow(s *Session, gid int64) {
	if _, already := s.at[gid]; already {
		return
	}
	if s.at == nil {
		s.at = map[int64]int{}
	}
	c := h.groups[gid]
	if c == nil {
		c = &crowd{}
		h.groups[gid] = c
	}
	s.at[gid] = len(c.sessions)
	c.sessions = append(c.sessions, s)
}

// unfollow puts the last session of the list into the place that becomes free.
func (h *Hub) unfollow(s *Session, gid int64) {
	i, ok := s.at[gid]
	if !ok {
		return
	}
	delete(s.at, gid)
	c := h.groups[gid]
	end := len(c.sessions) - 1
	last := c.sessions[end]
	c.sessions[i], last.at[gid] = last, i
	if last == s {
		delete(s.at, gid)
	}
	c.sessions[end] = nil
	if c.sessions = c.sessions[:end]; end == 0 {
		delete(h.groups, gid)
	}
}

func (h *Hub) unfollowAll(s *Session) {
	for gid := range s.at {
		h.unfollow(s, gid)
	}
}

// Touch has a connection woken when the commit is settled.
func (h *Hub) Touch(w Waker) { h.touched = append(h.touched, w) }

// Deliver queues an event at the sessions of this node.
func (h *Hub) Deliver(e Event) {
	if len(e.Joined)+len(e.Left)+len(e.Opened)+len(e.Closed) > 0 {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.deliver(&e)
		return
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	h.deliver(&e)
}

func (h *Hub) deliver(e *Event) {
	h.move(e.Joined, h.follow)
	for _, b := range e.Opened {
		h.branch(b)
	}
	for i := range e.Changes {
		h.change(e.Origin, &e.Changes[i])
	}
	h.move(e.Left, h.unfollow)
	for _, gid := range e.Closed {
		h.close(gid)
	}
	for i := range e.Direct {
		h.direct(e.Origin, &e.Direct[i])
	}
}

// change queues an entry of a log at those who follow it.
func (h *Hub) change(origin uint64, c *changelog.Change) {
	sessions, large := h.users[c.Owner], false
	if c.Owner < 0 {
		sessions, large = h.stir(-c.Owner)
	}
	for _, s := range sessions {
		if s.Number == origin {
			continue
		}
		entry := c.Entry
		if !c.Allows(s.UID) {
			entry = changelog.Nothing()
		}
		s.Conn.Log(c.Group, c.Pos, entry)
		if !large {
			h.Touch(s.Conn)
		}
	}
}

// stir returns who follows a group. If it is a large crowd, it will be woken as a whole.
func (h *Hub) stir(gid int64) (sessions []*Session, large bool) {
	c := h.groups[gid]
	if c == nil {
		return nil, false
	}
	if c.large() && !c.pending {
		c.pending = true
		h.stirred = append(h.stirred, c)
	}
	return c.sessions, c.large()
}

func (h *Hub) move(seats []Seat, how func(*Session, int64)) {
	for _, seat := range seats {
		for _, s := range h.users[seat.UID] {
			how(s, seat.GID)
		}
	}
}

// branch has everybody who follows a community follow a topic.
func (h *Hub) branch(b Branch) {
	c := h.groups[b.Parent]
	if c == nil {
		return
	}
	for _, s := range c.sessions {
		h.follow(s, b.GID)
	}
}

// close ends a group: nobody follows it any more.
func (h *Hub) close(gid int64) {
	if c := h.groups[gid]; c != nil {
		for _, s := range slices.Clone(c.sessions) {
			h.unfollow(s, gid)
		}
	}
}

func (h *Hub) direct(origin uint64, d *Direct) {
	var list []*Session
	if c := h.groups[d.GID]; c != nil && d.Only == nil {
		list = c.sessions
	}
	for _, uid := range d.Only {
		for _, s := range h.users[uid] {
			if _, follows := s.at[d.GID]; follows {
				list = append(list, s)
			}
		}
	}
	for _, uid := range d.UIDs {
		list = append(list[:len(list):len(list)], h.users[uid]...)
	}
	for _, s := range list {
		if s.Number != origin && (len(d.Platforms) == 0 || slices.Contains(d.Platforms, s.Device.Platform)) {
			s.Conn.Tell(d.Line)
			h.Touch(s.Conn)
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
	if len(h.stirred) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.stirred {
		h.rouse(c)
	}
	clear(h.stirred)
	h.stirred = h.stirred[:0]
}
