package converge_test

import (
	"fmt"
	"slices"
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
		text: m.Get(tim.KeyMsgElemArray + ".0." + tim.KeyTextElemContent).String(), revoked: m.Get(tim.KeyMsgStatus).Int() == tim.MsgRevoked}
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

// login logs a phone in. It takes the place of the one that has been in for the longest time when there are too many.
func (s *scene) login(p *phone) {
	r := p.start(tim.OpTIMLogin, p.owner.name, ticket(p.owner.name))
	p.end(r)
	if r.code == tim.ErrLoginKickedOffByOther && !p.in { // it hears of its loss only now
		r = p.start(tim.OpTIMLogin, p.owner.name, ticket(p.owner.name))
		p.end(r)
	}
	p.succeeded(r)
	s.subscribe(p)
	p.in = true
	all := append(slices.DeleteFunc(s.logins[p.owner], func(x *phone) bool { return x == p }), p)
	if len(all) > places {
		s.displaced(all[0])
		all = all[1:]
	}
	s.logins[p.owner] = all
}

// logout gives a phone's place up. Without a connection the server would not hear of it.
func (s *scene) logout(p *phone) {
	p.ask(tim.OpTIMMsgGetC2CReceiveMessageOpt, text([]string{p.owner.name}))
	s.log(p.name, "logs out")
	p.ask(tim.OpTIMLogout)
	p.in = false
	s.logins[p.owner] = slices.DeleteFunc(s.logins[p.owner], func(x *phone) bool { return x == p })
}

// displaced notes that a phone lost its place. It hears of it when it can.
func (s *scene) displaced(p *phone) {
	p.in = false
	s.log(p.name, "loses its place")
	if !p.away {
		s.kicked(p)
	}
}

func (s *scene) kicked(p *phone) {
	s.eventually(p.name+" is told of its kick", func() error {
		p.host.mu.Lock()
		defer p.host.mu.Unlock()
		if p.host.kicked != 1 {
			return fmt.Errorf("it was told %d times", p.host.kicked)
		}
		return nil
	})
	p.host.mu.Lock()
	p.host.kicked = 0
	p.host.mu.Unlock()
}

// leave takes a phone off the network: refused, or with a connection that looks alive.
func (s *scene) leave(p *phone, dead bool) {
	s.settle(p)
	p.away, p.dead = true, dead
	if dead {
		p.proxy.die(true)
	} else {
		p.proxy.block(true)
	}
}

// back ends that. What the phone was asked for meanwhile happens now.
func (s *scene) back(p *phone) {
	if !p.away {
		return
	}
	p.away = false
	p.proxy.die(false)
	p.proxy.block(false)
	p.call(tim.OpTIMExtNotifyNetworkChanged)
	if !p.in {
		s.kicked(p)
		return
	}
	for _, e := range p.waiting {
		p.end(e.ring)
		p.succeeded(e.ring)
		e.apply(e.ring.json)
	}
	p.waiting = nil
}

// restart ends the application on a phone and starts it again; what it had not got through goes on by itself.
func (s *scene) restart(p *phone) {
	p.close()
	wasAway := p.away
	if p.away {
		p.away = false
		p.proxy.die(false)
		p.proxy.block(false)
	}
	p.open()
	if !p.in && !wasAway {
		return // its user knows that it was kicked
	}
	s.login(p)
	s.resume(p)
}

// resume finds out what became of calls that an earlier life of the phone had not ended.
func (s *scene) resume(p *phone) {
	for _, e := range p.waiting {
		switch {
		case e.ring.code == 0:
			e.apply(e.ring.json)
		case e.id == "":
			e.apply("")
		default:
			e.apply(s.arrived(p, e.id))
		}
	}
	p.waiting = nil
}

// arrived waits until a message that a phone is sending has its number, and returns it.
func (s *scene) arrived(p *phone, id string) (found string) {
	s.eventually("the message "+id, func() error {
		m := gjson.Get(p.ask(tim.OpTIMMsgFindMessages, text([]string{id})), "0")
		if m.Get(tim.KeyMsgStatus).Int() != tim.MsgSendSucc {
			return fmt.Errorf("not sent: %s", m.Raw)
		}
		found = m.Raw
		return nil
	})
	return found
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
