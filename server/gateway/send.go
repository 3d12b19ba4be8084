package gateway

import (
	"context"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/server/session"
	"timbre/sqlite"
)

func (c *conn) sendMessage(r *protocol.Request) {
	if c.busyRow(r.ID) || !c.keyed(r) {
		return
	}
	s := protocol.ParseSend(r.Body)
	traits, err := c.judge(s.Content)
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	o := &message.Outgoing{From: c.user(), App: c.self.App, Key: r.Key, Content: s.Content, Traits: traits}
	if s.Group != "" {
		c.sendToGroup(r, o, s.Group)
		return
	}
	to, ok := c.peer(r.ID, s.To)
	if !ok {
		return
	}
	o.To = to
	if traits.Online {
		c.whisper(r.ID, o, protocol.Message{To: s.To})
		return
	}
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		if err := c.g.Files.Touch(tx, traits.Files); err != nil {
			return changed{}, err
		}
		sent, changes, err := c.g.Messages.Send(tx, o)
		return changed{body: protocol.AppendSent(nil, sent), changes: changes, message: len(changes) > 0}, err
	})
}

// judge checks what a user says.
func (c *conn) judge(content []byte) (message.Traits, error) {
	traits, err := message.Check(content, c.g.cfg.MaxMessage)
	if err == nil && traits.Broadcast {
		err = refusal.New(tim.ErrSVRMsgInvalidJSONBodyFormat, "users do not speak for the operator")
	}
	return traits, err
}

func (c *conn) sendToGroup(r *protocol.Request, o *message.Outgoing, group string) {
	w, ok := c.where(r.ID, protocol.Target{Group: group})
	if !ok {
		return
	}
	o.GID = w.GID
	if err := c.address(o); err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	if c.g.Groups.Kind(w.GID).Live {
		c.sayInRoom(r.ID, o, w)
		return
	}
	if o.Traits.Online {
		c.whisper(r.ID, o, protocol.Message{Group: group})
		return
	}
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		dropped, err := c.g.Groups.Admit(tx, o)
		if err != nil || dropped {
			return c.notAdmitted(tx, o, err)
		}
		if err := c.g.Files.Touch(tx, o.Traits.Files); err != nil {
			return changed{}, err
		}
		sent, changes, err := c.g.Messages.Post(tx, o)
		return changed{body: protocol.AppendSent(nil, sent), changes: changes, message: len(changes) > 0}, err
	})
}

// notAdmitted answers for a message that is dropped, or refused with why. One that was stored before and is sent again, because
// the answer was lost, gets that answer: its sender may have been muted or removed since.
func (c *conn) notAdmitted(tx *sqlite.Tx, o *message.Outgoing, why error) (changed, error) {
	if why != nil && refusal.Of(why) == nil {
		return changed{}, why
	}
	sent, before, err := c.g.Messages.Sent(tx, o.From, o.Key)
	switch {
	case err != nil:
		return changed{}, err
	case before:
		return changed{body: protocol.AppendSent(nil, sent)}, nil
	}
	return changed{body: protocol.AppendSent(nil, protocol.Sent{Time: c.g.Now().UnixMilli(), Card: o.Card})}, why
}

// address turns the names of those whom a message is directed to, or speaks to, into numbers.
func (c *conn) address(o *message.Outgoing) error {
	t := &o.Traits
	if len(t.Targets) == 0 && len(t.At) == 0 {
		return nil
	}
	switch {
	case len(t.Targets) > 0 && len(t.At) > 0:
		return refusal.New(tim.ErrInvalidParameters, "a directed message cannot speak to members by name")
	case len(t.Targets) > model.MaxTargets:
		return refusal.New(tim.ErrInvalidParameters, "a message is directed to at most 50 members")
	case len(t.At) > model.MaxAt:
		return refusal.New(model.CodeTooManyAt, "a message speaks to at most 30 members by name")
	}
	return c.g.Store.Read(context.Background(), func(q sqlite.Queryer) error {
		if len(t.Targets) > 0 {
			users, err := c.users(q, t.Targets)
			o.Targets = []int64{}
			for _, u := range users {
				o.Targets = append(o.Targets, u.UID)
			}
			return err
		}
		var names []string
		for _, word := range t.At {
			if model.IsAtAll(word) {
				o.At = append(o.At, 0)
			} else {
				names = append(names, word)
			}
		}
		users, err := c.users(q, names)
		for _, u := range users {
			o.At = append(o.At, u.UID)
		}
		return err
	})
}

// whisper passes a message on to those who are online and keeps nothing.
func (c *conn) whisper(id uint64, o *message.Outgoing, msg protocol.Message) {
	now, group := c.g.Now().UnixMilli(), msg.Group
	msg.From, msg.Time, msg.Content = o.From.Name, now, o.Content
	to := session.Direct{GID: o.GID, Line: pushLine(msg)}
	if o.GID == 0 {
		to.UIDs = []int64{o.To.UID}
		if o.From.UID != o.To.UID {
			to.UIDs = append(to.UIDs, o.From.UID)
		}
	} else if o.Targets != nil {
		to.Only = append([]int64{o.From.UID}, o.Targets...)
	}
	c.change(id, func(tx *sqlite.Tx) (changed, error) {
		judge := func() (bool, error) { return c.g.Messages.Shut(tx, o.From, o.To) }
		if o.GID != 0 {
			judge = func() (bool, error) { return c.g.Groups.Admit(tx, o) }
		}
		dropped, err := judge()
		answer := protocol.AppendSent(nil, protocol.Sent{Time: now, Card: o.Card})
		if dropped || err != nil {
			return changed{body: answer}, err
		}
		if o.Card != "" { // it is known only now
			to.Line = pushLine(protocol.Message{From: o.From.Name, Group: group, Time: now, Content: o.Said()})
		}
		return changed{body: answer, direct: []session.Direct{to}}, nil
	})
}

// pushLine is the line that passes a message on.
func pushLine(m protocol.Message) []byte {
	push := protocol.Push{Kind: protocol.PushMessage, Body: m.Append(nil)}
	return push.Append(nil)
}
