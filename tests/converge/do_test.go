package converge_test

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
)

// do is a step in a scene.
type do struct {
	*scene
	p *phone
	c conv
	a step
}

// it does the step.
func (d do) it() {
	s, p := d.scene, d.p
	switch d.a.what {
	case "send":
		d.send()
	case "read":
		d.read()
	case "read all":
		d.readAll()
	case "revoke":
		d.revoke()
	case "delete messages":
		d.deleteMessages()
	case "delete conversation":
		d.deleteConversation()
	case "hide conversation":
		d.hideConversation()
	case "clear history":
		d.clearHistory()
	case "pin":
		d.pin()
	case "mark":
		d.mark()
	case "custom":
		d.custom()
	case "group create", "group add":
		d.addToGroup()
	case "group delete":
		d.deleteGroup()
	case "group rename":
		d.renameGroup()
	case "group remove":
		d.removeFromGroup()
	case "draft":
		d.draft()
	case "mute":
		d.mute()
	case "restart phone":
		s.log(p.name, "restarts")
		s.restart(p)
	case "log out":
		s.logout(p)
	case "leave":
		s.log(p.name, "leaves the network, and thinks that it does not:", d.a.on)
		s.leave(p, d.a.on)
	case "back":
		s.log(p.name, "is back on the network")
		s.back(p)
	case "cut":
		s.log(p.name, "is cut")
		p.proxy.cut()
	case "network":
		s.log(p.name, "has another network, or says so")
		p.call(tim.OpTIMExtNotifyNetworkChanged)
	default:
		s.fail("no such step: %s", d.a.what)
	}
}

// says writes down what is done.
func (d do) says(format string, args ...any) {
	away := ""
	if d.p.away {
		away = ", away"
	}
	d.scene.log(d.p.name+away, fmt.Sprintf(format, args...)+d.a.trouble.String())
}

// finish ends calls that have begun: at once, or when the phone is back.
func (d do) finish(list ...effect) {
	switch d.a.trouble {
	case cutMeanwhile:
		d.p.proxy.cut()
	case serverRestartsMeanwhile:
		d.stop()
		d.startServer()
	}
	for _, e := range list {
		if d.p.away {
			d.p.waiting = append(d.p.waiting, e)
			continue
		}
		d.p.end(e.ring)
		d.p.succeeded(e.ring)
		e.apply(e.ring.json)
	}
}

// call is finish for one call.
func (d do) call(apply func(), op tim.Op, args ...any) {
	d.finish(effect{ring: d.p.start(op, args...), apply: func(string) { apply() }})
}

func (d do) talk() *talk { return d.p.owner.talks[d.c] }

// listed says whether the phone shows the conversation.
func (d do) listed() bool { return d.truth.listed(d.p.owner, d.c) || d.p.drafts[d.c] != "" }

// name is the conversation as the functions on several take it.
func (d do) name() string { return text([]string{prefixed(d.c)}) }

func prefixed(c conv) string {
	if c.typ == tim.ConvGroup {
		return "group_" + c.peer
	}
	return "c2c_" + c.peer
}

func (d do) send() { d.finish(d.sends()...) }

// sends begins to send some messages.
func (d do) sends() (list []effect) {
	for range d.a.n%3 + 1 {
		d.sent++
		words := fmt.Sprint("m", d.sent)
		d.says("sends %s to %s", words, d.c.peer)
		message := object(tim.KeyMsgElemArray, []map[string]any{{tim.KeyElemType: tim.ElemText, tim.KeyTextElemContent: words}})
		e := effect{apply: func(json string) {
			if err := d.truth.add(d.p.owner.name, d.c, letterOf(gjson.Parse(json))); err != nil {
				d.fail("%v", err)
			}
			d.p.host.tell(json)
		}}
		e.ring = d.p.start(tim.OpTIMMsgSendMessage, d.c.peer, d.c.typ, message, func(id string) { e.id = id })
		list = append(list, e)
	}
	return list
}

func (d do) read() {
	d.says("reads %s", d.c.peer)
	t, known := d.talk(), d.p.known[d.c]
	d.call(func() { t.read = max(t.read, known) }, tim.OpTIMConvCleanConversationUnreadMessageCount, prefixed(d.c), 0, 0)
}

