package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/config"
)

// at logs a user in on a device of a platform.
func (s *running) at(t *testing.T, user, name, platform string) *client {
	t.Helper()
	c := s.dial(t)
	body := loginBody(user)
	body.Device, body.Platform = name, platform
	ask[protocol.LoggedIn](c, protocol.OpLogin, "", body)
	return c
}

// trans passes something on and returns the code.
func (c *client) trans(what protocol.Trans) int {
	c.t.Helper()
	return c.call(protocol.OpTrans, "", protocol.Marshal(what)).Code
}

func toPeer(user, command string) protocol.Trans {
	return protocol.Trans{Target: protocol.Target{Peer: user}, Command: command}
}

func toGroup(group, command string) protocol.Trans {
	return protocol.Trans{Target: protocol.Target{Group: group}, Command: command}
}

// gets waits for what is passed on to a client and checks it.
func (c *client) gets(want protocol.Trans) {
	c.t.Helper()
	p := c.next(protocol.PushTrans)
	var got protocol.Trans
	if err := json.Unmarshal(p.Body, &got); err != nil {
		c.t.Fatal(err)
	}
	if got.Time == 0 {
		c.t.Error("no time")
	}
	got.Time = 0
	if got != want {
		c.t.Errorf("got %+v, want %+v", got, want)
	}
}

// next waits for the next push of a kind and passes over others.
func (c *client) next(kind string) protocol.Push {
	c.t.Helper()
	late := time.After(patience)
	for {
		select {
		case p := <-c.pushes:
			if p.Kind == kind {
				return p
			}
		case <-late:
			c.t.Fatalf("no push %s", kind)
		}
	}
}

func TestTransReachesWhoItIsFor(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.Devices = "all" })
	ann, phone, tablet := s.login(t, "ann"), s.at(t, "ann", "ann-2", "android"), s.at(t, "ann", "ann-3", "ios")
	bob, bobsPhone := s.login(t, "bob"), s.at(t, "bob", "bob-2", "android")
	for _, code := range []int{
		ann.trans(toPeer("bob", "to bob")),
		ann.trans(protocol.Trans{Platform: 2, Command: "to my tablet"}),
		ann.trans(protocol.Trans{Platform: 255, Command: "to all of mine"}),
		bob.trans(toPeer("bob", "to myself")),
	} {
		if code != 0 {
			t.Errorf("code %d", code)
		}
	}
	bob.gets(from("ann", toPeer("bob", "to bob")))
	bobsPhone.gets(from("ann", toPeer("bob", "to bob")))
	bobsPhone.gets(from("bob", toPeer("bob", "to myself")))
	tablet.gets(protocol.Trans{From: "ann", Platform: 2, Command: "to my tablet"})
	tablet.gets(protocol.Trans{From: "ann", Platform: 255, Command: "to all of mine"})
	phone.gets(protocol.Trans{From: "ann", Platform: 255, Command: "to all of mine"})
	bob.send("ann", "k", "last of all")
	for _, c := range []*client{ann, bob} { // the senders got nothing of it
		for len(c.pushes) > 0 {
			if p := <-c.pushes; p.Kind == protocol.PushTrans {
				t.Errorf("%s came", p.Body)
			}
		}
	}
}

func from(user string, what protocol.Trans) protocol.Trans {
	what.From = user
	return what
}

func TestTransIsRefused(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	ann := s.login(t, "ann")
	s.login(t, "bob")
	for name, c := range map[string]struct {
		what protocol.Trans
		code int
	}{
		"nothing":          {toPeer("bob", ""), tim.ErrInvalidParameters},
		"too long":         {toPeer("bob", strings.Repeat("x", model.MaxTrans+1)), tim.ErrInvalidParameters},
		"the longest":      {toPeer("bob", strings.Repeat("x", model.MaxTrans)), 0},
		"two targets":      {protocol.Trans{Target: protocol.Target{Peer: "bob", Group: "g"}, Command: "c"}, tim.ErrInvalidParameters},
		"no such user":     {toPeer("nobody", "c"), tim.ErrSVRMsgInvalidID},
		"no such group":    {toGroup("nowhere", "c"), tim.ErrSVRGroupNotFound},
		"no such platform": {protocol.Trans{Platform: 7, Command: "c"}, tim.ErrInvalidParameters},
	} {
		if code := ann.trans(c.what); code != c.code {
			t.Errorf("%s: code %d, want %d", name, code, c.code)
		}
	}
}

