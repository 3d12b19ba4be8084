package message

import (
	"cmp"

	"timbre/core/conversation"
	"timbre/model/tim"
	"timbre/sqlite"
)

// ConversationJSON returns the public JSON of a conversation as self sees it.
func ConversationJSON(q sqlite.Queryer, c *conversation.Conversation, self string) string {
	w := writer{b: make([]byte, 1, 2600)}
	w.b[0] = '{'
	var last *Row
	if c.LastMsg != 0 {
		last, _ = byID(q, c.LastMsg) // without the message the conversation is still worth showing
	}
	w.num(tim.KeyConvActiveTime, c.Active)
	w.raw(tim.KeyConvConversationGroupArray, "[]")
	w.num(tim.KeyConvC2CReadTimestamp, c.ReadTime)
	w.text(tim.KeyConvCustomData, "")
	w.text(tim.KeyConvFaceUrl, c.Face)
	w.raw(tim.KeyConvGroupAtInfoArray, mentions(c))
	readSeq := uint64(0)
	if c.Type == tim.ConvGroup {
		readSeq = c.ReadSeq
	}
	w.uint(tim.KeyConvGroupReadSequence, readSeq)
	if c.GroupType != conversation.NoGroup {
		w.num(tim.KeyConvGroupType, int64(c.GroupType))
	}
	w.text(tim.KeyConvId, c.Peer)
	w.flag(tim.KeyConvIsHasDraft, false)
	w.flag(tim.KeyConvIsHasLastMsg, last != nil)
	w.flag(tim.KeyConvIsPinned, false)
	if last != nil {
		w.raw(tim.KeyConvLastMsg, last.json(c, self))
	}
	w.raw(tim.KeyConvMarkArray, "[]")
	w.num(tim.KeyConvRecvOpt, int64(c.Option))
	w.text(tim.KeyConvShowName, cmp.Or(c.Name, c.Peer))
	w.num(tim.KeyConvType, int64(c.Type))
	w.uint(tim.KeyConvUnReadNum, c.Unread())
	return string(append(w.b, '}'))
}

// mentions is the unread messages that speak to the user.
func mentions(c *conversation.Conversation) string {
	var all []string
	for _, m := range c.Mentions() {
		w := writer{b: []byte{'{'}}
		w.num(tim.KeyGroupAtInfoAtType, int64(m.Type))
		w.uint(tim.KeyGroupAtInfoSeq, m.Seq)
		all = append(all, string(append(w.b, '}')))
	}
	return array(all)
}
