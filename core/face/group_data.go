package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/event"
	"timbre/core/group"
	"timbre/core/strictjson"
	"timbre/model/tim"
	"timbre/protocol"
)

// groupDataHandlers is what a group has besides members and messages: attributes, counters, requests that somebody decides.
var groupDataHandlers = map[tim.Op]handler{
	tim.OpTIMGroupInitGroupAttributes:   {run: func(c *call) { c.writeAttributes(protocol.AttributesInit) }},
	tim.OpTIMGroupSetGroupAttributes:    {run: func(c *call) { c.writeAttributes(protocol.AttributesSet) }},
	tim.OpTIMGroupDeleteGroupAttributes: {run: deleteAttributes},
	tim.OpTIMGroupGetGroupAttributes: {run: func(c *call) {
		c.keyed(func(a *client.Account, ask protocol.AskGroupAttributes) { a.Groups.Attributes(ask, c.done) })
	}},
	tim.OpTIMGroupGetOnlineMemberCount: {run: countOnline},
	tim.OpTIMGroupSetGroupCounters:     {run: setCounters},
	tim.OpTIMGroupGetGroupCounters: {run: func(c *call) {
		c.keyed(func(a *client.Account, ask protocol.AskGroupAttributes) { a.Groups.Counters(ask, c.done) })
	}},
	tim.OpTIMGroupIncreaseGroupCounter: {run: func(c *call) { c.addToCounter((*group.Groups).AddToCounter) }},
	tim.OpTIMGroupDecreaseGroupCounter: {run: func(c *call) { c.addToCounter((*group.Groups).TakeFromCounter) }},
	tim.OpTIMGroupGetPendencyList: {run: func(c *call) {
		ask := group.ParsePendencies(gjson.Parse(c.text(0)))
		c.online(func(a *client.Account) { a.Groups.Pendencies(ask, c.done) })
	}},
	tim.OpTIMGroupHandlePendency: {early: need(tim.KeyGroupHandlePendencyParamPendency), run: func(c *call) {
		decision := group.ParseDecision(gjson.Parse(c.text(0)))
		c.online(func(a *client.Account) { a.Groups.Decide(decision, c.done) })
	}},
	tim.OpTIMGroupReportPendencyReaded: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Groups.ReadPendencies(uint64(c.number(0)), c.done) })
	}},
}

func (c *call) writeAttributes(way string) {
	attrs, bad := group.ParseAttributes(gjson.Parse(c.text(1)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) {
		a.Groups.WriteAttributes(protocol.SetGroupAttributes{Group: c.text(0), Way: way, Attrs: attrs}, c.done)
	})
}

func deleteAttributes(c *call) {
	c.keyed(func(a *client.Account, ask protocol.AskGroupAttributes) {
		a.Groups.WriteAttributes(protocol.SetGroupAttributes{Group: ask.Group, Way: protocol.AttributesDelete, Keys: ask.Keys}, c.done)
	})
}

// keyed reads the keys in the second argument and goes on with them. An empty text and an empty array name none, which means
// all.
func (c *call) keyed(then func(*client.Account, protocol.AskGroupAttributes)) {
	ask := protocol.AskGroupAttributes{Group: c.text(0)}
	if given := c.text(1); given != "" {
		text, err := strictjson.Normalise(given)
		if err != nil || !gjson.Parse(text).IsArray() {
			c.fail(tim.ErrInvalidParameters, "the keys are not a JSON array")
			return
		}
		all := gjson.Parse(text)
		if ask.Keys = texts(all); len(ask.Keys) < len(all.Array()) {
			c.fail(tim.ErrInvalidParameters, "a key is not a text")
			return
		}
	}
	c.online(func(a *client.Account) { then(a, ask) })
}

func setCounters(c *call) {
	counters, bad := group.ParseCounters(gjson.Parse(c.text(1)))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.online(func(a *client.Account) {
		a.Groups.SetCounters(protocol.SetGroupCounters{Group: c.text(0), Counters: counters}, c.done)
	})
}

func (c *call) addToCounter(add func(*group.Groups, string, string, int64, event.Done)) {
	c.online(func(a *client.Account) { add(a.Groups, c.text(0), c.text(1), c.number(2), c.done) })
}

// countOnline answers 0 members while a login runs, which is what hosts are used to.
func countOnline(c *call) {
	c.withAccount(func(a *client.Account) {
		if !a.Online {
			c.done(0, "not logged in yet", c.fn.EmptyResult)
			return
		}
		c.apart(func() { a.Groups.Online(c.text(0), c.done) })
	})
}
