package live

import (
	"context"
	"encoding/json"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// Watch begins to show what happens in a room without joining it, or ends it.
func (r *Rooms) Watch(id string, on bool, done event.Done) {
	if on {
		r.Entering(id)
	}
	a, err := r.ask(context.Background(), protocol.OpLivePeek, "", protocol.LivePeek{Group: id, On: on})
	if err != nil {
		why := transport.AsError(err).Public()
		done(why.Code, why.Text, "")
		return
	}
	if !on {
		r.unwatch(id)
		done(0, "", "")
		return
	}
	var j protocol.Joined
	_ = json.Unmarshal(a.Body, &j) // without it the group's type stays that of most
	r.watching(id, j.Group, func() { done(0, "", "") })
}

func (r *Rooms) watching(id string, g *protocol.Group, told func()) {
	if g == nil {
		g = &protocol.Group{ID: id, Type: tim.GroupAVChatRoom}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open(g).watched = true
	told()
	r.release(id)
}

func (r *Rooms) unwatch(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if it := r.rooms[id]; it != nil {
		if it.watched = false; !it.in {
			delete(r.rooms, id)
		}
	}
}
