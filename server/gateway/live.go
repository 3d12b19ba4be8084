package gateway

import (
	"context"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/live"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// liveHandlers is the operations on live rooms. Those that other groups have, too, are these only if the group is one.
func liveHandlers() map[string]handler {
	return map[string]handler{
		protocol.OpGroupJoin: {true, (*conn).joinRoom},
		protocol.OpGroupQuit: {true, (*conn).quitRoom},
		protocol.OpGroupKick: {true, (*conn).expel},
		protocol.OpLivePeek:  {true, (*conn).watchRoom},

		protocol.OpGroupMembers: {true, (*conn).roomMembers},
	}
}

// byRoom chooses what to do by whether the request's group is a live room. Without other it is always asked for one.
func byRoom(room, other handler) handler {
	if other.handle == nil {
		return room
	}
	return handler{true, func(c *conn, r *protocol.Request) {
		if c.isLive(gjson.GetBytes(r.Body, "group").String()) {
			room.handle(c, r)
			return
		}
		other.handle(c, r)
	}}
}

// isLive says whether a group is a live room. It is no for one that cannot be found: the handler that follows finds that out
// again, and says so.
func (c *conn) isLive(name string) bool {
	gid, known := c.g.Groups.CachedID(c.self.App, name)
	if !known && name != "" {
		_ = c.g.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) { // an error is that handler's, too
			gid, known, err = c.g.Groups.ID(q, c.self.App, name)
			return err
		})
	}
	return known && c.g.Groups.Kind(gid).Live
}

// guest is this session as it comes to a room.
func (c *conn) guest() live.Guest {
	return live.Guest{Session: c.self.Number, UID: c.self.UID, Conn: c}
}

func (c *conn) joinRoom(r *protocol.Request) {
	body, err := decode[protocol.JoinGroup](r.Body)
	guest := c.guest()
	guest.Again, guest.Seen = body.Again, body.Seen
	how := group.Enters
	if body.Again {
		how = group.Returns
	}
	c.visit(r, body.Group, err, how, func(p live.Place, v *group.Visit) { c.g.Rooms.Join(p, guest, v.Member) })
}

// watchRoom begins or ends to watch a room.
func (c *conn) watchRoom(r *protocol.Request) {
	body, err := decode[protocol.LivePeek](r.Body)
	guest := c.guest()
	if err == nil && !c.isLive(body.Group) {
		err = refusal.New(tim.ErrSVRGroupInvalidParameters, "only live rooms are watched")
	}
	if body.On || err != nil {
		c.visit(r, body.Group, err, group.Watches, func(p live.Place, _ *group.Visit) { c.g.Rooms.Watch(p, guest, true) })
		return
	}
	w, ok := c.inGroup(r.ID, body.Group)
	if !ok {
		return
	}
	c.change(r.ID, func(*sqlite.Tx) (changed, error) {
		return changed{after: func() { c.g.Rooms.Watch(live.Place{GID: w.GID}, guest, false) }}, nil
	})
}

// visit brings the session into a room, unless it may not come. It goes through the database's queue, because whoever is
// being removed in this moment must be in the room before that or be refused. No key is needed: coming twice changes
// nothing.
func (c *conn) visit(r *protocol.Request, room string, err error, how group.Coming, enter func(live.Place, *group.Visit)) {
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	w, ok := c.inGroup(r.ID, room)
	if !ok {
		return
	}
	actor, number := c.actor(r), c.self.Number
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		v, err := c.g.Groups.Visit(tx, actor, w.GID, how)
		if err != nil {
			return changed{}, err
		}
		a := protocol.Joined{Live: true, Group: &v.Group}
		if how != group.Watches {
			a.Quit = c.g.Rooms.Others(number, w.GID)
		}
		return changed{body: protocol.Marshal(a), after: func() { enter(placeOf(actor.App, w.GID, &v), &v) }}, nil
	})
}

func placeOf(app uint64, gid int64, v *group.Visit) live.Place {
	return live.Place{GID: gid, App: app, ID: v.Group.ID, Name: v.Group.Name}
}

func (c *conn) quitRoom(r *protocol.Request) {
	w, ok := c.inGroup(r.ID, gjson.GetBytes(r.Body, "group").String())
	if !ok {
		return
	}
	actor, number := c.actor(r), c.self.Number
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		if err := c.g.Groups.MayLeave(tx, actor, w.GID); err != nil {
			return changed{}, err
		}
		if !c.g.Rooms.In(w.GID, number) {
			return changed{}, notThere()
		}
		return changed{after: func() { c.g.Rooms.Quit(w.GID, number) }}, nil
	})
}

