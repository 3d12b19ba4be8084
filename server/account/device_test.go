package account_test

import (
	"context"
	"testing"
	"time"

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
