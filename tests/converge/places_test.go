package converge_test

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
)

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
