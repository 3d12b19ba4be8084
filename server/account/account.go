// Package account knows the users and the devices they log in from.
//
// A user is a name within an app. He exists from his first login on and gets a number, by which every other table knows
// him, so that names are stored once. Names and numbers never change and are never given to somebody else; that is why
// they may be cached for good.
package account

import (
	"sync"
	"time"

	"timbre/model"
	"timbre/protocol"
	"timbre/sqlite"
)

// Schema is the tables of this module.
func Schema() sqlite.Schema {
	return sqlite.Schema{Module: "account", Steps: []string{`
		CREATE TABLE account (
			uid INTEGER PRIMARY KEY AUTOINCREMENT,
			app INTEGER NOT NULL,
			name TEXT NOT NULL,
			nick TEXT NOT NULL DEFAULT '',
			face TEXT NOT NULL DEFAULT '',
			created INTEGER NOT NULL,
			UNIQUE (app, name)
		) STRICT;
		CREATE TABLE device (
			uid INTEGER NOT NULL,
			device TEXT NOT NULL,
			platform TEXT NOT NULL,
			last_login INTEGER NOT NULL,
			logged_in INTEGER NOT NULL, -- 1 until logout or until another device took the place
			online INTEGER NOT NULL,    -- number of the connected session, 0 when there is none
			kicked INTEGER NOT NULL,    -- see the constants
			PRIMARY KEY (uid, device)
		) STRICT, WITHOUT ROWID;`}}
}

// Accounts answers who is who. The zero value is not usable; see New.
type Accounts struct {
	now    func() time.Time
	policy Policy

	mu    sync.RWMutex
	uids  map[name]int64
	names map[int64]string
}

type name struct {
	app  uint64
	user string
}

// maxCached bounds the two maps; when they are full they start again empty.
const maxCached = 200_000

// New returns the accounts under a device policy.
func New(policy Policy, now func() time.Time) *Accounts {
	return &Accounts{now: now, policy: policy, uids: map[name]int64{}, names: map[int64]string{}}
}

// TinyID is the number of an account as the public interface shows it.
func TinyID(uid int64) uint64 { return uint64(uid) + model.FirstTinyID }

// UID returns the number of a user. It must see committed rows only, because it remembers what it finds.
func (a *Accounts) UID(q sqlite.Queryer, app uint64, user string) (uid int64, found bool, err error) {
	if uid, found = a.CachedUID(app, user); found {
		return uid, true, nil
	}
	found, err = q.Get(`SELECT uid FROM account WHERE app=? AND name=?`, []any{&uid}, int64(app), user)
	if found && err == nil {
		a.remember(name{app, user}, uid)
	}
	return uid, found, err
}

// CachedUID returns a number that is known without asking the database.
func (a *Accounts) CachedUID(app uint64, user string) (int64, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	uid, ok := a.uids[name{app, user}]
	return uid, ok
}

// Name returns the name of a user. Like UID it must see committed rows only.
func (a *Accounts) Name(q sqlite.Queryer, uid int64) (string, error) {
	a.mu.RLock()
	user, ok := a.names[uid]
	a.mu.RUnlock()
	if ok {
		return user, nil
	}
	var app int64
	found, err := q.Get(`SELECT app, name FROM account WHERE uid=?`, []any{&app, &user}, uid)
	if found && err == nil {
		a.remember(name{uint64(app), user}, uid)
	}
	return user, err
}

// Profile returns what is public about a user.
func (a *Accounts) Profile(q sqlite.Queryer, uid int64) (p protocol.Profile, err error) {
	_, err = q.Get(`SELECT name, nick, face FROM account WHERE uid=?`, []any{&p.User, &p.Nick, &p.Face}, uid)
	p.TinyID = TinyID(uid)
	return p, err
}

func (a *Accounts) remember(n name, uid int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.uids) >= maxCached {
		clear(a.uids)
		clear(a.names)
	}
	a.uids[n], a.names[uid] = uid, n.user
}

const profileColumns = `SELECT uid, name, nick, face FROM account WHERE app=?`

// Profiles returns what is public about users, given by name or tiny id. Unknown ones are left out.
func (a *Accounts) Profiles(q sqlite.Queryer, app uint64, users protocol.Users) ([]protocol.Profile, error) {
	found := []protocol.Profile{}
	add := func(where string, arg any) error {
		var uid int64
		var p protocol.Profile
		ok, err := q.Get(profileColumns+where, []any{&uid, &p.User, &p.Nick, &p.Face}, int64(app), arg)
		if ok && err == nil {
			p.TinyID = TinyID(uid)
			found = append(found, p)
		}
		return err
	}
	for _, user := range users.Names {
		if err := add(` AND name=?`, user); err != nil {
			return nil, err
		}
	}
	for _, id := range users.TinyIDs {
		if err := add(` AND uid=?`, int64(id-model.FirstTinyID)); err != nil {
			return nil, err
		}
	}
	return found, nil
}
