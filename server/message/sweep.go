package message

import (
	"timbre/sqlite"
)

// sweepConvs is how many conversations one transaction of a sweep looks at.
const sweepConvs = 200

// Sweep forgets keys that nobody repeats any more, and messages that are older than the rules keep. It works in pieces:
// call it again while more is true.
func (m *Messages) Sweep(tx *sqlite.Tx) (more bool, err error) {
	if err := tx.Exec(`DELETE FROM answered WHERE time<?`, m.now().Add(-keepAnswers).UnixMilli()); err != nil {
		return false, err
	}
	if m.rules.Keep == 0 {
		return false, nil
	}
	if err := m.pending(tx).writeRows(tx); err != nil {
		return false, err
	}
	limit := m.now().Add(-m.rules.Keep).UnixMilli()
	convs, err := old(tx, limit)
	for i := 0; i < len(convs) && err == nil; i++ {
		err = m.drop(tx, convs[i], limit)
	}
	return len(convs) == sweepConvs, err
}

// old finds conversations whose oldest message is too old.
func old(tx *sqlite.Tx, limit int64) (convs []int64, err error) {
	for _, query := range []string{
		`SELECT id FROM pair p WHERE min_seq<=max_seq AND (SELECT time FROM msg WHERE pair=p.id ORDER BY seq LIMIT 1)<? LIMIT ?`,
		`SELECT -gid FROM room r WHERE min_seq<=max_seq AND (SELECT time FROM msg WHERE pair=-r.gid ORDER BY seq LIMIT 1)<? LIMIT ?`,
	} {
		if err = tx.Query(query, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			convs = append(convs, id)
			return err
		}, limit, sweepConvs-len(convs)); err != nil {
			return nil, err
		}
	}
	return convs, nil
}

// drop deletes the old part of a conversation with everything that stands beside it.
func (m *Messages) drop(tx *sqlite.Tx, conv, limit int64) error {
	var last uint64
	if _, err := tx.Get(`SELECT coalesce(max(seq),0) FROM msg WHERE pair=? AND time<?`, []any{&last}, conv, limit); err != nil {
		return err
	}
	if err := tx.Exec(`DELETE FROM hidden WHERE conv=? AND seq<=?`, conv, int64(last)); err != nil {
		return err
	}
	return m.dropTo(tx, conv, last)
}

// dropTo deletes a conversation's messages up to one of them with what stands beside them for everybody.
func (m *Messages) dropTo(tx *sqlite.Tx, conv int64, last uint64) error {
	for _, statement := range []string{
		`DELETE FROM msg WHERE pair=? AND seq<=?`,
		`DELETE FROM receipt WHERE conv=? AND seq<=?`, `DELETE FROM extension WHERE conv=? AND seq<=?`,
		`DELETE FROM reaction WHERE conv=? AND seq<=?`, `DELETE FROM pin WHERE gid=-? AND seq<=?`,
		`DELETE FROM mention WHERE gid=-? AND seq<=?`,
	} {
		if err := tx.Exec(statement, conv, int64(last)); err != nil {
			return err
		}
	}
	if err := m.unindex(tx, conv, last); err != nil {
		return err
	}
	return m.raiseMin(tx, conv, last+1)
}

// raiseMin changes the batch's picture where there is one, else the row: the picture would be written over it.
func (m *Messages) raiseMin(tx *sqlite.Tx, conv int64, seq uint64) error {
	p := m.pending(tx)
	if conv < 0 {
		r, err := p.room(tx, -conv)
		if err == nil && r != nil {
			r.minSeq, r.dirty = max(r.minSeq, seq), true
		}
		return err
	}
	for _, c := range p.pairs {
		if c.id == conv {
			c.minSeq = max(c.minSeq, seq)
		}
	}
	return tx.Exec(`UPDATE pair SET min_seq=max(min_seq,?) WHERE id=?`, int64(seq), conv)
}
