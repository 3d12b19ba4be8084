package face

import (
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/message"
	"timbre/core/transport"
	"timbre/model/tim"
)

// Keys of answers beyond the interface, which names none for several revokers and none for found messages.
const (
	KeyRevokers       = "ext_response_message_revoker_array"
	KeyMergerMessages = "ext_response_find_merger_messages"
)

// account is the account that an operation works on.
func (c *call) account() (*client.Account, *transport.Error) {
	if c.client == nil {
		return nil, &transport.Error{Code: tim.ErrSDKNotInitialized, Text: "not initialized"}
	}
	if a := c.client.Account(); a != nil {
		return a, nil
	}
	return nil, &transport.Error{Code: tim.ErrSDKNotLoggedIn, Text: "not logged in"}
}

// messageRevokers answers who took messages back; those that stand are left out.
func messageRevokers(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	a, bad := c.account()
	if bad != nil {
		return nil, bad
	}
	found, err := a.Messages.Revokers(texts(r.Get(tim.KeyRequestMessageRevokerMessageIdArray)))
	if err != nil {
		return nil, &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: err.Error()}
	}
	list := make([]map[string]any, len(found))
	for i, x := range found {
		list[i] = map[string]any{tim.KeyResponseMessageId: x.ID, tim.KeyResponseMessageRevoker: x.User}
	}
	answer := map[string]any{KeyRevokers: list}
	if len(found) > 0 { // the interface has a place for one
		answer[tim.KeyResponseMessageId], answer[tim.KeyResponseMessageRevoker] = found[0].ID, found[0].User
	}
	return answer, nil
}

// clearLocal deletes what is here of a time span.
func clearLocal(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	a, bad := c.account()
	if bad != nil {
		return nil, bad
	}
	var t message.Target
	switch id := r.Get(tim.KeyRequestClearLocalHistoryMessageConversationIDParam).String(); {
	case id == "":
	case id == "c2c":
		t.Type = tim.ConvC2C
	case id == "group":
		t.Type = tim.ConvGroup
	case strings.HasPrefix(id, "c2c_"):
		t = message.Target{Type: tim.ConvC2C, Peer: strings.TrimPrefix(id, "c2c_")}
	case strings.HasPrefix(id, "group_"):
		t = message.Target{Type: tim.ConvGroup, Peer: strings.TrimPrefix(id, "group_")}
	default:
		return nil, invalid("not a conversation id")
	}
	err := a.Messages.ClearLocal(t, r.Get(tim.KeyRequestClearLocalHistoryMessageBeginTimestampParam).Int(),
		r.Get(tim.KeyRequestClearLocalHistoryMessageEndTimestampParam).Int())
	if err != nil {
		return nil, &transport.Error{Code: tim.ErrSDKCommDatabaseFailure, Text: err.Error()}
	}
	return nil, nil
}

// findMerged answers messages that a merger message holds, at any depth.
func findMerged(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	a, bad := c.account()
	if bad != nil {
		return nil, bad
	}
	found, bad := a.Messages.FindMerged(r.Get(tim.KeyRequestFindMergerMessagesMessageIDParam).String(),
		texts(r.Get(tim.KeyRequestFindMergerMessagesMergerMessageIDListParam)))
	if bad != nil {
		return nil, bad
	}
	list := make([]json.RawMessage, len(found))
	for i, text := range found {
		list[i] = json.RawMessage(text)
	}
	return map[string]any{KeyMergerMessages: list}, nil
}

// encryptDatabase sets the key of the databases that are opened from now on. All kinds of encryption are AES here, which
// is no weaker than any of them.
func encryptDatabase(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	p := r.Get(tim.KeyRequestSetDatabaseEncryptInfoParam)
	kind := p.Get(tim.KeyDatabaseEncryptInfoEncryptType).Int()
	var key []byte
	if kind != 0 {
		var err error
		if key, err = hex.DecodeString(p.Get(tim.KeyDatabaseEncryptInfoEncryptKey).String()); err != nil || len(key) != 16 {
			return nil, invalid("a key of 32 hexadecimal digits is needed")
		}
	}
	if kind < 0 || kind > 4 {
		return nil, invalid("an encryption type from 0 to 4 is needed")
	}
	if c.client != nil && c.client.Account() != nil {
		return nil, invalid("a database is open: set its key before TIMLogin")
	}
	c.face.settings.Change(func(v *client.Values) { v.Key = key })
	return nil, nil
}
