package converge_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"timbre/model/tim"
)

// move is one thing that a guest does, as data; see step.
type move struct {
	what               string
	guest, hall, other int
	n                  int
	on                 bool
}

// GoString makes the counter-examples of rapid readable.
func (m move) GoString() string { return m.String() }

func (m move) String() string {
	return fmt.Sprintf("%s: %s, hall %d, %s, %d, %v", m.what, guestNames[m.guest], m.hall, guestNames[m.other], m.n, m.on)
}

// moves draws what happens next.
func moves() *rapid.Generator[move] {
	names := []string{"create", "join", "join", "invite", "quit", "kick", "role", "transfer", "dismiss", "mute", "name",
		"attributes", "attributes", "counters", "send", "send", "send", "send", "read", "read", "topic", "topic", "topic name", "topic end",
		"restart phone", "restart server", "cut", "leave", "back", "rest"}
	return rapid.Custom(func(t *rapid.T) move {
		return move{what: rapid.SampledFrom(names).Draw(t, "what"), guest: rapid.IntRange(0, 5).Draw(t, "guest"),
			hall: rapid.IntRange(0, 7).Draw(t, "hall"), other: rapid.IntRange(0, 5).Draw(t, "other"), n: rapid.IntRange(0, 7).Draw(t, "n"),
			on: rapid.Bool().Draw(t, "on")}
	})
}

// connected waits until the server hears a guest.
func (p *party) connected(g *guest) {
	p.eventually(g.name+" is connected", func() error {
		r := g.start(tim.OpTIMMsgGetC2CReceiveMessageOpt, text([]string{g.owner.name}))
		if g.end(r); r.code != 0 {
			return fmt.Errorf("%d %s", r.code, r.desc)
		}
		return nil
	})
}

// makeMove makes a move happen.
func (p *party) makeMove(m move) {
	p.moves++
	for _, g := range p.guests {
		if g.away && time.Since(g.left) > absence {
			p.comesBack(g)
		}
	}
	g := p.guests[m.guest]
	switch m.what {
	case "restart server":
		p.log("the server restarts")
		p.missed(nil)
		p.stop()
		p.startServer()
		for _, g := range p.guests { // how long it would wait to dial is another test's business
			g.call(tim.OpTIMExtNotifyNetworkChanged)
		}
		return
	case "rest":
		p.rest()
		return
	case "back":
		p.comesBack(g)
		return
	case "leave":
		p.leaves(g, m.on)
		return
	case "cut":
		p.log(g.name, "is cut off")
		p.missed(g)
		g.proxy.cut()
		return
	case "restart phone":
		p.restarts(g)
		return
	}
	if m.what == "create" {
		if !g.away {
			p.creates(g, m)
		}
		return
	}
	if all := p.alive(); len(all) > 0 {
		p.cast(m, all[m.hall%len(all)])
	}
}

// outsiders are moves that are for somebody who is not in the hall, managers those that are mostly for who manages it.
var (
	outsiders = map[string]bool{"join": true}
	managers  = map[string]bool{"kick": true, "role": true, "transfer": true, "dismiss": true, "mute": true, "name": true, "topic": true,
		"topic name": true, "topic end": true}
)

// cast chooses who does something to whom, so that most of it makes sense: members, the higher ones first where rank matters.
func (p *party) cast(m move, h *hall) {
	var in, out []*guest
	for _, g := range p.guests {
		if h.in(g.owner.name) == nil {
			out = append(out, g)
		} else {
			in = append(in, g)
		}
	}
	if managers[m.what] {
		slices.SortStableFunc(in, func(a, b *guest) int { return h.in(b.owner.name).role - h.in(a.owner.name).role })
	}
	by, on := in, in
	if outsiders[m.what] {
		by = out
	}
	if m.what == "invite" {
		on = out
	}
	if m.n == 7 || len(by) == 0 { // and sometimes it makes none
		by = p.guests
	}
	if len(on) == 0 {
		on = p.guests
	}
	if g := by[m.guest%len(by)]; !g.away {
		deed{p, g, h, on[len(on)-1-m.other%len(on)].owner.name, m}.it()
	}
}

// absence is how long a guest may be off the network: soon after that the server no longer keeps him in his live rooms.
const absence = 15 * time.Second

// leaves takes a guest off the network.
func (p *party) leaves(g *guest, dead bool) {
	if g.away {
		return
	}
	p.log(g.name, "goes away")
	g.away, g.left = true, time.Now()
	g.forget(nil)
	if dead {
		g.proxy.die(true)
	} else {
		g.proxy.block(true)
	}
}

func (p *party) comesBack(g *guest) {
	if !g.away {
		return
	}
	p.log(g.name, "is back")
	g.away = false
	g.proxy.die(false)
	g.proxy.block(false)
	g.call(tim.OpTIMExtNotifyNetworkChanged)
}

