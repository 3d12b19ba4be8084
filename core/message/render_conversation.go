package message

import (
	"cmp"
	"strconv"

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
	readTime, readSeq := c.ReadTime, uint64(0)
	if c.Type == tim.ConvGroup {
		readTime, readSeq = 0, c.ReadSeq
	}
	w.num(tim.KeyConvActiveTime, c.Order())
	w.raw(tim.KeyConvConversationGroupArray, cmp.Or(c.Groups, "[]"))
	w.num(tim.KeyConvC2CReadTimestamp, readTime)
	w.text(tim.KeyConvCustomData, c.Custom)
	if c.Draft != "" {
		w.raw(tim.KeyConvDraft, c.Draft)
	}
	w.text(tim.KeyConvFaceUrl, c.Face)
	w.raw(tim.KeyConvGroupAtInfoArray, mentions(c))
	w.uint(tim.KeyConvGroupReadSequence, readSeq)
	if c.GroupType != conversation.NoGroup {
		w.num(tim.KeyConvGroupType, int64(c.GroupType))
	}
	w.text(tim.KeyConvId, c.Peer)
	w.flag(tim.KeyConvIsHasDraft, c.Draft != "")
	w.flag(tim.KeyConvIsHasLastMsg, last != nil)
	w.flag(tim.KeyConvIsPinned, c.Pinned)
	if last != nil {
		w.raw(tim.KeyConvLastMsg, last.json(c, self))
	}
	w.raw(tim.KeyConvMarkArray, marks(c.Marks))
	if c.Owner != "" {
		w.text(tim.KeyConvOwner, c.Owner)
	}
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

// marks is the marks one by one, in ascending order.
func marks(set uint64) string {
	b := []byte{'['}
	for ; set != 0; set &= set - 1 {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, set&-set, 10)
	}
	return string(append(b, ']'))
}
