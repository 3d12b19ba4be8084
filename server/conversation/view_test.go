package conversation_test

import (
	"encoding/json"
	"fmt"

	"timbre/protocol"
)

// view is what a user has attached, as plain as it gets.
type view struct {
	attrs  map[protocol.Target]protocol.Attributes
	groups map[string]map[protocol.Target]bool
}

func newView() view {
	return view{map[protocol.Target]protocol.Attributes{}, map[string]map[protocol.Target]bool{}}
}

func (v view) String() string { return fmt.Sprint(v.attrs, v.groups) }

func viewOf(all protocol.AllAttributes) view {
	v := newView()
	for _, a := range all.Convs {
		v.attrs[a.Target] = a
	}
	for _, g := range all.Groups {
		v.groups[g.Name] = map[protocol.Target]bool{}
		for _, t := range g.Convs {
			v.groups[g.Name][t] = true
		}
	}
	return v
}

func (v view) put(a protocol.Attributes) {
	v.attrs[a.Target] = a
	if a == (protocol.Attributes{Target: a.Target}) {
		delete(v.attrs, a.Target)
	}
}

func (v view) forget(t protocol.Target) {
	delete(v.attrs, t)
	for _, g := range v.groups {
		delete(g, t)
	}
}

// apply does what another device does with an entry.
func (v view) apply(e *protocol.Entry) error {
	switch e.Kind {
	case protocol.EntryAttributes:
		var c protocol.AttributesChange
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return err
		}
		for _, a := range c.Convs {
			v.put(a)
		}
	case protocol.EntryConvGroup:
		var c protocol.ConvGroupChange
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return err
		}
		v.regroup(&c)
	case protocol.EntryClear:
		v.forget(protocol.Target{Peer: e.Peer, Group: e.Group})
	}
	return nil
}

func (v view) regroup(c *protocol.ConvGroupChange) {
	switch c.Change {
	case protocol.ConvGroupCreate:
		v.groups[c.Name] = map[protocol.Target]bool{}
		fallthrough
	case protocol.ConvGroupAdd:
		for _, t := range c.Convs {
			v.groups[c.Name][t] = true
		}
	case protocol.ConvGroupRemove:
		for _, t := range c.Convs {
			delete(v.groups[c.Name], t)
		}
	case protocol.ConvGroupRename:
		v.groups[c.New] = v.groups[c.Name]
		delete(v.groups, c.Name)
	case protocol.ConvGroupDelete:
		delete(v.groups, c.Name)
	}
}
