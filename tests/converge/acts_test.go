package converge_test

import (
	"fmt"
	"time"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"timbre/core/client"
	"timbre/core/message"
	"timbre/model/tim"
)

// acts is what may happen, in any order and any number of times.
func (w *world) acts() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"send": w.send, "send more": w.send, "page": w.page, "revoke": w.revoke, "edit": w.edit, "edit more": w.edit,
		"delete": w.erase, "clear history": w.clearHistory, "delete conversation": w.deleteConversation,
		"empty here": w.emptyHere, "read": w.read, "confirm": w.confirm, "receipts": w.receipts,
		"cut": w.cut, "block": w.block, "unblock": w.unblock, "restart a client": w.restart, "restart the server": w.restartServer,
		"rest": func(t *rapid.T) { w.t = t; w.rest() },
	}
}

func (w *world) pick(t *rapid.T) (*device, conv) {
	w.t = t
	d := w.devices[rapid.IntRange(0, len(w.devices)-1).Draw(t, "device")]
	convs := w.convs(d.user)
	return d, convs[rapid.IntRange(0, len(convs)-1).Draw(t, "conversation")]
}

// some picks messages that are on the device, and may skip the act when there are none.
func (d *device) some(t *rapid.T, c conv, most int, fits func(m gjson.Result) bool) (list []gjson.Result) {
	var all []gjson.Result
	for _, m := range d.page(message.Page{Type: c.typ, Peer: c.peer, Count: 40}, false) {
		if m.Get(message.KeyServerTimeMs).Exists() && m.Get(tim.KeyMsgSender).String() != "@TIM#SYSTEM" && fits(m) {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		t.Skip("no such message here")
	}
	at := rapid.IntRange(0, len(all)-1).Draw(t, "message")
	return all[at:min(at+rapid.IntRange(1, most).Draw(t, "messages"), len(all))]
}

func id(m gjson.Result) string { return m.Get(tim.KeyMsgMsgId).String() }

func anything(gjson.Result) bool { return true }

// run makes a call on its own goroutine, as the face does, with the subjects that the messages name.
func (d *device) run(c conv, list []gjson.Result, call *answer, then func(a *client.Account, list []message.Subject)) {
	a := d.client.Account()
	subjects, bad := a.Messages.Subjects(c.typ, c.peer, list)
	if bad != nil {
		d.w.t.Fatalf("%s: %v", call.name, bad)
	}
	d.client.Go(func() { then(a, subjects) })
}

func (w *world) send(t *rapid.T) {
	d, c := w.pick(t)
	for range rapid.IntRange(1, 6).Draw(t, "how many") {
		w.sent++
		keys := ""
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0, 1:
			keys = `,"` + tim.KeyMsgNeedReadReceipt + `":true`
		case 2:
			keys = `,"` + tim.KeyMsgExcludedFromLastMessage + `":true`
		case 3:
			keys = `,"` + tim.KeyMsgIsExcludedFromUnreadCount + `":true`
		}
		json := fmt.Sprintf(`{"%s":[{"%s":0,"%s":"m%d"}]%s}`, tim.KeyMsgElemArray, tim.KeyElemType, tim.KeyTextElemContent, w.sent, keys)
		draft, err := d.messages().NewDraft(c.typ, c.peer, json)
		if err != nil {
			t.Fatal(err)
		}
		call := d.call("send m%d to %s", w.sent, c.peer)
		h := d.host
		call.then = func(c *answer) { h.tell(c.json) }
		d.messages().Send(draft, call.done)
	}
}

func (w *world) page(t *rapid.T) {
	d, c := w.pick(t)
	p := message.Page{Type: c.typ, Peer: c.peer, Count: rapid.IntRange(1, 9).Draw(t, "count"), Newer: rapid.Bool().Draw(t, "newer"),
		Cloud: rapid.Bool().Draw(t, "cloud")}
	switch rapid.IntRange(0, 3).Draw(t, "from") {
	case 0:
		p.LastMsg = d.some(t, c, 1, anything)[0]
	case 1:
		if c.typ == tim.ConvGroup {
			p.LastSeq = uint64(rapid.IntRange(1, w.sent+1).Draw(t, "seq"))
		}
	case 2:
		if c.typ == tim.ConvGroup {
			for _, n := range rapid.SliceOfN(rapid.IntRange(1, w.sent+1), 1, 4).Draw(t, "seqs") {
				p.Seqs = append(p.Seqs, uint64(n))
			}
		}
	}
	call := d.call("page %d newer=%v cloud=%v of %s", p.Count, p.Newer, p.Cloud, c.peer)
	h, a := d.host, d.client.Account()
	call.then = func(c *answer) { h.tell(c.json) }
	d.client.Go(func() { a.Messages.History(p, a.Online, call.done) })
}

func (w *world) revoke(t *rapid.T) {
	d, c := w.pick(t)
	list := d.some(t, c, 1, func(m gjson.Result) bool { return m.Get(tim.KeyMsgIsFormSelf).Bool() })
	call := d.call("revoke %s", ids(list))
	h := d.host
	call.then = func(c *answer) {
		if c.code == 0 {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.revoked(id(list[0]))
		}
	}
	d.run(c, list, call, func(a *client.Account, s []message.Subject) { a.Messages.Revoke(s[0], "a mistake", call.done) })
}

