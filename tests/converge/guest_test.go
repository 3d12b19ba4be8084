package converge_test

import (
	"fmt"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/model/tim"
)

// told are the events of groups that a guest's application listens to.
var told = []tim.Op{tim.OpTIMSetGroupTipsEventCallback, tim.OpTIMSetGroupAttributeChangedCallback, tim.OpTIMSetGroupCounterChangedCallback}

// notes writes an event into the diary of its group.
func (g *guest) notes(e event.Event) {
	if e.Setter != tim.OpTIMSetGroupTipsEventCallback && e.Setter != tim.OpTIMSetGroupAttributeChangedCallback &&
		e.Setter != tim.OpTIMSetGroupCounterChangedCallback {
		return
	}
	g.host.mu.Lock()
	defer g.host.mu.Unlock()
	id := e.Args[0].Text
	if e.Setter == tim.OpTIMSetGroupTipsEventCallback {
		id = gjson.Get(e.Args[0].Text, tim.KeyGroupTipsElemGroupId).String()
	}
	for h, d := range g.diaries {
		if h.id != id {
			continue
		}
		switch e.Setter {
		case tim.OpTIMSetGroupTipsEventCallback:
			d.tip(gjson.Parse(e.Args[0].Text))
		case tim.OpTIMSetGroupAttributeChangedCallback:
			d.attributes = map[string]string{}
			for _, a := range gjson.Parse(e.Args[1].Text).Array() {
				d.attributes[a.Get(tim.KeyGroupAttributeKey).String()] = a.Get(tim.KeyGroupAttributeValue).String()
			}
		case tim.OpTIMSetGroupCounterChangedCallback:
			d.counters[e.Args[1].Text] = int64(e.Args[2].Num)
		}
	}
}

// tip takes over what a tip says.
func (d *diary) tip(t gjson.Result) {
	users := t.Get(tim.KeyGroupTipsElemUserArray).Array()
	switch t.Get(tim.KeyGroupTipsElemTipType).Int() {
	case tim.GroupTipInvite: // the owner of a live room comes back as what he is
		for _, m := range t.Get(tim.KeyGroupTipsElemChangedGroupMemberInfoArray).Array() {
			d.roles[m.Get(tim.KeyGroupMemberInfoIdentifier).String()] = int(m.Get(tim.KeyGroupMemberInfoMemberRole).Int())
		}
	case tim.GroupTipQuit:
		delete(d.roles, t.Get(tim.KeyGroupTipsElemOpUser).String())
	case tim.GroupTipKick:
		for _, u := range users {
			delete(d.roles, u.String())
		}
	case tim.GroupTipSetAdmin:
		for _, u := range users {
			d.roles[u.String()] = tim.MemberRoleAdmin
		}
	case tim.GroupTipCancelAdmin:
		for _, u := range users {
			d.roles[u.String()] = tim.MemberRoleNormal
		}
	case tim.GroupTipGroupInfoChange:
		for _, c := range t.Get(tim.KeyGroupTipsElemGroupChangeInfoArray).Array() {
			d.changed(int(c.Get(tim.KeyGroupTipGroupChangeInfoFlag).Int()), c.Get(tim.KeyGroupTipGroupChangeInfoValue).String())
		}
	}
}

func (d *diary) changed(what int, value string) {
	switch what {
	case tim.GroupTipChangeFlagName:
		d.name = value
	case tim.GroupTipChangeFlagOwner:
		for user, role := range d.roles {
			if role == tim.MemberRoleOwner {
				d.roles[user] = tim.MemberRoleNormal
			}
		}
		d.roles[value] = tim.MemberRoleOwner
	}
}

// knows holds what a guest's application has heard against the model.
func (p *party) knows(g *guest) error {
	g.host.mu.Lock()
	defer g.host.mu.Unlock()
	if len(g.host.twice) > 0 || len(g.host.wrong) > 0 {
		return fmt.Errorf("announced twice: %q; events that make no sense: %q", g.host.twice, g.host.wrong)
	}
	for h, d := range g.diaries {
		if h.in(g.owner.name) == nil {
			continue
		}
		if h.parent == nil {
			if err := d.agrees(h); err != nil {
				return err
			}
		}
		for _, l := range h.letters[d.since:] {
			if l.from != g.owner.name && !g.host.announced[l.id] {
				return fmt.Errorf("nothing told of the message %s in %v", l.text, h)
			}
		}
	}
	return nil
}

// missed says that what happened in live rooms may not have reached anybody, or one guest: it is stored nowhere.
func (p *party) missed(one *guest) {
	for _, g := range p.guests {
		for _, h := range p.alive() {
			if (one == nil || g == one) && h.rules().Live {
				g.forget(h)
			}
		}
	}
}

// forget says that a guest's application did not follow the events, or not of one hall.
func (g *guest) forget(one *hall) {
	g.host.mu.Lock()
	defer g.host.mu.Unlock()
	for h := range g.diaries {
		if one == nil || h == one || h.parent == one {
			delete(g.diaries, h)
		}
	}
}
