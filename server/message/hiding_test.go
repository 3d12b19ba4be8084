package message_test

import (
	"context"
	"testing"
	"time"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/store"
	"timbre/sqlite"
)

// TestDeletedStaysHidden opens a database from before there were hide positions: what was deleted stays out of lists.
func TestDeletedStaysHidden(t *testing.T) {
	dir := t.TempDir()
	old := message.Schema()
	old.Steps = old.Steps[:2]
	run := func(schema sqlite.Schema, statements ...string) {
		t.Helper()
		s, err := store.Open(store.Config{Dir: dir, Schemas: []sqlite.Schema{changelog.Schema(), schema}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, statement := range statements {
			if err := s.Write(context.Background(), func(tx *sqlite.Tx) error { return tx.Exec(statement) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(old, `INSERT INTO pair (app, lo, hi, max_seq, last_time, clear_lo, clear_hi) VALUES (1,1,2,5,10,5,0), (1,1,3,5,11,4,5)`,
		`INSERT INTO room (gid, name, max_seq) VALUES (7,'g',5)`, `INSERT INTO seat (gid, uid, clear_seq) VALUES (7,1,5), (7,2,0)`)
	run(message.Schema())

	s, err := store.Open(store.Config{Dir: dir, Schemas: []sqlite.Schema{changelog.Schema(), message.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &world{store: s, messages: message.New(changelog.New(time.Now), names{}, message.Rules{}, time.Now)}
	for uid, want := range map[int64]map[string]uint64{1: {"u3": 4}, 2: {"u1": 0}, 3: {}} {
		var page protocol.SnapshotPage
		w.query(&page, func(q sqlite.Queryer) ([]byte, error) {
			return w.messages.Snapshot(q, uid, "e", 0, protocol.Snapshot{})
		})
		if len(page.Convs) != len(want) {
			t.Errorf("user %d has %+v", uid, page.Convs)
		}
		for _, c := range page.Convs {
			if hide, ok := want[c.Peer]; !ok || c.HideSeq != hide || c.ClearSeq != hide {
				t.Errorf("user %d has %+v", uid, c)
			}
		}
	}
	for uid, want := range map[int64]uint64{1: 5, 2: 0} {
		err := s.Read(context.Background(), func(q sqlite.Queryer) error {
			st, err := w.messages.State(q, user(uid), 7)
			if err == nil && st.HideSeq != want {
				t.Errorf("user %d: %+v", uid, st)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestPagesOfTheListUseTheIndex keeps a page from reading all conversations of a user.
func TestPagesOfTheListUseTheIndex(t *testing.T) {
	s, err := store.Open(store.Config{Dir: t.TempDir(), Schemas: []sqlite.Schema{changelog.Schema(), message.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	spy := &planned{}
	m := message.New(changelog.New(time.Now), names{}, message.Rules{}, time.Now)
	err = s.Read(context.Background(), func(q sqlite.Queryer) error {
		spy.Queryer = q
		_, err := m.Snapshot(spy, 1, "e", 0, protocol.Snapshot{Cursor: "5.5.0"})
		return err
	})
	want := []string{"SEARCH pair USING INDEX pair_by_lo (lo=? AND last_time<?)", "SEARCH pair USING INDEX pair_by_hi (hi=? AND last_time<?)"}
	if err != nil || len(spy.plans) != 2 || spy.plans[0] != want[0] || spy.plans[1] != want[1] {
		t.Errorf("%q, %v", spy.plans, err)
	}
}

// planned notes how the database is going to answer.
type planned struct {
	sqlite.Queryer
	plans []string
}

func (p *planned) Query(query string, row func(func(...any) error) error, args ...any) error {
	err := p.Queryer.Query("EXPLAIN QUERY PLAN "+query, func(scan func(...any) error) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		p.plans = append(p.plans, detail)
		return err
	}, args...)
	if err != nil {
		return err
	}
	return p.Queryer.Query(query, row, args...)
}
