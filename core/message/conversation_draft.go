package message

import (
	"errors"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
)

// ConversationDraft is an unsent message that a conversation keeps on this device. "" is none.
type ConversationDraft string

// ParseDraft reads the caller's Draft. One without a message and without text of the application is none.
func ParseDraft(text string) (ConversationDraft, error) {
	v := gjson.Parse(text)
	msg, own, at := v.Get(tim.KeyDraftMsg), v.Get(tim.KeyDraftUserDefine), v.Get(tim.KeyDraftEditTime)
	switch {
	case msg.Exists() && !msg.IsObject(), own.Exists() && own.Type != gjson.String, at.Exists() && at.Type != gjson.Number:
		return "", errors.New("a draft has a message, a text and a time")
	case len(msg.Map()) == 0 && own.Str == "":
		return "", nil
	}
	w := writer{b: []byte{'{'}}
	w.uint(tim.KeyDraftEditTime, at.Uint())
	if msg.Exists() {
		w.raw(tim.KeyDraftMsg, msg.Raw)
	}
	w.text(tim.KeyDraftUserDefine, own.Str)
	return ConversationDraft(append(w.b, '}')), nil
}

// SetDraft keeps a draft, which raises the conversation, or with none lets go of it.
func (m *Messages) SetDraft(typ int, peer string, d ConversationDraft) {
	m.submit("a draft", func(tx *store.Tx) error {
		if d == "" {
			known, err := conversation.Find(tx, typ, peer)
			if known == nil || err != nil {
				return err
			}
		}
		e, err := m.book.Open(tx, typ, peer)
		if err != nil || d == "" && e.Draft == "" {
			return err
		}
		e.Draft = string(d)
		if d == "" {
			e.Touch(tx, false)
			return nil
		}
		err = m.appear(tx, e)
		e.Touch(tx, true)
		return err
	})
}
