package live

import (
	"time"

	"timbre/model"
	"timbre/protocol"
)

// room is a live room in which somebody is, or was a short time ago. All of it is under the rooms' lock.
type room struct {
	Place
	seats   []*seat
	users   map[int64]*user
	newest  *user // of a list in the order in which they came
	arrived uint64
	present int // users with a seat

	pending []item
	late    map[*seat]int // how many of these were there before a session came
	came    crowd
	out     map[int64]bool // who was removed since the last tick
	back    crowd          // those of them who have come again since
	went    crowd
	next    time.Time // when the next tick may begin
	armed   bool      // a tick is going to begin, or is being delivered
	closed  bool      // it has ended, what is pending is the last

	delivers  bool       // a tick is being delivered
	farewells []farewell // for those who were removed meanwhile

	last   []item // history
	recent recent
	idle   *time.Timer // forgets the room
}

// seat is a session in a room.
type seat struct {
	room    *room
	guest   Guest
	index   int
	user    *user // nil: it only watches
	watches bool
}

// user is somebody in a room, with any number of devices.
type user struct {
	uid    int64
	member protocol.Member
	seats  int
	order  uint64
	older  *user
	newer  *user
	missed *time.Timer // his last connection broke; nil: it did not
}

// open returns the room, which is made if there is none.
func (rs *Rooms) open(p Place) *room {
	r := rs.rooms[p.GID]
	if r == nil {
		r = &room{users: map[int64]*user{}}
		rs.rooms[p.GID] = r
	}
	r.Place = p // its name may have changed
	return r
}

// sit gives a session a seat.
func (rs *Rooms) sit(r *room, g Guest) *seat {
	s := &seat{room: r, guest: g, index: len(r.seats)}
	r.seats = append(r.seats, s)
	if rs.sessions[g.Session] == nil {
		rs.sessions[g.Session] = map[int64]*seat{}
	}
	rs.sessions[g.Session][r.GID] = s
	rs.present++
	if n := r.known(g.Seen, rs.cfg.History); n > 0 { // what was said before is for those who were there
		if r.late == nil {
			r.late = map[*seat]int{}
		}
		r.late[s] = n
	}
	if r.idle != nil {
		r.idle.Stop()
		r.idle = nil
	}
	return s
}

// known is how many of the pending items are not for a session that comes now and has seen a message already: all but the
// newest, which are kept for newcomers, and everything up to that message, which may be its own.
func (r *room) known(seen uint64, history int) int {
	n := max(0, len(r.pending)-history)
	for i := range r.pending {
		if seq := r.pending[i].seq; seq > 0 && seq <= seen {
			n = max(n, i+1)
		}
	}
	return n
}

// standUp takes the seat of a session that is not in the room and does not watch it either.
func (rs *Rooms) standUp(s *seat) {
	if s.user != nil || s.watches {
		return
	}
	rs.forgetSeat(s)
	r := s.room
	end := len(r.seats) - 1
	last := r.seats[end]
	r.seats[s.index], last.index = last, s.index
	r.seats[end] = nil
	r.seats = r.seats[:end]
	if end == 0 {
		r.idle = time.AfterFunc(rs.cfg.Idle, func() { rs.forget(r) })
	}
}

func (rs *Rooms) forgetSeat(s *seat) {
	rs.present--
	mine := rs.sessions[s.guest.Session]
	delete(mine, s.room.GID)
	if len(mine) == 0 {
		delete(rs.sessions, s.guest.Session)
	}
}

// forget drops a room that stayed empty.
func (rs *Rooms) forget(r *room) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if len(r.seats) == 0 && rs.rooms[r.GID] == r {
		delete(rs.rooms, r.GID)
	}
}

// admit returns the user, who is new unless he is there or is missed only since a short time.
func (r *room) admit(uid int64, who protocol.Member) (u *user, fresh bool) {
	u = r.users[uid]
	if u == nil {
		r.arrived++
		u = &user{uid: uid, member: who, order: r.arrived, older: r.newest}
		if r.newest != nil {
			r.newest.newer = u
		}
		r.newest, r.users[uid], fresh = u, u, true
	}
	if u.seats == 0 {
		u.stay()
		r.present++
	}
	return u, fresh
}

// stay ends that a user is missed.
func (u *user) stay() {
	if u.missed != nil {
		u.missed.Stop()
		u.missed = nil
	}
}

// depart ends that a session is in a room. With its user's last one he leaves it, at once or when nobody has seen him for
// a while.
func (rs *Rooms) depart(s *seat, atOnce bool) {
	u, r := s.user, s.room
	s.user = nil
	rs.standUp(s)
	if u == nil {
		return
	}
	if u.seats--; u.seats > 0 {
		return
	}
	r.present--
	if atOnce {
		rs.gone(r, u)
		return
	}
	var missed *time.Timer
	missed = time.AfterFunc(rs.cfg.Grace, func() {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		if u.missed == missed {
			rs.gone(r, u)
		}
	})
	u.missed = missed
}

// gone removes a user and has it told.
func (rs *Rooms) gone(r *room, u *user) {
	r.remove(u)
	if !rs.cfg.Tips || r.came.drop(u.member.User) || r.back.drop(u.member.User) {
		return // nobody has been told that he came
	}
	r.went.add(u.member)
	rs.arm(r)
}

// remove takes a user out of the lists.
func (r *room) remove(u *user) {
	u.stay()
	if u.seats > 0 {
		r.present--
		u.seats = 0
	}
	delete(r.users, u.uid)
	if u.newer != nil {
		u.newer.older = u.older
	} else {
		r.newest = u.older
	}
	if u.older != nil {
		u.older.newer = u.newer
	}
	u.older, u.newer = nil, nil
}

// named is how many users one tip names.
const named = 10

// crowd is the first users who came, or who went, since the last tick.
type crowd struct{ users []protocol.Member }

func (c *crowd) add(m protocol.Member) {
	if len(c.users) < named {
		c.users = append(c.users, m)
	}
}

// drop takes a user out, if he is named.
func (c *crowd) drop(name string) bool {
	for i := range c.users {
		if c.users[i].User == name {
			c.users = append(c.users[:i:i], c.users[i+1:]...)
			return true
		}
	}
	return false
}

// arrival is where it stands that a user came: what comes behind the tip that he was removed must not stand before it.
func (r *room) arrival(u *user) *crowd {
	if r.out[u.uid] {
		return &r.back
	}
	return &r.came
}

// presence makes the tip about users who came or went.
func (rs *Rooms) presence(r *room, c *crowd, kind int) []item {
	users := c.users
	*c = crowd{}
	if len(users) == 0 || r.closed {
		return nil
	}
	e := protocol.Entry{Kind: protocol.EntryMessage, Message: protocol.Message{Seq: rs.next(), From: model.SystemSender,
		Group: r.ID, Time: rs.now().UnixMilli(), Content: rs.tip(r.Place, kind, users, r.present)}}
	return []item{{text: e.Append(nil)}}
}
