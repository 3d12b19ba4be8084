package message

import (
	"strings"
	"sync"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// ParseConversationID reads "c2c_<user>" or "group_<group>".
func ParseConversationID(id string) (t Target, ok bool) {
	if user, is := strings.CutPrefix(id, "c2c_"); is {
		return Target{Type: tim.ConvC2C, Peer: user}, model.ValidUserID(user)
	}
	group, is := strings.CutPrefix(id, "group_")
	return Target{Type: tim.ConvGroup, Peer: group}, is && group != ""
}

// several is the conversations of one call, with what became of each.
type several struct {
	ids   []string
	codes []int
	at    []int // which ids targets are
	to    []Target
}

// conversations reads conversation ids. Those that are none get their code and go no further.
func conversations(ids []string) *several {
	n := &several{ids: ids, codes: make([]int, len(ids))}
	for i, id := range ids {
		t, ok := ParseConversationID(id)
		if !ok {
			n.codes[i] = tim.ErrInvalidParameters
			continue
		}
		n.at, n.to = append(n.at, i), append(n.to, t)
	}
	return n
}

// count refuses a call that names none that can be used, or too many.
func (n *several) count(tooMany int) *transport.Error {
	switch {
	case len(n.ids) > model.MaxConvs:
		return &transport.Error{Code: tooMany, Text: "at most 100 conversations a call"}
	case len(n.to) == 0:
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "no conversation ids"}
	}
	return nil
}

// targets is the conversations as the server names them.
func (n *several) targets() []protocol.Target {
	all := make([]protocol.Target, len(n.to))
	for i, t := range n.to {
		all[i] = target(t.Type, t.Peer)
	}
	return all
}

// answered takes over the server's codes and returns the conversations that it accepted.
func (n *several) answered(codes []int) []protocol.Target {
	var accepted []protocol.Target
	for i, t := range n.targets() {
		code := 0
		if i < len(codes) {
			code = codes[i]
		}
		n.codes[n.at[i]] = code
		if code == 0 {
			accepted = append(accepted, t)
		}
	}
	return accepted
}

// results is an array of TIMConversationOperationResult.
func (n *several) results() string {
	all := make([]string, len(n.ids))
	for i, id := range n.ids {
		w := writer{b: []byte{'{'}}
		w.text(tim.KeyConversationOperationResultConversationID, id)
		w.num(tim.KeyConversationOperationResultResultCode, int64(n.codes[i]))
		w.text(tim.KeyConversationOperationResultResultInfo, reason(n.codes[i]))
		all[i] = string(append(w.b, '}'))
	}
	return array(all)
}

// reason says in words why one conversation of several was refused.
func reason(code int) string {
	switch code {
	case 0:
		return ""
	case tim.ErrInvalidParameters:
		return "not a conversation id"
	case tim.ErrSVRConvConvMarkOperateFailed:
		return "no such user, or not a member of the group"
	case tim.ErrSVRConvConvMarkTotalCountExceedLimit:
		return "at most 1000 conversations"
	case model.CodePinnedLimit:
		return "at most 50 conversations can be pinned"
	}
	return "it could not be done"
}

// each returns what to call when the one or the other conversation is done with; done follows the last.
func (n *several) each(done event.Done) func(i int) event.Done {
	var mu sync.Mutex
	open := len(n.to)
	return func(i int) event.Done {
		return func(code int, _, _ string) {
			mu.Lock()
			n.codes[n.at[i]] = code
			open--
			last := open == 0
			mu.Unlock()
			if last {
				all := n.common()
				done(all, reason(all), n.results())
			}
		}
	}
}

// common is the code that all of them ended with: when none could be done, the call failed.
func (n *several) common() int {
	first := n.codes[n.at[0]]
	for _, i := range n.at {
		if n.codes[i] != first {
			return 0
		}
	}
	return first
}
