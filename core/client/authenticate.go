package client

import (
	"encoding/json"
	"net"
	"net/url"
	"time"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// Pauses before a login is repeated over the same connection because the server could not take it.
const (
	busyPause    = 500 * time.Millisecond
	busyPauseCap = 8 * time.Second
	ratePause    = 20 * time.Second // too many failed logins of this user, not necessarily from here
)

// authenticate sends the login over the present connection.
func (c *Client) authenticate() { c.authenticateAgain(0) }

// authenticateAgain is authenticate after so many answers that the server is busy.
func (c *Client) authenticateAgain(busy int) {
	c.mu.Lock()
	s, a := c.session, c.attempt
	resume := c.status == tim.LoginStatusLogined
	if s == nil || s.device == "" || !resume && (a == nil || a.user != s.user) {
		c.mu.Unlock()
		return
	}
	if !resume {
		s.sig = a.sig
		c.warnOpenWire()
	}
	sig := s.sig
	c.mu.Unlock()
	body := protocol.Marshal(protocol.Login{Version: protocol.Version, App: c.cfg.AppID, User: s.user, Sig: sig,
		Device: s.device, Platform: deviceClass(), Resume: resume, Client: "timbre/" + Version})
	// A login that begins and the link's Open may both come here: the link sends one.
	c.link.Login(body, answerTimeout, func(answer protocol.Answer, err error) {
		switch {
		case err != nil: // the link connects again, or the login's own deadline comes
			c.cfg.Log.Info("no answer to the login", "err", err)
			if code := transport.AsError(err).Code; code != c.endedBy() && code != tim.ErrSDKNetDisconnect {
				c.link.Drop(&transport.Error{Code: tim.ErrSDKNetDisconnect, Text: "the server did not answer the login"})
			}
		case answer.Code == 0:
			var in protocol.LoggedIn
			switch err := json.Unmarshal(answer.Body, &in); {
			case err == nil:
				c.loggedIn(s, a, in)
			case resume:
				c.link.Drop(&transport.Error{Code: tim.ErrSDKNetDisconnect, Text: "the server's answer to the login makes no sense"})
			default:
				c.refused(s, a, resume, &transport.Error{Code: tim.ErrParseResponseFailed, Text: err.Error()})
			}
		case answer.Code == protocol.CodeBusy || answer.Code == protocol.CodeInside:
			c.after(min(busyPauseCap, busyPause<<min(busy, 10)), func() { c.authenticateAgain(busy + 1) })
		case resume && answer.Code == tim.ErrSVRAccountFreqLimit:
			c.after(ratePause, c.authenticate)
		default:
			c.refused(s, a, resume, &transport.Error{Code: answer.Code, Text: answer.Desc})
		}
	})
}

// warnOpenWire says so when a ticket is about to cross a network unencrypted.
func (c *Client) warnOpenWire() {
	u, err := url.Parse(c.cfg.Settings.ServerURL())
	if err != nil || u.Scheme != "ws" {
		return
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		c.cfg.Log.Warn("the UserSig crosses the network unencrypted: use wss://", "server", u.Host)
	}
}

// refused ends what the server does not accept. A session that is refused after a cut needs a new ticket, whatever is
// wrong: the login with it tells the host the rest.
func (c *Client) refused(s *session, a *attempt, resume bool, why *transport.Error) {
	c.cfg.Log.Warn("login refused", "code", why.Code, "why", why.Text)
	if why.Code == protocol.CodeVersion || why.Code == protocol.CodeOp { // codes of the wire mean nothing to a host
		why = &transport.Error{Code: tim.ErrSDKInterfaceNotSupport, Text: "the server speaks another version of the protocol: " + why.Text}
	}
	if why.Code == tim.ErrSVRAccountUsersigExpired && !resume {
		c.cfg.Sink.Emit(event.Event{Setter: tim.OpTIMSetUserSigExpiredCallback})
	}
	switch {
	case !resume && a != nil:
		c.loginFailed(a, why)
	case why.Code == tim.ErrLoginKickedOffByOther:
		c.lost(s, tim.OpTIMSetKickedOfflineCallback, why)
	default:
		c.lost(s, tim.OpTIMSetUserSigExpiredCallback, why)
	}
}

// loggedIn runs on the link's goroutine; what takes time follows on its own.
func (c *Client) loggedIn(s *session, a *attempt, in protocol.LoggedIn) {
	c.mu.Lock()
	if c.session != s || c.closed || c.status == tim.LoginStatusLogouting || c.status == tim.LoginStatusUnLogined {
		c.mu.Unlock()
		return
	}
	first := c.status == tim.LoginStatusLogining
	if first {
		if c.attempt != a || a == nil {
			c.mu.Unlock()
			return
		}
		c.giveUpAttempt()
	}
	c.status = tim.LoginStatusLogined
	c.offset = time.Until(time.UnixMilli(in.Time))
	c.mu.Unlock()
	s.tinyID.Store(in.TinyID)
	c.cfg.Log.Info("logged in", "user", s.user, "tinyid", in.TinyID, "first", first, "session", in.Session)
	if first {
		a.answer(0, "")
	}
	c.link.Named(in.Session)
	s.live.Away()
	c.link.Release()
	c.Go(func() { s.begin(in) })
}
