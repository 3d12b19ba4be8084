package community_test

import (
	"testing"

	"timbre/model"
	"timbre/sqlite"
)

// A member who comes into a community with all the topics that there may be, and leaves it again.
func BenchmarkJoinWithTopics(b *testing.B) {
	w := newTown(b, 2)
	defer w.close()
	for range model.MaxTopics {
		w.post(1, w.number(w.topic(1, 0)), 0)
	}
	for b.Loop() {
		w.join(2)
		w.quit(2)
	}
}

// A message into a topic of a community with 100,000 members of whom nobody is connected.
func BenchmarkPostInTopic(b *testing.B) {
	const members = 100_000
	w := newTown(b, members)
	defer w.close()
	w.write(func(tx *sqlite.Tx) error {
		if err := tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i+1 FROM n WHERE i<?)
			INSERT INTO member (gid, uid, role, joined) SELECT ?, i, 200, 0 FROM n`, members, w.gid); err != nil {
			return err
		}
		return tx.Exec(`INSERT INTO seat (gid, uid) SELECT gid, uid FROM member WHERE uid>1`)
	})
	topic := w.number(w.topic(1, 0))
	uid := int64(1)
	for b.Loop() {
		uid = uid%members + 1
		w.post(uid, topic, 0)
	}
}
