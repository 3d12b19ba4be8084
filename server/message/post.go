package message

import (
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// Post stores a message to a group. The caller has made sure that its sender may speak there. Like Send it returns the
// answer and what it adds to the group's log.
func (m *Messages) Post(tx *sqlite.Tx, o *Outgoing) (protocol.Sent, []changelog.Change, error) {
	p := m.pending(tx)
	if sent, found, err := p.sent(tx, o.From.UID, o.Key); found || err != nil {
		return sent, nil, err
	}
	r, err := p.room(tx, o.GID)
	if err != nil || r == nil {
		return protocol.Sent{}, nil, err
	}
	var own uint64
	if s, err := p.seat(tx, r, o.From.UID); err != nil {
		return protocol.Sent{}, nil, err
	} else if s != nil {
		if o.Traits.Counts {
			s.own++
			s.dirty = true
		}
		own = s.own
	}
	msg := r.number(o, own, m.now().UnixMilli())
	r.touch(m.Moment())
	pos, err := m.log.Append(tx, r.conv(), changelog.Message(r.conv(), msg.Seq))
	if err != nil {
		return protocol.Sent{}, nil, err
	}
	change := changelog.Change{Owner: r.conv(), Group: r.name, Pos: pos, Only: o.audienceOf(),
		Entry: changelog.NewEncoded(protocol.Entry{Kind: protocol.EntryMessage, Message: msg})}
	sent := protocol.Sent{Seq: msg.Seq, Time: msg.Time, Count: msg.Count, Pos: pos, Own: own, Card: o.Card}
	if o.Traits.Receipt {
		unread := int64(o.Audience)
		sent.Unread = &unread
	}
	p.keys[sentKey{o.From.UID, o.Key}] = sent
	if err := m.mention(tx, o, msg.Seq); err != nil {
		return sent, nil, err
	}
	return sent, []changelog.Change{change}, p.add(r.conv(), o, msg.Content, sent, own)
}

// Sent returns the answer that a message with this key got before.
func (m *Messages) Sent(tx *sqlite.Tx, from User, key string) (protocol.Sent, bool, error) {
	return m.pending(tx).sent(tx, from.UID, key)
}

// audienceOf is who may see the message, nil when all of its group may: its sender's other devices too.
func (o *Outgoing) audienceOf() []int64 {
	if o.Targets == nil {
		return nil
	}
	return append([]int64{o.From.UID}, o.Targets...)
}

func (r *room) number(o *Outgoing, own uint64, now int64) protocol.Message {
	r.maxSeq++
	r.grown = true
	r.lastTime = max(r.lastTime, now)
	if o.Traits.Counts {
		r.count++
	}
	return protocol.Message{Seq: r.maxSeq, From: o.From.Name, Group: r.name, Time: r.lastTime, Count: r.count, Own: own,
		Key: o.Key, Content: o.Said()}
}

// mention remembers whom a message speaks to, until they have read it.
func (m *Messages) mention(tx *sqlite.Tx, o *Outgoing, seq uint64) error {
	for _, uid := range o.At {
		if err := tx.Exec(`INSERT OR IGNORE INTO mention (gid, uid, seq) VALUES (?,?,?)`, o.GID, uid, int64(seq)); err != nil {
			return err
		}
	}
	return nil
}
