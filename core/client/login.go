package client

import (
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
	// busyPause is the pause before a login is repeated because the server was busy.
	busyPause = 500 * time.Millisecond
)

// attempt is one login under way.
type attempt struct {
	user, sig string
	done      event.Done
	timer     *time.Timer

	mu    sync.Mutex
	dials int
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
	case c.status == tim.LoginStatusLogining:
		ignore := c.cfg.Settings.Get().IgnoreRelogin && c.attempt != nil && c.attempt.user == user
		first := c.attempt
		c.mu.Unlock()
		if ignore {
			first.join(done)
			return
		}
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

// join lets a second caller hear the outcome too.
func (a *attempt) join(done event.Done) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.done
	a.done = func(code int, desc, json string) {
		first(code, desc, json)
		done(code, desc, json)
	}
}

func (a *attempt) answer(code int, desc string) {
	a.mu.Lock()
	done := a.done
	a.mu.Unlock()
	done(code, desc, "")
}

func (c *Client) login(a *attempt) {
	if why := c.checkTicket(a); why != nil {
		c.loginFailed(a, why)
		return
	}
	if err := c.openSession(a.user); err != nil {
		c.loginFailed(a, err)
		return
	}
	c.mu.Lock()
	if c.attempt != a { // logged out meanwhile
		c.mu.Unlock()
		return
	}
	a.timer = time.AfterFunc(loginTimeout, func() {
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

// openSession opens the user's database, unless an earlier attempt has.
func (c *Client) openSession(user string) *transport.Error {
	c.mu.Lock()
	have := c.session
	c.mu.Unlock()
	if have != nil && have.user == user {
		return nil
	}
	if have != nil {
		c.end(tim.ErrSDKNotLoggedIn, "another user logs in", false)
	}
	s, err := c.newSession(user)
	if err != nil {
		c.cfg.Log.Error("the database cannot be opened", "err", err)
		text := err.Error()
		if store.InUse(err) {
			text = "another process uses this account's data folder"
		}
		return &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: text}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		s.close()
		return &transport.Error{Code: tim.ErrSDKCommInterrupt, Text: "TIMUninit was called"}
	}
	c.session = s
	return nil
}

// OpenCache opens a user's database without a login, so that lists can be read.
func (c *Client) OpenCache(user string) *transport.Error {
	if !model.ValidUserID(user) {
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "not a user id"}
	}
	if c.Status() != tim.LoginStatusUnLogined {
		return nil
	}
	return c.openSession(user)
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
	c.attempt = nil
	c.status = tim.LoginStatusUnLogined
	if a.timer != nil {
		a.timer.Stop()
	}
	c.mu.Unlock()
	a.answer(why.Code, why.Text)
}
