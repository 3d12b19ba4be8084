package live

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"timbre/core/guard"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// Coming back into a room is tried so often, with a pause that doubles.
const (
	backTries = 6
	backPause = time.Second
)

// Away says that the session has become another one, which is in no room yet. Call it before anything that waited for the
// connection goes out.
func (r *Rooms) Away() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, it := range r.rooms {
		it.away = it.in
	}
}

// Await calls then when the device is back in a room, or with false when it does not come back. It does nothing and says so
// for a room to which the device is not on its way.
func (r *Rooms) Await(id string, then func(back bool)) (waits bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	it := r.rooms[id]
	if it == nil || !it.away || r.life.Err() != nil {
		return false
	}
	it.waiting = append(it.waiting, then)
	return true
}

// settle ends the waiting for a room.
func (it *room) settle(r *Rooms, back bool) {
	waiting := it.waiting
	it.away, it.waiting = false, nil
	if len(waiting) > 0 {
		r.all.Go(func() {
			for _, then := range waiting {
				guard.Run(r.Log, "what waited for a live room", func() { then(back) })
			}
		})
	}
}

// Online brings the device back into its rooms: its session is another one than before. A later call takes the place of one
// that is under way.
func (r *Rooms) Online() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.back()
	if r.life.Err() != nil || len(r.rooms) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(r.life)
	r.back = cancel
	var ids []string
	for id := range r.rooms {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		r.all.Go(func() { guard.Run(r.Log, "coming back into a live room", func() { r.comeBack(ctx, id) }) })
	}
}

// comeBack joins a room again. A room that does not want the device any more is forgotten, and the host is told. Without a
// connection nothing is tried: the next one begins anew.
func (r *Rooms) comeBack(ctx context.Context, id string) {
	pause := backPause
	for try := 1; ; try++ {
		err := r.again(ctx, id)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			r.settled(id)
			return
		case cut(err):
			r.refuseWaiting(id)
			return
		case final(err) || try == backTries:
			r.lost(id, err)
			return
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			return
		}
	}
}

// refuseWaiting ends the waiting for a room to which the device is still on its way.
func (r *Rooms) refuseWaiting(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if it := r.rooms[id]; it != nil {
		away := it.away
		it.settle(r, false)
		it.away = away
	}
}

func (r *Rooms) settled(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if it := r.rooms[id]; it != nil && !it.leaving {
		it.settle(r, true)
	}
}

// again is one try to be where the device was.
func (r *Rooms) again(ctx context.Context, id string) error {
	was := r.state(id)
	if was.in && !was.leaving {
		if _, err := r.ask(ctx, protocol.OpGroupJoin, rand.Text(), protocol.JoinGroup{Group: id, Again: true, Seen: was.seen}); err != nil {
			return err
		}
	}
	if was.watched {
		if _, err := r.ask(ctx, protocol.OpLivePeek, "", protocol.LivePeek{Group: id, On: true}); err != nil {
			return err
		}
	}
	return nil
}

// state is what the device is in a room, nothing in one that it has left.
func (r *Rooms) state(id string) room {
	r.mu.Lock()
	defer r.mu.Unlock()
	if it := r.rooms[id]; it != nil {
		return *it
	}
	return room{}
}

// final says whether the server has decided: everything else may be better the next time.
func final(err error) bool {
	var why *transport.Error
	if !errors.As(err, &why) {
		return false
	}
	switch why.Code {
	case protocol.CodeBusy, protocol.CodeInside:
		return false
	}
	return why.Code >= 10000 && why.Code < 20000
}

// cut says whether there was no connection.
func cut(err error) bool {
	switch transport.AsError(err).Code {
	case tim.ErrSDKNetWaitSendTimeoutNoNetwork, tim.ErrSDKNetSendRemainingTimeoutNoNetwork, tim.ErrSDKNetWaitAckTimeoutNoNetwork:
		return true
	}
	return false
}

// lost forgets a room and tells the host what it would have heard, had it been there.
func (r *Rooms) lost(id string, err error) {
	why := transport.AsError(err)
	r.Log.Warn("a live room could not be entered again", "group", id, "code", why.Code)
	r.mu.Lock()
	defer r.mu.Unlock()
	it := r.rooms[id]
	if it == nil {
		return
	}
	it.settle(r, false)
	delete(r.rooms, id)
	if !it.in {
		return
	}
	kind := tim.GroupReportBeKicked
	if gone(why.Code) {
		kind = tim.GroupReportDelete
	}
	r.groups.Show(&protocol.Entry{Kind: protocol.EntryReport, Group: id, Time: time.Now().UnixMilli(),
		Data: protocol.Marshal(protocol.Report{Type: kind, Gone: true})})
}

// gone says whether a code means that there is no such group.
func gone(code int) bool {
	return code == tim.ErrSVRGroupNotFound || code == tim.ErrSVRGroupInvalidGroupid
}
