package community_test

import (
	"fmt"
	"testing"

	"timbre/protocol"
	"timbre/sqlite"
)

// rows counts what is left of a group or topic in a table.
func (w *town) rows(table, column string, gid int64) (n int) {
	w.read(func(q sqlite.Queryer) error {
		_, err := q.Get(fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s=?`, table, column), []any{&n}, gid)
		return err
	})
	return n
}

// endAll does what is left to do of what is ending, as the server does it in the background.
func (w *town) endAll() {
	for more := true; more; {
		w.write(func(tx *sqlite.Tx) (err error) {
			_, more, err = w.groups.EndSome(tx)
			return err
		})
	}
}

func TestNothingIsLeftOfTopicsAndTheirCommunity(t *testing.T) {
	w := newTown(t, 3)
	defer w.close()
	w.join(2)
	var gids []int64
	var names []string
	for range 3 {
		name := w.topic(1, 0)
		names, gids = append(names, name), append(gids, w.number(name))
	}
	w.join(3)
	name, rights := "g", uint64(1)
	var group string
	w.change(0, func(tx *sqlite.Tx) error {
		a, _, err := w.coms.Create(tx, w.actor(1), w.gid, &protocol.SetRights{Name: &name, Rights: &rights})
		group = a.ID
		return err
	})
	w.change(0, func(tx *sqlite.Tx) error {
		if _, _, err := w.coms.Enlist(tx, w.actor(1), w.gid, &protocol.Enlist{ID: group, Users: []string{"u2"}, On: true}, map[string]int64{"u2": 2}); err != nil {
			return err
		}
		_, _, err := w.coms.Grant(tx, w.actor(1), w.gid, &protocol.Grant{ID: group, Change: protocol.ChangeGrant, Topics: map[string]uint64{names[0]: 1, names[1]: 1}})
		return err
	})
	for _, gid := range gids {
		w.post(2, gid, 0)
	}
	w.change(0, func(tx *sqlite.Tx) error {
		_, _, err := w.groups.DeleteTopics(tx, w.actor(1), w.gid, names[:1])
		return err
	})
	w.endAll()
	left := func(gids ...int64) {
		t.Helper()
		for _, gid := range gids {
			for table, column := range map[string]string{"room": "gid", "seat": "gid", "msg": "-pair", "permission_topic": "topic", "topic_option": "gid",
				"grp": "dismissed<>-1 AND gid", "member": "gid", "permission_group": "gid", "permission_member": "gid"} {
				if n := w.rows(table, column, gid); n > 0 && !(table == "room" && gid == w.gid) {
					t.Errorf("%d rows of %d in %s", n, gid, table)
				}
			}
		}
	}
	left(gids[0])
	if n := w.rows("msg", "-pair", gids[1]); n != 1 {
		t.Errorf("a topic that lives has %d messages", n)
	}
	w.change(0, func(tx *sqlite.Tx) error {
		_, err := w.groups.Dismiss(tx, w.actor(1), w.gid)
		return err
	})
	w.endAll()
	left(append(gids, w.gid)...)
}
