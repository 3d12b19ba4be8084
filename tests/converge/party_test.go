package converge_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"timbre/model"
	"timbre/model/tim"
)

// party is six users with a phone each, the groups that they have made, and the model of those.
type party struct {
	*scene
	guests []*guest
	halls  []*hall // those that are over, too
	moves  int     // numbers what is made
}

// guest is a user and his phone.
type guest struct {
	*phone
	diaries map[*hall]*diary        // of halls whose events he has followed since the last rest
	past    map[*hall][]groupLetter // what he could see while he was a member
	left    time.Time               // when he went away
}

var guestNames = []string{"ann", "bob", "cat", "dan", "eve", "fay"}

func newParty(t *rapid.T, dir string, wait time.Duration) *party {
	return &party{scene: newScene(t, dir, wait)}
}

func (p *party) begin() {
	p.startServer()
	for _, name := range guestNames {
		p.guests = append(p.guests, p.arrive(name, name))
	}
	for n := range hallTypes {
		p.moves++
		p.creates(p.guests[n], move{what: "create", other: n + 1, n: n, on: true})
	}
}

// arrive is a user on a device that knows nothing.
func (p *party) arrive(name, device string) *guest {
	g := &guest{phone: newPhone(p.scene, &person{name: name}, device), diaries: map[*hall]*diary{}, past: map[*hall][]groupLetter{}}
	g.watch = g.notes
	p.phones = append(p.phones, g.phone)
	g.open()
	p.signIn(g)
	return g
}

func (p *party) signIn(g *guest) {
	g.ask(tim.OpTIMLogin, g.owner.name, ticket(g.owner.name))
	g.in = true
}

// alive is the halls that are not over.
func (p *party) alive() []*hall {
	return slices.DeleteFunc(slices.Clone(p.halls), func(h *hall) bool { return h.over || h.parent != nil && h.parent.over })
}

// ending is the last check: everybody shows what he must, and so does a new device of each.
func (p *party) ending() {
	p.rest()
	for _, name := range guestNames {
		fresh := p.arrive(name, name+" fresh")
		p.eventually(fresh.name, func() error { return p.sees(fresh, true) })
		p.asksAll(fresh)
	}
}

// rest lets everything come to its end and checks what everybody sees, and what he knows from events.
func (p *party) rest() {
	for _, g := range p.guests {
		p.comesBack(g)
	}
	for _, g := range p.guests {
		p.eventually(g.name, func() error {
			if err := p.sees(g, false); err != nil {
				return err
			}
			return p.knows(g)
		})
		if err := g.answered(); err != nil {
			p.fail("%v", err)
		}
	}
	for _, g := range p.guests {
		clear(g.diaries)
		for _, h := range p.alive() {
			if h.in(g.owner.name) != nil {
				g.diaries[h] = h.page()
			}
		}
	}
}

// sees compares the lists and halls that a device shows with the model's.
func (p *party) sees(g *guest, fresh bool) error {
	if err := p.lists(g); err != nil {
		return err
	}
	for _, h := range p.alive() {
		if h.in(g.owner.name) == nil || fresh && h.rules().Live {
			continue
		}
		if err := p.shows(g, h, fresh); err != nil {
			return fmt.Errorf("%v: %w", h, err)
		}
	}
	return nil
}

// lists compares the lists of groups and of communities with topics.
func (p *party) lists(g *guest) error {
	groups, communities := map[string]int{}, map[string]int{}
	for _, h := range p.alive() {
		s := h.in(g.owner.name)
		switch {
		case s == nil || h.parent != nil || h.rules().Live:
		case h.topics:
			communities[h.id] = s.role
		default:
			groups[h.id] = s.role
		}
	}
	for op, want := range map[tim.Op]map[string]int{tim.OpTIMGroupGetJoinedGroupList: groups, tim.OpTIMCommunityGetJoinedCommunityList: communities} {
		got := map[string]int{}
		for _, v := range gjson.Parse(g.ask(op)).Array() {
			if v.Get(tim.KeyGroupBaseInfoGroupType).Int() != tim.GroupAVChatRoom {
				got[v.Get(tim.KeyGroupBaseInfoGroupId).String()] = int(v.Get(tim.KeyGroupBaseInfoSelfInfo).Get(tim.KeyGroupSelfInfoRole).Int())
			}
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("%v: %v, and not %v", op, got, want)
		}
	}
	return nil
}

