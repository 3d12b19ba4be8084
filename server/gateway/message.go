package gateway

import (
	"context"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

func (c *conn) messageRange(r *protocol.Request) {
	ask(c, r, func(b *protocol.Range) protocol.Target { return b.Target },
		func(q sqlite.Queryer, w message.Where, b protocol.Range) ([]byte, error) {
			if err := c.offered(q, w, model.GroupReadHistory); err != nil {
				return nil, err
			}
			return c.g.Messages.Range(q, c.user(), w, b)
		})
}

func (c *conn) getMessages(r *protocol.Request) {
	ask(c, r, func(b *protocol.Get) protocol.Target { return b.Target },
		func(q sqlite.Queryer, w message.Where, b protocol.Get) ([]byte, error) {
			if err := c.offered(q, w, model.GroupReadHistory); err != nil {
				return nil, err
			}
			return c.g.Messages.Get(q, c.user(), w, b)
		})
}

func (c *conn) receipts(r *protocol.Request) {
	ask(c, r, func(b *protocol.Seqs) protocol.Target { return b.Target },
		func(q sqlite.Queryer, w message.Where, b protocol.Seqs) ([]byte, error) {
			if err := tooMany(b.Seqs, protocol.MaxRange); err != nil {
				return nil, err
			}
			if err := c.offered(q, w, model.GroupSpeakReceipt); err != nil {
				return nil, err
			}
			return c.g.Messages.Receipts(q, c.user(), w, b.Seqs)
		})
}

func (c *conn) readers(r *protocol.Request) {
	ask(c, r, func(b *protocol.Readers) protocol.Target { return b.Target },
		func(q sqlite.Queryer, w message.Where, b protocol.Readers) ([]byte, error) {
			if err := c.offered(q, w, model.GroupSpeakReceipt); err != nil {
				return nil, err
			}
			return c.g.Messages.Readers(q, c.user(), w, b)
		})
}

func (c *conn) extensions(r *protocol.Request) {
	ask(c, r, func(b *protocol.Seqs) protocol.Target { return b.Target },
		func(q sqlite.Queryer, w message.Where, b protocol.Seqs) ([]byte, error) {
			if len(b.Seqs) != 1 {
				return nil, refusal.New(tim.ErrInvalidParameters, "one message is asked for at a time")
			}
			if err := c.offered(q, w, model.GroupExtend); err != nil {
				return nil, err
			}
			return c.g.Messages.Extensions(q, c.user(), w, b.Seqs[0])
		})
}

func (c *conn) reactions(r *protocol.Request) {
	ask(c, r, func(b *protocol.Seqs) protocol.Target { return b.Target },
		func(q sqlite.Queryer, w message.Where, b protocol.Seqs) ([]byte, error) {
			if err := tooMany(b.Seqs, model.MaxReactionAsk); err != nil {
				return nil, err
			}
			if err := c.offered(q, w, model.GroupExtend); err != nil {
				return nil, err
			}
			return c.g.Messages.Reactions(q, c.user(), w, b)
		})
}

func (c *conn) reactionUsers(r *protocol.Request) {
	ask(c, r, func(b *protocol.ReactionUsers) protocol.Target { return b.Target },
		func(q sqlite.Queryer, w message.Where, b protocol.ReactionUsers) ([]byte, error) {
			if err := c.offered(q, w, model.GroupExtend); err != nil {
				return nil, err
			}
			return c.g.Messages.ReactionUsers(q, c.user(), w, b)
		})
}

func (c *conn) pinnedMessages(r *protocol.Request) {
	ask(c, r, func(b *protocol.Target) protocol.Target { return *b },
		func(q sqlite.Queryer, w message.Where, _ protocol.Target) ([]byte, error) {
			if err := c.offered(q, w, model.GroupPin); err != nil {
				return nil, err
			}
			return c.g.Messages.Pinned(q, c.user(), w)
		})
}

// offered refuses what can be done in no group of a type.
func (c *conn) offered(q sqlite.Queryer, w message.Where, a model.GroupAction) error {
	if w.GID == 0 {
		return nil
	}
	return c.g.Groups.Offers(q, w.GID, c.self.UID, a)
}

// allowed refuses what the user may not do in a group. Between two everything is allowed that is possible, and what was done
// already gets the first answer again.
func (c *conn) allowed(tx *sqlite.Tx, what *message.Change, a model.GroupAction) error {
	if what.Where.GID == 0 {
		return nil
	}
	err := c.g.Groups.May(tx, what.Where.GID, what.User.UID, a)
	if refusal.Of(err) == nil {
		return err
	}
	if before, failed := c.g.Messages.Answered(tx, what.User, what.Key, &struct{}{}); before || failed != nil {
		return failed
	}
	return err
}

// changeOne runs a change of one message.
func changeOne[T any](c *conn, r *protocol.Request, target func(*T) (protocol.Target, uint64),
	fn func(tx *sqlite.Tx, what *message.Change, body *T) (changed, error)) {
	body, err := decode[T](r.Body)
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	if c.busyRow(r.ID) || !c.keyed(r) {
		return
	}
	t, seq := target(&body)
	w, ok := c.where(r.ID, t)
	if !ok {
		return
	}
	user := c.user()
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		return fn(tx, &message.Change{User: user, Where: w, Key: r.Key, Seq: seq}, &body)
	})
}

