package message

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// cursor is where a page of the snapshot begins: behind the conversation with this time and id. Given is how many
// conversations the pages before had.
type cursor struct {
	time, id int64
	given    int
}

func parseCursor(s string) (c cursor, err error) {
	if s == "" {
		return cursor{math.MaxInt64, math.MaxInt64, 0}, nil
	}
	if _, err := fmt.Sscanf(s, "%d.%d.%d", &c.time, &c.id, &c.given); err != nil {
		return c, refusal.New(tim.ErrInvalidParameters, "this is no cursor of a snapshot")
	}
	return c, nil
}

func (c cursor) String() string { return fmt.Sprintf("%d.%d.%d", c.time, c.id, c.given) }

// Snapshot returns the body of the answer to OpSnapshot: a page of the user's conversations, newest first. Head is the
// newest position of his change log, read before.
func (m *Messages) Snapshot(q sqlite.Queryer, uid int64, epoch string, head uint64, s protocol.Snapshot) ([]byte, error) {
	at, err := parseCursor(s.Cursor)
	if err != nil {
		return nil, err
	}
	limit := protocol.MaxSnapshot
	if s.Limit > 0 && s.Limit < limit {
		limit = s.Limit
	}
	list, err := newest(q, uid, at, limit+1, s.Deleted)
	if err != nil {
		return nil, err
	}
	b := protocol.AppendString([]byte(`{"epoch":`), epoch)
	b = append(appendNumber(b, `,"pos":`, head), `,"convs":[`...)
	n, b, err := m.appendPage(b, q, uid, list[:min(limit, len(list))], at.given)
	if err != nil {
		return nil, err
	}
	next := ""
	if n < len(list) {
		next = cursor{list[n-1].lastTime, list[n-1].id, at.given + n}.String()
	}
	b = protocol.AppendString(append(b, `],"cursor":`...), next)
	return append(b, '}'), nil
}

// newest reads the conversations behind the cursor from both indexes and merges them. Conversations that the user
// deleted or hid and that have nothing newer are left out unless they are asked for.
func newest(q sqlite.Queryer, uid int64, at cursor, limit int, deleted bool) (list []*pair, err error) {
	const page = ` AND (last_time, id) < (?,?) ORDER BY last_time DESC, id DESC LIMIT ?`
	for _, where := range [...]string{
		`WHERE lo=? AND (? OR max_seq > hide_lo)`,
		`WHERE hi=? AND (? OR max_seq > hide_hi) AND lo<>hi`,
	} {
		err := q.Query(selectPair+where+page, func(scan func(...any) error) error {
			c := &pair{}
			list = append(list, c)
			return scan(c.fields()...)
		}, uid, deleted, at.time, at.id, limit)
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b *pair) int {
		return cmp.Or(cmp.Compare(b.lastTime, a.lastTime), cmp.Compare(b.id, a.id))
	})
	return list[:min(limit, len(list))], nil
}

// appendPage appends as many of the conversations as fit into an answer, at least one, and returns their number.
func (m *Messages) appendPage(b []byte, q sqlite.Queryer, uid int64, list []*pair, given int) (int, []byte, error) {
	for i, c := range list {
		one, err := m.conversation(q, uid, c, given+i < model.MaxUnreadConversations)
		if err != nil {
			return 0, nil, err
		}
		if i > 0 {
			if len(b)+len(one) > maxAnswer {
				return i, b, nil
			}
			b = append(b, ',')
		}
		b = append(b, one...)
	}
	return len(list), b, nil
}

// maxInline bounds the messages that come with one conversation of a snapshot, in bytes.
const maxInline = maxAnswer / 4

// conversation encodes the user's view of a conversation, with its last message or all that he has not read.
func (m *Messages) conversation(q sqlite.Queryer, uid int64, c *pair, unread bool) ([]byte, error) {
	me, other := c.side(uid), c.other(uid)
	peer, err := m.names.Name(q, c.peer(uid))
	if err != nil {
		return nil, err
	}
	at := &place{user: User{UID: uid}, pair: c}
	var msgs [][]byte
	if unread && other.count > me.readCount {
		msgs, _, _, _, err = m.encoded(q, at, max(me.read+1, at.min()), c.maxSeq, false, model.MaxUnreadInline, maxInline)
	} else {
		msgs, err = m.last(q, at)
	}
	return appendConversation(nil, &protocol.Conversation{
		Peer: peer, Max: c.maxSeq, PeerCount: other.count, ReadSeq: me.read, ReadCount: me.readCount,
		SeenSeq: other.seen, SeenTime: other.seenTime, ClearSeq: me.clear, HideSeq: me.hide, Time: c.lastTime, Option: me.option,
	}, msgs), err
}

// last returns the message that a conversation shows as its last one, encoded, if there is one.
func (m *Messages) last(q sqlite.Queryer, at *place) ([][]byte, error) {
	hi := at.max()
	for hi >= at.min() {
		var seq uint64
		found, err := q.Get(`SELECT seq FROM msg WHERE pair=? AND seq BETWEEN ? AND ? AND flags&?=0 ORDER BY seq DESC LIMIT 1`,
			[]any{&seq}, at.conv(), int64(at.min()), int64(hi), flagNotLast)
		if !found || err != nil {
			return nil, err
		}
		msgs, _, _, _, err := m.encoded(q, at, seq, seq, false, 1, maxInline)
		if len(msgs) > 0 || err != nil {
			return msgs, err
		}
		hi = seq - 1 // deleted by this user, or not for him
	}
	return nil, nil
}
