package message

import (
	"timbre/protocol"
	"timbre/server/store"
	"timbre/sqlite"
)

// pending is what the jobs of one transaction share.
type pending struct {
	pairs map[[2]int64]*pair
	rooms map[int64]*room
	seats map[[2]int64]*seat // by group and user; nil: not there
	keys  map[sentKey]protocol.Sent
	rows  *store.Rows // of ordinary messages
	rich  *store.Rows // of those with flags, an audience or targets
	late  *backlog    // nil: nobody searches
	added int64       // messages
}

type sentKey struct {
	sender int64
	key    string
}

func (m *Messages) pending(tx *sqlite.Tx) *pending {
	return tx.Batch(m, func() sqlite.Flusher {
		p := &pending{
			pairs: map[[2]int64]*pair{},
			rooms: map[int64]*room{},
			seats: map[[2]int64]*seat{},
			keys:  map[sentKey]protocol.Sent{},
			rows: store.NewRows(`INSERT OR FAIL INTO msg (pair, seq, sender, key, time, count, other, pos, content, flags) VALUES`,
				10, ``),
			rich: store.NewRows(`INSERT OR FAIL INTO msg (pair, seq, sender, key, time, count, other, pos, content, flags, audience, targets) VALUES`,
				12, ``),
		}
		if m.rules.Search {
			p.late = m.late
		}
		return p
	}).(*pending)
}

// sent returns the answer that a key got before.
func (p *pending) sent(tx *sqlite.Tx, sender int64, key string) (s protocol.Sent, found bool, err error) {
	if s, found = p.keys[sentKey{sender, key}]; found {
		return s, true, nil
	}
	var conv, flags, audience int64
	var own uint64
	found, err = tx.Get(`SELECT pair, seq, time, count, pos, other, flags, audience FROM msg WHERE sender=? AND key=?`,
		[]any{&conv, &s.Seq, &s.Time, &s.Count, &s.Pos, &own, &flags, &audience}, sender, key)
	if conv < 0 {
		s.Own = own
		if flags&flagReceipt != 0 {
			s.Unread = &audience
		}
		var content []byte
		content, err = contentOf(tx, conv, s.Seq)
		s.Card = cardOf(content)
	}
	return s, found, err
}

// room returns the history of a group, or nil.
func (p *pending) room(tx *sqlite.Tx, gid int64) (*room, error) {
	if r, ok := p.rooms[gid]; ok {
		return r, nil
	}
	r, err := findRoom(tx, gid)
	if r != nil && err == nil {
		p.rooms[gid] = r
	}
	return r, err
}

// seat returns a member's place, or nil.
func (p *pending) seat(tx *sqlite.Tx, r *room, uid int64) (*seat, error) {
	key := [2]int64{r.gid, uid}
	if s, ok := p.seats[key]; ok {
		return s, nil
	}
	s, err := seatIn(tx, r, uid)
	if s != nil && err == nil {
		p.seats[key] = s
	}
	return s, err
}

// find returns the conversation of two users, or nil.
func (p *pending) find(tx *sqlite.Tx, a, b int64) (*pair, error) {
	id := [2]int64{min(a, b), max(a, b)}
	if c, ok := p.pairs[id]; ok {
		return c, nil
	}
	c, err := findPair(tx, a, b)
	if c != nil && err == nil {
		p.pairs[id] = c
	}
	return c, err
}

// open returns the conversation of two users and begins it if need be.
func (p *pending) open(tx *sqlite.Tx, a, b int64, app uint64) (*pair, error) {
	c, err := p.find(tx, a, b)
	if c != nil || err != nil {
		return c, err
	}
	c = &pair{lo: min(a, b), hi: max(a, b)}
	c.id, err = tx.Insert(`INSERT INTO pair (app, lo, hi) VALUES (?,?,?)`, int64(app), c.lo, c.hi)
	p.pairs[[2]int64{c.lo, c.hi}] = c
	return c, err
}

// add queues the row of a message with this content. Other is the count of the other user, or of the sender in a group.
func (p *pending) add(conv int64, o *Outgoing, content []byte, s protocol.Sent, other uint64) error {
	p.added++
	flags := o.flags()
	if o.Audience == 0 && o.Targets == nil {
		p.rows.Add(conv, int64(s.Seq), o.From.UID, o.Key, s.Time, int64(s.Count), int64(other), int64(s.Pos), content, flags)
		return nil
	}
	targets := ""
	if o.Targets != nil {
		targets = string(protocol.Marshal(o.Targets))
	}
	p.rich.Add(conv, int64(s.Seq), o.From.UID, o.Key, s.Time, int64(s.Count), int64(other), int64(s.Pos), content, flags,
		o.Audience, targets)
	return nil
}

// writeRows inserts the messages that wait, so that they can be read.
func (p *pending) writeRows(tx *sqlite.Tx) error {
	if err := p.rows.Write(tx); err != nil {
		return err
	}
	return p.rich.Write(tx)
}

// countAt returns how many messages of others count as unread up to seq.
func (p *pending) countAt(tx *sqlite.Tx, at *place, seq uint64) (uint64, error) {
	if at.room != nil {
		return p.roomCountAt(tx, at, seq)
	}
	c, uid := at.pair, at.user.UID
	if c.lo == c.hi {
		return 0, nil
	}
	if seq == c.maxSeq {
		return c.other(uid).count, nil
	}
	if err := p.writeRows(tx); err != nil {
		return 0, err
	}
	var sender int64
	var count, other uint64
	_, err := tx.Get(`SELECT sender, count, other FROM msg WHERE pair=? AND seq<=? ORDER BY seq DESC LIMIT 1`,
		[]any{&sender, &count, &other}, c.id, int64(seq))
	if sender == uid {
		return other, err
	}
	return count, err
}

// roomCountAt takes this user's own messages off what everybody's count is there.
func (p *pending) roomCountAt(tx *sqlite.Tx, at *place, seq uint64) (uint64, error) {
	if seq == at.room.maxSeq {
		return at.seat.others(at.room), nil
	}
	if err := p.writeRows(tx); err != nil {
		return 0, err
	}
	var count, later uint64
	if _, err := tx.Get(`SELECT count FROM msg WHERE pair=? AND seq<=? ORDER BY seq DESC LIMIT 1`,
		[]any{&count}, at.conv(), int64(seq)); err != nil {
		return 0, err
	}
	_, err := tx.Get(`SELECT count(*) FROM msg WHERE pair=? AND seq>? AND sender=? AND flags&?<>0`,
		[]any{&later}, at.conv(), int64(seq), at.user.UID, flagCounts)
	own := at.seat.own - min(later, at.seat.own)
	return count - min(own, count), err
}

// Flush implements sqlite.Flusher.
func (p *pending) Flush(tx *sqlite.Tx) error {
	if err := p.writeRows(tx); err != nil {
		return err
	}
	if p.late != nil {
		p.late.stored.Add(p.added)
		p.late.add(p.grown()...)
	}
	for _, c := range p.pairs {
		if err := c.write(tx); err != nil {
			return err
		}
	}
	for _, r := range p.rooms {
		if err := r.write(tx); err != nil {
			return err
		}
	}
	for _, s := range p.seats {
		if err := s.write(tx); err != nil {
			return err
		}
	}
	return nil
}

// grown returns the conversations that got messages.
func (p *pending) grown() (convs []int64) {
	for _, c := range p.pairs {
		if c.grown {
			convs = append(convs, c.id)
		}
	}
	for _, r := range p.rooms {
		if r.grown {
			convs = append(convs, r.conv())
		}
	}
	return convs
}
