package account_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"timbre/model"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/store"
	"timbre/sqlite"
)

// TestLoginsAreOrderedWhateverTheClockDoes sets the clock back: the oldest login is the one that gives way all the same.
func TestLoginsAreOrderedWhateverTheClockDoes(t *testing.T) {
	s, err := store.Open(store.Config{Dir: t.TempDir(), Schemas: []sqlite.Schema{account.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	policy, err := account.ParsePolicy("platform:2")
	if err != nil {
		t.Fatal(err)
	}
	clock := int64(5000)
	a := account.New(policy, func() time.Time { return time.UnixMilli(clock) })
	login := func(device string, at int64, resume bool) (in account.Entry) {
		t.Helper()
		clock = at
		l := &protocol.Login{App: 1, User: "alice", Device: device, Platform: "linux", Resume: resume}
		d, err := account.NewDevice(l)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Write(context.Background(), func(tx *sqlite.Tx) (err error) { in, err = a.Login(tx, l, d, 1); return err }); err != nil {
			t.Fatal(err)
		}
		return in
	}
	login("A", 5000, false)
	login("B", 4000, false)
	login("A", 9000, true)
	if in := login("C", 3000, false); len(in.Lost) != 1 || in.Lost[0] != "A" {
		t.Errorf("lost: %v", in.Lost)
	}
	var list protocol.Devices
	if err := s.Read(context.Background(), func(q sqlite.Queryer) (err error) { list, err = a.Devices(q, 1); return err }); err != nil {
		t.Fatal(err)
	}
	for i, want := range []protocol.LoggedInDevice{
		{Device: "C", Platform: "linux", Login: 5002, Online: true, LoggedIn: true},
		{Device: "B", Platform: "linux", Login: 5001, Online: true, LoggedIn: true},
		{Device: "A", Platform: "linux", Login: 5000, Kicked: true},
	} {
		if list.List[i] != want {
			t.Errorf("%d: %+v, want %+v", i, list.List[i], want)
		}
	}
}

// TestDevicesThatNeverComeBackAreForgotten lets a user install the program again and again: the server remembers as many as
// a list shows, and whoever is connected.
func TestDevicesThatNeverComeBackAreForgotten(t *testing.T) {
	s, err := store.Open(store.Config{Dir: t.TempDir(), Schemas: []sqlite.Schema{account.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := account.New(account.Policy{}, time.Now)
	const more = 20
	err = s.Write(context.Background(), func(tx *sqlite.Tx) error {
		for i := range model.MaxDeviceList + more {
			d := account.Device{ID: fmt.Sprint("device ", i), Platform: "linux"}
			in, err := a.Login(tx, &protocol.Login{App: 1, User: "alice", Device: d.ID}, d, uint64(i+1))
			if err != nil {
				return err
			}
			if i != 3 { // this one stays connected
				if err := a.Disconnected(tx, in.UID, d, uint64(i+1)); err != nil {
					return err
				}
			}
		}
		var known, connected int
		if _, err := tx.Get(`SELECT count(*), sum(online<>0) FROM device`, []any{&known, &connected}); err != nil {
			return err
		}
		if known != model.MaxDeviceList+1 || connected != 1 {
			t.Errorf("%d devices are remembered, %d connected", known, connected)
		}
		_, err := a.Login(tx, &protocol.Login{App: 1, User: "alice", Device: "device 0"}, account.Device{ID: "device 0", Platform: "linux"}, 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var list protocol.Devices
	if err := s.Read(context.Background(), func(q sqlite.Queryer) (err error) { list, err = a.Devices(q, 1); return err }); err != nil {
		t.Fatal(err)
	}
	if len(list.List) != model.MaxDeviceList || list.List[0].Device != "device 0" || list.List[1].Device != fmt.Sprint("device ", model.MaxDeviceList+more-1) {
		t.Errorf("%d are listed: %v", len(list.List), list.List)
	}
}
