package client

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/model/usersig"
)

const (
	// loginTimeout is how long a login may take.
	loginTimeout = 15 * time.Second
	// answerTimeout is how long the server may take to answer the login request itself.
	answerTimeout = 10 * time.Second
	// dialsPerLogin is how many dials may fail before a login does.
	dialsPerLogin = 2
)

// attempt is one login under way.
type attempt struct {
	user, sig string
	done      event.Done
	followers []event.Done // of repeated calls that want the same outcome; Client.mu guards them
	timer     *time.Timer

	mu    sync.Mutex
	dials int
}

// answer tells the outcome to everybody who waits for it. The attempt is not the client's any more, so nobody joins.
func (a *attempt) answer(code int, text string) {
	a.done(code, text, "")
	for _, done := range a.followers {
		done(code, text, "")
	}
}

func (a *attempt) failedDial() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dials++
	return a.dials
}

// Login logs a user in. Another user who is logged in is logged out first; the same one is answered at once.
func (c *Client) Login(user, sig string, done event.Done) {
	a := &attempt{user: user, sig: sig, done: done}
	c.mu.Lock()
	switch {
	case c.closed:
		c.mu.Unlock()
		done(tim.ErrSDKCommInterrupt, "TIMUninit was called", "")
		return
	case c.status == tim.LoginStatusLogouting && c.gone != nil:
		gone := c.gone
		c.mu.Unlock()
		c.Go(func() {
			<-gone
			c.Login(user, sig, done)
		})
		return
	case c.status == tim.LoginStatusLogining && c.attempt != nil && c.attempt.user == user && c.cfg.Settings.Get().IgnoreRepeatLogin:
		c.attempt.followers = append(c.attempt.followers, done)
		c.mu.Unlock()
		return
	case c.status == tim.LoginStatusLogining:
		c.mu.Unlock()
		done(tim.ErrSDKAccountLoginInProcess, "a login is running", "")
		return
	case c.status == tim.LoginStatusLogined && c.session != nil && c.session.user == user:
		c.mu.Unlock()
		done(0, "", "")
		return
	}
	other := c.status == tim.LoginStatusLogined
	c.status, c.attempt = tim.LoginStatusLogining, a
	c.mu.Unlock()
	c.Go(func() {
		if other {
			c.cfg.Log.Info("logging the present user out for another one")
			c.sayGoodbye()
			c.end(tim.ErrSDKNotLoggedIn, "another user logs in", false)
		}
		c.login(a)
	})
}

// giveUpAttempt ends the present attempt and returns it, nil when there is none. Its deadline is set only when the
// database is open, and the answer may be quicker. c.mu is held.
func (c *Client) giveUpAttempt() *attempt {
	a := c.attempt
	c.attempt = nil
	if a != nil && a.timer != nil {
		a.timer.Stop()
	}
	return a
}

func (c *Client) login(a *attempt) {
	if why := c.checkTicket(a); why != nil {
		c.loginFailed(a, why)
		return
	}
	if err := c.openSession(a.user, a); err != nil {
		c.loginFailed(a, err)
		return
	}
	c.mu.Lock()
	if c.attempt != a { // logged out meanwhile
		c.mu.Unlock()
		return
	}
	a.timer = c.after(loginTimeout, func() {
		_, _, _, err := c.link.Connected()
		why := &transport.Error{Code: tim.ErrSDKNetWaitAckTimeout, Text: "the login took too long"}
		errors.As(err, &why)
		c.loginFailed(a, why)
	})
	c.mu.Unlock()
	if connected, _, _, _ := c.link.Connected(); connected {
		c.authenticate()
	} else {
		c.link.Hurry()
	}
}

// checkTicket finds what needs no server.
func (c *Client) checkTicket(a *attempt) *transport.Error {
	if !model.ValidUserID(a.user) {
		return &transport.Error{Code: tim.ErrSDKCommInvalidIdentifier, Text: "a user id has 1 to 32 bytes of printable ASCII"}
	}
	if t, err := usersig.Parse(a.sig); err == nil && t.Expired(time.Now()) {
		c.cfg.Sink.Emit(event.Event{Setter: tim.OpTIMSetUserSigExpiredCallback})
		return &transport.Error{Code: tim.ErrUserSigExpired, Text: "the UserSig has expired"}
	}
	return nil
}

// openSession opens the user's database for an attempt, or with nil for reading only, unless it is open already or the
// purpose has passed meanwhile.
func (c *Client) openSession(user string, a *attempt) *transport.Error {
	c.opening.Lock()
	defer c.opening.Unlock()
	c.mu.Lock()
	have, late := c.session, c.late(a)
	c.mu.Unlock()
	if late || have != nil && have.user == user && !have.store.Damaged() {
		return nil
	}
	if have != nil {
		c.end(tim.ErrSDKNotLoggedIn, "another user logs in", false)
	}
	s, err := c.newSession(user)
	if err != nil {
		c.cfg.Log.Error("the database cannot be opened", "err", err)
		return &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: store.Explain(err)}
	}
	c.mu.Lock()
	closed, late := c.closed, c.late(a)
	if !closed && !late {
		c.session = s
	}
	c.mu.Unlock()
	switch {
	case closed:
		why := &transport.Error{Code: tim.ErrSDKCommInterrupt, Text: "TIMUninit was called"}
		s.close(why)
		return why
	case late:
		s.close(context.Canceled)
	}
	return nil
}

// late says whether an attempt, or with nil the time before the first one, has passed. c.mu is held.
func (c *Client) late(a *attempt) bool {
	return c.attempt != a || a == nil && c.status != tim.LoginStatusUnLogined
}

// OpenCache opens a user's database without a login, so that lists can be read.
func (c *Client) OpenCache(user string) *transport.Error {
	if !model.ValidUserID(user) {
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "not a user id"}
	}
	if c.Status() != tim.LoginStatusUnLogined {
		return nil
	}
	return c.openSession(user, nil)
}

// folder is where a user's data lie; "" keeps them in memory.
func (c *Client) folder(user string) string {
	v := c.cfg.Settings.Get()
	if v.NoStorage {
		return ""
	}
	return filepath.Join(v.DataFolder, fmt.Sprintf("%d_%x", c.cfg.AppID, user))
}

// loginFailed answers the login and leaves the session open for reading.
func (c *Client) loginFailed(a *attempt, why *transport.Error) {
	c.mu.Lock()
	if c.attempt != a {
		c.mu.Unlock()
		return
	}
	c.giveUpAttempt()
	c.status = tim.LoginStatusUnLogined
	c.mu.Unlock()
	a.answer(why.Code, why.Text)
}
