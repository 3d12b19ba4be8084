package gateway

import (
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/server/session"
	"timbre/sqlite"
)

// transHandlers is the operations on what is passed on without being stored, and how users receive.
func transHandlers() map[string]handler {
	return map[string]handler{
		protocol.OpTrans:         {true, (*conn).sendTrans},
		protocol.OpReceiveOption: {true, (*conn).setReceiveFlags},
		protocol.OpAllOptions:    {true, (*conn).receiveFlags},
	}
}

// quota counts what a connection does in the present second. It is used on the reading goroutine only.
type quota struct {
	second int64
	used   int
}

// take says whether one more is within the limit.
func (q *quota) take(limit int, now time.Time) bool {
	if s := now.Unix(); s != q.second {
		q.second, q.used = s, 0
	}
	q.used++
	return q.used <= limit
}

// platforms is the platforms of devices behind the numbers of protocol.Trans; of the last one all.
var platforms = map[int][]string{1: {"android"}, 2: {"ios"}, 3: {"web"}, 4: {"linux", "windows", "mac"}, 255: nil}

// sendTrans passes something on to those who are connected: to a user's devices, to the members of a group, or to the
// sender's own other devices. In a group it is judged as a message would be that is not stored.
func (c *conn) sendTrans(r *protocol.Request) {
	t, err := decode[protocol.Trans](r.Body)
	var to session.Direct
	if err == nil {
		to, err = c.aim(&t)
	}
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	var w message.Where
	if t.Peer != "" || t.Group != "" {
		var ok bool
		if w, ok = c.where(r.ID, t.Target); !ok {
			return
		}
		to.GID = w.GID
		if w.GID == 0 {
			to.UIDs = []int64{w.Peer.UID}
		}
	}
	t.From, t.Time = c.self.User, c.g.Now().UnixMilli()
	push := protocol.Push{Kind: protocol.PushTrans, Body: protocol.Marshal(t)}
	to.Line = push.Append(nil)
	user, app := c.user(), c.self.App
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		dropped, err := c.admitTrans(tx, user, app, w)
		if err != nil || dropped {
			return changed{}, err
		}
		return changed{direct: []session.Direct{to}}, nil
	})
}

// aim checks a Trans and says which of the sender's devices it is for, if it is for them.
func (c *conn) aim(t *protocol.Trans) (to session.Direct, err error) {
	list, known := platforms[t.Platform]
	switch {
	case t.Command == "" || len(t.Command) > model.MaxTrans:
		return to, refusal.New(tim.ErrInvalidParameters, "a command has 1 to 4,096 bytes")
	case t.Peer != "" && t.Group != "":
		return to, refusal.New(tim.ErrInvalidParameters, "either a user or a group")
	case !c.trans.take(model.TransRate, c.g.Now()):
		return to, refusal.New(tim.ErrSDKCommAPICallFrequencyLimit, "too many in a second")
	case t.Peer != "" || t.Group != "":
		t.Platform = 0
		return to, nil
	case !known:
		return to, refusal.New(tim.ErrInvalidParameters, "own devices are 1 Android, 2 iOS, 3 Web, 4 PC or 255 all")
	}
	return session.Direct{UIDs: []int64{c.self.UID}, Platforms: list}, nil
}

// admitTrans refuses who may not speak there. dropped says that nobody is to get it, and that the sender does not learn so.
func (c *conn) admitTrans(tx *sqlite.Tx, user message.User, app uint64, w message.Where) (dropped bool, err error) {
	switch {
	case w.GID != 0:
		return c.g.Groups.Admit(tx, &message.Outgoing{From: user, GID: w.GID, App: app,
			Traits: message.Traits{Online: true, Priority: tim.MsgPriorityLowest}})
	case w.Peer.UID != 0:
		return c.g.Messages.Shut(tx, user, w.Peer)
	}
	return false, nil
}

// setReceiveFlags changes how the user receives: from a user, in a group, or everything.
func (c *conn) setReceiveFlags(r *protocol.Request) {
	body, ok := changeGroup[protocol.SetReceiveFlags](c, r)
	if !ok {
		return
	}
	var w message.Where
	if body.Peer != "" || body.Group != "" {
		if w, ok = c.where(r.ID, body.Target); !ok {
			return
		}
	}
	user, app := c.user(), c.self.App
	c.change(r.ID, func(tx *sqlite.Tx) (ch changed, err error) {
		switch {
		case w.GID != 0:
			o, err := c.g.Groups.SetFlags(tx, user, w, &body)
			return outcome(nil, o), err
		case w.Peer.UID != 0:
			ch.changes, err = c.g.Messages.SetFlags(tx, user, app, w.Peer, &body)
		default:
			ch.changes, err = c.g.Messages.SetAllFlags(tx, user, &body)
		}
		ch.told = true
		return ch, err
	})
}

// receiveFlags answers everything that the user does not receive as a new one does.
func (c *conn) receiveFlags(r *protocol.Request) {
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		a, err := c.g.Messages.AllFlags(q, c.self.UID)
		if err == nil {
			err = c.g.Groups.AddFlags(q, c.self.UID, &a)
		}
		return protocol.Marshal(a), err
	})
}
