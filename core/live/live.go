// Package live keeps the live rooms that this device is in or watches. They exist in memory only: nothing of them is stored,
// and they end with the session.
//
// What the server pushes of a room goes straight to the host: messages as new messages, tips, attributes and counters to
// their callbacks. When the connection was lost, the device comes back into its rooms by itself; the server knows then that
// nobody is to be told of it.
//
// A message that was said while there was no connection may reach the server before the device is back, and is refused
// then. It waits for the room here and goes out again.
//
// The answer to a join reaches the host on another way than what is pushed behind it. So pushes of a room that this device is
// not in yet are held until it is, and the host never hears a room before it knows that it is there.
//
// Rejected: live rooms in the logs and tables of other groups with everything switched off (each message would cost a
// transaction here, and a position there for every one of thousands who watch).
package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"timbre/core/transport"
	"timbre/protocol"
)

// Asker puts questions to the server.
type Asker interface {
	Ask(ctx context.Context, op, key string, body []byte, timeout time.Duration) (protocol.Answer, error)
}

// Messages shows the host messages that are not kept, with the type of their group. Tips reach who listens to tips alone. It
// is called under a lock and calls nothing of this package.
type Messages interface {
	Show(groupType int, list []*protocol.Message)
}

// Groups tells the host what else happens in a group, and what a group tells this user alone. It is called as Messages is.
type Groups interface {
	Show(e *protocol.Entry)
}

// Config is what rooms need.
type Config struct {
	Link    Asker
	Log     *slog.Logger
	Timeout func() time.Duration
	Waiting func() int // callbacks waiting for the host
}

// Rooms is the live rooms of one account on this device. All methods may be called from any goroutine.
type Rooms struct {
	Config
	messages Messages
	groups   Groups

	mu    sync.Mutex
	rooms map[string]*room
	types map[string]int // of rooms in which this device has been
	early []protocol.Log // of rooms that this device is not in yet

	life context.Context
	end  context.CancelFunc
	back context.CancelFunc // ends the coming back that is under way
	all  sync.WaitGroup
}

// room is a live room that this device is in, or watches.
type room struct {
	typ     int // TIMGroupType
	in      bool
	watched bool
	leaving bool         // the user wants to be out of it
	away    bool         // the connection was lost, and the device is not back yet
	waiting []func(bool) // for that
	seen    uint64       // newest number of a message of it
}

// maxWaiting is the number of callbacks waiting for the host from which on messages of live rooms are dropped: a busy room
// never ends, and nobody can catch up with it.
const maxWaiting = 10_000

// maxEarly bounds what is held for rooms that this device is not in yet.
const maxEarly = 100

// maxTypes bounds the map of types; when it is full it starts again empty.
const maxTypes = 10_000

