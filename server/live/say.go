package live

import "timbre/protocol"

// Number returns the number of the next message of any room. Numbers grow, also over a restart unless the clock was set
// back, and are not dense: they are microseconds, which fit into 53 bits for some more centuries.
func (rs *Rooms) Number() uint64 {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.next()
}

func (rs *Rooms) next() uint64 {
	rs.number = max(rs.number+1, uint64(rs.now().UnixMicro()))
	return rs.number
}

// Said returns the answer to a message that was said in a room a short time ago.
func (rs *Rooms) Said(gid, uid int64, key string) (s protocol.Sent, found bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.rooms[gid]; r != nil {
		s, found = r.recent.answers[call{uid, key}]
	}
	return s, found
}

// Say tells a room something, besides the session that it comes from. A message is remembered, so that its repetition is
// known, and kept for those who come.
func (rs *Rooms) Say(gid, uid int64, origin uint64, m protocol.Message) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rooms[gid]
	if r == nil {
		return
	}
	r.recent.add(call{uid, m.Key}, protocol.Sent{Seq: m.Seq, Time: m.Time})
	rs.say(r, origin, m)
}

// say tells a room a message that newcomers get, too.
func (rs *Rooms) say(r *room, origin uint64, m protocol.Message) {
	e := protocol.Entry{Kind: protocol.EntryMessage, Message: m}
	r.pending = append(r.pending, item{origin: origin, seq: m.Seq, text: e.Append(nil)})
	rs.arm(r)
}

// Relay passes a line on to a room, besides the session that it comes from.
func (rs *Rooms) Relay(gid int64, origin uint64, line []byte) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.rooms[gid]; r != nil {
		r.pending = append(r.pending, item{origin: origin, line: line})
		rs.arm(r)
	}
}

// Tell tells a room what happened to it. A message without a number gets one.
func (rs *Rooms) Tell(gid int64, e protocol.Entry) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rooms[gid]
	if r == nil {
		return
	}
	if e.Kind == protocol.EntryMessage && e.Message.Seq == 0 {
		e.Message.Seq = rs.next()
	}
	rs.add(r, 0, e)
	rs.arm(r)
}

// Broadcast says something in all rooms of an app and returns how many those are.
func (rs *Rooms) Broadcast(app uint64, m protocol.Message) (rooms int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	m.Time = rs.now().UnixMilli()
	for _, r := range rs.rooms {
		if r.App != app || len(r.seats) == 0 {
			continue
		}
		rooms++
		m.Seq, m.Group = rs.next(), r.ID
		rs.say(r, 0, m)
	}
	return rooms
}

// remembered is how many messages of a room are known when they are repeated: those of some seconds.
const remembered = 256

// call is a user's message by its idempotency key.
type call struct {
	uid int64
	key string
}

// recent is a room's last messages with their answers.
type recent struct {
	answers map[call]protocol.Sent
	order   []call
	oldest  int
}

func (r *recent) add(c call, s protocol.Sent) {
	if r.answers == nil {
		r.answers = map[call]protocol.Sent{}
	}
	if len(r.order) < remembered {
		r.order = append(r.order, c)
	} else {
		delete(r.answers, r.order[r.oldest])
		r.order[r.oldest] = c
		r.oldest = (r.oldest + 1) % remembered
	}
	r.answers[c] = s
}
