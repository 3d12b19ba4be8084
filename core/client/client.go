// Package client is the engine's composition root: one Client is one account between TIMInit and TIMUninit.
//
// A Client owns the link to the server and, from the first login on, a session: the user's database and the modules that
// work on it. The session outlives a failed login, so that the lists can be read without a network; it ends with logout,
// kick, an expired ticket or another user's login.
//
// The login states form one small machine behind one mutex (login.go, logout.go); everything slow happens on
// goroutines that the Client waits for at its end. Results and events reach the host through the Sink and Done functions
// that the face provides, in the order of the commits.
//
// Rejected: one process-wide instance (no second account), setters between modules (constructors show who needs whom; the
// one cycle, messages and outbox, is closed explicitly).
package client

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"timbre/core/event"
	"timbre/core/guard"
	"timbre/core/media"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// Version is the engine's version; the first two numbers are those of the interface that it implements.
const Version = "8.0.1"

// Config is what a client needs.
type Config struct {
	AppID    uint64
	Settings *Settings
	Sink     event.Sink
	Log      *slog.Logger
}

// Client is one account. All methods may be called from any goroutine, from inside callbacks too.
type Client struct {
	cfg   Config
	link  *transport.Link
	files func() *http.Client // for up- and downloads
	wg    sync.WaitGroup      // calls that run on their own goroutine

	opening sync.Mutex // one session is opened at a time: a second database of the same user would find the file locked
	ending  sync.Mutex // one end at a time: when Close stops the link, no outbox may still use it

	mu      sync.Mutex
	status  int // TIMLoginStatus
	session *session
	attempt *attempt      // the login that is under way
	gone    chan struct{} // closed when the logout that is running has ended
	ended   int           // the code for what the end of the session cuts off
	closed  bool
	offset  time.Duration // server clock minus ours
}

// New returns a client and begins to connect.
func New(cfg Config) *Client {
	c := &Client{cfg: cfg, status: tim.LoginStatusUnLogined, ended: tim.ErrSDKNotLoggedIn}
	c.link = transport.New(transport.Config{
		URL: cfg.Settings.ServerURL, Roots: func() string { return cfg.Settings.Get().ServerCA }, Proxy: cfg.Settings.Proxy, Log: cfg.Log,
		Retry:  func() int { return cfg.Settings.Get().Retries },
		Needed: c.connectionNeeded, State: c.linkState, Open: c.linkOpen, Push: c.pushed, Late: c.lateAnswer,
	})
	c.files = media.NewClient(cfg.Settings.Proxy, func() string { return cfg.Settings.Get().ServerCA })
	c.link.Start()
	return c
}

// Status returns the login state.
func (c *Client) Status() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// User returns who is logged in, "" when nobody is.
func (c *Client) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status != tim.LoginStatusLogined || c.session == nil {
		return ""
	}
	return c.session.user
}

// Now is the server's clock as far as it is known.
func (c *Client) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

// Close ends everything: what is pending is answered with 7009. When it returns, no goroutine of the client is left and
// nothing more is emitted.
func (c *Client) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	c.mu.Unlock()
	c.end(tim.ErrSDKCommInterrupt, "TIMUninit was called", true)
	c.link.Stop(&transport.Error{Code: tim.ErrSDKCommInterrupt, Text: "TIMUninit was called"})
	c.wg.Wait()
}

// Go runs a call on its own goroutine; Close waits for it.
func (c *Client) Go(fn func()) {
	c.wg.Go(func() { guard.Run(c.cfg.Log, "a call", fn) })
}

// after runs fn later. Close does not wait for it: fn has to look whether it still makes sense.
func (c *Client) after(d time.Duration, fn func()) *time.Timer {
	return guard.AfterFunc(c.cfg.Log, d, "a timer", fn)
}

// NetworkChanged says that the machine's network is another one now.
func (c *Client) NetworkChanged() {
	c.cfg.Log.Info("the host says that the network changed")
	c.link.NetworkChanged()
}

// ProxyChanged makes changed proxies count from now on, not only for the next connection. Up- and downloads ask for their
// proxy each time.
func (c *Client) ProxyChanged() { c.link.ProxyChanged() }

// connectionNeeded says whether a lost connection shall be replaced: without a user the server would only close it again.
func (c *Client) connectionNeeded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.attempt != nil || c.status == tim.LoginStatusLogined
}

// linkState tells the host of the link and a login of its failure.
func (c *Client) linkState(s transport.Status, code int, text string) {
	c.cfg.Sink.Emit(event.Event{Setter: tim.OpTIMSetNetworkStatusListenerCallback,
		Args: []event.Arg{event.Num(int(s)), event.Num(int32(code)), event.Text(text)}})
	if int(s) != tim.ConnectFailed {
		return
	}
	c.mu.Lock()
	a := c.attempt
	c.mu.Unlock()
	if a != nil && a.failedDial() >= dialsPerLogin {
		c.loginFailed(a, &transport.Error{Code: code, Text: text})
	}
}

// linkOpen logs in over a new connection: the login that is under way, or the session that lost its connection.
func (c *Client) linkOpen(context.Context) { c.authenticate() }

// lateAnswer has the log asked for what a request changed that was given up too early: the server does not push it.
func (c *Client) lateAnswer() {
	c.mu.Lock()
	s := c.session
	online := c.status == tim.LoginStatusLogined
	c.mu.Unlock()
	if s != nil && online {
		s.sync.Catch()
	}
}

func (c *Client) pushed(p *protocol.Push) {
	c.mu.Lock()
	s := c.session
	online := c.status == tim.LoginStatusLogined
	c.mu.Unlock()
	if s == nil {
		return
	}
	switch p.Kind {
	case protocol.PushLog:
		if online {
			s.sync.Pushed(protocol.ParseLog(p.Body))
		}
	case protocol.PushMessage:
		if online {
			s.messages.Whisper(p.Body)
		}
	case protocol.PushLive:
		if online {
			s.live.Pushed(protocol.ParseLog(p.Body))
		}
	case protocol.PushReport:
		if online {
			s.reported(protocol.ParseLog(p.Body))
		}
	case protocol.PushTrans:
		if online {
			s.trans.Pushed(p.Body)
		}
	case protocol.PushKick:
		c.lost(s, tim.OpTIMSetKickedOfflineCallback, &transport.Error{Code: tim.ErrLoginKickedOffByOther, Text: "kicked by another device"})
	case protocol.PushExpired:
		c.lost(s, tim.OpTIMSetUserSigExpiredCallback, &transport.Error{Code: tim.ErrSVRAccountUsersigExpired, Text: "the UserSig has expired"})
	case protocol.PushDrain:
		c.cfg.Log.Info("the server is going away")
	}
}

// lost ends a session that the server has ended. The end of its connection is told with the reason, then the event.
func (c *Client) lost(s *session, tell tim.Op, why *transport.Error) {
	c.mu.Lock()
	if c.session != s || c.status != tim.LoginStatusLogined {
		c.mu.Unlock()
		return
	}
	c.status, c.gone = tim.LoginStatusLogouting, make(chan struct{})
	c.mu.Unlock()
	c.cfg.Log.Warn("session lost", "code", why.Code, "why", why.Text)
	told := c.link.Drop(why)
	c.Go(func() {
		c.end(tim.ErrSDKNotLoggedIn, why.Text, true)
		<-told
		c.cfg.Sink.Emit(event.Event{Setter: tell})
	})
}
