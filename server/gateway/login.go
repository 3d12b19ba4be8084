package gateway

import (
	"context"
	"time"

	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/server/session"
	"timbre/sqlite"
)

// login makes the connection a session. The requests behind it wait for its commit, because they need its result.
func (c *conn) login(r *protocol.Request) {
	l, err := decode[protocol.Login](r.Body)
	var s *session.Session
	var expires time.Time
	if err == nil {
		s, expires, err = c.prepare(&l)
	}
	if err != nil {
		c.loginFailed(r.ID, &l, err)
		return
	}
	if c.busy(r.ID) || !c.begin() {
		return
	}
	done := make(chan error, 1)
	c.enter(r.ID, &l, s, expires, done)
	if err := <-done; err != nil {
		c.loginFailed(r.ID, &l, err)
		return
	}
	c.welcome(s, expires)
	c.g.Metrics.Login(0)
	c.logger().Info("login", "app", l.App, "user", l.User, "device", l.Device, "platform", l.Platform, "resume", l.Resume,
		"client", clip(l.Client))
}

// prepare checks the ticket and makes the session that the login is for.
func (c *conn) prepare(l *protocol.Login) (*session.Session, time.Time, error) {
	switch {
	case c.self != nil:
		return nil, time.Time{}, refusal.New(protocol.CodeOp, "this connection has logged in already")
	case l.Version != protocol.Version:
		return nil, time.Time{}, refusal.New(protocol.CodeVersion, "this server speaks protocol version 1")
	}
	expires, err := c.g.Tickets.Check(l, c.g.Now())
	if err != nil {
		return nil, expires, err
	}
	d, err := account.NewDevice(l)
	s := &session.Session{Number: c.g.number(), App: l.App, User: l.User, Device: d, Conn: c}
	return s, expires, err
}

// enter stores the login. The session begins in its commit: everything that is committed later is pushed to it, and the
// position in the answer covers everything before.
func (c *conn) enter(id uint64, l *protocol.Login, s *session.Session, expires time.Time, done chan<- error) {
	var pos uint64
	var groups []int64
	var in account.Entry
	c.g.Store.Submit(func(tx *sqlite.Tx) (err error) {
		if in, err = c.g.Accounts.Login(tx, l, s.Device, s.Number); err != nil || in.Refused != nil {
			return err
		}
		s.UID = in.UID
		if groups, err = c.g.Groups.Followed(tx, s.UID); err != nil {
			return err
		}
		pos, err = c.g.Log.Head(tx, s.UID)
		return err
	}, func(err error) {
		if err == nil {
			err = in.Refused
		}
		if err == nil {
			c.g.Hub.Enter(s, groups, in.Lost)
			c.reply(id, protocol.Marshal(protocol.LoggedIn{
				TinyID: account.TinyID(s.UID), Epoch: c.g.Epoch, Pos: pos, Oldest: changelog.Oldest(s.UID, pos),
				Time: c.g.Now().UnixMilli(), Expire: expires.UnixMilli(),
				Session: c.g.sessionName(s.Number),
			}), nil)
		}
		c.finish()
		done <- err
	})
}

// welcome gives the session its longer times and the end of its ticket.
func (c *conn) welcome(s *session.Session, expires time.Time) {
	c.ws.SetReadLimit(maxFrame)
	c.label(c.g.sessionName(s.Number))
	c.g.Metrics.Sessions.Inc()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.self = s
	c.expiry = time.AfterFunc(expires.Sub(c.g.Now()), func() { c.dismiss(protocol.PushExpired, nil) })
}

func (c *conn) loginFailed(id uint64, l *protocol.Login, err error) {
	code := protocol.CodeInside
	if r := refusal.Of(err); r != nil {
		code = r.Code
	}
	c.g.Metrics.Login(code)
	c.logger().Info("login refused", "app", l.App, "user", clip(l.User), "device", clip(l.Device), "code", code)
	c.reply(id, nil, err)
	c.Wake()
}

// logout gives the device's place up. The connection stays and may log in again.
func (c *conn) logout(r *protocol.Request) {
	s := c.self
	err := c.g.Store.Write(context.Background(), func(tx *sqlite.Tx) error {
		return c.g.Accounts.Logout(tx, s.UID, s.Device, s.Number)
	})
	if err == nil {
		c.logger().Info("logout", "app", s.App, "user", s.User, "device", s.Device.ID)
		c.quit(true)
	}
	c.reply(r.ID, nil, err)
	c.Wake()
}

// quit ends the session and returns it, or nil when there is none. Unless it ends for good, it may come back.
func (c *conn) quit(forGood bool) *session.Session {
	c.mu.Lock()
	s := c.self
	c.self = nil
	if c.expiry != nil {
		c.expiry.Stop()
	}
	c.mu.Unlock()
	if s != nil {
		c.g.Hub.Leave(s)
		c.g.Rooms.End(s.Number, forGood)
		c.g.Metrics.Sessions.Dec()
		c.label("")
	}
	return s
}

// leave ends the session because the connection has ended. The device keeps its place.
func (c *conn) leave() {
	log := c.logger()
	s := c.quit(false)
	if s == nil {
		return
	}
	log.Info("disconnected", "app", s.App, "user", s.User, "device", s.Device.ID, "why", c.reason())
	c.g.Store.Submit(func(tx *sqlite.Tx) error {
		return c.g.Accounts.Disconnected(tx, s.UID, s.Device, s.Number)
	}, func(err error) {
		if err != nil {
			log.Error("noting a disconnection failed", "error", err)
		}
	})
}

// clip shortens what a stranger sent for the log.
func clip(s string) string { return s[:min(len(s), 64)] }
