package message

import (
	"encoding/json"
	"slices"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// GroupState implements sync.Applier: it brings a group's conversation to what the server says, without the messages
// between. stale says that the client does not know what happened to the messages that it has.
func (m *Messages) GroupState(tx *store.Tx, st *protocol.GroupState, stale bool) error {
	m.arrivals(tx)
	e, err := m.book.Open(tx, tim.ConvGroup, st.Group.ID)
	if err != nil {
		return err
	}
	describe(e, &st.Group)
	if st.ClearSeq > e.ClearSeq {
		e.ClearSeq = st.ClearSeq
	}
	if stale {
		if err := m.forgetRanges(tx.Tx, e.ID); err != nil {
			return err
		}
	}
	e.PeerCount = max(e.PeerCount, st.PeerCount)
	if st.Own >= e.OwnCount && st.Max > e.OwnSeq {
		e.OwnCount, e.OwnSeq = st.Own, st.Max
	}
	e.MarkRead(st.ReadSeq, st.ReadCount, 0)
	for _, at := range st.At {
		e.Mention(at)
	}
	for _, raw := range st.Msgs {
		if msg, ok := protocol.ParseMessage(raw); ok {
			if _, err := m.receive(tx, &msg, listed); err != nil {
				return err
			}
		}
	}
	e.MaxSeq = max(e.MaxSeq, st.Max)
	if st.HideSeq == 0 && e.HideSeq == 0 && !st.Hidden { // in the list from the beginning, even if nothing was said yet
		e.Place(tx, max(st.Group.LastTime, st.Group.Created*1000))
		return nil
	}
	m.show(tx, e, st.Max, st.HideSeq, st.Group.LastTime)
	return nil
}

// GroupGone implements sync.Applier: the user is not in the group any more. The history stays.
func (m *Messages) GroupGone(*store.Tx, string) error { return nil }

// describe takes over what a conversation shows of its group.
func describe(e *conversation.Entry, g *protocol.Group) {
	e.GroupType, e.Name, e.Face, e.Owner = g.Type, g.Name, g.Face, g.Owner
	if g.Self != nil {
		e.Option = g.Self.Option
	}
}

// groupHere opens a group's conversation if it exists, nil when it does not.
func (m *Messages) groupHere(tx *store.Tx, id string) (*conversation.Entry, error) {
	known, err := conversation.Find(tx, tim.ConvGroup, id)
	if known == nil || err != nil {
		return nil, err
	}
	return m.book.Open(tx, tim.ConvGroup, id)
}

// informed applies that a group has another name or face, to a conversation that exists.
func (m *Messages) informed(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.Group
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	e, err := m.groupHere(tx, entry.Group)
	if e == nil || err != nil || e.Name == d.Name && e.Face == d.Face && e.GroupType == d.Type && e.Owner == d.Owner {
		return err
	}
	describe(e, &d)
	e.Touch(tx, false)
	return nil
}

// membersChanged applies that a group has another owner, or none any more, to a conversation that exists.
func (m *Messages) membersChanged(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.MembersChange
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	e, err := m.groupHere(tx, entry.Group)
	if e == nil || err != nil {
		return err
	}
	if slices.Contains(d.Gone, e.Owner) {
		e.Owner = ""
	}
	if i := slices.IndexFunc(d.Members, func(one protocol.Member) bool { return one.Role == tim.MemberRoleOwner }); i >= 0 {
		e.Owner = d.Members[i].User
	}
	e.TouchChanged(tx)
	return nil
}

// membership applies that the user came into a group, or left it.
func (m *Messages) membership(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.Membership
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	if !d.In {
		m.pos.Unfollow(tx, entry.Group)
		return nil
	}
	e, err := m.book.Open(tx, tim.ConvGroup, entry.Group)
	if err != nil {
		return err
	}
	if d.Group != nil {
		describe(e, d.Group)
	}
	if d.Changed { // he was in before
		e.Touch(tx, false)
		return nil
	}
	if g := d.Group; g != nil && g.Self != nil {
		e.MaxSeq, e.ClearSeq = max(e.MaxSeq, g.Max), max(e.ClearSeq, g.Self.ClearSeq)
		if g.Max >= e.OwnSeq { // else the answer to a message that was sent since has overtaken the entry
			e.OwnCount, e.OwnSeq = 0, g.Max // the server counts a member's messages from his coming in
		}
		e.PeerCount = max(e.PeerCount, g.Self.ReadCount)
		e.MarkRead(g.Self.ReadSeq, g.Self.ReadCount, 0)
	}
	e.Touch(tx, e.Away())
	m.pos.Follow(tx, entry.Group, d.Pos)
	return nil
}
