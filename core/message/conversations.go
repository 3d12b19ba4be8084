package message

import (
	"context"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/sqlite"
)

// Conversations answers the list, newest first.
func (m *Messages) Conversations(done event.Done) {
	m.infos(done, func(q sqlite.Queryer) ([]*conversation.Conversation, error) { return conversation.List(q) })
}

// ConversationInfo answers the named conversations; unknown ones are left out.
func (m *Messages) ConversationInfo(wanted []Target, done event.Done) {
	m.infos(done, func(q sqlite.Queryer) ([]*conversation.Conversation, error) {
		var found []*conversation.Conversation
		for _, w := range wanted {
			c, err := conversation.Find(q, w.Type, w.Peer)
			if err != nil {
				return nil, err
			}
			if c != nil && shown(c) {
				found = append(found, c)
			}
		}
		return found, nil
	})
}

func (m *Messages) infos(done event.Done, query func(sqlite.Queryer) ([]*conversation.Conversation, error)) {
	var out jsonList // the whole list may have tens of megabytes
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) error {
		found, err := query(q)
		for i, c := range found {
			out.add(m.book.Info(q, c))
			if i == 100 { // now it is known about how long they are: growing by steps would hold everything twice
				out.b.Grow(out.b.Len() / 100 * (len(found) - 100) * 11 / 10)
			}
		}
		return err
	})
	if err != nil {
		m.failing(done, "[]")(err)
		return
	}
	done(0, "", out.String())
}

// CreateConversation puts a conversation into the list, if it is not there, and answers it. A live room comes into no list.
func (m *Messages) CreateConversation(typ int, peer string, done event.Done) {
	if groupType, live := m.liveRoom(typ, peer); live {
		m.showRoom(&conversation.Conversation{Type: typ, Peer: peer, GroupType: groupType}, done)
		return
	}
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			m.arrivals(tx)
			e, err := m.book.Open(tx, typ, peer)
			if err != nil {
				return err
			}
			if err := m.appear(tx, e); err != nil {
				return err
			}
			text := m.book.Info(tx, &e.Conversation)
			tx.After(func() { done(0, "", text) })
			return nil
		},
		Failed: m.failing(done, ""),
	})
}

// showRoom answers a live room as the conversation that it would be.
func (m *Messages) showRoom(room *conversation.Conversation, done event.Done) {
	var text string
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) error {
		text = m.book.Info(q, room)
		return nil
	})
	if err != nil {
		m.failing(done, "")(err)
		return
	}
	done(0, "", text)
}

// shown says whether the host can ask for a conversation: it stands in the list, or it is that of a topic that exists.
func shown(c *conversation.Conversation) bool {
	return c.Visible || c.Topic() && c.GroupType != conversation.NoGroup
}

// appear puts a conversation on top of the list, if it could be there and is not, with what is here of its history.
func (m *Messages) appear(tx *store.Tx, e *conversation.Entry) error {
	if !e.Away() {
		return nil
	}
	e.Touch(tx, true)
	return m.relast(tx, e)
}

// TotalUnread answers the total, and from now on the host hears when it changes.
func (m *Messages) TotalUnread(done event.Done) {
	m.book.ArmTotal()
	var total uint64
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		total, err = conversation.Total(q)
		return err
	})
	if err != nil {
		m.failing(done, "")(err)
		return
	}
	done(0, "", unreadCount(total))
	m.book.Told(total)
}
