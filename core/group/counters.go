package group

import (
	"encoding/json"
	"math"

	"timbre/core/event"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// SetCounters writes counters and answers those that were written.
func (g *Groups) SetCounters(s protocol.SetGroupCounters, done event.Done) {
	if !g.counting(done) {
		return
	}
	var a protocol.GroupCounters
	g.Do(protocol.OpGroupSetCounters, s, &a, done, func() string { return counterList(&a) })
}

// AddToCounter changes a counter and answers what it is then. One that is not there begins with 0.
func (g *Groups) AddToCounter(group, key string, delta int64, done event.Done) {
	if key == "" {
		done(tim.ErrInvalidParameters, "the counter's key is empty", "")
		return
	}
	g.SetCounters(protocol.SetGroupCounters{Group: group, Add: true, Counters: []protocol.Counter{{Key: key, Value: delta}}}, done)
}

// TakeFromCounter is AddToCounter with the opposite sign.
func (g *Groups) TakeFromCounter(group, key string, delta int64, done event.Done) {
	if delta == math.MinInt64 {
		done(tim.ErrInvalidParameters, "the number has no opposite", "")
		return
	}
	g.AddToCounter(group, key, -delta, done)
}

// Counters answers counters of a group; without keys all.
func (g *Groups) Counters(ask protocol.AskGroupAttributes, done event.Done) {
	if !g.counting(done) {
		return
	}
	var a protocol.GroupCounters
	if why := g.Ask(protocol.OpGroupCounters, ask, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	done(0, "", counterList(&a))
}

// counting says whether counters may be asked for once more; else it answers the call.
func (g *Groups) counting(done event.Done) bool {
	if g.counts.allow() {
		return true
	}
	done(model.CodeCounterRate, "counters are asked for at most 20 times in 5 seconds", "")
	return false
}

func counterList(a *protocol.GroupCounters) string {
	all := make([]object, 0, len(a.Counters))
	for _, c := range a.Counters {
		all = append(all, object{tim.KeyGroupCounterKey: c.Key, tim.KeyGroupCounterValue: c.Value})
	}
	return list(all)
}

// counterChanged tells the host of one counter.
func (g *Groups) counterChanged(group string, data []byte) error {
	var c protocol.Counter
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	g.Sink.Emit(event.Event{Setter: tim.OpTIMSetGroupCounterChangedCallback, Key: "counter of " + group + "\n" + c.Key,
		Args: []event.Arg{event.Text(group), event.Text(c.Key), event.Num(c.Value)}})
	return nil
}
