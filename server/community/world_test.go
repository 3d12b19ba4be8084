package community_test

import (
	"context"
	"fmt"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/changelog"
	"timbre/server/community"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

const app = 7

// fataler is what a test, a benchmark and a rapid test have in common.
type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// town is a community over a real database in memory.
type town struct {
	t      fataler
	db     *sqlite.DB
	groups *group.Groups
	msgs   *message.Messages
	coms   *community.Communities
	gid    int64
	keys   int
}

const townID = "@TGS#_town"

func user(uid int64) message.User { return message.User{UID: uid, Name: fmt.Sprint("u", uid)} }

// newTown makes a community of user 1, and as many users beside it.
func newTown(t fataler, users int) *town {
	accounts := account.New(account.Policy{}, time.Now)
	log := changelog.New(time.Now)
	w := &town{t: t, msgs: message.New(log, accounts, message.DefaultRules(), time.Now)}
	w.groups = group.New(w.msgs, accounts, log, group.Rules{GroupSwitches: model.DefaultGroupSwitches()}, time.Now)
	w.coms = community.New(w.groups, time.Now)
	w.groups.Meet(group.Neighbours{Rights: w.coms})
	var err error
	if w.db, err = sqlite.Open(sqlite.Config{Schemas: []sqlite.Schema{account.Schema(), changelog.Schema(), message.Schema(), message.IndexSchema(),
		group.Schema(), community.Schema()}}); err != nil {
		t.Fatal(err)
	}
	w.write(func(tx *sqlite.Tx) error {
		return tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<?)
			INSERT INTO account (uid, app, name, created) SELECT i, ?, 'u'||i, 0 FROM n`, users, app)
	})
	w.change(0, func(tx *sqlite.Tx) error {
		_, _, err := w.groups.Create(tx, w.actor(1), &protocol.CreateGroup{ID: townID, Type: tim.GroupCommunity, Name: "town", Topics: true}, nil)
		return err
	})
	w.gid = w.number(townID)
	return w
}

func (w *town) close() {
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) actor(uid int64) *group.Actor {
	w.keys++
	return &group.Actor{User: user(uid), App: app, Platform: "linux", Key: fmt.Sprint("k", w.keys)}
}

func (w *town) write(fn func(*sqlite.Tx) error) {
	if err := w.db.Write(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) read(fn func(sqlite.Queryer) error) {
	if err := w.db.Read(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// change makes a change that must be refused with code, 0 for not at all.
func (w *town) change(code int, fn func(*sqlite.Tx) error) {
	w.write(func(tx *sqlite.Tx) error {
		got, err := 0, fn(tx)
		if r := refusal.Of(err); r != nil {
			got, err = r.Code, nil
		}
		if err == nil && got != code {
			err = fmt.Errorf("code %d, want %d", got, code)
		}
		return err
	})
}

func (w *town) number(name string) (gid int64) {
	w.read(func(q sqlite.Queryer) (err error) {
		gid, _, err = w.groups.ID(q, app, name)
		return err
	})
	return gid
}

func (w *town) join(uid int64) {
	w.change(0, func(tx *sqlite.Tx) error {
		_, _, err := w.groups.Join(tx, w.actor(uid), w.gid, "")
		return err
	})
}

func (w *town) quit(uid int64) {
	w.change(0, func(tx *sqlite.Tx) error {
		_, err := w.groups.Quit(tx, w.actor(uid), w.gid)
		return err
	})
}

func (w *town) topic(by int64, code int) (id string) {
	w.change(code, func(tx *sqlite.Tx) error {
		a, _, err := w.groups.CreateTopic(tx, w.actor(by), w.gid, &protocol.CreateTopic{Name: "topic"})
		id = a.ID
		return err
	})
	return id
}

// post says something in a group or topic.
func (w *town) post(uid, gid int64, code int) {
	w.change(code, func(tx *sqlite.Tx) error {
		a := w.actor(uid)
		o := &message.Outgoing{From: a.User, GID: gid, App: app, Key: a.Key, Content: []byte(`{"el":[]}`), Traits: message.Traits{Counts: true}}
		if _, err := w.groups.Admit(tx, o); err != nil {
			return err
		}
		_, _, err := w.msgs.Post(tx, o)
		return err
	})
}

func (w *town) markRead(tx *sqlite.Tx, uid, gid int64, seq uint64) error {
	_, _, err := w.msgs.Read(tx, &message.Move{User: user(uid), Where: message.Where{GID: gid}, Key: w.actor(uid).Key, Seq: seq})
	return err
}
