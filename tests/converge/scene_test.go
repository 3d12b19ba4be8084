package converge_test

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"timbre/model/tim"
	"timbre/server/config"
)

// scene is a server, two users with three phones each, and the model of what they must see.
type scene struct {
	t      *rapid.T
	dir    string
	target atomic.Value
	stop   func()
	ahead  atomic.Int64 // how far the server's clock is ahead
	truth  *truth
	phones []*phone
	logins map[*person][]*phone // who is logged in, longest first
	sent   int
	wait   time.Duration // for what must happen
	story  []string
	wrong  string // what was found wrong; nothing more happens then
}

// places is how many devices of a user may be logged in.
const places = 3

var sceneUsers, sceneGroups = []string{"ann", "bob"}, []string{"family", "work"}

func newScene(t *rapid.T, dir string, wait time.Duration) *scene {
	return &scene{t: t, dir: dir, wait: wait, truth: newTruth(sceneUsers, sceneGroups), logins: map[*person][]*phone{}, stop: func() {}}
}

// begin starts everything.
func (s *scene) begin() {
	s.startServer()
	for n := range places {
		for _, owner := range s.truth.people {
			s.phones = append(s.phones, newPhone(s, owner, fmt.Sprint(owner.name, n+1)))
		}
	}
	for _, p := range s.phones {
		p.open()
		s.login(p)
	}
	for _, g := range sceneGroups {
		s.makeGroup(g)
	}
}

// failure is what fail panics with.
type failure string

// fail ends the scene. Whatever is wrong, the test fails in one place and in the same words: rapid takes only what looks the
// same for the same failure, and shortens only that.
func (s *scene) fail(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// try does something unless the scene has failed.
func (s *scene) try(what func()) {
	if s.wrong != "" {
		return
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			s.wrong = string(r)
		default:
			panic(r)
		}
	}()
	what()
}

// log writes down what happens.
func (s *scene) log(words ...any) {
	s.t.Log(words...)
	s.story = append(s.story, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintln(words...))
}

func (s *scene) startServer() {
	now := func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }
	addr, stop := serve(s.t, s.dir, now, func(c *config.Config) {
		c.Devices, c.SyncDeletions, c.RevokeWithin = fmt.Sprint("platform:", places), true, 0
	})
	s.target.Store(addr)
	s.stop = stop
}

// ending is the last check: everybody shows what he must, and so does a new phone of each user.
func (s *scene) ending() {
	s.rest()
	for i := range s.truth.people {
		s.newcomer(step{phone: i})
	}
	s.rest()
}

// close ends everything.
func (s *scene) close() {
	for _, p := range s.phones {
		s.try(p.close)
		if s.wrong != "" && p.face != nil {
			p.face.Close(false)
		}
		p.proxy.close()
	}
	s.stop()
}

// makeGroup makes a group of all users. What the server says in it about that is the model's first message.
func (s *scene) makeGroup(id string) {
	var others []map[string]string
	for _, p := range s.truth.people[1:] {
		others = append(others, map[string]string{tim.KeyGroupMemberInfoIdentifier: p.name})
	}
	maker := s.phones[0]
	maker.ask(tim.OpTIMGroupCreate, object(tim.KeyCreateGroupParamGroupId, id, tim.KeyCreateGroupParamGroupName, id,
		tim.KeyCreateGroupParamGroupType, tim.GroupPrivate, tim.KeyCreateGroupParamGroupMemberArray, others))
	c := conv{tim.ConvGroup, id}
	s.eventually("the group's first message", func() error {
		list := maker.history(c, true)
		if len(list) == 0 {
			return fmt.Errorf("none")
		}
		for _, m := range list {
			l := letterOf(m)
			l.counts = false
			if err := s.truth.add(maker.owner.name, c, l); err != nil {
				return err
			}
		}
		return nil
	})
}

func letterOf(m gjson.Result) *letter {
	return &letter{seq: m.Get(tim.KeyMsgSeq).Uint(), id: id(m), from: m.Get(tim.KeyMsgSender).String(), counts: true,
		text: m.Get(tim.KeyMsgElemArray + ".0." + tim.KeyTextElemContent).String(), revoked: m.Get(tim.KeyMsgStatus).Int() == tim.MsgRevoked,
		millis: m.Get("ext_message_server_time_ms").Uint()}
}

// eventually repeats a check until it finds nothing wrong.
func (s *scene) eventually(what string, check func() error) {
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	var err error
	for end := time.Now().Add(s.wait); time.Now().Before(end); <-tick.C {
		if err = check(); err == nil {
			return
		}
	}
	s.fail("%s: %v", what, err)
}

// settle waits until a phone shows what it must.
func (s *scene) settle(p *phone) {
	if !p.in || p.away {
		return
	}
	s.eventually(p.name, p.upToDate)
	for c := range p.owner.talks {
		p.known[c] = s.truth.newest(p.owner.name, c)
	}
}

// rest lets everything come to its end and checks all that must hold then.
func (s *scene) rest() {
	for _, p := range s.phones {
		s.back(p)
	}
	for _, p := range s.phones {
		s.settle(p)
		if p.in {
			s.eventually(p.name, p.agrees)
		}
		if err := p.answered(); err != nil {
			s.fail("%v", err)
		}
	}
}
