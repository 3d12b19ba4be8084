package message

import (
	"encoding/json"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// entryOwnAttributes is an entry that no log has: it stands for the one that answers an own request, whose data is that
// request with the conversations that were accepted.
const entryOwnAttributes = "own att"

// PinConversation pins a conversation to the top of the list, or lets it go.
func (m *Messages) PinConversation(typ int, peer string, on bool, done event.Done) {
	n := &several{ids: []string{peer}, codes: []int{0}, at: []int{0}, to: []Target{{Type: typ, Peer: peer}}}
	m.setAttributes(n, protocol.SetAttributes{Pin: &on}, func(code int, desc, _ string) {
		if code == 0 && n.codes[0] != 0 {
			code, desc = n.codes[0], reason(n.codes[0])
		}
		done(code, desc, "")
	})
}

// MarkConversations sets marks of conversations, or takes them away.
func (m *Messages) MarkConversations(ids []string, bits uint64, on bool, done event.Done) {
	if !model.ValidMarks(bits) {
		done(tim.ErrInvalidParameters, "not a mark of a conversation", "")
		return
	}
	m.setSeveral(ids, protocol.SetAttributes{Mark: &protocol.Mark{Bits: bits, On: on}}, done)
}

// SetConversationData gives conversations a text of the application.
func (m *Messages) SetConversationData(ids []string, text string, done event.Done) {
	if len(text) > model.MaxConvCustom {
		done(tim.ErrInvalidParameters, "custom data has at most 256 bytes", "")
		return
	}
	m.setSeveral(ids, protocol.SetAttributes{Custom: &text}, done)
}

func (m *Messages) setSeveral(ids []string, set protocol.SetAttributes, done event.Done) {
	n := conversations(ids)
	if bad := n.count(tim.ErrSVRConvConvMarkReqCountExceedLimit); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	m.setAttributes(n, set, done)
}

func (m *Messages) setAttributes(n *several, set protocol.SetAttributes, done event.Done) {
	set.Convs = n.targets()
	m.askSeveral(n, protocol.OpSetAttributes, set, done, func(accepted []protocol.Target) protocol.Entry {
		set.Convs = accepted
		return protocol.Entry{Kind: entryOwnAttributes, Data: protocol.Marshal(set)}
	})
}

// askSeveral puts a request about conversations to the server, applies what it accepted as the entry that tells of it, and
// answers what became of each.
func (m *Messages) askSeveral(n *several, op string, body any, done event.Done, entry func(accepted []protocol.Target) protocol.Entry) {
	var a protocol.ConvsSet
	if bad := m.ask(op, m.newKey(), body, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	accepted := n.answered(a.Codes)
	m.change(done, func(tx *store.Tx) (string, error) {
		return n.results(), m.pos.Stands(tx, a.Pos, entry(accepted))
	})
}

// Attributes implements sync.Applier.
func (m *Messages) Attributes(tx *store.Tx, all *protocol.AllAttributes) error {
	m.arrivals(tx)
	return m.book.Replace(tx, all)
}

// attributed applies attributes that another device of this user has set.
func (m *Messages) attributed(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.AttributesChange
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	for _, a := range d.Convs {
		e, err := m.open(tx, a.Target)
		if err != nil {
			return err
		}
		e.Attach(tx, a)
	}
	return nil
}

// ownAttributed applies what this device has set.
func (m *Messages) ownAttributed(tx *store.Tx, entry *protocol.Entry) error {
	var set protocol.SetAttributes
	if err := json.Unmarshal(entry.Data, &set); err != nil {
		return err
	}
	for _, t := range set.Convs {
		e, err := m.open(tx, t)
		if err != nil {
			return err
		}
		e.Attach(tx, attributes(&e.Conversation, &set))
	}
	return nil
}

// attributes is what a conversation has when something of it was set.
func attributes(c *conversation.Conversation, set *protocol.SetAttributes) protocol.Attributes {
	a := protocol.Attributes{Pinned: c.Pinned, Marks: c.Marks, Custom: c.Custom}
	switch {
	case set.Pin != nil:
		a.Pinned = *set.Pin
	case set.Custom != nil:
		a.Custom = *set.Custom
	case set.Mark != nil && set.Mark.On:
		a.Marks |= set.Mark.Bits
	case set.Mark != nil:
		a.Marks &^= set.Mark.Bits
	}
	return a
}

// open opens a conversation that the server names.
func (m *Messages) open(tx *store.Tx, t protocol.Target) (*conversation.Entry, error) {
	typ, peer := conversation.Of(t)
	return m.book.Open(tx, typ, peer)
}