// restarts ends the application of a guest and starts it again. He is in no live room then: at once when he logs out, which he
// does if he is in one. Who does not is kept there for half a minute.
func (p *party) restarts(g *guest) {
	p.comesBack(g)
	p.log(g.name, "starts again")
	g.forget(nil)
	listening := slices.DeleteFunc(p.alive(), func(h *hall) bool { return !h.rules().Live || h.in(g.owner.name) == nil })
	for _, h := range listening {
		p.connected(g)
		p.listens(g, h)
	}
	if len(listening) > 0 {
		g.ask(tim.OpTIMLogout)
	}
	g.phone.close()
	for _, h := range p.alive() {
		if h.rules().Live {
			delete(h.seats, g.owner.name)
		}
	}
	g.open()
	p.signIn(g)
}

// listens waits until the server has a guest in a live room. After a restart it knows nobody there until he comes back by
// himself, and of who leaves before then it tells nobody.
func (p *party) listens(g *guest, h *hall) {
	p.eventually(g.name+" is in "+h.name, func() error {
		page := g.ask(tim.OpTIMGroupGetMemberInfoList, object(tim.KeyGroupGetMemberInfoListParamGroupId, h.id))
		for _, m := range gjson.Get(page, tim.KeyGroupGetMemberInfoListResultInfoArray).Array() {
			if m.Get(tim.KeyGroupMemberInfoIdentifier).String() == g.owner.name {
				return nil
			}
		}
		return fmt.Errorf("the members are %s", page)
	})
}

// hallTypes are what is made; the first one with topics.
var hallTypes = []int{tim.GroupCommunity, tim.GroupPublic, tim.GroupAVChatRoom, tim.GroupPrivate, tim.GroupCommunity, tim.GroupChatRoom}

// creates makes a group of a type with some members besides its maker.
func (p *party) creates(g *guest, m move) {
	if len(p.alive()) > 10 {
		return
	}
	typ, topics := hallTypes[m.n%len(hallTypes)], m.n%len(hallTypes) == 0
	h := newHall("", typ, fmt.Sprint("hall ", p.moves), g.owner.name)
	h.topics = topics
	param := map[string]any{tim.KeyCreateGroupParamGroupName: h.name, tim.KeyCreateGroupParamGroupType: typ}
	if topics {
		param[tim.KeyCreateGroupIsSupportTopic] = true
	}
	var members []map[string]string
	if !h.rules().Live {
		for i := range 3 {
			if name := p.guests[(m.other+i)%len(p.guests)].owner.name; h.seats[name] == nil {
				members = append(members, map[string]string{tim.KeyGroupMemberInfoIdentifier: name})
				h.enter(name, tim.MemberRoleNormal)
			}
		}
		param[tim.KeyCreateGroupParamGroupMemberArray] = members
		param[tim.KeyCreateGroupParamApproveOption] = tim.GroupAddOptAny
	}
	if typ == tim.GroupPublic && m.on {
		param[tim.KeyCreateGroupParamAddOption] = tim.GroupAddOptAny
	}
	p.log(g.name, "makes", h, h.roles())
	h.id = gjson.Get(g.ask(tim.OpTIMGroupCreate, text(param)), tim.KeyCreateGroupResultGroupId).String()
	p.halls = append(p.halls, h)
}

// deed is a guest doing something in a hall.
type deed struct {
	*party
	g     *guest
	h     *hall
	other string
	m     move
}

func (d deed) self() string { return d.g.owner.name }

func (d deed) it() {
	what := map[string]func(){"join": d.join, "invite": d.invite, "quit": d.quit, "kick": d.kick, "role": d.role, "transfer": d.transfer,
		"dismiss": d.dismiss, "mute": d.mute, "name": d.rename, "attributes": d.attributes, "counters": d.counters, "send": d.send, "read": d.read,
		"topic": d.topic, "topic name": d.topicName, "topic end": d.topicEnd}
	topical := d.m.what == "send" || d.m.what == "read" || d.m.what == "topic name" || d.m.what == "topic end"
	if d.h.parent != nil && !topical || d.h.topics && d.m.what == "send" {
		return
	}
	d.ready()
	what[d.m.what]()
}

// ready waits until the guest is connected, so that every call has a definite end, and knows of the hall what he must.
func (d deed) ready() {
	d.connected(d.g)
	d.eventually(d.g.name+" is ready", func() error {
		if d.h.in(d.self()) == nil || d.h.topics || d.h.rules().Live {
			return nil
		}
		return d.shows(d.g, d.h, false)
	})
}

// does makes a call and says whether it was done.
func (d deed) does(op tim.Op, args ...any) bool {
	r := d.g.start(op, args...)
	d.g.end(r)
	d.log(d.g.name, d.m.what, d.h, d.other, "with", r.code, r.desc)
	if r.code >= tim.ErrSDKNetEncodeFailed && r.code < tim.ErrSDKNetEncodeFailed+100 { // nobody knows whether it was done
		d.fail("%s: %s: %d %s", d.g.name, r.name, r.code, r.desc)
	}
	return r.code == 0
}
