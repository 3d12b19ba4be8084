package message

import (
	"context"
	"errors"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// A topic's conversation is that of a group which stands in no list. Package community knows what topics there are, and says
// here what became of them.

// NewTopic follows a topic that was just made, from its beginning. The news of it says everything: its conversation has not
// changed.
func (m *Messages) NewTopic(tx *store.Tx, g *protocol.Group) error {
	m.pos.Follow(tx, g.ID, 0)
	_, err := m.describeTopic(tx, g)
	return err
}

// DescribeTopic takes over what a topic's conversation shows of it.
func (m *Messages) DescribeTopic(tx *store.Tx, g *protocol.Group) error {
	e, err := m.describeTopic(tx, g)
	if err == nil {
		e.Touch(tx, false)
	}
	return err
}

func (m *Messages) describeTopic(tx *store.Tx, g *protocol.Group) (*conversation.Entry, error) {
	m.arrivals(tx)
	e, err := m.book.Open(tx, tim.ConvGroup, g.ID)
	if err == nil {
		describe(e, g)
	}
	return e, err
}

// EnterTopic follows a topic of a community that the user came into, from where it stands.
func (m *Messages) EnterTopic(tx *store.Tx, st *protocol.GroupState) error {
	m.arrivals(tx)
	e, err := m.book.Open(tx, tim.ConvGroup, st.Group.ID)
	if err != nil {
		return err
	}
	if st.Max >= e.OwnSeq { // he may have been here before: the server counts a member's messages from his coming in
		e.OwnCount, e.OwnSeq = st.Own, st.Max
	}
	e.ClearSeq = max(e.ClearSeq, st.ClearSeq)
	if err := m.GroupState(tx, st, true); err != nil {
		return err
	}
	m.pos.Follow(tx, st.Group.ID, st.Pos)
	return nil
}

// LeaveTopic follows a topic no longer. What was said in it stays, as that of a group that the user has left.
func (m *Messages) LeaveTopic(tx *store.Tx, topic string) { m.pos.Unfollow(tx, topic) }

// DropTopic lets go of a topic that was deleted, with everything that was said in it. A message on its way is refused by the
// server. Another topic may get the id.
func (m *Messages) DropTopic(tx *store.Tx, topic string) error {
	m.arrivals(tx)
	m.pos.Unfollow(tx, topic)
	known, err := conversation.Find(tx, tim.ConvGroup, topic)
	if known == nil || err != nil {
		return err
	}
	e, err := m.book.Open(tx, tim.ConvGroup, topic)
	if err != nil {
		return err
	}
	if err := errors.Join(m.wipe(tx, e), m.forgetRanges(tx.Tx, e.ID)); err != nil {
		return err
	}
	fromTheBeginning(e)
	e.GroupType, e.Name, e.Face, e.Option = conversation.NoGroup, "", "", tim.RecvMsgOptReceive
	return nil
}

// TextDraft is a draft that is nothing but a text.
func TextDraft(text string) ConversationDraft {
	if text == "" {
		return ""
	}
	return ConversationDraft(protocol.Marshal(map[string]any{tim.KeyDraftEditTime: 0, tim.KeyDraftUserDefine: text}))
}

// DraftTopic keeps a topic's draft on this device, or lets go of it.
func (m *Messages) DraftTopic(topic string, d ConversationDraft) error {
	return m.store.Write(context.Background(), func(tx *store.Tx) error {
		m.arrivals(tx)
		e, err := m.book.Open(tx, tim.ConvGroup, topic)
		if err != nil || e.Draft == string(d) {
			return err
		}
		e.Draft = string(d)
		e.Touch(tx, false)
		return nil
	})
}

// DraftText is the text of a conversation's draft, "" without one.
func DraftText(c *conversation.Conversation) string {
	return gjson.Get(c.Draft, tim.KeyDraftUserDefine).String()
}

// LastJSON is the public JSON of a conversation's last message as self sees it, "" when there is none.
func LastJSON(q sqlite.Queryer, c *conversation.Conversation, self string) string {
	if c.LastMsg == 0 {
		return ""
	}
	last, err := byID(q, c.LastMsg)
	if last == nil || err != nil { // without the message the topic is still worth showing
		return ""
	}
	return last.json(c, self)
}

// MentionsJSON is the unread messages of a conversation that speak to the user, as the interface lists them.
func MentionsJSON(c *conversation.Conversation) string { return mentions(c) }
