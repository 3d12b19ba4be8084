package group_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/changelog"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/sqlite"
	"timbre/tests/leaks"
)

// rig is the module over a database in memory, which can be opened again as after a restart.
type rig struct {
	t      testing.TB
	db     *sqlite.DB
	log    *changelog.Log
	msgs   *message.Messages
	groups *group.Groups
	keys   int
}

func newRig(t testing.TB) *rig {
	db, err := sqlite.Open(sqlite.Config{Schemas: []sqlite.Schema{account.Schema(), changelog.Schema(), message.Schema(), message.IndexSchema(), group.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, db: db}
	r.restart()
	return r
}

func (r *rig) restart() {
	accounts := account.New(account.Policy{}, time.Now)
	r.log = changelog.New(time.Now)
	r.msgs = message.New(r.log, accounts, message.DefaultRules(), time.Now)
	r.groups = group.New(r.msgs, accounts, r.log, group.DefaultRules(), time.Now)
}

func (r *rig) write(apply func(*sqlite.Tx) error) {
	r.t.Helper()
	if err := r.db.Write(context.Background(), apply); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) actor(uid int64) *group.Actor {
	r.keys++
	return &group.Actor{User: user(uid), App: app, Platform: "linux", Key: fmt.Sprint("k", r.keys)}
}

// fill makes accounts 1 to n members of a community of the first, as if they had come one by one.
func (r *rig) fill(id string, n int64) (gid int64) {
	r.t.Helper()
	for uid := range n {
		r.write(func(tx *sqlite.Tx) error {
			return tx.Exec(`INSERT OR IGNORE INTO account (uid, app, name, created) VALUES (?,?,?,0)`, uid+1, app, user(uid+1).Name)
		})
		if uid > 0 {
			break // the others need no name
		}
	}
	r.write(func(tx *sqlite.Tx) error {
		_, _, err := r.groups.Create(tx, r.actor(1), &protocol.CreateGroup{ID: id, Type: tim.GroupCommunity, Name: "n"}, nil)
		if err != nil {
			return err
		}
		if gid, err = r.groups.Made(tx, app, id); err != nil {
			return err
		}
		for _, statement := range []string{
			`WITH RECURSIVE n(uid) AS (SELECT 2 UNION ALL SELECT uid+1 FROM n WHERE uid<?2)
				INSERT INTO member (gid, uid, role, joined) SELECT ?1, uid, 200, 0 FROM n`,
			`WITH RECURSIVE n(uid) AS (SELECT 2 UNION ALL SELECT uid+1 FROM n WHERE uid<?2) INSERT INTO seat (gid, uid) SELECT ?1, uid FROM n`,
			`UPDATE grp SET members=?2 WHERE gid=?1`,
		} {
			if err := tx.Exec(statement, gid, n); err != nil {
				return err
			}
		}
		return nil
	})
	return gid
}

// say posts messages of the owner.
func (r *rig) say(gid int64, n int) {
	r.t.Helper()
	r.write(func(tx *sqlite.Tx) error {
		for range n {
			_, _, err := r.msgs.Post(tx, &message.Outgoing{From: user(1), GID: gid, App: app, Key: r.actor(1).Key, Content: []byte(`{"el":[]}`)})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *rig) count(query string, args ...any) (n int) {
	r.t.Helper()
	if err := r.db.Read(context.Background(), func(q sqlite.Queryer) error {
		_, err := q.Get(query, []any{&n}, args...)
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// work is the database as the ender sees it.
type work struct{ db *sqlite.DB }

func (w work) Submit(apply func(*sqlite.Tx) error, done func(error)) {
	w.db.Submit(sqlite.Job{Apply: apply, Done: done})
}

// A large group ends in pieces, also when the process ends meanwhile; every member is told once.
func TestALargeGroupEndsInPieces(t *testing.T) {
	defer leaks.None(t)
	r := newRig(t)
	defer r.db.Close()
	const members = 2_300
	gid := r.fill("big", members)
	r.say(gid, 2_500)
	told := map[int64]int{}
	hear := func(o group.Outcome) {
		for _, seat := range o.Left {
			told[seat.UID]++
		}
		if len(o.Left) > 500 {
			t.Errorf("a piece ended %d memberships", len(o.Left))
		}
	}
	r.write(func(tx *sqlite.Tx) error {
		o, err := r.groups.Dismiss(tx, r.actor(1), gid)
		hear(o)
		return err
	})
	r.write(func(tx *sqlite.Tx) error {
		o, _, err := r.groups.EndSome(tx)
		hear(o)
		return err
	})
	if len(told) != 1_000 {
		t.Errorf("%d members were told before the restart", len(told))
	}
	r.restart()
	pieces := make(chan group.Outcome, 100) // the writer must not wait for this test, which asks it questions
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		group.NewEnder(r.groups, work{r.db}, func(o group.Outcome) { pieces <- o }, slog.New(slog.DiscardHandler)).Run(ctx)
	}()
	for buried := false; !buried; {
		hear(<-pieces)
		buried = len(told) == members && r.count(`SELECT count(*) FROM grp WHERE dismissed=-1`) == 1
	}
	cancel()
	<-ended
	for uid, n := range told {
		if n != 1 {
			t.Errorf("%d was told %d times", uid, n)
		}
	}
	for _, table := range []string{"member", "seat", "pendency", "sanction"} {
		if n := r.count(`SELECT count(*) FROM ` + table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	if n := r.count(`SELECT count(*) FROM msg`) + r.count(`SELECT count(*) FROM change_log WHERE uid<0`); n != 0 {
		t.Errorf("%d rows of the history are left", n)
	}
	r.write(func(tx *sqlite.Tx) error {
		a, _, err := r.groups.Create(tx, r.actor(2), &protocol.CreateGroup{ID: "big", Type: tim.GroupPrivate, Name: "n"}, nil)
		if err == nil && a.ID != "big" {
			err = fmt.Errorf("created %q", a.ID)
		}
		return err
	})
	r.say(gid, 1)
	if n := r.count(`SELECT seq FROM msg WHERE pair=?`, -gid); n != 2_501 {
		t.Errorf("the first message of the next group has the number %d", n)
	}
}

// A group whose id nobody chose leaves nothing, and its number is not remembered.
func TestNothingIsLeftOfAGroupWithTheServersID(t *testing.T) {
	r := newRig(t)
	defer r.db.Close()
	var id string
	r.write(func(tx *sqlite.Tx) error {
		if err := tx.Exec(`INSERT INTO account (uid, app, name, created) VALUES (1,?,?,0)`, app, user(1).Name); err != nil {
			return err
		}
		a, _, err := r.groups.Create(tx, r.actor(1), &protocol.CreateGroup{Type: tim.GroupPublic, Name: "n"}, nil)
		id = a.ID
		return err
	})
	var gid int64
	if err := r.db.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		gid, _, err = r.groups.ID(q, app, id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r.say(gid, 1)
	r.write(func(tx *sqlite.Tx) error {
		_, err := r.groups.Dismiss(tx, r.actor(1), gid)
		return err
	})
	for more := true; more; {
		r.write(func(tx *sqlite.Tx) (err error) {
			_, more, err = r.groups.EndSome(tx)
			return err
		})
	}
	for _, table := range []string{"grp", "room", "seat", "msg", "user_log WHERE uid<0"} {
		if n := r.count(`SELECT count(*) FROM ` + table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	if _, known := r.groups.CachedID(app, id); known {
		t.Error("its number is remembered")
	}
}

// BenchmarkDismissPiece is one transaction of the end of a group of 100,000.
func BenchmarkDismissPiece(b *testing.B) {
	r := newRig(b)
	defer r.db.Close()
	r.groups = group.New(r.msgs, account.New(account.Policy{}, time.Now), r.log, group.Rules{GroupSwitches: model.DefaultGroupSwitches()}, time.Now)
	gid := r.fill("big", 100_000)
	r.write(func(tx *sqlite.Tx) error {
		_, err := r.groups.Dismiss(tx, r.actor(1), gid)
		return err
	})
	for b.Loop() {
		r.write(func(tx *sqlite.Tx) error {
			_, _, err := r.groups.EndSome(tx)
			return err
		})
	}
}
