package client

import (
	"context"
	"time"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// goodbyeTimeout is how long a logout waits for the server.
const goodbyeTimeout = 2 * time.Second

// Logout ends the session. Calls that are pending are answered with 6014 before done is.
func (c *Client) Logout(done event.Done) {
	c.mu.Lock()
	switch c.status {
	case tim.LoginStatusUnLogined:
		c.mu.Unlock()
		done(tim.ErrSDKNotLoggedIn, "nobody is logged in", "")
		return
	case tim.LoginStatusLogouting:
		c.mu.Unlock()
		done(tim.ErrSDKAccountLogoutInProcess, "a logout is running", "")
		return
	}
	online := c.status == tim.LoginStatusLogined
	a := c.giveUpAttempt()
	c.status, c.gone = tim.LoginStatusLogouting, make(chan struct{})
	c.mu.Unlock()
	if a != nil {
		a.answer(tim.ErrLoggedOutBeforeLoginFinished, "logged out before the login had finished")
	}
	c.Go(func() {
		if online {
			c.sayGoodbye()
		}
		c.end(tim.ErrSDKNotLoggedIn, "logged out", true)
		done(0, "", "")
	})
}

// sayGoodbye tells the server, if it can be reached soon.
func (c *Client) sayGoodbye() {
	if _, open, _, _ := c.link.Connected(); !open {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTimeout)
	defer cancel()
	_, _ = c.link.Ask(ctx, protocol.OpLogout, "", nil, goodbyeTimeout) // it finds out by itself
}

// end closes the session, or waits for an end that is under way: what is pending is answered with code, the database is
// closed. reset says that nobody is logged in afterwards.
func (c *Client) end(code int, text string, reset bool) {
	c.ending.Lock()
	defer c.ending.Unlock()
	c.mu.Lock()
	s, closed := c.session, c.closed
	c.session = nil
	c.ended = code
	var a *attempt
	if reset {
		a = c.giveUpAttempt()
	}
	c.mu.Unlock()
	if a != nil {
		a.answer(code, text)
	}
	if s != nil {
		why := &transport.Error{Code: code, Text: text}
		c.link.Close()
		s.outbox.Stop(why)
		c.link.FailAll(why)
		s.close(why)
		if !closed { // Close stops the link, without a word to the host
			<-c.link.Drop(&transport.Error{Text: text}) // the server ties a connection to its user
		}
	}
	if reset {
		c.mu.Lock()
		c.status = tim.LoginStatusUnLogined
		if c.gone != nil {
			close(c.gone)
			c.gone = nil
		}
		c.mu.Unlock()
	}
}
