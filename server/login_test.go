package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timbre/model"
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
	for life := 2 * time.Second; ; life *= 2 { // whole seconds: one may be over already, and a busy machine may use up the other
		l.Sig = usersig.Make(testApp, testSecret, "alice", time.Now(), life)
		if code := c.code(protocol.OpLogin, "", l); code == 0 {
			break
		} else if code != tim.ErrSVRAccountUsersigExpired || life > patience/2 {
			t.Fatalf("code %d with a ticket for %v", code, life)
		}
	}
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
	logins := []struct{ id, platform string }{{"A", "linux"}, {"B", "ios"}, {"C", "linux"}, {"D", "windows"}, {"E", "android"},
		{"F", "web"}, {"G", "linux"}, {"H", "Web"}, {"I", "toaster"}}
	for policy, kicked := range map[string]string{"all": "", "one": "ABCDEFGH", "class": "ABCDF", "platform": "ACF", "platform:1": "ACF",
		"platform:2": "A"} {
		s := serve(t, t.TempDir(), func(c *config.Config) { c.Devices = policy })
		clients := map[string]*client{}
		for _, d := range logins {
			clients[d.id] = s.mustDevice(t, d.id, d.platform)
		}
		for id, c := range clients {
			if strings.Contains(kicked, id) {
				c.kicked()
			} else {
				c.quiet()
			}
		}
		for _, d := range ask[protocol.Devices](clients["I"], protocol.OpDevices, "", nil).List {
			if lost := strings.Contains(kicked, d.Device); d.Kicked != lost || d.LoggedIn == lost || d.Online == lost {
				t.Errorf("policy %s: %+v, kicked %v", policy, d, lost)
			}
		}
	}
}

func TestOldestLoginGivesWay(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.Devices = "platform:2" })
	a := s.mustDevice(t, "A", "linux")
	b := s.mustDevice(t, "B", "linux")
	again, code := s.device(t, "A", "linux", true) // after a cut: its login is as old as it was
	if code != 0 {
		t.Fatalf("resuming: code %d", code)
	}
	a.over()
	c := s.mustDevice(t, "C", "linux")
	again.kicked()
	s.mustDevice(t, "B", "linux") // a login of its user makes it the newest
	b.over()
	s.mustDevice(t, "A", "linux")
	c.kicked()
}

// TestManyLoginsAtOnce has devices log in together, many to a transaction. Those who hold a place by the table, and nobody
// else, must have a session.
func TestManyLoginsAtOnce(t *testing.T) {
	for policy, places := range map[string]int{"one": 1, "class": 1, "platform:3": 3, "all": 20} {
		s := serve(t, t.TempDir(), func(c *config.Config) { c.Devices = policy })
		var clients []*client
		var logins, questions []<-chan protocol.Answer
		for i := range 20 {
			l := loginBody("alice")
			l.Device = fmt.Sprint(i)
			clients = append(clients, s.dial(t))
			logins = append(logins, clients[i].start(protocol.OpLogin, "", protocol.Marshal(l)))
		}
		for i, c := range clients {
			c.await(logins[i])
		}
		for _, c := range clients {
			questions = append(questions, c.start(protocol.OpDevices, "", nil))
		}
		in := 0
		for i, c := range clients {
			var list protocol.Devices
			select {
			case a := <-questions[i]:
				in++
				if err := json.Unmarshal(a.Body, &list); err != nil {
					t.Fatal(err)
				}
				held := slices.IndexFunc(list.List, func(d protocol.LoggedInDevice) bool { return d.Device == fmt.Sprint(i) && d.LoggedIn })
				if held < 0 || held >= places || len(list.List) != len(clients) {
					t.Errorf("policy %s: device %d is connected: %+v", policy, i, list.List)
				}
			case <-c.ended:
			}
		}
		if in != places {
			t.Errorf("policy %s: %d devices are connected", policy, in)
		}
	}
}

func TestKickedWhileAwayUnderEveryPolicy(t *testing.T) {
	for policy, winner := range map[string]string{"one": "web", "class": "ios", "platform": "android", "platform:2": "android"} {
		s := serve(t, t.TempDir(), func(c *config.Config) { c.Devices = policy })
		s.mustDevice(t, "A", "android").reset()
		s.waitMetric(t, "timbred_connections 0")
		s.mustDevice(t, "B", winner)
		s.mustDevice(t, "C", winner)
		if _, code := s.device(t, "A", "android", true); code != tim.ErrLoginKickedOffByOther {
			t.Errorf("policy %s: code %d, want 6208", policy, code)
		}
		for _, d := range ask[protocol.Devices](s.mustDevice(t, "X", "toaster"), protocol.OpDevices, "", nil).List {
			if d.Device == "A" && (!d.Kicked || d.LoggedIn || d.Online) {
				t.Errorf("policy %s: told, but %+v", policy, d)
			}
		}
		s.mustDevice(t, "A", "android")
	}
}

func TestListOfDevices(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.Devices = "all" })
	before := time.Now().UnixMilli()
	ask[json.RawMessage](s.mustDevice(t, "out", "linux"), protocol.OpLogout, "", struct{}{})
	s.mustDevice(t, "away", "mac").close()
	s.waitMetric(t, "timbred_connections 1") // the one that has logged out
	list := ask[protocol.Devices](s.mustDevice(t, "here", "IOS"), protocol.OpDevices, "", nil).List
	later := time.Now().UnixMilli() + 3 // three logins within a millisecond have different times
	for i := range list {
		if list[i].Login < before || list[i].Login >= later {
			t.Errorf("login %d of %d was at %d", i, len(list), list[i].Login)
		}
		later, list[i].Login = list[i].Login, 0
	}
	want := []protocol.LoggedInDevice{{Device: "here", Platform: "ios", Online: true, LoggedIn: true},
		{Device: "away", Platform: "mac", LoggedIn: true}, {Device: "out", Platform: "linux"}}
	if !slices.Equal(list, want) {
		t.Errorf("got %+v", list)
	}
	var clients []*client
	var answers []<-chan protocol.Answer
	for i := range model.MaxDeviceList {
		l := loginBody("alice")
		l.Device = fmt.Sprint(i)
		clients = append(clients, s.dial(t))
		answers = append(answers, clients[i].start(protocol.OpLogin, "", protocol.Marshal(l)))
	}
	for i, c := range clients {
		c.await(answers[i])
	}
	last := s.mustDevice(t, "last", "linux")
	if list := ask[protocol.Devices](last, protocol.OpDevices, "", nil).List; len(list) != model.MaxDeviceList || list[0].Device != "last" {
		t.Errorf("%d devices", len(list))
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