func TestTransInGroups(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	ann, bob, eve := s.login(t, "ann"), s.login(t, "bob"), s.login(t, "eve")
	id := ask[protocol.CreatedGroup](ann, protocol.OpGroupCreate, "make", protocol.CreateGroup{Name: "team", Type: tim.GroupPrivate,
		Members: []protocol.NewMember{{User: "bob"}}}).ID
	if code := eve.trans(toGroup(id, "c")); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("code %d for who is no member", code)
	}
	if code := bob.trans(toGroup(id, "c")); code != 0 {
		t.Errorf("code %d", code)
	}
	ann.gets(from("bob", toGroup(id, "c")))
	ask[struct{}](ann, protocol.OpReceiveOption, "shield", protocol.SetReceiveFlags{Target: protocol.Target{Group: id}, Shield: on(true)})
	if code := bob.trans(toGroup(id, "unheard")); code != 0 {
		t.Errorf("code %d", code)
	}
	ask[struct{}](ann, protocol.OpReceiveOption, "open", protocol.SetReceiveFlags{Target: protocol.Target{Group: id}, Shield: on(false)})
	if code := bob.trans(toGroup(id, "heard")); code != 0 {
		t.Errorf("code %d", code)
	}
	ann.gets(from("bob", toGroup(id, "heard")))
}

func on(b bool) *bool { return &b }

func TestTransHasARate(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	ann := s.login(t, "ann")
	s.login(t, "bob")
	var answers []<-chan protocol.Answer
	begun := time.Now()
	for range 3 * model.TransRate {
		answers = append(answers, ann.start(protocol.OpTrans, "", protocol.Marshal(toPeer("bob", "c"))))
	}
	passed := 0
	for _, answer := range answers {
		switch code := ann.await(answer).Code; code {
		case 0:
			passed++
		case tim.ErrSDKCommAPICallFrequencyLimit:
		default:
			t.Fatalf("code %d", code)
		}
	}
	most := model.TransRate * (int(time.Since(begun)/time.Second) + 2) // seconds of the clock that it took have begun
	if passed < model.TransRate || passed > most {
		t.Errorf("%d of %d passed, want %d to %d", passed, len(answers), model.TransRate, most)
	}
}

func flagsOf(c *client) protocol.AllReceiveFlags {
	c.t.Helper()
	return ask[protocol.AllReceiveFlags](c, protocol.OpAllOptions, "", struct{}{})
}

// The option of the interface and the two switches are two views of one state.
func TestReceiveFlags(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	ann := s.login(t, "ann")
	s.login(t, "bob")
	id := ask[protocol.CreatedGroup](ann, protocol.OpGroupCreate, "make", protocol.CreateGroup{Name: "team", Type: tim.GroupPrivate}).ID
	key := 0
	do := func(op string, body any) {
		t.Helper()
		key++
		ask[struct{}](ann, op, fmt.Sprint("key ", key), body)
	}
	for _, where := range []protocol.Target{{Peer: "bob"}, {Group: id}} {
		option := func(n int) {
			t.Helper()
			set := protocol.SetOption{Group: where.Group, Option: n}
			if where.Peer != "" {
				set.Peers = []string{where.Peer}
			}
			do(protocol.OpSetOption, set)
		}
		flags := func(quiet, shield *bool) {
			t.Helper()
			do(protocol.OpReceiveOption, protocol.SetReceiveFlags{Target: where, NoDisturb: quiet, Shield: shield})
		}
		shown := func(what string, option int, want protocol.ReceiveFlags) {
			t.Helper()
			all, n := flagsOf(ann), 0
			got := all.Groups[where.Group]
			if where.Peer != "" {
				got = all.Users[where.Peer]
				n = ask[protocol.Options](ann, protocol.OpOptions, "", protocol.Users{Names: []string{where.Peer}}).Peers[where.Peer]
			} else {
				n = ask[protocol.GroupInfos](ann, protocol.OpGroupInfo, "", protocol.GroupInfo{Groups: []string{id}}).List[0].Group.Self.Option
			}
			if got != want || n != option {
				t.Errorf("%+v: %s: %+v and option %d, want %+v and %d", where, what, got, n, want, option)
			}
		}
		quiet, shield, both := protocol.ReceiveFlags{NoDisturb: true}, protocol.ReceiveFlags{Shield: true}, protocol.ReceiveFlags{NoDisturb: true, Shield: true}
		flags(on(true), nil)
		shown("not disturbed", tim.RecvMsgOptNotNotify, quiet)
		flags(nil, on(true))
		shown("shielded, too", tim.RecvMsgOptNotReceive, both)
		flags(nil, on(false))
		shown("the shield is gone", tim.RecvMsgOptNotNotify, quiet)
		option(tim.RecvMsgOptNotReceive)
		shown("shielded by the option", tim.RecvMsgOptNotReceive, both)
		flags(on(false), nil)
		shown("disturbed behind the shield", tim.RecvMsgOptNotReceive, shield)
		flags(on(true), on(false))
		shown("both turned", tim.RecvMsgOptNotNotify, quiet)
		option(tim.RecvMsgOptNotNotifyExceptAt)
		option(tim.RecvMsgOptNotReceive)
		flags(on(true), on(false))
		shown("what the shield covered", tim.RecvMsgOptNotNotifyExceptAt, quiet)
		option(tim.RecvMsgOptNotReceive)
		option(tim.RecvMsgOptReceive)
		shown("everything off", tim.RecvMsgOptReceive, protocol.ReceiveFlags{})
	}
	if all := flagsOf(ann); len(all.Users)+len(all.Groups) != 0 {
		t.Errorf("%+v is listed", all)
	}
}

