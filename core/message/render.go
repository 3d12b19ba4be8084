package message

import (
	"strconv"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/model/tim"
	"timbre/sqlite"
)

// writer appends the members of one JSON object.
type writer struct{ b []byte }

func (w *writer) key(k string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, k...)
	w.b = append(w.b, '"', ':')
}

func (w *writer) text(k, v string) {
	w.key(k)
	w.b = gjson.AppendJSONString(w.b, v)
}

func (w *writer) num(k string, v int64) {
	w.key(k)
	w.b = strconv.AppendInt(w.b, v, 10)
}

func (w *writer) uint(k string, v uint64) {
	w.key(k)
	w.b = strconv.AppendUint(w.b, v, 10)
}

func (w *writer) flag(k string, v bool) {
	w.key(k)
	w.b = strconv.AppendBool(w.b, v)
}

func (w *writer) raw(k, v string) {
	w.key(k)
	w.b = append(w.b, v...)
}

// extraKeys are the keys of a message that travel and are stored only when they are not at their default. The first
// group is always shown, with this default; the second only when set.
var extraDefaults = []struct{ key, value string }{
	{tim.KeyMsgCloudCustomStr, `""`},
	{tim.KeyMsgCustomModerationConfigurationID, `""`},
	{tim.KeyMsgExcludedFromContentModeration, "false"},
	{tim.KeyMsgExcludedFromLastMessage, "false"},
	{tim.KeyMsgIsExcludedFromUnreadCount, "false"},
	{tim.KeyMsgIsOnlineMsg, "false"},
	{tim.KeyMsgNeedReadReceipt, "false"},
	{tim.KeyMsgPriority, "1"},
	{tim.KeyMsgSupportMessageExtension, "false"},
}

var extraOptional = []string{
	tim.KeyMsgGroupAtUserArray, tim.KeyMsgIsForwardMessage, tim.KeyMsgOfflinePushConfig, tim.KeyMsgTargetGroupMemberArray,
}

// uniqueID is what the interface calls the message's unique id.
func (r *Row) uniqueID() uint64 {
	t := r.ServerTime / 1000
	if t == 0 {
		t = r.ClientTime
	}
	return uint64(t)<<32 + uint64(r.Rand)
}

// json returns the public JSON of the message, which lies in c.
func (r *Row) json(c *conversation.Conversation, self string) string {
	w := writer{b: make([]byte, 1, 1700+len(r.Elements)+len(r.Extra))}
	w.b[0] = '{'
	fromSelf := r.Sender == self
	w.num(tim.KeyMsgClientTime, r.ClientTime)
	w.text(tim.KeyMsgConvId, c.Peer)
	w.num(tim.KeyMsgConvType, int64(c.Type))
	w.uint(tim.KeyMsgCustomInt, uint64(r.LocalInt))
	w.text(tim.KeyMsgCustomStr, r.LocalStr)
	w.raw(tim.KeyMsgElemArray, r.Elements)
	w.num(tim.KeyMsgGroupReceiptReadCount, 0)
	w.num(tim.KeyMsgGroupReceiptUnreadCount, -1)
	w.flag(tim.KeyMsgHasRiskContent, false)
	w.flag(tim.KeyMsgHasSentReceipt, false)
	w.flag(tim.KeyMsgIsBroadcastMessage, false)
	w.flag(tim.KeyMsgIsFormSelf, fromSelf)
	w.flag(tim.KeyMsgIsPeerRead, !fromSelf || r.Seq > 0 && r.Seq <= c.SeenSeq)
	w.flag(tim.KeyMsgIsRead, fromSelf || r.Seq == 0 && r.Flags&flagUnread == 0 || r.Seq > 0 && r.Seq <= c.ReadSeq)
	w.text(tim.KeyMsgMsgId, r.MsgID)
	w.num(tim.KeyMsgPlatform, int64(r.Platform))
	w.uint(tim.KeyMsgRand, uint64(r.Rand))
	w.flag(tim.KeyMsgReceiptPeerRead, false)
	w.num(tim.KeyMsgRiskTypeIdentified, 0)
	w.text(tim.KeyMsgSender, r.Sender)
	w.raw(tim.KeyMsgSenderProfile, profile(r.Sender))
	w.uint(tim.KeyMsgSeq, r.publicSeq())
	w.num(tim.KeyMsgServerTime, r.ServerTime/1000)
	w.num(tim.KeyMsgStatus, int64(r.Status))
	w.uint(tim.KeyMsgUniqueId, r.uniqueID())
	w.num(tim.KeyMsgVersion, 0)
	for _, k := range emptyTexts {
		w.raw(k, `""`)
	}
	r.extras(&w)
	return string(append(w.b, '}'))
}

var emptyTexts = []string{
	tim.KeyMsgPinnerFaceURL, tim.KeyMsgPinnerFriendRemark, tim.KeyMsgPinnerNameCard, tim.KeyMsgPinnerNickName,
	tim.KeyMsgPinnerUserId, tim.KeyMsgRevokeReason, tim.KeyMsgRevokerFaceUrl, tim.KeyMsgRevokerNickName, tim.KeyMsgRevokerUserId,
}

// publicSeq is the server's number, or for a message without one its own row's: some hosts expect it to differ from 0.
func (r *Row) publicSeq() uint64 {
	if r.Seq == 0 {
		return uint64(r.ID)
	}
	return r.Seq
}

func (r *Row) extras(w *writer) {
	extra := gjson.Parse(r.Extra)
	for _, d := range extraDefaults {
		v := d.value
		if r.Extra != "" {
			if set := extra.Get(d.key); set.Exists() {
				v = set.Raw
			}
		}
		w.raw(d.key, v)
	}
	if r.Extra == "" {
		return
	}
	for _, k := range extraOptional {
		set := extra.Get(k)
		if !set.Exists() {
			continue
		}
		w.raw(k, set.Raw)
		for _, older := range tim.OlderKeys(k) {
			w.raw(older, set.Raw)
		}
	}
}

// profile is the sender as a message shows it.
func profile(user string) string {
	w := writer{b: []byte{'{'}}
	w.text(tim.KeyUserProfileFaceUrl, "")
	w.text(tim.KeyUserProfileFriendRemark, "")
	w.text(tim.KeyUserProfileIdentifier, user)
	w.text(tim.KeyUserProfileNickName, "")
	return string(append(w.b, '}'))
}

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
	w.text(tim.KeyConvFaceUrl, "")
	w.raw(tim.KeyConvGroupAtInfoArray, "[]")
	w.num(tim.KeyConvGroupReadSequence, 0)
	w.text(tim.KeyConvId, c.Peer)
	w.flag(tim.KeyConvIsHasDraft, false)
	w.flag(tim.KeyConvIsHasLastMsg, last != nil)
	w.flag(tim.KeyConvIsPinned, false)
	if last != nil {
		w.raw(tim.KeyConvLastMsg, last.json(c, self))
	}
	w.raw(tim.KeyConvMarkArray, "[]")
	w.num(tim.KeyConvRecvOpt, 0)
	w.text(tim.KeyConvShowName, c.Peer)
	w.num(tim.KeyConvType, int64(c.Type))
	w.uint(tim.KeyConvUnReadNum, c.Unread())
	return string(append(w.b, '}'))
}

// array joins JSON values.
func array(values []string) string {
	n := 2
	for _, v := range values {
		n += len(v) + 1
	}
	b := append(make([]byte, 0, n), '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, v...)
	}
	return string(append(b, ']'))
}
