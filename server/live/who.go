package live

import (
	"slices"

	"timbre/protocol"
)

// In says whether a session is in a room, and not only watching.
func (rs *Rooms) In(gid int64, session uint64) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	s := rs.sessions[session][gid]
	return s != nil && s.user != nil
}

// Since returns when a user came to a room, in seconds, and false when he is not there.
func (rs *Rooms) Since(gid, uid int64) (int64, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.rooms[gid]; r != nil {
		if u := r.users[uid]; u != nil && u.seats > 0 {
			return u.member.Joined, true
		}
	}
	return 0, false
}

// Size returns how many users are in a room.
func (rs *Rooms) Size(gid int64) int {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.rooms[gid]; r != nil {
		return r.present
	}
	return 0
}

// Newest returns the users who are in a room as far as they are listed, who came last first.
func (rs *Rooms) Newest(gid int64) (uids []int64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rooms[gid]
	if r == nil {
		return nil
	}
	for u := r.newest; u != nil && len(uids) < rs.cfg.Members; u = u.older {
		if u.seats > 0 {
			uids = append(uids, u.uid)
		}
	}
	return uids
}

// User is somebody in a room. His member has the role and the profile that he came with.
type User struct {
	UID    int64
	Member protocol.Member
}

// Page lists users of a room for whom keep is true, who came last first, and what to ask with for the next page, 0 after the
// last one. The first page is asked for with 0.
func (rs *Rooms) Page(gid int64, next uint64, size int, keep func(uid int64) bool) (list []User, more uint64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rooms[gid]
	if r == nil {
		return nil, 0
	}
	seen, last := 0, uint64(0)
	for u := r.newest; u != nil && seen < rs.cfg.Members; u = u.older {
		if u.seats == 0 {
			continue
		}
		if seen++; (next != 0 && u.order >= next) || !keep(u.uid) {
			continue
		}
		if len(list) == size {
			return list, last
		}
		list, last = append(list, User{u.uid, u.member}), u.order
	}
	return list, 0
}

// Rooms returns the rooms in which a user is. It looks into every room: it is for rare questions.
func (rs *Rooms) Rooms(uid int64) (gids []int64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for gid, r := range rs.rooms {
		if u := r.users[uid]; u != nil && u.seats > 0 {
			gids = append(gids, gid)
		}
	}
	slices.Sort(gids)
	return gids
}

// Figures is what an operator wants to know.
type Figures struct {
	Rooms    int
	Audience int    // connections, by room
	Sent     uint64 // entries, by connection
}

// Figures returns how much there is now, and how much was sent since the start.
func (rs *Rooms) Figures() Figures {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return Figures{Rooms: len(rs.rooms), Audience: rs.present, Sent: rs.sent.Load()}
}