func TestReceiveFlagsForEverything(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	ann := s.login(t, "ann")
	shown := func(what string, want protocol.AllOption) {
		t.Helper()
		all := flagsOf(ann).All
		got := ask[protocol.Options](ann, protocol.OpOptions, "", protocol.Users{}).All
		if got == nil {
			got = &protocol.AllOption{}
		}
		if *got != want || all.Shield || all.NoDisturb != (want.Option != 0) {
			t.Errorf("%s: %+v and %+v, want %+v", what, *got, all, want)
		}
	}
	set := func(key string, f protocol.SetReceiveFlags) int {
		return ann.call(protocol.OpReceiveOption, key, protocol.Marshal(f)).Code
	}
	shown("at first", protocol.AllOption{})
	set("a", protocol.SetReceiveFlags{NoDisturb: on(true)})
	shown("not disturbed", protocol.AllOption{Option: tim.RecvMsgOptNotNotify, Duration: 86400})
	nightly := protocol.AllOption{Option: tim.RecvMsgOptNotNotifyExceptAt, Hour: 22, Duration: 3600}
	ask[struct{}](ann, protocol.OpSetOption, "b", protocol.SetOption{All: &nightly})
	set("c", protocol.SetReceiveFlags{NoDisturb: on(true)})
	shown("at the hours that were said", nightly)
	set("d", protocol.SetReceiveFlags{NoDisturb: on(false)})
	shown("disturbed", protocol.AllOption{})
	if code := set("e", protocol.SetReceiveFlags{Shield: on(true)}); code != tim.ErrInvalidParameters {
		t.Errorf("code %d for a shield against everything", code)
	}
}

func TestReceiveFlagsOfOthersAreNotMine(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	ann, bob := s.login(t, "ann"), s.login(t, "bob")
	id := ask[protocol.CreatedGroup](ann, protocol.OpGroupCreate, "make", protocol.CreateGroup{Name: "team", Type: tim.GroupPrivate}).ID
	ask[struct{}](ann, protocol.OpReceiveOption, "k1", protocol.SetReceiveFlags{Target: protocol.Target{Peer: "bob"}, Shield: on(true)})
	if all := flagsOf(bob); len(all.Users)+len(all.Groups) != 0 {
		t.Errorf("%+v is listed", all)
	}
	body := protocol.Marshal(protocol.SetReceiveFlags{Target: protocol.Target{Group: id}, Shield: on(true)})
	if a := bob.call(protocol.OpReceiveOption, "k2", body); a.Code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("code %d for a group of others", a.Code)
	}
}

func TestUsersDoNotBroadcast(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	ann := s.login(t, "ann")
	s.login(t, "bob")
	content := `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"x"}],"x":{"message_is_broadcast_message":true}}`
	if code := ann.refused("bob", "k", content); code != tim.ErrSVRMsgInvalidJSONBodyFormat {
		t.Errorf("code %d", code)
	}
}

// Pages without anything but names and roles are a hundred times larger than others.
func TestBriefMembers(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	ann, eve := s.login(t, "ann"), s.login(t, "eve")
	s.login(t, "bob")
	id := ask[protocol.CreatedGroup](ann, protocol.OpGroupCreate, "make", protocol.CreateGroup{Name: "team", Type: tim.GroupPublic,
		Members: []protocol.NewMember{{User: "bob"}}}).ID
	page := ask[protocol.MemberPage](ann, protocol.OpGroupMembers, "", protocol.AskMembers{Group: id, Brief: true})
	want := []protocol.Member{{User: "ann", Role: tim.MemberRoleOwner}, {User: "bob", Role: tim.MemberRoleNormal}}
	if page.Next != 0 || fmt.Sprint(page.Members) != fmt.Sprint(want) {
		t.Errorf("%+v", page)
	}
	body := protocol.Marshal(protocol.AskMembers{Group: id, Brief: true})
	if code := eve.call(protocol.OpGroupMembers, "", body).Code; code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("code %d for who is no member", code)
	}
}