func (d do) readAll() {
	if slices.ContainsFunc(d.p.waiting, func(e effect) bool { return e.all }) {
		return // the interface refuses a second one while the first is under way
	}
	which := []string{"", "c2c", "group"}[d.a.n%3]
	d.says("reads all %s", which)
	known := map[*talk]uint64{}
	for c, t := range d.p.owner.talks {
		if which == "" || (which == "group") == (c.typ == tim.ConvGroup) {
			known[t] = d.p.known[c]
		}
	}
	d.finish(effect{all: true, ring: d.p.start(tim.OpTIMConvCleanConversationUnreadMessageCount, which, 0, 0), apply: func(string) {
		for t, seq := range known {
			t.read = max(t.read, seq)
		}
	}})
}

// some picks a letter that the phone shows and that fits, nil when there is none.
func (d do) some(fits func(*letter) bool) *letter {
	d.look()
	var all []*letter
	for _, l := range d.truth.shown(d.p.owner, d.c) {
		if fits(l) {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1-d.a.n%len(all)]
}

// look pages through the conversation until the phone has all that it must show.
func (d do) look() {
	d.eventually(d.p.name, func() error {
		list := d.p.history(d.c, true)
		shown := d.truth.shown(d.p.owner, d.c)
		if len(shown) == 0 || slices.ContainsFunc(list, func(m gjson.Result) bool { return id(m) == shown[len(shown)-1].id }) {
			return nil
		}
		return fmt.Errorf("%s: %s is not in its history", d.c.peer, shown[len(shown)-1].text)
	})
}

// found is the phone's JSON of a letter.
func (d do) found(l *letter) string {
	m := gjson.Get(d.p.ask(tim.OpTIMMsgFindMessages, text([]string{l.id})), "0")
	if !m.Exists() {
		d.fail("%s does not have %s (%s, number %d) of %s, but the model does; its history: %v", d.p.name, l.text, l.id, l.seq, d.c.peer,
			d.p.history(d.c, false))
	}
	return m.Raw
}

func (d do) revoke() {
	l := d.some(func(l *letter) bool { return l.from == d.p.owner.name && !l.revoked })
	if l == nil {
		return
	}
	d.says("revokes %s in %s", l.text, d.c.peer)
	h := d.p.host
	d.call(func() {
		l.revoked = true
		h.mu.Lock()
		defer h.mu.Unlock()
		h.revoked(l.id)
	}, tim.OpTIMMsgRevoke, d.c.peer, d.c.typ, d.found(l))
	d.everybody()
}

func (d do) deleteMessages() {
	l := d.some(func(*letter) bool { return true })
	if l == nil {
		return
	}
	d.says("deletes %d %s in %s", l.seq, l.text, d.c.peer)
	d.call(func() { d.p.owner.gone[l.id] = true }, tim.OpTIMMsgListDelete, d.c.peer, d.c.typ, "["+d.found(l)+"]")
	d.everybody()
}

// everybody waits until all who can know of a step know: a message that is gone before a device has seen it would leave no
// trace of what the device knows.
func (d do) everybody() {
	for _, p := range d.phones {
		d.settle(p)
	}
}

func (d do) deleteConversation() {
	known, owner := d.p.known[d.c], d.p.owner
	if !d.listed() {
		return
	}
	d.says("deletes the conversation with %s", d.c.peer)
	delete(d.p.drafts, d.c)
	if d.a.on {
		d.call(func() { owner.deleted(d.c, known) }, tim.OpTIMConvDelete, d.c.peer, d.c.typ)
	} else {
		d.call(func() { owner.deleted(d.c, known) }, tim.OpTIMConvDeleteConversationList, d.name(), true)
	}
}

func (d do) hideConversation() {
	known, owner := d.p.known[d.c], d.p.owner
	if !d.listed() {
		return
	}
	d.says("deletes the conversation with %s and keeps its messages", d.c.peer)
	delete(d.p.drafts, d.c)
	d.call(func() { owner.hidden(d.c, known) }, tim.OpTIMConvDeleteConversationList, d.name(), false)
}

func (d do) clearHistory() {
	d.says("clears the history with %s", d.c.peer)
	d.call(func() { d.p.owner.emptied(d.c, d.p.known[d.c]) }, tim.OpTIMMsgClearHistoryMessage, d.c.peer, d.c.typ)
}
