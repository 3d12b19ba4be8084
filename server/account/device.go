package account

import (
	"strings"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Device is one installation of a client.
type Device struct{ ID, Platform string }

// Values of device.kicked. A device that was connected when it lost its place has been told by a push, so a login that
// its user asks for is welcome. But the push may have been lost: then the client tries to resume by itself, which must
// fail, or it would throw out the device that took its place.
const (
	notKicked     = 0
	kickedAbsent  = 1 // the next login fails
	kickedPresent = 2 // the next login fails if it resumes
	kickedTold    = 3 // a login has failed: the next one is welcome
)

// NewDevice checks what a client says about its device.
func NewDevice(l *protocol.Login) (Device, error) {
	d := Device{ID: l.Device, Platform: strings.ToLower(l.Platform)}
	if d.ID == "" || len(d.ID) > model.MaxDevice || len(d.Platform) > model.MaxPlatform {
		return d, refusal.New(tim.ErrInvalidParameters, "device or platform is missing or too long")
	}
	return d, nil
}

// Entry is what became of a login.
type Entry struct {
	UID     int64
	Refused error    // the device lost its place while it was away; the next login is welcome
	Lost    []string // devices that lost theirs by this login
}

// Login registers a user at his first login and gives his device a place, which may cost other devices theirs. Session
// numbers are the caller's; they tell a device's connections apart.
func (a *Accounts) Login(tx *sqlite.Tx, l *protocol.Login, d Device, session uint64) (in Entry, err error) {
	if in.UID, err = a.register(tx, l.App, l.User); err != nil {
		return in, err
	}
	was, newest, err := logins(tx, in.UID, d.ID)
	if err != nil {
		return in, err
	}
	if was.kicked == kickedAbsent || was.kicked == kickedPresent && l.Resume {
		in.Refused = refusal.New(tim.ErrLoginKickedOffByOther, "another device logged in meanwhile")
		return in, tx.Exec(`UPDATE device SET kicked=? WHERE uid=? AND device=?`, kickedTold, in.UID, d.ID)
	}
	if in.Lost, err = a.displace(tx, in.UID, d); err != nil {
		return in, err
	}
	login := max(a.now().UnixMilli(), newest+1) // the order of logins is right, whatever the clock does
	if l.Resume && was.in {
		login = was.login // a session that goes on is as old as it was
	}
	if err := tx.Exec(`INSERT INTO device (uid, device, platform, last_login, logged_in, online, kicked)
		VALUES (?,?,?,?,1,?,0) ON CONFLICT (uid, device) DO UPDATE SET platform=excluded.platform,
		last_login=excluded.last_login, logged_in=1, online=excluded.online, kicked=0`,
		in.UID, d.ID, d.Platform, login, int64(session)); err != nil || was.login != 0 {
		return in, err
	}
	return in, forget(tx, in.UID)
}

// forget lets go of those of a user's devices that have been away the longest, when there are more than a list shows: an
// installation that was removed does not log out. One of them that comes back is new.
func forget(tx *sqlite.Tx, uid int64) error {
	return tx.Exec(`DELETE FROM device WHERE uid=? AND online=0 AND device IN
		(SELECT device FROM device WHERE uid=? ORDER BY last_login DESC LIMIT -1 OFFSET ?)`, uid, uid, model.MaxDeviceList)
}

func (a *Accounts) register(tx *sqlite.Tx, app uint64, user string) (uid int64, err error) {
	found, err := tx.Get(`SELECT uid FROM account WHERE app=? AND name=?`, []any{&uid}, int64(app), user)
	if found || err != nil {
		return uid, err
	}
	return tx.Insert(`INSERT INTO account (app, name, created) VALUES (?,?,?)`, int64(app), user, a.now().UnixMilli())
}

// place is what the table has of a device.
type place struct {
	login  int64
	in     bool
	kicked int
}

// logins returns the place of a device, and when the user's newest login was.
func logins(tx *sqlite.Tx, uid int64, device string) (was place, newest int64, err error) {
	if _, err = tx.Get(`SELECT last_login, logged_in, kicked FROM device WHERE uid=? AND device=?`,
		[]any{&was.login, &was.in, &was.kicked}, uid, device); err != nil {
		return was, 0, err
	}
	_, err = tx.Get(`SELECT coalesce(max(last_login),0) FROM device WHERE uid=?`, []any{&newest}, uid)
	return was, newest, err
}

// displace takes the place of those devices for which there is none beside the new login, and returns them.
func (a *Accounts) displace(tx *sqlite.Tx, uid int64, d Device) (lost []string, err error) {
	if a.policy.each == 0 {
		return nil, nil
	}
	room := a.policy.each - 1
	err = tx.Query(`SELECT device, platform FROM device WHERE uid=? AND device<>? AND logged_in=1 ORDER BY last_login DESC`,
		func(scan func(...any) error) error {
			var other Device
			if err := scan(&other.ID, &other.Platform); err != nil {
				return err
			}
			if !a.policy.compete(d.Platform, other.Platform) {
				return nil
			}
			if room--; room < 0 {
				lost = append(lost, other.ID)
			}
			return nil
		}, uid, d.ID)
	for i := 0; i < len(lost) && err == nil; i++ {
		err = tx.Exec(`UPDATE device SET logged_in=0, online=0, kicked=CASE WHEN online<>0 THEN ? ELSE ? END WHERE uid=? AND device=?`,
			kickedPresent, kickedAbsent, uid, lost[i])
	}
	return lost, err
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

// Devices answers OpDevices: those on which a user has logged in, the newest login first.
func (a *Accounts) Devices(q sqlite.Queryer, uid int64) (list protocol.Devices, err error) {
	list.List = []protocol.LoggedInDevice{}
	err = q.Query(`SELECT device, platform, last_login, online<>0, logged_in, kicked<>0 FROM device WHERE uid=?
		ORDER BY last_login DESC, device LIMIT ?`, func(scan func(...any) error) error {
		var d protocol.LoggedInDevice
		err := scan(&d.Device, &d.Platform, &d.Login, &d.Online, &d.LoggedIn, &d.Kicked)
		list.List = append(list.List, d)
		return err
	}, uid, model.MaxDeviceList)
	return list, err
}
