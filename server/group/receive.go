package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// SetOption changes how a member receives. Who does not want to hear of the group does not follow it any more.
func (g *Groups) SetOption(tx *sqlite.Tx, user message.User, w message.Where, option int) (Outcome, error) {
	if option < tim.RecvMsgOptReceive || option > tim.RecvMsgOptNotNotifyExceptAt {
		return Outcome{}, refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such receive option")
	}
	return g.receive(tx, user, w, func(r message.Receiving) message.Receiving { return r.Becomes(option) })
}

// SetFlags is SetOption for the two switches that the option is made of.
func (g *Groups) SetFlags(tx *sqlite.Tx, user message.User, w message.Where, f *protocol.SetReceiveFlags) (Outcome, error) {
	return g.receive(tx, user, w, func(r message.Receiving) message.Receiving { return r.With(f) })
}

func (g *Groups) receive(tx *sqlite.Tx, user message.User, w message.Where, change func(message.Receiving) message.Receiving) (o Outcome, err error) {
	r, err := find(tx, w.GID)
	if err != nil {
		return o, err
	}
	m, err := g.member(tx, r, user.UID)
	if err != nil {
		return o, err
	}
	if err := g.may(r, model.GroupSetReceive, m.roleOf()); err != nil {
		return o, err
	}
	was, err := g.messages.Receiving(tx, user.UID, -w.GID, m.option)
	if err != nil {
		return o, err
	}
	now := change(was)
	if err := g.messages.Cover(tx, user.UID, -w.GID, was, now); err != nil {
		return o, err
	}
	if err := setOption(tx, r, user.UID, now.Shown()); err != nil {
		return o, err
	}
	c, err := g.log.Note(tx, user.UID, changelog.Pointer{Kind: protocol.EntryOption, Group: w.Group, Time: g.now().UnixMilli(),
		Data: protocol.Marshal(protocol.OptionChange{Option: now.Shown()})})
	if err != nil {
		return o, err
	}
	o.Changes = []changelog.Change{c}
	err = g.rehear(tx, r, &o, user.UID)
	return o, err
}

// AddFlags adds the switches of a user's groups that are on.
func (g *Groups) AddFlags(q sqlite.Queryer, uid int64, a *protocol.AllReceiveFlags) error {
	options := map[int64]int{}
	names := map[int64]string{}
	err := q.Query(`SELECT m.gid, g.id, m.option FROM member m JOIN grp g ON g.gid=m.gid WHERE m.uid=?1 AND m.option<>0
		UNION ALL SELECT t.gid, g.id, t.option FROM topic_option t JOIN grp g ON g.gid=t.gid WHERE t.uid=?1 AND t.option<>0 AND g.dismissed=0`,
		func(scan func(...any) error) error {
			var gid int64
			var name string
			var option int
			err := scan(&gid, &name, &option)
			options[gid], names[gid] = option, name
			return err
		}, uid)
	for gid, option := range options {
		if err != nil {
			break
		}
		var how message.Receiving
		how, err = g.messages.Receiving(q, uid, -gid, option)
		a.Groups[names[gid]] = how.Flags()
	}
	return err
}