func (c *conn) revokeMessage(r *protocol.Request) {
	changeOne(c, r, func(b *protocol.Revoke) (protocol.Target, uint64) { return b.Target, b.Seq },
		func(tx *sqlite.Tx, what *message.Change, b *protocol.Revoke) (changed, error) {
			err := c.offered(tx, what.Where, model.GroupRevokeOthers)
			if err != nil {
				return changed{}, err
			}
			if what.Moderator, err = c.moderates(tx, what); err != nil {
				return changed{}, err
			}
			a, changes, err := c.g.Messages.Revoke(tx, what, b.Reason)
			return changed{body: protocol.Marshal(a), changes: changes}, err
		})
}

// moderates says whether the user may revoke messages of others.
func (c *conn) moderates(tx *sqlite.Tx, what *message.Change) (bool, error) {
	if what.Where.GID == 0 {
		return false, nil
	}
	err := c.allowed(tx, what, model.GroupRevokeOthers)
	if refusal.Of(err) != nil {
		return false, nil
	}
	return err == nil, err
}

func (c *conn) editMessage(r *protocol.Request) {
	changeOne(c, r, func(b *protocol.Edit) (protocol.Target, uint64) { return b.Target, b.Seq },
		func(tx *sqlite.Tx, what *message.Change, b *protocol.Edit) (changed, error) {
			if _, err := c.judge(b.Content); err != nil {
				return changed{}, err
			}
			if err := c.offered(tx, what.Where, model.GroupReadHistory); err != nil {
				return changed{}, err
			}
			a, changes, err := c.g.Messages.Edit(tx, what, b.Version, b.Content)
			return changed{body: protocol.Marshal(a), changes: changes}, err
		})
}

func (c *conn) setExtensions(r *protocol.Request) {
	changeOne(c, r, func(b *protocol.SetExtensions) (protocol.Target, uint64) { return b.Target, b.Seq },
		func(tx *sqlite.Tx, what *message.Change, b *protocol.SetExtensions) (changed, error) {
			if err := c.allowed(tx, what, model.GroupExtend); err != nil {
				return changed{}, err
			}
			a, changes, err := c.g.Messages.SetExtensions(tx, what, *b)
			return changed{body: protocol.Marshal(a), changes: changes}, err
		})
}

func (c *conn) react(r *protocol.Request) {
	changeOne(c, r, func(b *protocol.React) (protocol.Target, uint64) { return b.Target, b.Seq },
		func(tx *sqlite.Tx, what *message.Change, b *protocol.React) (changed, error) {
			if err := c.allowed(tx, what, model.GroupExtend); err != nil {
				return changed{}, err
			}
			a, changes, err := c.g.Messages.React(tx, what, b.ID, b.On)
			return changed{body: protocol.Marshal(a), changes: changes, told: true}, err
		})
}

func (c *conn) pinMessage(r *protocol.Request) {
	actor := c.actor(r)
	changeOne(c, r, func(b *protocol.Pin) (protocol.Target, uint64) { return protocol.Target{Group: b.Group}, b.Seq },
		func(tx *sqlite.Tx, what *message.Change, b *protocol.Pin) (changed, error) {
			if err := c.allowed(tx, what, model.GroupPin); err != nil {
				return changed{}, err
			}
			a, changes, err := c.g.Messages.Pin(tx, what, b.On)
			if err == nil && len(changes) > 0 {
				var tip []changelog.Change
				tip, err = c.g.Groups.TellPinned(tx, actor, what, b.On)
				changes = append(changes, tip...)
			}
			return changed{body: protocol.Marshal(a), changes: changes, told: true}, err
		})
}

func (c *conn) confirmMessages(r *protocol.Request) {
	body, err := decode[protocol.Seqs](r.Body)
	if err == nil {
		err = tooMany(body.Seqs, protocol.MaxRange)
	}
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	w, ok := c.where(r.ID, body.Target)
	if !ok {
		return
	}
	user := c.user()
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		if err := c.offered(tx, w, model.GroupSpeakReceipt); err != nil {
			return changed{}, err
		}
		changes, err := c.g.Messages.Confirm(tx, user, w, body.Seqs)
		return changed{changes: changes, told: true}, err
	})
}

func (c *conn) setOption(r *protocol.Request) {
	body, err := decode[protocol.SetOption](r.Body)
	var users []message.User
	var w message.Where
	if err == nil && len(body.Peers) > model.MaxOptionUsers {
		err = refusal.New(tim.ErrInvalidParameters, "too many users in one request")
	}
	if err == nil {
		err = c.g.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
			if body.Group != "" {
				w, err = c.whereIn(q, protocol.Target{Group: body.Group})
				return err
			}
			users, err = c.users(q, body.Peers)
			return err
		})
	}
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	user, app := c.user(), c.self.App
	c.change(r.ID, func(tx *sqlite.Tx) (ch changed, err error) {
		ch.told = true
		switch {
		case body.All != nil:
			ch.changes, err = c.g.Messages.SetAllOption(tx, user, *body.All)
		case w.GID != 0:
			o, err := c.g.Groups.SetOption(tx, user, w, body.Option)
			return outcome(nil, o), err
		default:
			ch.changes, err = c.g.Messages.SetOptions(tx, user, app, users, body.Option)
		}
		return ch, err
	})
}

func (c *conn) options(r *protocol.Request) {
	body, err := decode[protocol.Users](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		users, err := c.users(q, body.Names)
		if err != nil {
			return nil, err
		}
		return c.g.Messages.Options(q, c.user(), users)
	})
}
