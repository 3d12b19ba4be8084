package message

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/model/tim"
	"timbre/protocol"
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
	KeyNoOffline, KeyTargetName,
}

// Keys of a message beyond the vendor's interface.
const (
	KeyServerTimeMs = "ext_message_server_time_ms" // when the server took it, milliseconds; only output
	KeyGroupType    = "ext_message_group_type"     // TIMGroupType of its group; only output
	KeyNoOffline    = "ext_message_no_offline"     // no notification for those who are offline
	KeyTargetName   = "ext_message_target_name"    // how the sender shows its receiver
)

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
	return r.pinned(c, self, pinner{})
}

// pinned is json for a message that somebody pinned.
func (r *Row) pinned(c *conversation.Conversation, self string, by pinner) string {
	w := writer{b: make([]byte, 1, 1700+len(r.Elements)+len(r.Extra))}
	w.b[0] = '{'
	fromSelf := r.Sender == self
	w.num(tim.KeyMsgClientTime, r.ClientTime)
	w.text(tim.KeyMsgConvId, c.Peer)
	w.num(tim.KeyMsgConvType, int64(c.Type))
	w.uint(tim.KeyMsgCustomInt, uint64(r.LocalInt))
	w.text(tim.KeyMsgCustomStr, r.LocalStr)
	w.raw(tim.KeyMsgElemArray, r.Elements)
	w.uint(tim.KeyMsgGroupReceiptReadCount, r.Readers)
	w.num(tim.KeyMsgGroupReceiptUnreadCount, r.Unread)
	w.flag(tim.KeyMsgHasRiskContent, false)
	w.flag(tim.KeyMsgHasSentReceipt, r.Flags&flagConfirmed != 0)
	w.flag(tim.KeyMsgIsBroadcastMessage, r.Extra != "" && gjson.Get(r.Extra, tim.KeyMsgIsBroadcastMessage).Bool())
	w.flag(tim.KeyMsgIsFormSelf, fromSelf)
	w.flag(tim.KeyMsgIsPeerRead, !fromSelf || r.Seq > 0 && r.Seq <= c.SeenSeq)
	w.flag(tim.KeyMsgIsRead, fromSelf || r.Seq == 0 && r.Flags&flagUnread == 0 || r.Seq > 0 && r.Seq <= c.ReadSeq)
	w.text(tim.KeyMsgMsgId, r.MsgID)
	w.num(tim.KeyMsgPlatform, int64(r.Platform))
	w.uint(tim.KeyMsgRand, uint64(r.Rand))
	w.flag(tim.KeyMsgReceiptPeerRead, r.Flags&flagPeerRead != 0)
	w.num(tim.KeyMsgRiskTypeIdentified, 0)
	w.text(tim.KeyMsgSender, r.Sender)
	if c.Type == tim.ConvGroup {
		w.raw(tim.KeyMsgSenderGroupMemberInfo, r.memberInfo(c))
	}
	w.raw(tim.KeyMsgSenderProfile, profile(r.Sender))
	w.uint(tim.KeyMsgSeq, r.publicSeq())
	w.num(tim.KeyMsgServerTime, r.ServerTime/1000)
	w.num(tim.KeyMsgStatus, int64(r.Status))
	w.uint(tim.KeyMsgUniqueId, r.uniqueID())
	w.uint(tim.KeyMsgVersion, r.Version)
	by.write(&w)
	r.revoker(&w)
	if r.Seq > 0 {
		w.num(KeyServerTimeMs, r.ServerTime)
	}
	if c.GroupType != conversation.NoGroup {
		w.num(KeyGroupType, int64(c.GroupType))
	}
	r.extras(&w)
	return string(append(w.b, '}'))
}

// pinner is who pinned a message, as a list of pinned messages shows it.
type pinner struct{ user, nick, face string }

func (p pinner) write(w *writer) {
	w.text(tim.KeyMsgPinnerFaceURL, p.face)
	w.raw(tim.KeyMsgPinnerFriendRemark, `""`)
	w.raw(tim.KeyMsgPinnerNameCard, `""`)
	w.text(tim.KeyMsgPinnerNickName, p.nick)
	w.text(tim.KeyMsgPinnerUserId, p.user)
}

// revocation is who took the message back; nobody when it stands.
func (r *Row) revocation() (v protocol.Revocation) {
	if r.Revoked != "" {
		_ = json.Unmarshal([]byte(r.Revoked), &v) // it was written here
	}
	return v
}

func (r *Row) revoker(w *writer) {
	v := r.revocation()
	w.text(tim.KeyMsgRevokeReason, v.Reason)
	w.text(tim.KeyMsgRevokerFaceUrl, v.Face)
	w.text(tim.KeyMsgRevokerNickName, v.Nick)
	w.text(tim.KeyMsgRevokerUserId, v.User)
}

// memberInfo is the sender as a member of the group. Of imported messages nothing is known of that.
func (r *Row) memberInfo(c *conversation.Conversation) string {
	group, sender := c.Peer, r.Sender
	if r.Status == tim.MsgLocalImported {
		group, sender = "", ""
	}
	w := writer{b: []byte{'{'}}
	w.raw(tim.KeyGroupMemberInfoCustomInfo, "[]")
	w.raw(tim.KeyGroupMemberInfoFaceUrl, `""`)
	w.raw(tim.KeyGroupMemberInfoFriendRemark, `""`)
	for _, older := range tim.OlderKeys(tim.KeyGroupMemberInfoFriendRemark) {
		w.raw(older, `""`)
	}
	w.text(tim.KeyGroupMemberInfoGroupId, group)
	w.text(tim.KeyGroupMemberInfoIdentifier, sender)
	w.flag(tim.KeyGroupMemberInfoIsOnline, false)
	w.num(tim.KeyGroupMemberInfoJoinTime, 0)
	w.num(tim.KeyGroupMemberInfoMemberRole, 0)
	w.num(tim.KeyGroupMemberInfoMsgFlag, 0)
	w.num(tim.KeyGroupMemberInfoMsgSeq, 0)
	w.text(tim.KeyGroupMemberInfoNameCard, r.Card)
	w.raw(tim.KeyGroupMemberInfoNickName, `""`)
	w.raw(tim.KeyGroupMemberInfoOnlineDevices, "[]")
	w.num(tim.KeyGroupMemberInfoShutupTime, 0)
	return string(append(w.b, '}'))
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

// array joins JSON values.
func array(values []string) string {
	n := 2
	for _, v := range values {
		n += len(v) + 1
	}
	var l jsonList
	l.b.Grow(n)
	for _, v := range values {
		l.add(v)
	}
	return l.String()
}

// jsonList is a JSON array that grows by values which are JSON already.
type jsonList struct{ b strings.Builder }

func (l *jsonList) add(value string) {
	if l.b.Len() == 0 {
		l.b.WriteByte('[')
	} else {
		l.b.WriteByte(',')
	}
	l.b.WriteString(value)
}

// String ends the array.
func (l *jsonList) String() string {
	if l.b.Len() == 0 {
		return "[]"
	}
	l.b.WriteByte(']')
	return l.b.String()
}
