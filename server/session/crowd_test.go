package session

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"timbre/protocol"
	"timbre/server/changelog"
)

// wire counts what comes to a connection.
type wire struct{ entries, wakes atomic.Int32 }

func (w *wire) Log(string, uint64, *changelog.Encoded) { w.entries.Add(1) }
func (w *wire) Wake()                                  { w.wakes.Add(1) }
func (*wire) Tell([]byte)                              {}
func (*wire) Kick()                                    {}
func (*wire) Replace()                                 {}

const gid = 7

// group lets users enter who follow a group.
func group(t *testing.T, members int) (*Hub, []*wire) {
	h := NewHub()
	var wires []*wire
	for i := range members {
		w := &wire{}
		wires = append(wires, w)
		h.Enter(&Session{Number: uint64(i + 1), UID: int64(i + 1), Conn: w}, []int64{gid}, nil)
	}
	return h, wires
}

// commit says something in the group.
func commit(h *Hub, e Event) {
	e.Changes = append(e.Changes, changelog.Change{Owner: changelog.GroupLog(gid), Group: "g",
		Entry: changelog.NewEncoded(protocol.Entry{Kind: protocol.EntryNone})})
	h.Deliver(e)
	h.Wake()
}

func expect(t *testing.T, wires []*wire, entries, wakes int32) {
	t.Helper()
	for i, w := range wires {
		if e, n := w.entries.Load(), w.wakes.Load(); e != entries || n != wakes {
			t.Fatalf("session %d has %d entries and was woken %d times, want %d and %d", i+1, e, n, entries, wakes)
		}
	}
}

func TestSmallGroupsAreWokenByEachCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, wires := group(t, crowded-1)
		commit(h, Event{})
		commit(h, Event{})
		expect(t, wires, 2, 2)
	})
}

func TestCrowdsAreWokenInWaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, wires := group(t, 200)
		pause := 200 * stride
		commit(h, Event{})
		expect(t, wires, 1, 1) // at once
		commit(h, Event{})
		commit(h, Event{})
		time.Sleep(pause - 1)
		synctest.Wait()
		expect(t, wires, 3, 1)
		time.Sleep(1)
		synctest.Wait()
		expect(t, wires, 3, 2) // together, and once
		time.Sleep(10 * pause)
		synctest.Wait()
		expect(t, wires, 3, 2) // nothing is left over
		commit(h, Event{})
		expect(t, wires, 4, 3) // at once again
	})
}

func TestPauseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, wires := group(t, 6000)
		commit(h, Event{})
		commit(h, Event{})
		time.Sleep(maxPause)
		synctest.Wait()
		expect(t, wires, 2, 2)
	})
}

// Whoever comes or goes during the pause, and a crowd that is none any more when its time comes.
func TestCrowdsChangeDuringThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, wires := group(t, crowded)
		commit(h, Event{})
		late := &wire{}
		h.Enter(&Session{Number: 1000, UID: 1000, Conn: late}, nil, nil)
		commit(h, Event{Joined: []Seat{{UID: 1000, GID: gid}}, Left: []Seat{{UID: 1, GID: gid}, {UID: 2, GID: gid}}})
		time.Sleep(maxPause)
		synctest.Wait()
		expect(t, wires[:2], 2, 1) // their own logs, which say that they have left, wake them
		expect(t, wires[2:], 2, 2)
		expect(t, []*wire{late}, 1, 1)
	})
}

func TestAnswersToACrowdWakeTheirConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, wires := group(t, crowded)
		commit(h, Event{})
		h.Touch(wires[0])
		commit(h, Event{Origin: 1})
		expect(t, wires[:1], 1, 2) // the answer stands for the entry
		expect(t, wires[1:], 2, 1)
	})
}
