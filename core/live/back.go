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

// comeBack joins a room again. A room that does not want the device any more is forgotten, and the host is told.
func (r *Rooms) comeBack(ctx context.Context, id string) {
	pause := backPause
	for try := 1; ; try++ {
		err := r.again(ctx, id)
		switch {
		case ctx.Err() != nil || err == nil:
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

// again is one try to be where the device was.
func (r *Rooms) again(ctx context.Context, id string) error {
	was := r.state(id)
	if was.in {
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
