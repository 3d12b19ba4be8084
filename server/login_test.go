package server_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"timbre/model/tim"
	"timbre/model/usersig"
	"timbre/protocol"
	"timbre/server/config"
)

// checkTicket is a ticket of somebody else's generator; it expired in 2023.
const checkTicket = "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkEnMyk1NhUsUp2YkFBZkpQAlDEwMIMITKpVYUZBalAmUszIBSUMGSzFyQkKE5" +
	"VDFMvDgzHWR4slt*UXmKUZijV1Jykq*2kVeir0dlVnJOfnFgnqVzQEFIcn5EjrGfT6F-qK1SLQAGOzJ5"

func TestLoginRefusals(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	const other = testApp + 1
	now := time.Now()
	for name, c := range map[string]struct {
		change func(*protocol.Login)
		want   int
	}{
		"empty":        {func(l *protocol.Login) { l.Sig = "" }, tim.ErrSVRAccountUsersigEmpty},
		"unreadable":   {func(l *protocol.Login) { l.Sig = "abc" }, tim.ErrSVRAccountUsersigCheckFailed},
		"truncated":    {func(l *protocol.Login) { l.Sig = l.Sig[:len(l.Sig)/2] }, tim.ErrSVRAccountUsersigCheckFailed},
		"wrong secret": {func(l *protocol.Login) { l.Sig = usersig.Make(testApp, "x", "alice", now, time.Hour) }, tim.ErrSVRAccountUsersigCheckFailedEx},
		"another user": {func(l *protocol.Login) { l.Sig = ticket("bob") }, tim.ErrSVRAccountUsersigMismatchID},
		"another app":  {func(l *protocol.Login) { l.Sig = usersig.Make(other, "x", "alice", now, time.Hour) }, tim.ErrSVRAccountUsersigMismatchSdkappid},
		"unknown app":  {func(l *protocol.Login) { l.App = other }, tim.ErrSVRAccountSdkappidNotFound},
		"expired": {func(l *protocol.Login) {
			l.Sig = usersig.Make(testApp, testSecret, "alice", now.Add(-2*time.Hour), time.Hour)
		}, tim.ErrSVRAccountUsersigExpired},
		"check value":    {func(l *protocol.Login) { l.Sig = checkTicket }, tim.ErrSVRAccountUsersigExpired},
		"long user":      {func(l *protocol.Login) { l.User = strings.Repeat("a", 33) }, tim.ErrSDKCommInvalidIdentifier},
		"no user":        {func(l *protocol.Login) { l.User = "" }, tim.ErrSDKCommInvalidIdentifier},
		"chinese user":   {func(l *protocol.Login) { l.User = "李" }, tim.ErrSDKCommInvalidIdentifier},
		"no device":      {func(l *protocol.Login) { l.Device = "" }, tim.ErrInvalidParameters},
		"newer protocol": {func(l *protocol.Login) { l.Version = protocol.Version + 1 }, protocol.CodeVersion},
	} {
		l := loginBody("alice")
		c.change(&l)
		if a := s.dial(t).call(protocol.OpLogin, "", protocol.Marshal(l)); a.Code != c.want || a.Desc == "" {
			t.Errorf("%s: code %d %q, want %d", name, a.Code, a.Desc, c.want)
		}
	}
}

func TestLoginAnswer(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	before := time.Now().Add(-time.Second)
	in := ask[protocol.LoggedIn](s.dial(t), protocol.OpLogin, "", loginBody("alice"))
	if in.TinyID != 1_000_000_000_001 || in.Epoch == "" || in.Pos != 0 || in.Oldest != 0 || in.Time < before.UnixMilli() {
		t.Errorf("%+v", in)
	}
	if left := time.UnixMilli(in.Expire).Sub(before); left < 59*time.Minute || left > 61*time.Minute {
		t.Errorf("the ticket is said to expire in %v", left)
	}
	bob := s.login(t, "bob")
	found := ask[protocol.Profiles](bob, protocol.OpProfiles, "", protocol.Users{Names: []string{"alice", "nobody"}})
	if len(found.Profiles) != 1 || found.Profiles[0] != (protocol.Profile{User: "alice", TinyID: in.TinyID}) {
		t.Errorf("%+v", found)
	}
	found = ask[protocol.Profiles](bob, protocol.OpTinyIDs, "", protocol.Users{TinyIDs: []uint64{in.TinyID, 7}})
	if len(found.Profiles) != 1 || found.Profiles[0].User != "alice" {
		t.Errorf("%+v", found)
	}
}

