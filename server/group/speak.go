package group

import (
	"slices"

	"timbre/model"
	"timbre/model/tim"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Admit judges a message before it is stored: who may not speak is refused; dropped is true when the group has had too
// many messages this second, and then the sender is told that all is well. It completes the message's audience.
func (g *Groups) Admit(tx *sqlite.Tx, o *message.Outgoing) (dropped bool, err error) {
	if err := g.MaySpeak(tx, o); err != nil {
		return false, err
	}
	return g.rules.Rate > 0 && !g.rates.admit(o.GID, g.rules.Rate, o.Traits.Priority, g.now()), nil
}

// floor is what decides who may speak in a group: the part of its row that every message needs.
type floor struct {
	record
	m *member // who speaks, nil for nobody
}

// MaySpeak refuses a message that its sender may not send to the group, in live rooms too. It completes the message's
// audience and its sender's name card, in a topic the community's, and says whether it counts.
func (g *Groups) MaySpeak(q sqlite.Queryer, o *message.Outgoing) error {
	f, err := g.floor(q, o.GID, o.From.UID)
	if err != nil {
		return err
	}
	for _, a := range wishes(o) {
		if err := g.allow(q, &f.record, o.From.UID, f.m, a); err != nil {
			return err
		}
	}
	if err := g.silenced(q, f, o.From.UID); err != nil {
		return err
	}
	o.Card = f.m.card
	if !g.rulesOf(&f.record).Unread {
		o.Traits.Counts = false
	}
	return hear(o, f.Members)
}

// wishes is what the sender of a message wants to do.
func wishes(o *message.Outgoing) []model.GroupAction {
	list := []model.GroupAction{model.GroupSpeak}
	if o.Traits.Receipt {
		list = append(list, model.GroupSpeakReceipt)
	}
	if o.Targets != nil {
		list = append(list, model.GroupSpeakTo)
	}
	if len(o.At) > 0 {
		list = append(list, model.GroupMention)
	}
	if slices.Contains(o.At, 0) {
		list = append(list, model.GroupSpeakToAll)
	}
	return list
}

// floor reads what a message's sender is in the group, and what silences its members. It runs for every message.
func (g *Groups) floor(q sqlite.Queryer, gid, uid int64) (*floor, error) {
	f, m := &floor{}, &member{}
	f.gid = gid
	found, err := q.Get(`SELECT g.type, g.id, g.owner, g.parent, g.members, g.mute_all, g.by_rights, g.dismissed,
			coalesce(m.role,0), coalesce(m.card,''), coalesce(s.mute_until,0)
		FROM grp g LEFT JOIN member m ON m.gid=CASE g.parent WHEN 0 THEN g.gid ELSE g.parent END AND m.uid=?
		LEFT JOIN sanction s ON s.gid=g.gid AND s.uid=? WHERE g.gid=?`,
		[]any{&f.Type, &f.ID, &f.owner, &f.parent, &f.Members, &f.MuteAll, &f.ByRights, &f.dismissed,
			&m.role, &m.card, &m.muteUntil}, uid, uid, gid)
	switch {
	case err != nil:
		return nil, err
	case !found || f.dismissed != 0:
		return nil, notFound()
	case g.rulesOf(&f.record).Live:
		g.listens(f, uid, m)
	case m.role != 0:
		f.m = m
	}
	return f, nil
}

// listens says who the sender is in a live room: its owner, too, speaks only where he listens.
func (g *Groups) listens(f *floor, uid int64, m *member) {
	if _, there := g.present(f.gid, uid); !there {
		return
	}
	if m.role == 0 {
		m.role = tim.MemberRoleNormal
	}
	if uid == f.owner {
		m.role = tim.MemberRoleOwner
	}
	f.m = m
}

// silenced refuses who is muted, in a topic or its community, and while all are muted everybody but those who manage.
func (g *Groups) silenced(q sqlite.Queryer, f *floor, uid int64) error {
	until, all, byRights := f.m.muteUntil, f.MuteAll, f.ByRights
	if f.parent != 0 {
		above, err := g.floor(q, f.parent, uid)
		if err != nil {
			return err
		}
		until, all, byRights = max(until, above.m.muteUntil), all || above.MuteAll, above.ByRights
	}
	switch {
	case until > g.now().Unix():
		return refusal.New(tim.ErrSVRGroupShutupDeny, "muted in this group")
	case all && f.m.role != tim.MemberRoleOwner && (byRights || f.m.role == tim.MemberRoleNormal):
		return refusal.New(tim.ErrSVRGroupShutupDeny, "everybody is muted in this group")
	}
	return nil
}

// hear checks a message's receipts and counts from whom they are wanted.
func hear(o *message.Outgoing, members int) error {
	if !o.Traits.Receipt {
		return nil
	}
	switch {
	case o.Traits.Online:
		return refusal.New(model.CodeReceiptOnline, "a message that is not kept has no receipts")
	case members > model.MaxReceiptMembers:
		return refusal.New(model.CodeReceiptGroupSize, "the group has too many members for receipts")
	}
	o.Audience = members - 1
	if o.Targets != nil {
		o.Audience = len(o.Targets)
	}
	return nil
}
