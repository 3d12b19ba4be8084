package conversation

import (
	"encoding/json"
	"slices"

	"timbre/protocol"
)

// Mentions returns the unread messages that speak to the user, oldest first.
func (c *Conversation) Mentions() (list []protocol.Mention) {
	if c.At != "" {
		_ = json.Unmarshal([]byte(c.At), &list) // it was written here
	}
	return list
}

// Mention adds a message that speaks to the user, unless he has read it.
func (c *Conversation) Mention(m protocol.Mention) {
	if m.Seq <= c.ReadSeq {
		return
	}
	list := c.Mentions()
	if !slices.ContainsFunc(list, func(x protocol.Mention) bool { return x.Seq == m.Seq }) {
		c.setMentions(append(list, m))
	}
}

// forgetMentions drops those that have been read.
func (c *Conversation) forgetMentions() {
	if c.At == "" {
		return
	}
	c.setMentions(slices.DeleteFunc(c.Mentions(), func(m protocol.Mention) bool { return m.Seq <= c.ReadSeq }))
}

func (c *Conversation) setMentions(list []protocol.Mention) {
	if c.At = ""; len(list) > 0 {
		c.At = string(protocol.Marshal(list))
	}
}
