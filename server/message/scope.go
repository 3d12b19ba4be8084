package message

import "timbre/sqlite"

// scope is what a user may see of a conversation: the stretch from lo to hi, but for single messages.
type scope struct {
	conv    int64
	peer    int64 // the other one of a pair
	lo, hi  uint64
	indexed uint64 // up to here it is in the index
}

// scopes returns what a user may see, all of it.
func scopes(q sqlite.Queryer, uid int64) (list []scope, err error) {
	for _, query := range []string{
		`SELECT id, hi, max(clear_lo+1, min_seq) AS first, max_seq, indexed_seq FROM pair WHERE lo=? AND first<=max_seq`,
		`SELECT id, lo, max(clear_hi+1, min_seq) AS first, max_seq, indexed_seq FROM pair WHERE hi=? AND lo<>hi AND first<=max_seq`,
		`SELECT -r.gid, 0, max(s.clear_seq+1, r.min_seq) AS first, r.max_seq, r.indexed_seq
			FROM seat s CROSS JOIN room r ON r.gid=s.gid WHERE s.uid=? AND r.parent>=0 AND first<=r.max_seq`,
		`SELECT -r.gid, 0, r.min_seq, r.max_seq, r.indexed_seq FROM seat s CROSS JOIN room r ON r.parent=s.gid AND r.parent<>0
			WHERE s.uid=? AND r.min_seq<=r.max_seq AND NOT EXISTS (SELECT 1 FROM seat own WHERE own.gid=r.gid AND own.uid=s.uid)`,
	} {
		if err = q.Query(query, func(scan func(...any) error) error {
			var s scope
			err := scan(&s.conv, &s.peer, &s.lo, &s.hi, &s.indexed)
			list = append(list, s)
			return err
		}, uid); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// scopeOf returns what a user may see of one conversation, nothing when two users have never talked.
func (m *Messages) scopeOf(q sqlite.Queryer, user User, w Where) ([]scope, error) {
	at, err := m.find(q, user, w)
	if at == nil || err != nil || at.min() > at.max() {
		return nil, err
	}
	s := scope{conv: at.conv(), peer: w.Peer.UID, lo: at.min(), hi: at.max()}
	s.indexed, _, err = indexed(q, s.conv)
	return []scope{s}, err
}

// hides says whether the user has deleted single messages.
func hides(q sqlite.Queryer, uid int64) (bool, error) {
	return q.Get(`SELECT 1 FROM hidden WHERE uid=? LIMIT 1`, []any{new(int)}, uid)
}

// directs says whether a group of the user has messages that only some members may see.
func directs(q sqlite.Queryer, uid int64) (bool, error) {
	return q.Get(`SELECT 1 FROM seat s CROSS JOIN msg m ON m.pair=-s.gid WHERE s.uid=? AND m.targets<>'' LIMIT 1`, []any{new(int)}, uid)
}
