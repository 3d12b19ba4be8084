package live

import (
	"slices"
	"time"

	"timbre/protocol"
)

// item is something that happened in a room.
type item struct {
	origin uint64 // session that knows it already, 0: none
	seq    uint64 // of a message that is kept for newcomers, 0: it is not
	text   []byte // an encoded entry
	line   []byte // or a line of its own
}

// add appends what happened to the next tick.
func (rs *Rooms) add(r *room, origin uint64, e protocol.Entry) {
	r.pending = append(r.pending, item{origin: origin, text: e.Append(nil)})
}

// arm has a tick begin when its time has come, if there is anything to tell.
func (rs *Rooms) arm(r *room) {
	if r.armed || len(r.pending)+len(r.came.users)+len(r.went.users) == 0 {
		return
	}
	r.armed = true
	time.AfterFunc(max(0, time.Until(r.next)), func() { rs.tick(r) })
}

// tick delivers what is pending. A room's ticks follow each other: the next one is armed after the delivery.
func (rs *Rooms) tick(r *room) {
	rs.mu.Lock()
	r.next = time.Now().Add(rs.cfg.Tick)
	items, seats, head := rs.tell(r), slices.Clone(r.seats), r.head()
	r.pending = nil
	r.keep(items, rs.cfg.History)
	rs.mu.Unlock()

	rs.deliver(head, items, seats)

	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.armed = false
	rs.arm(r)
}

// deliver hands items to sessions. Those that sent some of them get the others.
func (rs *Rooms) deliver(head []byte, items []item, seats []*seat) {
	all := lines(head, items, 0)
	origins := map[uint64]bool{}
	for _, i := range items {
		origins[i.origin] = true
	}
	for _, s := range seats {
		mine := all
		if origins[s.guest.Session] {
			mine = lines(head, items, s.guest.Session)
		}
		for _, line := range mine {
			s.guest.Conn.Live(line)
		}
		s.guest.Conn.Wake()
	}
	rs.sent.Add(uint64(len(items)) * uint64(len(seats)))
}

// farewell gives a session that is being removed what is pending.
func (rs *Rooms) farewell(r *room, s *seat) {
	for _, line := range lines(r.head(), r.pending, s.guest.Session) {
		s.guest.Conn.Live(line)
	}
	s.guest.Conn.Wake()
}

// recall gives a session that came the room's last messages, those after a number. What is pending comes with the next tick.
func (rs *Rooms) recall(s *seat, after uint64) {
	known := s.room.last
	for len(known) > 0 && known[0].seq <= after {
		known = known[1:]
	}
	for _, line := range lines(s.room.head(), known, 0) {
		s.guest.Conn.Live(line)
	}
}

// keep makes messages part of the history.
func (r *room) keep(items []item, limit int) {
	for _, i := range items {
		if i.seq != 0 && limit > 0 {
			r.last = append(r.last, i)
		}
	}
	if more := len(r.last) - limit; more > 0 {
		r.last = slices.Delete(r.last, 0, more)
	}
}

// head is how a line of the room begins.
func (r *room) head() []byte {
	b := protocol.AppendString([]byte(`{"push":"`+protocol.PushLive+`","body":{"g":`), r.ID)
	return append(b, `,"from":0,"pos":0,"entries":[`...)
}

// lines makes pushes of items, without those of a session that knows them.
func lines(head []byte, items []item, without uint64) (list [][]byte) {
	var b []byte
	end := func() {
		if b != nil {
			list = append(list, append(b, "]}}\n"...))
			b = nil
		}
	}
	for _, i := range items {
		if without != 0 && i.origin == without {
			continue
		}
		if i.line != nil {
			end()
			list = append(list, i.line)
			continue
		}
		if b != nil && len(b)+len(i.text) > protocol.MaxFrame {
			end()
		}
		if b == nil {
			b = append(make([]byte, 0, len(head)+len(i.text)+64), head...)
		} else {
			b = append(b, ',')
		}
		b = append(b, i.text...)
	}
	end()
	return list
}