func TestBeforeLoginAndNonsense(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	c := s.dial(t)
	if a := c.call(protocol.OpSend, "k", nil); a.Code != tim.ErrSDKNotLoggedIn {
		t.Errorf("send before login: %d", a.Code)
	}
	ask[protocol.Pong](c, protocol.OpPing, "", struct{}{})
	if a := c.call("fly", "", nil); a.Code != protocol.CodeOp {
		t.Errorf("unknown operation: %d", a.Code)
	}
	if a := c.call(protocol.OpLogin, "", []byte(`"x"`)); a.Code != tim.ErrSVRCommReqJSONParseFailed {
		t.Errorf("login with a text: %d", a.Code)
	}
	ask[protocol.LoggedIn](c, protocol.OpLogin, "", loginBody("alice"))
	if a := c.call(protocol.OpLogin, "", protocol.Marshal(loginBody("alice"))); a.Code != protocol.CodeOp {
		t.Errorf("second login: %d", a.Code)
	}
	c.mu.Lock()
	broken := make(chan protocol.Answer, 1)
	c.answers[0] = broken
	err := c.ws.WriteMessage(1, []byte("{\"id\":\n\n[]\n"))
	c.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if a := c.await(broken); a.Code != tim.ErrSVRCommReqJSONParseFailed {
		t.Errorf("broken line: %d", a.Code)
	}
	ask[json.RawMessage](c, protocol.OpLogout, "", struct{}{})
	if a := c.call(protocol.OpDiff, "", nil); a.Code != tim.ErrSDKNotLoggedIn {
		t.Errorf("diff after logout: %d", a.Code)
	}
	ask[protocol.LoggedIn](c, protocol.OpLogin, "", loginBody("alice"))
}

func TestTicketExpiresWhileConnected(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	c := s.dial(t)
	l := loginBody("alice")
	l.Sig = usersig.Make(testApp, testSecret, "alice", time.Now(), 2*time.Second) // whole seconds: one may be over already
	ask[protocol.LoggedIn](c, protocol.OpLogin, "", l)
	c.push(protocol.PushExpired)
	c.over()
}

// device logs alice in and returns the code.
func (s *running) device(t *testing.T, id, platform string, resume bool) (*client, int) {
	t.Helper()
	c := s.dial(t)
	l := loginBody("alice")
	l.Device, l.Platform, l.Resume = id, platform, resume
	return c, c.call(protocol.OpLogin, "", protocol.Marshal(l)).Code
}

func (s *running) mustDevice(t *testing.T, id, platform string) *client {
	t.Helper()
	c, code := s.device(t, id, platform, false)
	if code != 0 {
		t.Fatalf("login on %s: code %d", id, code)
	}
	return c
}

func (c *client) kicked() {
	c.t.Helper()
	var k protocol.Kick
	if err := json.Unmarshal(c.push(protocol.PushKick).Body, &k); err != nil || k.Code != tim.ErrLoginKickedOffByOther {
		c.t.Fatalf("kick %+v, %v", k, err)
	}
	c.over()
}

func TestDevicePolicies(t *testing.T) {
	for policy, kicked := range map[string]string{"one": "AB", "platform": "A", "all": ""} {
		s := serve(t, t.TempDir(), func(c *config.Config) { c.Devices = policy })
		for _, c := range []struct {
			id string
			*client
		}{
			{"A", s.mustDevice(t, "A", "linux")}, {"B", s.mustDevice(t, "B", "ios")}, {"C", s.mustDevice(t, "C", "linux")},
		} {
			if strings.Contains(kicked, c.id) {
				c.kicked()
			} else {
				ask[protocol.Pong](c.client, protocol.OpPing, "", struct{}{})
			}
		}
	}
}

func TestKickedDeviceIsWelcomeWhenItWasTold(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	a := s.mustDevice(t, "A", "linux")
	b := s.mustDevice(t, "B", "linux")
	a.kicked()
	a = s.mustDevice(t, "A", "linux")
	b.kicked()
	s.mustDevice(t, "B", "linux")
	a.kicked()
	if _, code := s.device(t, "A", "linux", true); code != tim.ErrLoginKickedOffByOther {
		t.Errorf("resuming after the push was lost: code %d", code)
	}
	s.mustDevice(t, "A", "linux")
}

func TestKickedWhileAway(t *testing.T) {
	for _, resume := range []bool{false, true} {
		s := serve(t, t.TempDir(), nil)
		s.mustDevice(t, "A", "linux").reset()
		s.waitMetric(t, "timbred_connections 0") // the server has seen the end of it
		b := s.mustDevice(t, "B", "linux")
		if _, code := s.device(t, "A", "linux", resume); code != tim.ErrLoginKickedOffByOther {
			t.Fatalf("resume %v: code %d, want 6208", resume, code)
		}
		ask[protocol.Pong](b, protocol.OpPing, "", struct{}{})
		s.mustDevice(t, "A", "linux")
		b.kicked()
	}
}

func TestLoggedOutDeviceIsNotKicked(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	a := s.mustDevice(t, "A", "linux")
	ask[json.RawMessage](a, protocol.OpLogout, "", struct{}{})
	b := s.mustDevice(t, "B", "linux")
	s.mustDevice(t, "A", "linux")
	b.kicked()
}

func TestSameDeviceReplacesItself(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	old := s.mustDevice(t, "A", "linux")
	fresh := s.mustDevice(t, "A", "linux")
	old.over()
	if len(old.pushes) != 0 {
		t.Errorf("the old connection got %s", (<-old.pushes).Kind)
	}
	ask[protocol.Pong](fresh, protocol.OpPing, "", struct{}{})
}
