// Package live keeps who is in live rooms and carries what is said there. A live room is a group whose audience comes and
// goes by the thousand: its row, its rules and its sanctions are package group's, and everything else is in memory only and
// ends with the process.
//
// What happens in a room is gathered for a tick and goes out as one line, which is made once and shared by all connections:
// a write to a connection costs the machine some 20 microseconds, and forty messages a second to five thousand connections
// are two hundred thousand of them. The first message after a silence goes out at once. Nothing that takes long happens
// under the lock: a tick takes what is pending and who is there, and delivers without it.
//
// Who comes and goes is told by tick, too. Those of one tick stand in one tip, which names the first few and counts all, so
// that a crowd that comes at once costs its room no more than some messages. A user who loses his connection is kept for a
// while, and nobody is told of it when he comes back in time.
//
// Rejected: the change log (nothing may be stored), a goroutine per room (a hundred thousand empty rooms are nothing but
// rows now), a lock per room (nothing here takes long enough to need it), a list of messages per connection (a copy for each).
package live

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"timbre/protocol"
)

// Config has the rooms' limits and times.
type Config struct {
	Tick    time.Duration // what happens in this time goes out together
	Grace   time.Duration // how long a user whose connection broke is kept
	Idle    time.Duration // how long an empty room's last messages are kept
	History int           // messages that whoever joins gets, 0: none
	Members int           // newest users who are listed
	Single  bool          // a session is in one room at a time
	Tips    bool          // a room says who comes and goes
}

// Defaults are the times of a server that nobody configured.
func Defaults() Config {
	return Config{Tick: 200 * time.Millisecond, Grace: 30 * time.Second, Idle: 10 * time.Minute, Members: 1000, Tips: true}
}

// Connection is a session's way to its client. None of the methods may block.
type Connection interface {
	// Live queues a line without waking the connection. It may be dropped when the client does not read.
	Live(line []byte)
	// Wake tells the connection that there is something to write.
	Wake()
}

// Place names a room.
type Place struct {
	GID  int64
	App  uint64
	ID   string // as users know it
	Name string
}

// Guest is a session that comes to a room.
type Guest struct {
	Session uint64
	UID     int64
	Conn    Connection
	Again   bool   // it was there before its connection broke: nobody is told, and it gets only messages after Seen
	Seen    uint64 // newest number of a message that it has
}

// Presence makes the content of the tip that users came (TIMGroupTipType Invite) or went (Quit). Count is how many are there
// then.
type Presence func(p Place, kind int, users []protocol.Member, count int) []byte

// Rooms is the live rooms in which somebody is.
type Rooms struct {
	cfg  Config
	tip  Presence
	now  func() time.Time
	sent atomic.Uint64 // entries, by connection

	mu       sync.Mutex
	rooms    map[int64]*room
	sessions map[uint64]map[int64]*seat // by room
	present  int                        // seats of all rooms
	number   uint64                     // newest of any message
}

// New returns rooms in which nobody is.
func New(cfg Config, tip Presence, now func() time.Time) *Rooms {
	return &Rooms{cfg: cfg, tip: tip, now: now, rooms: map[int64]*room{}, sessions: map[uint64]map[int64]*seat{}}
}

// Join lets a session of a user into a room; the user counts once. The room's last messages are queued at once, behind what
// the connection has queued before. With Single, the session leaves its other rooms, see Others.
func (rs *Rooms) Join(p Place, g Guest, who protocol.Member) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.open(p)
	s := rs.sessions[g.Session][p.GID]
	if s != nil && s.user != nil {
		return
	}
	if rs.cfg.Single {
		rs.leaveOthers(g.Session)
	}
	if s == nil {
		s = rs.sit(r, g)
		if !g.Again || g.Seen > 0 {
			rs.recall(s, g.Seen)
		}
	}
	u, fresh := r.admit(g.UID, who)
	s.user = u
	u.seats++
	if fresh && !g.Again && rs.cfg.Tips && !r.went.drop(u.member.User) { // else nobody has been told that he went
		r.arrival(u).add(u.member)
		rs.arm(r)
	}
}

// Others returns the rooms besides this one that a session is in, by their ids, if it may be in one at a time only.
func (rs *Rooms) Others(session uint64, gid int64) (ids []string) {
	if !rs.cfg.Single {
		return nil
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for other, s := range rs.sessions[session] {
		if other != gid && s.user != nil {
			ids = append(ids, s.room.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func (rs *Rooms) leaveOthers(session uint64) {
	for _, s := range rs.sessions[session] {
		rs.depart(s, true)
	}
}

// Watch lets a session see what happens in a room without being there, or ends that.
func (rs *Rooms) Watch(p Place, g Guest, on bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	s := rs.sessions[g.Session][p.GID]
	switch {
	case on && s == nil:
		s = rs.sit(rs.open(p), g)
		s.watches = true
		rs.recall(s, 0)
	case s != nil:
		s.watches = on
		rs.standUp(s)
	}
}

// Quit takes a session out of a room. It returns false if it was not there.
func (rs *Rooms) Quit(gid int64, session uint64) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	s := rs.sessions[session][gid]
	if s == nil || s.user == nil {
		return false
	}
	rs.depart(s, true)
	return true
}

// End takes a session out of all rooms. Unless it ends for good, its user is missed only after a while.
func (rs *Rooms) End(session uint64, forGood bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, s := range rs.sessions[session] {
		s.watches = false
		if s.user == nil {
			rs.standUp(s)
		} else {
			rs.depart(s, forGood)
		}
	}
}

// Evict takes a user out of a room, with all devices. What happened before, and that he was removed, still reaches him.
func (rs *Rooms) Evict(gid, uid int64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rooms[gid]
	if r == nil {
		return
	}
	if u := r.users[uid]; u != nil {
		r.remove(u)
		r.back.drop(u.member.User)
		if r.out == nil {
			r.out = map[int64]bool{}
		}
		r.out[uid] = true
	}
	for _, s := range slices.Clone(r.seats) {
		if s.guest.UID != uid {
			continue
		}
		rs.sendOff(r, s)
		s.user, s.watches = nil, false
		rs.standUp(s)
	}
}

// Close ends a room: everybody gets what is pending, and is not there any more.
func (rs *Rooms) Close(gid int64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rooms[gid]
	if r == nil {
		return
	}
	delete(rs.rooms, gid)
	for _, s := range r.seats {
		rs.forgetSeat(s)
	}
	for _, u := range r.users {
		u.stay()
	}
	clear(r.users)
	r.newest, r.closed = nil, true
	r.next = time.Time{}
	rs.arm(r)
}
