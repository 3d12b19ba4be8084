package message

import (
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Where names a conversation: with a peer, or with a group's number of that group.
type Where struct {
	Peer  User
	GID   int64
	Group string
}

// place is a conversation as one user stands in it.
type place struct {
	user User
	pair *pair // between two
	peer User
	room *room // or of a group
	seat *seat
}

// conv is the conversation's key in the tables.
func (p *place) conv() int64 {
	if p.room != nil {
		return p.room.conv()
	}
	return p.pair.id
}

func (p *place) max() uint64 {
	if p.room != nil {
		return p.room.maxSeq
	}
	return p.pair.maxSeq
}

// min is the oldest number that the user may see.
func (p *place) min() uint64 {
	if p.room != nil {
		return max(p.seat.clear+1, p.room.minSeq)
	}
	return max(p.pair.side(p.user.UID).clear+1, p.pair.minSeq)
}

// sees says whether a number lies where the user may look.
func (p *place) sees(seq uint64) bool { return seq >= p.min() && seq <= p.max() }

func (p *place) group() string {
	if p.room != nil {
		return p.room.name
	}
	return ""
}

// find reads a user's place. It is nil when two users have not talked yet; who is not in a group is refused.
func (m *Messages) find(q sqlite.Queryer, user User, w Where) (*place, error) {
	if w.GID == 0 {
		c, err := findPair(q, user.UID, w.Peer.UID)
		if c == nil || err != nil {
			return nil, err
		}
		return &place{user: user, pair: c, peer: w.Peer}, nil
	}
	r, err := findRoom(q, w.GID)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notMember()
	}
	s, err := seatIn(q, r, user.UID)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, notMember()
	}
	return &place{user: user, room: r, seat: s}, nil
}

// place is find inside a transaction, where the batch's picture counts.
func (p *pending) place(tx *sqlite.Tx, user User, w Where) (*place, error) {
	if w.GID == 0 {
		c, err := p.find(tx, user.UID, w.Peer.UID)
		if c == nil || err != nil {
			return nil, err
		}
		return &place{user: user, pair: c, peer: w.Peer}, nil
	}
	r, err := p.room(tx, w.GID)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notMember()
	}
	s, err := p.seat(tx, r, user.UID)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, notMember()
	}
	return &place{user: user, room: r, seat: s}, nil
}

func notMember() error {
	return refusal.New(tim.ErrSVRGroupPermissionDeny, "not a member of the group")
}

// own adds an entry about this conversation to the user's own log.
func (m *Messages) own(tx *sqlite.Tx, at *place, p changelog.Pointer) (changelog.Change, error) {
	p.Peer, p.Group = at.peer.Name, at.group()
	return m.log.Note(tx, at.user.UID, p)
}

// all adds an entry that concerns everybody in the conversation. The first change is the one that the answer to the user
// stands for.
func (m *Messages) all(tx *sqlite.Tx, at *place, p changelog.Pointer) ([]changelog.Change, error) {
	if at.room != nil {
		p.Group = at.room.name
		c, err := m.log.Note(tx, at.conv(), p)
		c.Group = at.room.name
		at.room.change(c.Pos, m.Moment())
		return []changelog.Change{c}, err
	}
	p.Peer = at.peer.Name
	mine, err := m.log.Note(tx, at.user.UID, p)
	if err != nil || at.peer.UID == at.user.UID {
		return []changelog.Change{mine}, err
	}
	p.Peer = at.user.Name
	theirs, err := m.log.Note(tx, at.peer.UID, p)
	return []changelog.Change{mine, theirs}, err
}

// update tells everybody in the conversation how a message is now.
func (m *Messages) update(tx *sqlite.Tx, at *place, msg protocol.Message) ([]changelog.Change, error) {
	changes, err := m.all(tx, at, changelog.Update(at.conv(), msg.Seq))
	entry := changelog.NewEncoded(protocol.Entry{Kind: protocol.EntryUpdate, Message: msg})
	for i := range changes {
		changes[i].Entry = entry
	}
	return changes, err
}
