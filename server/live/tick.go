package live

import (
	"slices"
	"time"

	"timbre/model/tim"
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
	if r.armed || len(r.pending)+len(r.came.users)+len(r.went.users)+len(r.back.users) == 0 {
		return
	}
	r.armed = true
	time.AfterFunc(max(0, time.Until(r.next)), func() { rs.tick(r) })
}

// tick delivers what is pending. A room's ticks follow each other: the next one is armed after the delivery.
func (rs *Rooms) tick(r *room) {
	rs.mu.Lock()
	r.next = time.Now().Add(rs.cfg.Tick)
	b, seats := rs.gather(r), slices.Clone(r.seats)
	r.delivers = true
	rs.mu.Unlock()

	for _, s := range seats {
		for _, line := range b.of(s) {
			s.guest.Conn.Live(line)
		}
		s.guest.Conn.Wake()
	}
	rs.sent.Add(uint64(len(b.items)) * uint64(len(seats)))

	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.armed, r.delivers = false, false
	for _, last := range r.farewells {
		last.send()
	}
	r.farewells = nil
	rs.arm(r)
}

// gather takes what is pending. The tip of those who came stands before it, that of those who went behind it, and that of
// those who were removed and came again last.
func (rs *Rooms) gather(r *room) *batch {
	came := rs.presence(r, &r.came, tim.GroupTipInvite)
	went := rs.presence(r, &r.went, tim.GroupTipQuit)
	back := rs.presence(r, &r.back, tim.GroupTipInvite)
	b := &batch{head: r.head(), items: slices.Concat(came, r.pending, went, back), came: len(came), late: r.late,
		made: map[int][][]byte{}, origins: map[uint64]bool{}}
	for _, i := range r.pending {
		b.origins[i.origin] = true
	}
	r.pending, r.late, r.out = nil, nil, nil
	r.keep(b.items, rs.cfg.History)
	return b
}

// batch is what one tick delivers.
type batch struct {
	head    []byte
	items   []item
	came    int              // items before those that were pending
	late    map[*seat]int    // how many of these are not for a session, because it came after them
	made    map[int][][]byte // lines without so many
	origins map[uint64]bool  // sessions that know some items already
}

// of makes the lines for a session: most get the same.
func (b *batch) of(s *seat) [][]byte {
	late := b.late[s]
	if b.origins[s.guest.Session] {
		return lines(b.head, b.after(late), s.guest.Session)
	}
	made, ok := b.made[late]
	if !ok {
		made = lines(b.head, b.after(late), 0)
		b.made[late] = made
	}
	return made
}

func (b *batch) after(late int) []item {
	if late == 0 {
		return b.items
	}
	return slices.Concat(b.items[:b.came], b.items[b.came+late:])
}

// farewell is the last that a session gets which is being removed.
type farewell struct {
	to    Connection
	lines [][]byte
}

func (f farewell) send() {
	for _, line := range f.lines {
		f.to.Live(line)
	}
	f.to.Wake()
}

// sendOff gives a session that is being removed what is pending, behind a tick that is being delivered.
func (rs *Rooms) sendOff(r *room, s *seat) {
	f := farewell{s.guest.Conn, lines(r.head(), r.pending[r.late[s]:], s.guest.Session)}
	if r.delivers {
		r.farewells = append(r.farewells, f)
		return
	}
	f.send()
}

// recall gives a session that came the room's last messages, those after a number. What is pending comes with the next tick.
func (rs *Rooms) recall(s *seat, after uint64) {
	known := s.room.last
	known = known[min(len(known), max(0, len(known)+len(s.room.pending)-rs.cfg.History)):]
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