func (w *world) edit(t *rapid.T) {
	d, c := w.pick(t)
	list := d.some(t, c, 1, func(m gjson.Result) bool { return m.Get(tim.KeyMsgStatus).Int() == tim.MsgSendSucc })
	w.sent++
	msg := gjson.Parse(fmt.Sprintf(`{"%s":%q,"%s":[{"%s":0,"%s":"e%d"}],"%s":"c%d"}`, tim.KeyMsgMsgId, id(list[0]), tim.KeyMsgElemArray,
		tim.KeyElemType, tim.KeyTextElemContent, w.sent, tim.KeyMsgCloudCustomStr, w.sent))
	call := d.call("edit %s to e%d", ids(list), w.sent)
	h := d.host
	call.then = func(c *answer) {
		if c.code == 0 || c.code == tim.ErrSDKMsgModifyConflict {
			h.tell(c.json)
		}
	}
	d.run(c, list, call, func(a *client.Account, s []message.Subject) { a.Messages.Edit(s[0], msg, call.done) })
}

func (w *world) erase(t *rapid.T) {
	d, c := w.pick(t)
	list := d.some(t, c, 3, anything)
	cloud := rapid.Bool().Draw(t, "cloud")
	call := d.call("delete %s cloud=%v", ids(list), cloud)
	d.erasing(call, list, cloud)
	d.run(c, list, call, func(a *client.Account, s []message.Subject) { a.Messages.Erase(s, cloud, call.done) })
}

// erasing notes what a deletion means to the checks.
func (d *device) erasing(call *answer, list []gjson.Result, cloud bool) {
	for _, m := range list {
		d.missing[id(m)] = true
		if cloud {
			d.user.erased[id(m)] = true
		}
	}
	w := d.w
	call.then = func(c *answer) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, m := range list {
			if c.code == 0 {
				d.gone[id(m)] = true
			}
		}
	}
}

// emptying is erasing for everything that a conversation has when the call is carried out.
func (d *device) emptying(call *answer, c conv) {
	d.erasing(call, d.numbered(c), false)
	erased := call.then
	call.then = func(a *answer) {
		erased(a)
		d.w.mu.Lock()
		defer d.w.mu.Unlock()
		d.emptied[c] = time.Now().Unix()
	}
}

// numbered are the device's messages of a conversation that the server has.
func (d *device) numbered(c conv) (list []gjson.Result) {
	for _, m := range d.page(message.Page{Type: c.typ, Peer: c.peer, Count: 1000}, false) {
		if m.Get(message.KeyServerTimeMs).Exists() {
			list = append(list, m)
		}
	}
	return list
}

func (w *world) clearHistory(t *rapid.T) {
	d, c := w.pick(t)
	call := d.call("clear the history with %s", c.peer)
	d.emptying(call, c)
	a := d.client.Account()
	d.client.Go(func() { a.Messages.ClearHistory(c.typ, c.peer, call.done) })
}

func (w *world) deleteConversation(t *rapid.T) {
	d, c := w.pick(t)
	call := d.call("delete the conversation with %s", c.peer)
	d.emptying(call, c)
	d.messages().Delete(c.typ, c.peer, call.done)
}

func (w *world) emptyHere(t *rapid.T) {
	if rapid.IntRange(0, 2).Draw(t, "seldom") > 0 {
		t.Skip()
	}
	d, c := w.pick(t)
	call := d.call("empty here what is with %s", c.peer)
	d.emptying(call, c)
	d.messages().EraseLocal(c.typ, c.peer, call.done)
}

func (w *world) read(t *rapid.T) {
	d, c := w.pick(t)
	target := message.Target{Type: c.typ, Peer: c.peer}
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0:
		target = message.Target{}
	case 1:
		target.Seq = d.some(t, c, 1, anything)[0].Get(tim.KeyMsgSeq).Uint()
	}
	call := d.call("read %+v", target)
	d.messages().MarkRead(target, call.done)
}

func (w *world) confirm(t *rapid.T) {
	d, c := w.pick(t)
	list := d.some(t, c, 3, func(m gjson.Result) bool {
		return !m.Get(tim.KeyMsgIsFormSelf).Bool() && m.Get(tim.KeyMsgNeedReadReceipt).Bool()
	})
	call := d.call("confirm %s", ids(list))
	d.run(c, list, call, func(a *client.Account, s []message.Subject) { a.Messages.Confirm(s, call.done) })
}

func (w *world) receipts(t *rapid.T) {
	d, c := w.pick(t)
	list := d.some(t, c, 3, func(m gjson.Result) bool { return m.Get(tim.KeyMsgIsFormSelf).Bool() })
	call := d.call("receipts of %s", ids(list))
	h := d.host
	call.then = func(c *answer) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, r := range gjson.Parse(c.json).Array() {
			h.receipt(r)
		}
	}
	d.run(c, list, call, func(a *client.Account, s []message.Subject) { a.Messages.Receipts(s, call.done) })
}

func (w *world) cut(t *rapid.T) {
	d, _ := w.pick(t)
	t.Log(d.name, "is cut")
	d.proxy.cut()
}

func (w *world) block(t *rapid.T) {
	d, _ := w.pick(t)
	t.Log(d.name, "is blocked")
	d.proxy.block(true)
}

func (w *world) unblock(t *rapid.T) {
	w.t = t
	t.Log("nobody is blocked")
	for _, d := range w.devices {
		d.proxy.block(false)
	}
}

func (w *world) restart(t *rapid.T) {
	d, _ := w.pick(t)
	t.Log(d.name, "restarts")
	d.stop()
	d.start()
}

func (w *world) restartServer(t *rapid.T) {
	w.t = t
	t.Log("the server restarts")
	w.stop()
	w.startServer()
}
