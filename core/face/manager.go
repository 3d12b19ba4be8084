package face

import (
	"net"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/model"
	"timbre/model/tim"
)

var managerHandlers = map[tim.Op]handler{
	tim.OpTIMSetConfig: {run: setConfig},
	tim.OpTIMLogin:     {run: func(c *call) { c.client.Login(c.text(0), c.text(1), c.done) }},
	tim.OpTIMLogout:    {refused: logoutRefused, run: func(c *call) { c.client.Logout(c.done) }},
	tim.OpTIMProfileGetUserProfileList: {opened: true, run: func(c *call) {
		names := texts(gjson.Get(c.text(0), tim.KeyFriendShipGetProfileListParamIdentifierArray))
		if len(names) == 0 || len(names) > model.MaxUsers {
			c.fail(tim.ErrInvalidParameters, "1 to 100 user ids are needed")
			return
		}
		c.online(func(a *client.Account) { a.Users.Profiles(names, c.done) })
	}},
}

// logoutRefused lets a logout end a login that is under way; only then is there nothing to refuse.
func logoutRefused(c *call, code int, text string) {
	if c.client != nil {
		c.client.Logout(c.done)
		return
	}
	c.fail(code, text)
}

// online runs fn on its own goroutine when a user is logged in.
func (c *call) online(fn func(*client.Account)) {
	a := c.client.Account()
	if a == nil || !a.Online {
		c.fail(tim.ErrSDKNotLoggedIn, "not logged in")
		return
	}
	c.apart(func() { fn(a) })
}

// cached is withAccount for reads, which go on their own goroutine.
func (c *call) cached(fn func(*client.Account)) {
	c.withAccount(func(a *client.Account) { c.apart(func() { fn(a) }) })
}

// withAccount runs fn when a user's database is open; it may have been closed since the state was checked.
func (c *call) withAccount(fn func(*client.Account)) {
	a := c.client.Account()
	if a == nil {
		c.fail(tim.ErrSDKNotLoggedIn, "not logged in")
		return
	}
	fn(a)
}

func texts(array gjson.Result) []string {
	var out []string
	for _, v := range array.Array() {
		if v.Type == gjson.String {
			out = append(out, v.Str)
		}
	}
	return out
}

// setConfig changes settings, in every state, and echoes the caller's text.
func setConfig(c *call) {
	f := c.face
	v := gjson.Parse(c.text(0))
	levels := f.log.Levels()
	set(v, tim.KeySetConfigLogLevel, func(x gjson.Result) { levels.File = int(x.Int()) })
	set(v, tim.KeySetConfigCallbackLogLevel, func(x gjson.Result) { levels.Callback = int(x.Int()) })
	set(v, tim.KeySetConfigIsLogOutputConsole, func(x gjson.Result) { levels.Console = x.Bool() })
	f.log.SetLevels(levels)
	f.settings.Change(func(s *client.Values) {
		set(v.Get(tim.KeySetConfigUserConfig), tim.KeyUserConfigIsDisableStorage, func(x gjson.Result) { s.NoStorage = x.Bool() })
		set(v, ConfigKeepTrying, func(x gjson.Result) { s.KeepTrying = x.Bool() })
		set(v, tim.KeySetConfigHttpProxyInfo, func(x gjson.Result) {
			s.HTTPProxy = proxy("http", x, tim.KeyHttpProxyInfoIp, tim.KeyHttpProxyInfoPort, tim.KeyHttpProxyInfoUserName, tim.KeyHttpProxyInfoPassword)
		})
		set(v, tim.KeySetConfigSocks5ProxyInfo, func(x gjson.Result) {
			s.Socks5Proxy = proxy("socks5", x, tim.KeySocks5ProxyInfoIp, tim.KeySocks5ProxyInfoPort, tim.KeySocks5ProxyInfoUserName, tim.KeySocks5ProxyInfoPassword)
		})
	})
	echo := c.raw[0]
	if !utf8.ValidString(echo) || !gjson.Valid(echo) { // it was repaired: bad bytes do not go back to the host
		echo = c.text(0)
	}
	c.done(0, "", echo)
}

func set(v gjson.Result, key string, fn func(gjson.Result)) {
	if x := v.Get(key); x.Exists() {
		fn(x)
	}
}

// proxy makes the address of a proxy; an empty ip or port 0 means none.
func proxy(scheme string, v gjson.Result, ip, port, user, password string) *url.URL {
	host, number := v.Get(ip).String(), v.Get(port).Int()
	if host == "" || number == 0 {
		return nil
	}
	u := &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, strconv.FormatInt(number, 10))}
	if name := v.Get(user).String(); name != "" {
		u.User = url.UserPassword(name, v.Get(password).String())
	}
	return u
}
