package message

import (
	"context"
	"encoding/json"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// ConversationGroups answers the names of the conversation groups.
func (m *Messages) ConversationGroups(done event.Done) {
	var names []string
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		names, err = conversation.Groups(q)
		return err
	})
	if err != nil {
		m.failing(done, "[]")(err)
		return
	}
	done(0, "", string(protocol.Marshal(names)))
}

// ChangeConversationGroup creates a conversation group, adds to it or removes from it.
func (m *Messages) ChangeConversationGroup(change, name string, ids []string, done event.Done) {
	n := conversations(ids)
	bad := groupName(name)
	if bad == nil {
		bad = n.count(tim.ErrSVRConvConvMarkReqCountExceedLimit)
	}
	if bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	m.changeGroup(n, protocol.ConvGroupChange{Change: change, Name: name, Convs: n.targets()}, done)
}

// DeleteConversationGroup ends a conversation group. Its conversations stay.
func (m *Messages) DeleteConversationGroup(name string, done event.Done) {
	m.changeName(protocol.ConvGroupChange{Change: protocol.ConvGroupDelete, Name: name}, groupName(name), done)
}

// RenameConversationGroup gives a conversation group another name.
func (m *Messages) RenameConversationGroup(name, to string, done event.Done) {
	bad := groupName(to)
	if name == "" {
		bad = groupName(name)
	}
	m.changeName(protocol.ConvGroupChange{Change: protocol.ConvGroupRename, Name: name, New: to}, bad, done)
}

func (m *Messages) changeName(c protocol.ConvGroupChange, bad *transport.Error, done event.Done) {
	if bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	m.changeGroup(&several{}, c, func(code int, desc, _ string) { done(code, desc, "") })
}

func (m *Messages) changeGroup(n *several, c protocol.ConvGroupChange, done event.Done) {
	m.askSeveral(n, protocol.OpSetConvGroup, c, done, func(accepted []protocol.Target) protocol.Entry {
		c.Convs = accepted
		return protocol.Entry{Kind: protocol.EntryConvGroup, Data: protocol.Marshal(c)}
	})
}

func groupName(name string) *transport.Error {
	switch {
	case name == "":
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "a conversation group needs a name"}
	case !model.ValidConvGroupName(name):
		return &transport.Error{Code: tim.ErrSVRConvConvGroupNameExceedLength, Text: "the name of a conversation group has at most 32 bytes"}
	}
	return nil
}

// grouped applies a change of a conversation group.
func (m *Messages) grouped(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.ConvGroupChange
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	fits, err := m.book.ChangeGroup(tx, &d)
	if err == nil && !fits {
		err = m.pos.Doubt(tx)
	}
	return err
}
