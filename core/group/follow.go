package group

import (
	"encoding/json"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// Apply makes the change of one entry of a log, the user's own or a group's.
func (g *Groups) Apply(tx *store.Tx, e *protocol.Entry) error {
	switch e.Kind {
	case protocol.EntryGroup:
		return g.membership(tx, e)
	case protocol.EntryGroupInfo:
		return g.informed(tx, e)
	case protocol.EntryMembers:
		return g.membersChanged(tx, e)
	case protocol.EntryGroupAttributes, protocol.EntryGroupCounter, protocol.EntryReport:
		tx.After(func() { g.Show(e) })
	}
	return nil
}

// Show tells the host of attributes or a counter that changed, and of what a group tells this user alone; of a live room too,
// which has no log. It does nothing for other kinds of entries. Call it in the order of the changes.
func (g *Groups) Show(e *protocol.Entry) {
	var err error
	switch e.Kind {
	case protocol.EntryGroupAttributes:
		err = g.attributesChanged(e.Group, e.Data)
	case protocol.EntryGroupCounter:
		err = g.counterChanged(e.Group, e.Data)
	case protocol.EntryReport:
		err = g.report(e)
	}
	if err != nil {
		g.Log.Warn("group: an entry cannot be read", "kind", e.Kind, "group", e.Group, "err", err)
	}
}

// GroupState brings a group to what the server says.
func (g *Groups) GroupState(tx *store.Tx, st *protocol.GroupState, _ bool) error {
	return keepOne(tx, &st.Group)
}

// GroupGone is called for a group that the server did not name. Of one that the user does not want to hear of it says nothing
// either; that such a group is gone, the user's own log says, or the list.
func (g *Groups) GroupGone(tx *store.Tx, group string) error {
	conv, err := conversation.Find(tx, tim.ConvGroup, group)
	if err != nil || conv != nil && conv.Option == tim.RecvMsgOptNotReceive {
		return err
	}
	return g.gone(tx, group)
}

// gone lets go of a group in which the user is not any more.
func (g *Groups) gone(tx *store.Tx, group string) error {
	g.moves.Add(1)
	tx.After(func() { g.forgetAttributes(group) })
	return drop(tx, group)
}

// Forget is called when the server has other logs than before.
func (g *Groups) Forget(tx *store.Tx) error {
	g.listed.Store(false)
	g.mu.Lock()
	clear(g.attributes)
	clear(g.online)
	g.mu.Unlock()
	if err := tx.Exec(`DELETE FROM group_member`); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM joined_group`)
}

// membership applies that the user came into a group, left it, or is something else in it now.
func (g *Groups) membership(tx *store.Tx, e *protocol.Entry) error {
	var d protocol.Membership
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return err
	}
	if !d.In {
		return g.gone(tx, e.Group)
	}
	if d.Group == nil {
		return nil
	}
	if !d.Changed {
		g.moves.Add(1)
	}
	return keepOne(tx, d.Group)
}

// informed applies that the group itself changed. What the user is in it stays.
func (g *Groups) informed(tx *store.Tx, e *protocol.Entry) error {
	var now protocol.Group
	if err := json.Unmarshal(e.Data, &now); err != nil {
		return err
	}
	before, err := find(tx.Tx, e.Group)
	if before == nil || err != nil {
		return err
	}
	now.Self, now.Max, now.LastTime = before.Self, before.Max, before.LastTime
	if now.Members == 0 {
		now.Members = before.Members
	}
	return put(tx, &now)
}

// membersChanged applies who is how in a group now. It keeps those who came or changed, and the user's own part.
func (g *Groups) membersChanged(tx *store.Tx, e *protocol.Entry) error {
	var d protocol.MembersChange
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return err
	}
	r, err := find(tx.Tx, e.Group)
	if r == nil || err != nil {
		return err
	}
	r.Members = d.Count
	for i := range d.Members {
		m := &d.Members[i]
		if m.User == g.User && r.Self != nil {
			r.Self.Role, r.Self.NameCard, r.Self.MuteUntil = m.Role, m.NameCard, m.MuteUntil
		}
		if m.Role == tim.MemberRoleOwner {
			r.Owner = m.User
		}
		if err := see(tx, e.Group, m); err != nil {
			return err
		}
	}
	for _, user := range d.Gone {
		if err := tx.Exec(`DELETE FROM group_member WHERE grp=? AND user=?`, e.Group, user); err != nil {
			return err
		}
	}
	return put(tx, r)
}
