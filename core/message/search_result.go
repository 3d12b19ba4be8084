package message

import (
	"strconv"
	"strings"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/model/tim"
	"timbre/protocol"
)

func (m *Messages) searchResult(list []found, total int, cursor string) string {
	items := make([]string, len(list))
	for i, f := range list {
		texts := make([]string, len(f.rows))
		for j, r := range f.rows {
			texts[j] = r.json(f.conv, m.self.User)
		}
		w := writer{b: []byte{'{'}}
		w.text(tim.KeyMsgSearchResultItemConvId, f.conv.Peer)
		w.num(tim.KeyMsgSearchResultItemConvType, int64(f.conv.Type))
		w.raw(tim.KeyMsgSearchResultItemMessageArray, array(texts))
		w.num(tim.KeyMsgSearchResultItemTotalMessageCount, int64(f.total))
		items[i] = string(append(w.b, '}'))
	}
	w := writer{b: []byte{'{'}}
	w.raw(tim.KeyMsgSearchResultItemArray, array(items))
	w.text(tim.KeyMsgSearchResultSearchCursor, cursor)
	w.num(tim.KeyMsgSearchResultTotalCount, int64(total))
	return string(append(w.b, '}'))
}

// SearchCloud answers messages that the server has.
func (m *Messages) SearchCloud(s Search, done event.Done) {
	s.begin(m.self.Now())
	s.goOn()
	ask := protocol.Search{Keywords: s.Keywords, And: s.And, Senders: s.Senders, From: s.From, To: s.To, Cursor: s.Cursor, Count: s.Count}
	if s.Peer != "" {
		ask.Target = target(s.Type, s.Peer)
	}
	for _, t := range s.Types {
		ask.Types = append(ask.Types, int(t))
	}
	var a protocol.Found
	if bad := m.ask(protocol.OpSearch, "", ask, &a); bad != nil {
		done(bad.Code, bad.Text, emptyResult)
		return
	}
	list := make([]found, 0, len(a.Convs))
	for _, c := range a.Convs {
		typ, peer := tim.ConvC2C, c.Peer
		if c.Group != "" {
			typ, peer = tim.ConvGroup, c.Group
		}
		conv, err := m.findConversation(typ, peer)
		if err != nil {
			m.failing(done, emptyResult)(err)
			return
		}
		if conv == nil {
			conv = &conversation.Conversation{Type: typ, Peer: peer, GroupType: conversation.NoGroup}
		}
		f := found{conv: conv, total: c.Total}
		for _, raw := range c.Msgs {
			if msg, ok := protocol.ParseMessage(raw); ok {
				f.rows = append(f.rows, received(conv.ID, &msg))
			}
		}
		list = append(list, f)
	}
	done(0, "", m.searchResult(list, a.Total, s.cursor(a.Cursor)))
}

// cursor is the server's cursor as the host gets it. The server goes on with the same question only, so one from now on
// backwards carries with it what it meant on the first page.
func (s *Search) cursor(next string) string {
	if next == "" || s.Within == 0 {
		return next
	}
	return strconv.FormatInt(s.From, 10) + cursorMark + next
}

// goOn takes the begin of such a question from its cursor. What is no cursor is the server's to refuse.
func (s *Search) goOn() {
	begin, next, marked := strings.Cut(s.Cursor, cursorMark)
	from, err := strconv.ParseInt(begin, 10, 64)
	if s.Within > 0 && marked && err == nil {
		s.From, s.Cursor = from, next
	}
}

const cursorMark = "/"
