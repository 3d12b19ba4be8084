package search

import "timbre/sqlite"

// mergePages is how much of the index Compact writes anew at a time.
const mergePages = 200

// Compact drops some of what was removed from the file, where there is enough of it to be worth the work, and says whether
// there is more to do. It needs a transaction of its own.
func (x *Index) Compact(tx *sqlite.Tx) (more bool, err error) {
	const changes = `SELECT total_changes()`
	var before, after int
	if _, err := tx.Get(changes, []any{&before}); err != nil {
		return false, err
	}
	if err := tx.Exec(x.sql.merge, mergePages); err != nil {
		return false, err
	}
	_, err = tx.Get(changes, []any{&after})
	return after-before > 1, err // the statement itself counts as one
}