// shows compares one hall with the model's.
func (p *party) shows(g *guest, h *hall, fresh bool) error {
	if h.parent == nil {
		if err := p.showsMembers(g, h); err != nil {
			return err
		}
	}
	if h.rules().Live || h.topics {
		return nil
	}
	if n := p.unreadOn(g, h); n != h.unread(g.owner.name) {
		return fmt.Errorf("%d unread messages, and not %d", n, h.unread(g.owner.name))
	}
	var may []groupLetter
	if !fresh {
		may = g.past[h]
	}
	return sameTexts(texts(g.history(conv{tim.ConvGroup, h.id}, true)), h.shown(g.owner.name), may)
}

func (p *party) showsMembers(g *guest, h *hall) error {
	page := g.ask(tim.OpTIMGroupGetMemberInfoList, object(tim.KeyGroupGetMemberInfoListParamGroupId, h.id))
	got := map[string]int{}
	for _, m := range gjson.Get(page, tim.KeyGroupGetMemberInfoListResultInfoArray).Array() {
		got[m.Get(tim.KeyGroupMemberInfoIdentifier).String()] = int(m.Get(tim.KeyGroupMemberInfoMemberRole).Int())
	}
	if !maps.Equal(got, h.roles()) {
		return fmt.Errorf("the members are %v, and not %v", got, h.roles())
	}
	info := gjson.Get(g.ask(tim.OpTIMGroupGetGroupInfoList, text([]string{h.id})), "0."+tim.KeyGetGroupInfoResultInfo)
	if name := info.Get(tim.KeyGroupDetailInfoGroupName).String(); name != h.name {
		return fmt.Errorf("the name is %q", name)
	}
	return nil
}

func (p *party) unreadOn(g *guest, h *hall) int {
	if h.parent != nil {
		topics := g.ask(tim.OpTIMCommunityGetTopicInfoList, h.parent.id, text([]string{h.id}))
		return int(gjson.Get(topics, "0."+tim.KeyGroupTopicInfoResultTopicInfo).Get(tim.KeyGroupTopicInfoUnreadCount).Int())
	}
	for _, c := range g.list() {
		if c.Get(tim.KeyConvId).String() == h.id {
			return int(c.Get(tim.KeyConvUnReadNum).Int())
		}
	}
	return 0
}

// texts are those of a history, oldest first. What was refused stays on the sender's device.
func texts(history []gjson.Result) (all []string) {
	for _, m := range history {
		e := m.Get(tim.KeyMsgElemArray + ".0")
		if e.Get(tim.KeyElemType).Int() == tim.ElemText && m.Get(tim.KeyMsgStatus).Int() == tim.MsgSendSucc {
			all = append(all, e.Get(tim.KeyTextElemContent).String())
		}
	}
	slices.Reverse(all)
	return all
}

// asksAll compares what is asked for anew each time: attributes and counters.
func (p *party) asksAll(g *guest) {
	for _, h := range p.alive() {
		if h.in(g.owner.name) == nil || h.parent != nil || h.topics || h.rules().Live {
			continue
		}
		got := map[string]string{}
		for _, a := range gjson.Parse(g.ask(tim.OpTIMGroupGetGroupAttributes, h.id, "")).Array() {
			got[a.Get(tim.KeyGroupAttributeKey).String()] = a.Get(tim.KeyGroupAttributeValue).String()
		}
		if !maps.Equal(got, h.attributes) {
			p.fail("%s: the attributes of %v are %v, and not %v", g.name, h, got, h.attributes)
		}
		if rules := h.rules(); rules.May(model.GroupGetCounters, tim.MemberRoleOwner) != 0 {
			continue
		}
		counters := map[string]int64{}
		for _, c := range gjson.Parse(g.ask(tim.OpTIMGroupGetGroupCounters, h.id, "[]")).Array() {
			counters[c.Get(tim.KeyGroupCounterKey).String()] = c.Get(tim.KeyGroupCounterValue).Int()
		}
		if !maps.Equal(counters, h.counters) {
			p.fail("%s: the counters of %v are %v, and not %v", g.name, h, counters, h.counters)
		}
	}
}
