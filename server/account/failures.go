package account

import (
	"sync"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
)

// Limits of failed logins.
const (
	maxFailures   = 20          // of one user
	failureWindow = time.Minute // within this time; then he is refused until it is over
)

// Tickets checks UserSigs and slows down who tries too many wrong ones.
type Tickets struct {
	secrets Secrets

	mu     sync.Mutex
	failed map[name]*failures
}

// failures counts from its first one on.
type failures struct {
	since time.Time
	count int
}

// NewTickets returns the check for these apps.
func NewTickets(s Secrets) *Tickets { return &Tickets{secrets: s, failed: map[name]*failures{}} }

// Check is Secrets.Check with a limit on failures.
func (t *Tickets) Check(l *protocol.Login, now time.Time) (time.Time, error) {
	who := name{l.App, l.User}
	if t.tooMany(who, now) {
		return time.Time{}, refusal.New(tim.ErrSVRAccountFreqLimit, "too many failed logins, wait a minute")
	}
	expires, err := t.secrets.Check(l, now)
	if err != nil {
		t.note(who, now)
	}
	return expires, err
}

func (t *Tickets) tooMany(who name, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.failed[who]
	if f != nil && now.Sub(f.since) > failureWindow {
		delete(t.failed, who)
		return false
	}
	return f != nil && f.count >= maxFailures
}

func (t *Tickets) note(who name, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.failed) >= maxCached { // a flood of names must not fill the memory
		clear(t.failed)
	}
	f := t.failed[who]
	if f == nil {
		f = &failures{since: now}
		t.failed[who] = f
	}
	f.count++
}
