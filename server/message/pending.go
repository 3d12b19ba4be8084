package message

import (
	"timbre/protocol"
	"timbre/server/store"
	"timbre/sqlite"
)

// pending is what the jobs of one transaction share.
type pending struct {
	pairs map[[2]int64]*pair
	keys  map[sentKey]protocol.Sent
	rows  *store.Rows
}

type sentKey struct {
	sender int64
	key    string
}

func (m *Messages) pending(tx *sqlite.Tx) *pending {
	return tx.Batch(m, func() sqlite.Flusher {
		return &pending{
			pairs: map[[2]int64]*pair{},
			keys:  map[sentKey]protocol.Sent{},
			rows: store.NewRows(`INSERT OR FAIL INTO msg (pair, seq, sender, key, time, count, other, pos, content) VALUES`,
				9, ``),
		}
	}).(*pending)
}

// sent returns the answer that a key got before.
func (p *pending) sent(tx *sqlite.Tx, sender int64, key string) (s protocol.Sent, found bool, err error) {
	if s, found = p.keys[sentKey{sender, key}]; found {
		return s, true, nil
	}
	found, err = tx.Get(`SELECT seq, time, count, pos FROM msg WHERE sender=? AND key=?`,
		[]any{&s.Seq, &s.Time, &s.Count, &s.Pos}, sender, key)
	return s, found, err
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

func (p *pending) add(c *pair, o *Outgoing, s protocol.Sent) {
	p.keys[sentKey{o.From.UID, o.Key}] = s
	p.rows.Add(c.id, int64(s.Seq), o.From.UID, o.Key, s.Time, int64(s.Count), int64(c.other(o.From.UID).count),
		int64(s.Pos), o.Content)
}

// countAt returns how many messages of the user's peer count as unread up to seq. Messages of this transaction may still
// wait for their INSERT, so that is done first.
func (p *pending) countAt(tx *sqlite.Tx, c *pair, uid int64, seq uint64) (uint64, error) {
	if c.lo == c.hi {
		return 0, nil
	}
	if seq == c.maxSeq {
		return c.other(uid).count, nil
	}
	if err := p.rows.Write(tx); err != nil {
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

// Flush implements sqlite.Flusher.
func (p *pending) Flush(tx *sqlite.Tx) error {
	if err := p.rows.Write(tx); err != nil {
		return err
	}
	for _, c := range p.pairs {
		if err := c.write(tx); err != nil {
			return err
		}
	}
	return nil
}
