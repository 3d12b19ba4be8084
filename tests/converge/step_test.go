package converge_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"pgregory.net/rapid"

	"timbre/model/tim"
	"timbre/server/store"
)

// step is one thing that happens, as data: it means the same whatever happened before, so that a failing sequence stays a
// sequence when steps are taken out of it. A step that is not possible when its turn comes does nothing.
type step struct {
	what    string
	phone   int
	conv    int
	n       int
	on      bool
	trouble trouble
}

// trouble is what happens between a call and its answer.
type trouble int

const (
	none trouble = iota
	cutMeanwhile
	serverRestartsMeanwhile
)

func (t trouble) String() string {
	return [...]string{"", ", cut meanwhile", ", the server restarts meanwhile"}[t]
}

// GoString makes the counter-examples of rapid readable.
func (s step) GoString() string { return s.String() }

func (s step) String() string {
	return fmt.Sprintf("%s: phone %d, conversation %d, %d, %v%v", s.what, s.phone, s.conv, s.n, s.on, s.trouble)
}

// steps draws what happens next. What is there several times happens more often.
func steps() *rapid.Generator[step] {
	names := []string{"send", "send", "send", "send", "read", "read", "read all", "revoke", "delete messages", "delete conversation",
		"hide conversation", "clear history", "pin", "pin", "mark", "mark", "custom", "group create", "group create", "group delete",
		"group rename", "group add", "group remove", "draft", "mute", "newcomer", "log in", "restart phone", "restart server", "clock",
		"leave", "leave", "back", "cut", "network", "storm", "log out", "new epoch", "rest"}
	return rapid.Custom(func(t *rapid.T) step {
		s := step{what: rapid.SampledFrom(names).Draw(t, "what"), phone: rapid.IntRange(0, 7).Draw(t, "phone"),
			conv: rapid.IntRange(0, 3).Draw(t, "conversation"), n: rapid.IntRange(0, 7).Draw(t, "n"), on: rapid.Bool().Draw(t, "on")}
		if hurt := rapid.IntRange(0, 19).Draw(t, "trouble"); hurt > 17 {
			s.trouble = trouble(hurt - 17)
		}
		return s
	})
}

// offline are the steps that a phone without a network can do: they happen when it is back.
var offline = map[string]bool{"send": true, "read": true, "read all": true, "delete conversation": true, "hide conversation": true,
	"draft": true, "back": true, "restart phone": true, "network": true}

// play makes a step happen.
func (s *scene) play(a step) {
	p := s.phones[a.phone%len(s.phones)]
	switch a.what {
	case "restart server":
		s.log("the server restarts")
		s.stop()
		s.startServer()
		return
	case "clock":
		s.clock(a)
		return
	case "rest":
		s.rest()
		return
	case "newcomer":
		s.newcomer(a)
		return
	case "log in":
		s.comeBack(p)
		return
	case "new epoch":
		s.newEpoch()
		return
	case "storm":
		s.storm(a)
		return
	}
	if !p.in && a.what != "restart phone" && a.what != "back" || p.away && !offline[a.what] {
		return
	}
	s.settle(p)
	do{s, p, s.convs(p.owner)[a.conv], a}.it()
}

// convs are the conversations of a user: with the other, with himself, and two groups.
func (s *scene) convs(p *person) []conv {
	list := []conv{{tim.ConvGroup, sceneGroups[0]}, {tim.ConvGroup, sceneGroups[1]}, {tim.ConvC2C, p.name}}
	for _, other := range s.truth.people {
		if other != p {
			list = append(list, conv{tim.ConvC2C, other.name})
		}
	}
	return list
}

// clock moves the server's clock by hours, back or forth. A phone learns of it at its next login.
func (s *scene) clock(a step) {
	by := time.Duration(a.n+1) * time.Hour
	if a.on {
		by = -by
	}
	s.log("the server's clock jumps by", by)
	s.ahead.Add(int64(by))
}

// newEpoch is what an operator does after he restored a backup: no device may go on where it was. Everybody is there and
// looks at everything before more happens: what a device still knows from the old epoch is recognised when it is shown
// again, and a deletion that comes before then misses it.
func (s *scene) newEpoch() {
	if slices.ContainsFunc(s.phones, func(p *phone) bool { return !p.in }) {
		return
	}
	s.rest()
	synced := map[*phone]int{}
	for _, p := range s.phones {
		synced[p] = p.host.times()
	}
	s.log("the server begins a new epoch")
	s.stop()
	data, err := store.Open(store.Config{Dir: filepath.Join(s.dir, "server")})
	if err != nil {
		s.fail("%v", err)
	}
	if err := errors.Join(data.RenewEpoch(context.Background()), data.Close()); err != nil {
		s.fail("%v", err)
	}
	s.startServer()
	for _, p := range s.phones {
		s.eventually(p.name+" is up to date", func() error {
			if p.host.times() == synced[p] {
				return errors.New("it is not")
			}
			return nil
		})
	}
	s.rest()
}

// storm lets everybody who can send at the same time.
func (s *scene) storm(a step) {
	var all []do
	var sent [][]effect
	for i, p := range s.phones {
		if p.in && !p.away {
			d := do{s, p, s.convs(p.owner)[(a.conv+i*a.n)%4], a}
			all, sent = append(all, d), append(sent, d.sends())
		}
	}
	for i, d := range all {
		if i > 0 { // once is enough
			d.a.trouble = none
		}
		d.finish(sent[i]...)
	}
}

// newcomer is a new device of a user, which knows nothing.
func (s *scene) newcomer(a step) {
	owner := s.truth.people[a.phone%len(s.truth.people)]
	mine := 0
	for _, p := range s.phones {
		if p.owner == owner {
			mine++
		}
	}
	if mine >= places+2 {
		return
	}
	p := newPhone(s, owner, fmt.Sprint(owner.name, mine+1))
	s.log(p.name, "is new")
	s.phones = append(s.phones, p)
	p.open()
	s.login(p)
}

// comeBack logs a phone in that was kicked.
func (s *scene) comeBack(p *phone) {
	if p.in || p.away {
		return
	}
	s.log(p.name, "logs in again")
	s.login(p)
	s.resume(p)
}
