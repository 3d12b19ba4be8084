package account

import (
	"fmt"
	"strings"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Policy says which devices of a user may be logged in at the same time.
type Policy string

const (
	// OneDevice lets the newest login win over all others.
	OneDevice Policy = "one"
	// OnePerPlatform lets the newest login win over those on the same platform.
	OnePerPlatform Policy = "platform"
	// AllDevices lets everybody stay.
	AllDevices Policy = "all"
)

// ParsePolicy reads a policy's name.
func ParsePolicy(s string) (Policy, error) {
	switch p := Policy(s); p {
	case OneDevice, OnePerPlatform, AllDevices:
		return p, nil
	}
	return "", fmt.Errorf("device policy %q: want one, platform or all", s)
}

// Device is one installation of a client.
type Device struct{ ID, Platform string }

// Compete says whether a new login on one device ends the session on the other.
func (p Policy) Compete(a, b Device) bool {
	return a.ID != b.ID && (p == OneDevice || p == OnePerPlatform && a.Platform == b.Platform)
}

// Values of device.kicked. A device that was connected when it lost its place has been told by a push, so a login that
// its user asks for is welcome. But the push may have been lost: then the client tries to resume by itself, which must
// fail, or it would throw out the device that took its place.
const (
	notKicked     = 0
	kickedAbsent  = 1 // the next login fails
	kickedPresent = 2 // the next login fails if it resumes
)

// NewDevice checks what a client says about its device.
func NewDevice(l *protocol.Login) (Device, error) {
	d := Device{ID: l.Device, Platform: strings.ToLower(l.Platform)}
	if d.ID == "" || len(d.ID) > model.MaxDevice || len(d.Platform) > model.MaxPlatform {
		return d, refusal.New(tim.ErrInvalidParameters, "device or platform is missing or too long")
	}
	return d, nil
}

// Login registers a user at his first login and gives his device a place, which may cost other devices theirs. Session
// numbers are the caller's; they tell a device's connections apart. When the device lost its place while it was away,
// refused is set and the loss is forgotten: the next login is welcome.
func (a *Accounts) Login(tx *sqlite.Tx, l *protocol.Login, d Device, session uint64) (uid int64, refused error, err error) {
	if uid, err = a.register(tx, l.App, l.User); err != nil {
		return 0, nil, err
	}
	lost, err := a.takeKick(tx, uid, d, l.Resume)
	if err != nil || lost {
		return uid, refusal.New(tim.ErrLoginKickedOffByOther, "another device logged in meanwhile"), err
	}
	if err = a.displace(tx, uid, d); err != nil {
		return uid, nil, err
	}
	return uid, nil, tx.Exec(`INSERT INTO device (uid, device, platform, last_login, logged_in, online, kicked)
		VALUES (?,?,?,?,1,?,0) ON CONFLICT (uid, device) DO UPDATE SET platform=excluded.platform,
		last_login=excluded.last_login, logged_in=1, online=excluded.online, kicked=0`,
		uid, d.ID, d.Platform, a.now().UnixMilli(), int64(session))
}

func (a *Accounts) register(tx *sqlite.Tx, app uint64, user string) (uid int64, err error) {
	found, err := tx.Get(`SELECT uid FROM account WHERE app=? AND name=?`, []any{&uid}, int64(app), user)
	if found || err != nil {
		return uid, err
	}
	return tx.Insert(`INSERT INTO account (app, name, created) VALUES (?,?,?)`, int64(app), user, a.now().UnixMilli())
}

// takeKick says whether the device must be told now that it lost its place.
func (a *Accounts) takeKick(tx *sqlite.Tx, uid int64, d Device, resume bool) (bool, error) {
	kicked := notKicked
	if _, err := tx.Get(`SELECT kicked FROM device WHERE uid=? AND device=?`, []any{&kicked}, uid, d.ID); err != nil {
		return false, err
	}
	if kicked == notKicked || kicked == kickedPresent && !resume {
		return false, nil
	}
	return true, tx.Exec(`UPDATE device SET kicked=0 WHERE uid=? AND device=?`, uid, d.ID)
}

// displace takes the place of the devices that the new login competes with.
func (a *Accounts) displace(tx *sqlite.Tx, uid int64, d Device) error {
	const update = `UPDATE device SET logged_in=0, online=0, kicked=CASE WHEN online<>0 THEN 2 ELSE 1 END
		WHERE uid=? AND device<>? AND logged_in=1`
	switch a.policy {
	case OneDevice:
		return tx.Exec(update, uid, d.ID)
	case OnePerPlatform:
		return tx.Exec(update+` AND platform=?`, uid, d.ID, d.Platform)
	}
	return nil
}

// Logout gives the device's place up.
func (a *Accounts) Logout(tx *sqlite.Tx, uid int64, d Device, session uint64) error {
	return tx.Exec(`UPDATE device SET logged_in=0, online=0 WHERE uid=? AND device=? AND online=?`, uid, d.ID, int64(session))
}

// Disconnected notes that a session's connection has ended; the device keeps its place.
func (a *Accounts) Disconnected(tx *sqlite.Tx, uid int64, d Device, session uint64) error {
	return tx.Exec(`UPDATE device SET online=0 WHERE uid=? AND device=? AND online=?`, uid, d.ID, int64(session))
}

// Started forgets the sessions of the process before, which ended without a chance to say so.
func (a *Accounts) Started(tx *sqlite.Tx) error {
	return tx.Exec(`UPDATE device SET online=0 WHERE online<>0`)
}