// New returns an account without rooms; Connect must follow before anything else is called.
func New(c Config) *Rooms {
	r := &Rooms{Config: c, rooms: map[string]*room{}, types: map[string]int{}, back: func() {}}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// Connect gives the rooms the messages and groups, which need them first.
func (r *Rooms) Connect(m Messages, g Groups) { r.messages, r.groups = m, g }

// Type returns the type of a group in which this device is or has been as a live room, and false for all others.
func (r *Rooms) Type(id string) (groupType int, live bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	groupType, live = r.types[id]
	return groupType, live
}

// Entering says that this device is about to ask to come into a room, or to watch it. What was held of it has come after an
// earlier stay there, whose last messages were still on their way.
func (r *Rooms) Entering(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.early = slices.DeleteFunc(r.early, func(l protocol.Log) bool { return l.Group == id })
}

// Entered says that this device is in a room now, and not any more in those of quit. told tells the host: it is called when the
// room is known, because the host may send at once, and before anything of the room is shown.
func (r *Rooms) Entered(g *protocol.Group, quit []string, told func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range quit {
		r.leave(id)
	}
	it := r.open(g)
	it.in, it.leaving = true, false
	told()
	r.release(g.ID)
}

// Said says that this device has a message of a room that it did not get by a push: its own.
func (r *Rooms) Said(id string, seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if it := r.rooms[id]; it != nil {
		it.seen = max(it.seen, seq)
	}
}

// Leaving says that this device is about to leave a room: it does not come back into it by itself. It is false for a room in
// which the device is not.
func (r *Rooms) Leaving(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	it := r.rooms[id]
	if it == nil || !it.in {
		return false
	}
	it.leaving = true
	return true
}

// Stays says that this device could not leave a room. If it lost the room meanwhile, it comes back.
func (r *Rooms) Stays(id string) {
	r.mu.Lock()
	it := r.rooms[id]
	lost := it != nil && it.leaving && it.away
	if it != nil {
		it.leaving = false
	}
	r.mu.Unlock()
	if lost {
		r.Online()
	}
}

// Left says that this device is not in a room any more.
func (r *Rooms) Left(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(id)
}

func (r *Rooms) open(g *protocol.Group) *room {
	it := r.rooms[g.ID]
	if it == nil {
		it = &room{}
		r.rooms[g.ID] = it
	}
	if len(r.types) >= maxTypes {
		clear(r.types)
	}
	it.typ, r.types[g.ID] = g.Type, g.Type
	return it
}

func (r *Rooms) leave(id string) {
	it := r.rooms[id]
	if it == nil {
		return
	}
	it.settle(r, false)
	if it.in = false; !it.watched {
		delete(r.rooms, id)
	}
}

// Pushed takes what happened in a room. Call it in the order of arrival.
func (r *Rooms) Pushed(l protocol.Log) {
	r.mu.Lock()
	defer r.mu.Unlock()
	it := r.rooms[l.Group]
	if it == nil {
		if len(r.early) == maxEarly {
			r.early = r.early[1:]
		}
		r.early = append(r.early, l)
		return
	}
	r.show(it, &l)
}

// release shows what was held for a room.
func (r *Rooms) release(id string) {
	var others []protocol.Log
	for i := range r.early {
		if r.early[i].Group == id {
			r.show(r.rooms[id], &r.early[i])
		} else {
			others = append(others, r.early[i])
		}
	}
	r.early = others
}

// show tells the host, messages that follow each other at once.
func (r *Rooms) show(it *room, l *protocol.Log) {
	var list []*protocol.Message
	flush := func() {
		if len(list) > 0 && r.Waiting() < maxWaiting {
			r.messages.Show(it.typ, list)
		}
		list = nil
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Kind == protocol.EntryMessage {
			it.seen = max(it.seen, e.Message.Seq)
			list = append(list, &e.Message)
			continue
		}
		flush()
		if e.Group == "" {
			e.Group = l.Group
		}
		if over(e) {
			it.settle(r, false)
			delete(r.rooms, l.Group)
		}
		r.groups.Show(e)
	}
	flush()
}

// over says whether an entry tells everybody who is there that the room has ended.
func over(e *protocol.Entry) bool {
	var d protocol.Report
	return e.Kind == protocol.EntryReport && json.Unmarshal(e.Data, &d) == nil && d.Gone
}

// Close ends all rooms and waits for what is under way.
func (r *Rooms) Close() {
	r.mu.Lock()
	r.end()
	for _, it := range r.rooms {
		it.settle(r, false)
	}
	r.mu.Unlock()
	r.all.Wait()
}

// ask makes a request with an answer of its own.
func (r *Rooms) ask(ctx context.Context, op, key string, body any) (protocol.Answer, error) {
	a, err := r.Link.Ask(ctx, op, key, protocol.Marshal(body), r.Timeout())
	if err != nil {
		return a, err
	}
	if a.Code != 0 {
		return a, &transport.Error{Code: a.Code, Text: a.Desc}
	}
	return a, nil
}
