package account

import (
	"testing"
	"time"

	"timbre/model/tim"
	"timbre/model/usersig"
	"timbre/protocol"
	"timbre/server/refusal"
)

func TestTooManyFailedLoginsAreRefusedForAMinute(t *testing.T) {
	const app, secret = 1400000001, "secret"
	now := time.Unix(1700000000, 0)
	tickets := NewTickets(Secrets{app: secret})
	code := func(user, sig string, at time.Time) int {
		_, err := tickets.Check(&protocol.Login{App: app, User: user, Sig: sig}, at)
		if err == nil {
			return 0
		}
		return refusal.Of(err).Code
	}
	good := usersig.Make(app, secret, "alice", now, time.Hour)
	for range maxFailures {
		if got := code("alice", "", now); got != tim.ErrSVRAccountUsersigEmpty {
			t.Fatalf("an empty ticket got %d", got)
		}
	}
	if got := code("alice", good, now); got != tim.ErrSVRAccountFreqLimit {
		t.Errorf("after %d failures a good ticket got %d, want 70050", maxFailures, got)
	}
	if got := code("bob", usersig.Make(app, secret, "bob", now, time.Hour), now); got != 0 {
		t.Errorf("another user got %d", got)
	}
	if got := code("alice", good, now.Add(failureWindow+time.Second)); got != 0 {
		t.Errorf("after a minute a good ticket got %d", got)
	}
}