func notThere() error { return refusal.New(tim.ErrSVRGroupPermissionDeny, "not in this room") }

// expel removes users from a room.
func (c *conn) expel(r *protocol.Request) { alterWith(c, r, kicked, c.g.Groups.Expel) }

// roomMembers lists who is in a room.
func (c *conn) roomMembers(r *protocol.Request) {
	body, err := decode[protocol.AskMembers](r.Body)
	if err == nil && len(body.Users) > 0 {
		c.groupMembers(r)
		return
	}
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		w, err := c.whereIn(q, protocol.Target{Group: body.Group})
		if err != nil {
			return nil, err
		}
		roll, err := c.g.Groups.Roll(q, c.self.UID, w.GID, body.Roles)
		if err != nil {
			return nil, err
		}
		list, next := c.g.Rooms.Page(w.GID, body.Next, model.MemberPage, roll.Wanted)
		page := protocol.MemberPage{Members: make([]protocol.Member, len(list)), Next: next}
		for i, u := range list {
			page.Members[i] = u.Member
			page.Members[i].Role = roll.Role(u.UID)
			c.g.Groups.ShowOnline(&page.Members[i], u.UID)
		}
		return protocol.Marshal(page), nil
	})
}

// createdRoom is what making a live room means besides: its maker is in it, and perhaps in no other one any more.
func (c *conn) createdRoom(tx *sqlite.Tx, actor *group.Actor, a protocol.CreatedGroup, guest live.Guest, ch *changed) error {
	gid, err := c.g.Groups.Made(tx, actor.App, a.ID)
	if err != nil {
		return err
	}
	a.Quit = c.g.Rooms.Others(guest.Session, gid)
	ch.body = protocol.Marshal(a)
	v, err := c.g.Groups.Visit(tx, actor, gid, group.Enters)
	ch.after = func() { c.g.Rooms.Join(placeOf(actor.App, gid, &v), guest, v.Member) }
	return err
}

// sayInRoom passes a message on to those who are in a live room. Nothing is stored, so a repetition is known for some
// seconds only.
func (c *conn) sayInRoom(id uint64, o *message.Outgoing, w message.Where) {
	o.Traits.Online = false // everything here is for those who are online
	number := c.self.Number
	c.change(id, func(tx *sqlite.Tx) (changed, error) {
		if sent, again := c.g.Rooms.Said(w.GID, o.From.UID, o.Key); again {
			return changed{body: protocol.AppendSent(nil, sent)}, nil
		}
		dropped, err := c.g.Groups.Admit(tx, o)
		if err == nil && !c.g.Rooms.In(w.GID, number) {
			err = notThere()
		}
		sent := protocol.Sent{Time: c.g.Now().UnixMilli()}
		if err != nil || dropped {
			return changed{body: protocol.AppendSent(nil, sent), after: c.g.Metrics.LiveDropped.Inc}, err
		}
		if err := c.g.Files.Touch(tx, o.Traits.Files); err != nil {
			return changed{}, err
		}
		sent.Seq = c.g.Rooms.Number()
		m := protocol.Message{Seq: sent.Seq, From: o.From.Name, Group: w.Group, Time: sent.Time, Key: o.Key, Content: o.Content}
		return changed{body: protocol.AppendSent(nil, sent), after: func() {
			c.g.Metrics.LiveMessages.Inc()
			c.g.Rooms.Say(w.GID, o.From.UID, number, m)
		}}, nil
	})
}

// publishLive hands what a change means to live rooms to those who are there. In other groups nobody is.
func (g *Gateway) publishLive(origin uint64, r *changed) {
	for _, l := range r.live {
		g.Rooms.Tell(l.GID, l.Entry)
	}
	for _, d := range r.direct {
		if d.GID != 0 {
			g.Rooms.Relay(d.GID, origin, d.Line)
		}
	}
	for _, seat := range r.left {
		g.Rooms.Evict(seat.GID, seat.UID)
	}
	for _, gid := range r.closed {
		g.Rooms.Close(gid)
	}
	if r.after != nil {
		r.after()
	}
}

// Live implements live.Connection.
func (c *conn) Live(line []byte) {
	if dropped := c.out.addLive(line); dropped > 0 {
		c.g.Metrics.LiveLost.Add(float64(dropped))
	}
}
