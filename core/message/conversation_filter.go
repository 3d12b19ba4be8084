package message

import (
	"context"
	"strconv"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// FilterConversations answers one page of the list: count conversations below the place next, 0 being the top.
func (m *Messages) FilterConversations(f conversation.Filter, next uint64, count int, done event.Done) {
	var page []string
	var last bool
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) error {
		found, end, err := conversation.Page(q, f, next, count)
		for _, c := range found {
			page = append(page, m.book.Info(q, c))
			next = uint64(c.Order())
		}
		last = end
		return err
	})
	if err != nil {
		m.failing(done, "")(err)
		return
	}
	w := writer{b: []byte{'{'}}
	w.raw(tim.KeyConversationListResultConvList, array(page))
	w.flag(tim.KeyConversationListResultIsFinished, last)
	w.uint(tim.KeyConversationListResultNextSeq, next)
	done(0, "", string(append(w.b, '}')))
}

// FilterUnread answers how many messages are unread in the conversations that fit.
func (m *Messages) FilterUnread(f conversation.Filter, done event.Done) {
	var n uint64
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		n, err = conversation.Unread(q, f)
		return err
	})
	if err != nil {
		m.failing(done, "")(err)
		return
	}
	done(0, "", unreadCount(n))
}

// unreadCount is the result of the functions that count what is unread.
func unreadCount(n uint64) string {
	return `{"` + tim.KeyConvGetTotalUnreadMessageCountResultUnreadCount + `":` + strconv.FormatUint(n, 10) + `}`
}

// WatchUnread makes the event of a filter's unread count fire from now on, or no longer.
func (m *Messages) WatchUnread(f conversation.Filter, on bool) {
	m.submit("a watch of unread counts", func(tx *store.Tx) error {
		if on {
			m.book.Watch(tx, f)
		} else {
			m.book.Unwatch(tx, f)
		}
		return nil
	})
}

// submit makes a change of a call that has no callback: only the log hears of a failure.
func (m *Messages) submit(what string, apply func(tx *store.Tx) error) {
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			m.arrivals(tx)
			return apply(tx)
		},
		Failed: func(err error) { m.log.Error("the database refused a change", "of", what, "err", err) },
	})
}
