package message

import (
	"sync"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/model/tim"
	"timbre/protocol"
)

// maxWhispers is how many messages that are not kept are remembered: those of some seconds, in which a device whose
// connection broke is back.
const maxWhispers = 512

// whisper is what such a message is known by.
type whisper struct {
	typ              int
	peer, sender, id string
}

// whispers is the last of them. The zero value has none.
type whispers struct {
	mu    sync.Mutex
	known map[whisper]bool
	order []whisper
	at    int // where the oldest one stands in order when that is full
}

// add returns false for a message that is there already.
func (all *whispers) add(w whisper) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	switch {
	case all.known[w]:
		return false
	case all.known == nil:
		all.known = map[whisper]bool{}
	}
	all.known[w] = true
	if len(all.order) < maxWhispers {
		all.order = append(all.order, w)
		return true
	}
	delete(all.known, all.order[all.at])
	all.order[all.at] = w
	all.at = (all.at + 1) % maxWhispers
	return true
}

// Whisper shows the host a message that the server passes on and keeps not. A sender whose connection breaks before the
// answer sends it again, and the server, which remembers nothing of it, passes it on again: the host hears it once.
func (m *Messages) Whisper(body []byte) {
	msg, ok := protocol.ParseMessage(body)
	if !ok {
		return
	}
	typ, peer := m.whose(&msg)
	if id := gjson.GetBytes(msg.Content, protocol.ContentID).String(); id != "" && !m.whispers.add(whisper{typ, peer, msg.From, id}) {
		return
	}
	c, err := m.findConversation(typ, peer)
	if c == nil || err != nil {
		c = &conversation.Conversation{Type: typ, Peer: peer, GroupType: conversation.NoGroup}
	}
	text := "[" + received(c.ID, &msg).json(c, m.self.User) + "]"
	m.sink.Emit(event.Event{Setter: tim.OpTIMAddRecvNewMsgCallback, Args: []event.Arg{event.Text(text)}})
}
