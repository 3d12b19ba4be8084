package group_test

import (
	"context"
	"testing"

	"timbre/model"
	"timbre/protocol"
	"timbre/sqlite"
)

// All members come, each once, however many pages they fill.
func TestBriefPages(t *testing.T) {
	for _, members := range []int64{model.BriefPage, 2*model.BriefPage + 1} {
		r := newRig(t)
		gid := r.fill("big", members)
		r.write(func(tx *sqlite.Tx) error {
			return tx.Exec(`WITH RECURSIVE n(uid) AS (SELECT 3 UNION ALL SELECT uid+1 FROM n WHERE uid<?)
				INSERT OR IGNORE INTO account (uid, app, name, created) SELECT uid, ?, 'u'||uid, 0 FROM n`, members, app)
		})
		seen := map[string]bool{}
		pages := 0
		for next := uint64(0); pages == 0 || next != 0; pages++ {
			var page protocol.MemberPage
			if err := r.db.Read(context.Background(), func(q sqlite.Queryer) (err error) {
				page, err = r.groups.Brief(q, 1, gid, next)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Members {
				if seen[m.User] || m.Role == 0 {
					t.Fatalf("%+v", m)
				}
				seen[m.User] = true
			}
			next = page.Next
		}
		if int64(len(seen)) != members {
			t.Errorf("%d of %d members in %d pages", len(seen), members, pages)
		}
		r.db.Close()
	}
}
