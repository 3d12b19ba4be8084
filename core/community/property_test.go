package community

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"timbre/model/tim"
	"timbre/protocol"
)

// said is what a topic is to the user, as the server would have it.
type said struct {
	name string
	seq  uint64 // messages, all of others
	read uint64
	pos  uint64 // of its log
}

// member is a user's community in a model, and the device that follows it.
type member struct {
	*device
	rt     *rapid.T
	inside bool
	topics map[string]*said
	made   int
	last   protocol.Entry // which may come twice
	events map[string]int // how often the host heard of a topic's beginning
}

func (w *member) state(id string) protocol.GroupState {
	s := w.topics[id]
	return protocol.GroupState{Group: *of(id, s.name), Pos: s.pos, Max: s.seq, PeerCount: s.seq, ReadSeq: s.read, ReadCount: s.read}
}

func (w *member) entry(change protocol.TopicChange) {
	w.last = protocol.Entry{Kind: protocol.EntryTopic, Group: "team", Data: protocol.Marshal(change)}
	w.apply(w.last)
}

// some is a topic that there is.
func (w *member) some() string {
	if !w.inside || len(w.topics) == 0 {
		w.rt.Skip("there is no topic")
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(w.topics))).Draw(w.rt, "topic")
}

// check holds the device against the model.
func (w *member) check(*rapid.T) {
	w.t = w.rt
	want, follows := map[string]string{}, map[string]bool{}
	if w.inside {
		follows["team"] = true
		for id, s := range w.topics {
			want[id], follows[id] = fmt.Sprint(s.name, " ", s.seq-s.read), true
		}
	}
	got, followed := map[string]string{}, map[string]bool{}
	for _, f := range w.offline() {
		info := f.Get(ofInfo + "@this")
		got[info.Get(tim.KeyCommunityTopicInfoTopicID).String()] = info.Get(tim.KeyCommunityTopicInfoTopicName).String() + " " + info.Get(tim.KeyCommunityTopicInfoUnreadCount).String()
	}
	for id := range w.followed {
		followed[id] = true
	}
	if !maps.Equal(got, want) || !maps.Equal(followed, follows) {
		w.rt.Fatalf("topics %v, want %v; followed %v, want %v", got, want, followed, follows)
	}
	list, _ := w.call(w.messages.Conversations)
	if n := len(list.Array()); n > 1 { // the community itself
		w.rt.Fatalf("the list: %v", list)
	}
	for _, text := range w.heard(created) {
		if w.events[text]++; w.events[text] > 1 {
			w.rt.Fatalf("the host heard twice of %s", text)
		}
	}
}

// Whatever comes in whatever order, also twice: the device lists and follows the topics that there are, with what is unread in
// each, and the host hears of each beginning at most once.
func TestTopicsFollowTheLogs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &member{device: start(rt), rt: rt, topics: map[string]*said{}, events: map[string]int{}}
		defer w.store.Close()
		rt.Repeat(map[string]func(*rapid.T){
			"":      w.check,
			"make":  func(*rapid.T) { w.create(false) },
			"learn": func(*rapid.T) { w.create(true) },
			"rename": func(*rapid.T) {
				id := w.some()
				w.topics[id].name += "x"
				w.entry(protocol.TopicChange{Change: protocol.ChangeSet, Topic: of(id, w.topics[id].name)})
			},
			"delete": func(*rapid.T) {
				id := w.some()
				delete(w.topics, id)
				w.entry(protocol.TopicChange{Change: protocol.ChangeDeleted, IDs: []string{id}})
			},
			"speak": func(*rapid.T) {
				id := w.some()
				s := w.topics[id]
				s.seq, s.pos = s.seq+1, s.pos+1
				w.says(id, "bob", s.seq)
			},
			"read": func(*rapid.T) {
				id := w.some()
				s := w.topics[id]
				s.read = s.seq
				w.apply(protocol.Entry{Kind: protocol.EntryRead, Group: id, Seq: s.read, Count: s.read, Time: 1000})
			},
			"state": func(*rapid.T) { w.device.state(w.state(w.some())) },
			"again": func(*rapid.T) {
				if w.last.Kind == "" || !w.inside {
					rt.Skip("nothing has come")
				}
				w.apply(w.last)
			},
			"leave or join": func(*rapid.T) { w.move() },
		})
	})
}

// create makes a topic, of whose state the device may hear first, as sync does after an absence.
func (w *member) create(stateFirst bool) {
	if !w.inside {
		w.rt.Skip("not a member")
	}
	w.made++
	id := fmt.Sprint("team@TOPIC#_", w.made)
	w.topics[id] = &said{name: "t"}
	if stateFirst {
		w.topics[id].seq, w.topics[id].pos = 2, 2
		w.device.state(w.state(id))
		w.Follow(nil, id, 2)
	}
	w.entry(protocol.TopicChange{Change: protocol.ChangeCreated, Topic: of(id, "t")})
}

// move lets the user leave, or come back to what was said meanwhile, which counts as read.
func (w *member) move() {
	w.last = protocol.Entry{}
	in := protocol.Membership{}
	if !w.inside {
		in = protocol.Membership{In: true, Pos: 1, Group: &protocol.Group{ID: "team", Topics: true, Self: &protocol.Self{}}}
		for _, id := range slices.Sorted(maps.Keys(w.topics)) {
			s := w.topics[id]
			s.seq, s.pos = s.seq+2, s.pos+2
			s.read = s.seq
			in.Topics = append(in.Topics, w.state(id))
		}
	}
	w.inside = in.In
	w.apply(protocol.Entry{Kind: protocol.EntryGroup, Group: "team", Data: protocol.Marshal(in)})
}
