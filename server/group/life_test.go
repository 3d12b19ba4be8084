package group_test

import (
	"context"
	"testing"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// withClock gives the module a clock that the test moves, and a public group of user 1 with the users up to 4 outside.
func withClock(t *testing.T) (r *rig, clock *time.Time) {
	r = newRig(t)
	t.Cleanup(func() { r.db.Close() })
	now := time.Unix(1_800_000_000, 0)
	clock = &now
	accounts := account.New(account.Policy{}, time.Now)
	r.msgs = message.New(r.log, accounts, message.DefaultRules(), time.Now)
	r.groups = group.New(r.msgs, accounts, r.log, group.DefaultRules(), func() time.Time { return *clock })
	r.write(func(tx *sqlite.Tx) error {
		for uid := range int64(users) {
			if err := tx.Exec(`INSERT INTO account (uid, app, name, created) VALUES (?,?,?,0)`, uid+1, app, user(uid+1).Name); err != nil {
				return err
			}
		}
		_, _, err := r.groups.Create(tx, r.actor(1), &protocol.CreateGroup{ID: "g", Type: tim.GroupPublic, Name: "n"}, nil)
		return err
	})
	return r, clock
}

// join returns the code of the answer.
func (r *rig) join(gid, uid int64) (code int) {
	r.t.Helper()
	r.write(func(tx *sqlite.Tx) error {
		_, _, err := r.groups.Join(tx, r.actor(uid), gid, "")
		if no := refusal.Of(err); no != nil {
			code = no.Code
			return nil
		}
		return err
	})
	return code
}

func TestKeptOutForATime(t *testing.T) {
	r, clock := withClock(t)
	const gid = 1
	names := map[string]int64{"u2": 2, "u3": 3}
	r.write(func(tx *sqlite.Tx) error { return tx.Exec(`UPDATE grp SET add_opt=2, approve=2`) })
	for uid := range int64(2) {
		if code := r.join(gid, uid+2); code != 0 {
			t.Fatalf("code %d", code)
		}
	}
	for name, seconds := range map[string]uint32{"u2": 60, "u3": model.MuteForever} {
		r.write(func(tx *sqlite.Tx) error {
			_, _, err := r.groups.Kick(tx, r.actor(1), gid, &protocol.KickMembers{Users: []string{name}, Seconds: seconds}, names)
			return err
		})
	}
	for _, step := range []struct {
		after    time.Duration
		uid      int64
		expected int
	}{
		{59 * time.Second, 2, tim.ErrSVRGroupPermissionDeny}, {59 * time.Second, 3, tim.ErrSVRGroupPermissionDeny},
		{60 * time.Second, 2, 0}, {10 * 365 * 24 * time.Hour, 3, tim.ErrSVRGroupPermissionDeny},
	} {
		*clock = time.Unix(1_800_000_000, 0).Add(step.after)
		if code := r.join(gid, step.uid); code != step.expected {
			t.Errorf("after %v: code %d, want %d", step.after, code, step.expected)
		}
	}
}

func TestDecidedRequestsAreForgotten(t *testing.T) {
	r, clock := withClock(t)
	const gid = 1
	for uid := range int64(2) {
		r.join(gid, uid+2)
	}
	r.write(func(tx *sqlite.Tx) error {
		_, err := r.groups.Decide(tx, r.actor(1), gid, &protocol.DecidePendency{Pendency: protocol.Pendency{From: "u2"}}, map[string]int64{"u2": 2})
		return err
	})
	for _, step := range []struct {
		days  int
		names string
	}{{29, "u4 u3 u2 "}, {31, "u4 u3 "}} {
		*clock = time.Unix(1_800_000_000, 0).AddDate(0, 0, step.days)
		r.join(gid, 4)
		names := ""
		if err := r.db.Read(context.Background(), func(q sqlite.Queryer) error {
			page, err := r.groups.Pendencies(q, user(1), protocol.AskPendencies{})
			for _, p := range page.List {
				names += p.From + " "
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if names != step.names {
			t.Errorf("after %d days the requests are of %q, want %q", step.days, names, step.names)
		}
	}
}
