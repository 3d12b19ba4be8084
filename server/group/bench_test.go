package group_test

import (
	"context"
	"fmt"
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
)

const crowd = 100_000

// large is a community of a hundred thousand over a database on the disk: its first user owns it.
func large(b *testing.B) (*sqlite.DB, *group.Groups, int64) {
	accounts := account.New(account.Policy{}, time.Now)
	log := changelog.New(time.Now)
	msgs := message.New(log, accounts, message.DefaultRules(), time.Now)
	groups := group.New(msgs, accounts, log, group.Rules{GroupSwitches: model.DefaultGroupSwitches()}, time.Now)
	db, err := sqlite.Open(sqlite.Config{Path: b.TempDir() + "/b.db", Schemas: []sqlite.Schema{account.Schema(), changelog.Schema(), message.Schema(), group.Schema()}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	var gid int64
	err = db.Write(context.Background(), func(tx *sqlite.Tx) error {
		for uid := range int64(crowd) {
			if err := tx.Exec(`INSERT INTO account (uid, app, name, nick, created) VALUES (?,?,?,?,0)`, uid+1, app, user(uid+1).Name, fmt.Sprint("nick ", uid)); err != nil {
				return err
			}
		}
		a := &group.Actor{User: user(1), App: app, Platform: "linux", Key: "k"}
		answer, _, err := groups.Create(tx, a, &protocol.CreateGroup{Type: tim.GroupCommunity, Name: "n"}, nil)
		if err != nil {
			return err
		}
		if gid, _, err = groups.ID(tx, app, answer.ID); err != nil {
			return err
		}
		for uid := int64(2); uid <= crowd; uid++ {
			if err := tx.Exec(`INSERT INTO member (gid, uid, role, joined) VALUES (?,?,200,0)`, gid, uid); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO seat (gid, uid, read_seq, read_count, clear_seq) VALUES (?,?,0,0,0)`, gid, uid); err != nil {
				return err
			}
		}
		return tx.Exec(`UPDATE grp SET members=? WHERE gid=?`, crowd, gid)
	})
	if err != nil {
		b.Fatal(err)
	}
	return db, groups, gid
}

func BenchmarkMemberPage(b *testing.B) {
	db, groups, gid := large(b)
	for name, roles := range map[string]uint64{"all": tim.GroupMemberRoleFlagAll, "admins": tim.GroupMemberRoleFlagAdmin} {
		b.Run(name, func(b *testing.B) {
			next := uint64(0)
			for b.Loop() {
				if err := db.Read(context.Background(), func(q sqlite.Queryer) error {
					page, err := groups.Members(q, 7, gid, roles, next)
					next = page.Next
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAdmit(b *testing.B) {
	db, groups, gid := large(b)
	o := &message.Outgoing{From: user(77), GID: gid, App: app, Key: "k", Content: []byte(`{}`), Traits: message.Traits{Counts: true}}
	if err := db.Write(context.Background(), func(tx *sqlite.Tx) error {
		for b.Loop() {
			if _, err := groups.Admit(tx, o); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}
