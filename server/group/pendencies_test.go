package group_test

import (
	"context"
	"strings"
	"testing"

	"timbre/protocol"
	"timbre/sqlite"
)

// reading notes how the database answers.
type reading struct {
	sqlite.Queryer
	plans []string
}

func (r *reading) note(query string, args []any) error {
	return r.Queryer.Query("EXPLAIN QUERY PLAN "+query, func(scan func(...any) error) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		r.plans = append(r.plans, detail)
		return err
	}, args...)
}

func (r *reading) Query(query string, row func(func(...any) error) error, args ...any) error {
	if err := r.note(query, args); err != nil {
		return err
	}
	return r.Queryer.Query(query, row, args...)
}

func (r *reading) Get(query string, into []any, args ...any) (bool, error) {
	if err := r.note(query, args); err != nil {
		return false, err
	}
	return r.Queryer.Get(query, into, args...)
}

// Every device asks for its user's requests; the table has those of everybody.
func TestPendenciesAreFoundByIndexes(t *testing.T) {
	r, _ := withClock(t)
	if code := r.join(1, 2); code != 0 {
		t.Fatalf("code %d", code)
	}
	var plans []string
	if err := r.db.Read(context.Background(), func(q sqlite.Queryer) error {
		spy := &reading{Queryer: q}
		a, err := r.groups.Pendencies(spy, user(1), protocol.AskPendencies{})
		if len(a.List) != 1 || a.Unread != 1 {
			t.Errorf("%+v", a)
		}
		plans = spy.plans
		return err
	}); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(plans, "\n")
	if strings.Contains(found, "SCAN pendency") || !strings.Contains(found, "pendency_by_target") {
		t.Errorf("the database answers by\n%s", found)
	}
}
