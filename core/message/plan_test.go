package message

import (
	"context"
	"strings"
	"testing"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/sqlite"
)

// A page of a long history must come from the index in its order: sorting a million rows takes seconds.
func TestPagesUseTheIndex(t *testing.T) {
	st, err := store.Open(t.TempDir(), conversation.Schema, Schema)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	const where = `EXPLAIN QUERY PLAN SELECT ` + columns + ` FROM message WHERE conv=1 AND status<>4 AND `
	for _, query := range []string{
		where + `(sort,moment,id)<(5,5,5) ORDER BY sort DESC, moment DESC, id DESC LIMIT 20`,
		where + `(sort,moment,id)>(5,5,5) ORDER BY sort, moment, id LIMIT 20`,
		where + `moment<=5 ORDER BY sort DESC LIMIT 1`,
	} {
		err := st.Read(context.Background(), func(q sqlite.Queryer) error {
			return q.Query(query, func(scan func(...any) error) error {
				var id, parent, unused int
				var detail string
				err := scan(&id, &parent, &unused, &detail)
				if !strings.Contains(detail, "USING INDEX message_sort") {
					t.Errorf("%s\n\t%s", query, detail)
				}
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
