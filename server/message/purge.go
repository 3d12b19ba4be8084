package message

import (
	"timbre/server/changelog"
	"timbre/sqlite"
)

// purgePiece is how many messages, or members' places, one call of Purge deletes.
const purgePiece = 1_000

// Purge deletes a piece of the history of a group that has ended. Call it again, in another transaction, while more is true.
// Where the room is kept, what is said there one day goes on with the numbers.
func (m *Messages) Purge(tx *sqlite.Tx, gid int64) (more bool, err error) {
	if err := m.pending(tx).writeRows(tx); err != nil {
		return false, err
	}
	conv := changelog.GroupLog(gid)
	var last uint64
	var some int
	if _, err := tx.Get(`SELECT coalesce(max(seq),0), count(*) FROM (SELECT seq FROM msg WHERE pair=? ORDER BY seq LIMIT ?)`,
		[]any{&last, &some}, conv, purgePiece); err != nil {
		return false, err
	}
	if some > 0 {
		if err := m.dropTo(tx, conv, last); err != nil || some == purgePiece {
			return true, err
		}
	}
	n, err := tx.Change(`DELETE FROM seat WHERE gid=? AND uid IN (SELECT uid FROM seat WHERE gid=? LIMIT ?)`, gid, gid, purgePiece)
	return n == purgePiece, err
}

// Forget takes a member's own marks on messages of a group that has ended.
func (m *Messages) Forget(tx *sqlite.Tx, gid, uid int64) error {
	if err := m.Rise(tx, gid, uid); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM hidden WHERE uid=? AND conv=?`, uid, changelog.GroupLog(gid))
}
