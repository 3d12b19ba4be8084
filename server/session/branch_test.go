package session

import (
	"testing"

	"timbre/protocol"
	"timbre/server/changelog"
)

const topic = gid + 1

// say says something in the topic, with whatever else the event has.
func say(h *Hub, e Event) {
	e.Changes = append(e.Changes, changelog.Change{Owner: changelog.GroupLog(topic), Group: "t",
		Entry: changelog.NewEncoded(protocol.Entry{Kind: protocol.EntryNone})})
	h.Deliver(e)
	h.Wake()
}

func TestWhoFollowsACommunityFollowsItsNewTopics(t *testing.T) {
	h, wires := group(t, 3)
	stranger := &wire{}
	h.Enter(&Session{Number: 9, UID: 9, Conn: stranger}, nil, nil)
	say(h, Event{Opened: []Branch{{GID: topic, Parent: gid}}})
	expect(t, wires, 1, 1)
	say(h, Event{Opened: []Branch{{GID: topic, Parent: gid}}}) // again: nobody follows twice
	expect(t, wires, 2, 2)
	say(h, Event{Left: []Seat{{UID: 1, GID: topic}}}) // what comes with it he gets
	say(h, Event{})
	expect(t, wires[:1], 3, 3)
	expect(t, wires[1:], 4, 4)
	expect(t, []*wire{stranger}, 0, 0)
}

func TestNobodyFollowsAClosedTopic(t *testing.T) {
	h, wires := group(t, crowded+1) // a crowd of its own, woken as a whole
	say(h, Event{Opened: []Branch{{GID: topic, Parent: gid}}})
	say(h, Event{Closed: []int64{topic, 99}})
	say(h, Event{})
	for i, w := range wires {
		if n := w.entries.Load(); n != 2 {
			t.Fatalf("session %d has %d entries, want 2", i+1, n)
		}
	}
	if h.groups[topic] != nil {
		t.Error("the topic is still there")
	}
	commit(h, Event{}) // the community is
	for _, w := range wires {
		if w.entries.Load() != 3 {
			t.Fatal("the community's entry is missing")
		}
	}
}
