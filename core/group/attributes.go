package group

import (
	"encoding/json"
	"sync"

	"timbre/core/event"
	"timbre/model/tim"
	"timbre/protocol"
)

// attributes is what is known of a group's attributes. A write carries the version that the host has last been shown, by
// an answer or by the event, so that the server can say when another one was first.
type attributes struct {
	writing sync.Mutex // one write at a time: the answer of one is what the next must know

	mu      sync.Mutex
	known   bool
	version uint64
	told    uint64 // of the newest event
}

func (a *attributes) learn(version uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known, a.version = true, max(a.version, version)
}

func (a *attributes) newest() (version uint64, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.version, a.known
}

// news says whether the event of this version has not been told yet.
func (a *attributes) news(version uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if version <= a.told {
		return false
	}
	a.told = version
	return true
}

func (g *Groups) attributesOf(group string) *attributes {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.attributes[group]
	if a == nil {
		a = &attributes{}
		g.attributes[group] = a
	}
	return a
}

// WriteAttributes changes attributes of a group. What the host has not read yet since the start is read first.
func (g *Groups) WriteAttributes(w protocol.SetGroupAttributes, done event.Done) {
	if !g.writes.allow() {
		done(tim.ErrSDKGroupAttrFrequencyLimit, "attributes are written at most 10 times in 5 seconds", "")
		return
	}
	known := g.attributesOf(w.Group)
	known.writing.Lock()
	defer known.writing.Unlock()
	var a protocol.GroupAttributes
	version, read := known.newest()
	if !read {
		if why := g.Ask(protocol.OpGroupAttributes, protocol.AskGroupAttributes{Group: w.Group}, &a); why != nil {
			done(why.Code, why.Text, "")
			return
		}
		version = a.Version
	}
	w.Version = version
	g.Do(protocol.OpGroupSetAttributes, w, &a, done, func() string {
		known.learn(a.Version)
		return ""
	})
}

// Attributes answers attributes of a group; without keys all.
func (g *Groups) Attributes(ask protocol.AskGroupAttributes, done event.Done) {
	if !g.reads.allow() {
		done(tim.ErrSDKGroupAttrFrequencyLimit, "attributes are read at most 20 times in 5 seconds", "")
		return
	}
	var a protocol.GroupAttributes
	if why := g.Ask(protocol.OpGroupAttributes, ask, &a); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	g.attributesOf(ask.Group).learn(a.Version)
	done(0, "", list(attributeNames.list(a.Attrs)))
}

// attributesChanged tells the host of all attributes of a group as they are now.
func (g *Groups) attributesChanged(group string, data []byte) error {
	var d protocol.GroupAttributes
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	known := g.attributesOf(group)
	known.learn(d.Version)
	if known.news(d.Version) {
		g.Sink.Emit(event.Event{Setter: tim.OpTIMSetGroupAttributeChangedCallback, Key: "attributes of " + group,
			Args: []event.Arg{event.Text(group), event.Text(list(attributeNames.list(d.Attrs)))}})
	}
	return nil
}

// forgetAttributes is called when the user is not in the group any more.
func (g *Groups) forgetAttributes(group string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.attributes, group)
	delete(g.online, group)
}
