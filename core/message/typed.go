package message

import (
	"strconv"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
)

// A host reads the keys of a message by the types that the interface gives them, and one whose parser meets another type may
// well end. What another user sent is no reason for that: a value of a wrong type becomes one of the right type that says the
// same, or else the key's default. It happens where a message comes in, from the caller or from the wire, so what is stored is
// right.

// kind is what a key's value is, and its default, "" when it is left out.
type kind struct {
	of  byte // one of kindText to kindObjects
	def string
}

const (
	kindText    = '"'
	kindNumber  = '0'
	kindBool    = 'f'
	kindObject  = '{'
	kindTexts   = 's' // an array of them
	kindObjects = 'o' // an array of messages or elements
)

// kinds is the kinds of the keys of messages and elements; no key has two.
var kinds = kindsOfKeys()

func kindsOfKeys() map[string]kind {
	all := map[string]kind{}
	known := func(key, def string) {
		switch of := def[0]; of {
		case '[':
			all[key] = kind{kindTexts, def}
		case kindText, kindBool:
			all[key] = kind{of, def}
		default:
			all[key] = kind{kindNumber, def}
		}
	}
	for _, keys := range elementKeys {
		for _, k := range keys {
			known(k.key, k.value)
		}
	}
	for _, k := range extraDefaults {
		known(k.key, k.value)
	}
	for of, keys := range map[byte][]string{
		kindText: {tim.KeySoundElemUrl, tim.KeyFileElemUrl, tim.KeyVideoElemVideoUrl, tim.KeyVideoElemImageUrl,
			tim.KeyMergerElemRelayJsonKey, tim.KeyMergerElemRelayPbKey, tim.KeyMergerElemRelayBuffer, keyHash, keyFormat, KeyTargetName,
			tim.KeyMsgConvId, tim.KeyMsgSender, tim.KeyMsgMsgId, tim.KeyMsgCustomStr, tim.KeyMsgRevokeReason, tim.KeyMsgRevokerUserId,
			tim.KeyMsgRevokerNickName, tim.KeyMsgRevokerFaceUrl, tim.KeyMsgPinnerUserId, tim.KeyMsgPinnerNickName,
			tim.KeyMsgPinnerFriendRemark, tim.KeyMsgPinnerNameCard, tim.KeyMsgPinnerFaceURL},
		kindNumber: {keyCRC32, keyMergerLayers, "ext_location_elem_scale", tim.KeyImageElemTaskId, tim.KeySoundElemTaskId,
			tim.KeyFileElemTaskId, tim.KeyVideoElemTaskId, tim.KeyMsgConvType, tim.KeyMsgClientTime, tim.KeyMsgServerTime,
			tim.KeyMsgCustomInt, tim.KeyMsgPlatform, tim.KeyMsgRand, tim.KeyMsgSeq, tim.KeyMsgStatus, tim.KeyMsgUniqueId,
			tim.KeyMsgVersion, tim.KeyMsgGroupReceiptReadCount, tim.KeyMsgGroupReceiptUnreadCount, tim.KeyMsgRiskTypeIdentified,
			KeyServerTimeMs, KeyGroupType},
		kindBool: {tim.KeyMsgIsForwardMessage, KeyNoOffline, tim.KeyMsgIsBroadcastMessage, tim.KeyMsgIsFormSelf, tim.KeyMsgIsRead,
			tim.KeyMsgIsPeerRead, tim.KeyMsgReceiptPeerRead, tim.KeyMsgHasSentReceipt, tim.KeyMsgHasRiskContent},
		kindObject:  {tim.KeyMsgOfflinePushConfig, tim.KeyMsgSenderProfile, tim.KeyMsgSenderGroupMemberInfo},
		kindTexts:   {tim.KeyMsgGroupAtUserArray, tim.KeyMsgTargetGroupMemberArray},
		kindObjects: {tim.KeyMsgElemArray, tim.KeyMergerElemMsgArray},
	} {
		for _, key := range keys {
			all[key] = kind{of: of}
		}
	}
	return all
}

// typed returns a message, an element or the further keys of a message with values of the right types. One that has them stays
// as it is, byte for byte. Every value is looked at once: a stranger may have nested many mergers.
func typed(object gjson.Result) string {
	var out []byte // nil while all is right
	n := 0
	object.ForEach(func(key, v gjson.Result) bool {
		value := v.Raw
		if k, known := kinds[key.Str]; known {
			value = k.cast(v)
		}
		if out == nil {
			if value == v.Raw {
				n++
				return true
			}
			out = members(object, n)
		}
		if value != "" {
			out = addMember(out, key.Raw, value)
		}
		return true
	})
	if out == nil {
		return object.Raw
	}
	return string(append(out, '}'))
}

// members begins an object with the first n members of another one.
func members(object gjson.Result, n int) []byte {
	b := append(make([]byte, 0, len(object.Raw)+16), '{')
	object.ForEach(func(key, v gjson.Result) bool {
		if n--; n >= 0 {
			b = addMember(b, key.Raw, v.Raw)
		}
		return n > 0
	})
	return b
}

func addMember(b []byte, key, value string) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	return append(append(append(b, key...), ':'), value...)
}

// typedAll is typed for an array; what is no object goes.
func typedAll(list gjson.Result) string {
	texts, right := []string{}, list.IsArray()
	list.ForEach(func(_, v gjson.Result) bool {
		if !v.IsObject() {
			right = false
			return true
		}
		text := typed(v)
		right = right && text == v.Raw
		texts = append(texts, text)
		return true
	})
	switch {
	case right:
		return list.Raw
	case !list.IsArray():
		return "[]"
	}
	return array(texts)
}

// cast returns a value as the key's type, its default if it says nothing of that type.
func (k kind) cast(v gjson.Result) string {
	plain := v.Type == gjson.Number || v.IsBool()
	switch {
	case k.of == kindText && v.Type == gjson.String, k.of == kindNumber && v.Type == gjson.Number, k.of == kindBool && v.IsBool(),
		k.of == kindObject && v.IsObject():
		return v.Raw
	case k.of == kindObjects && v.IsArray():
		return typedAll(v)
	case k.of == kindTexts && v.IsArray():
		return textsOf(v)
	case k.of == kindText && plain:
		return strconv.Quote(v.Raw)
	case k.of == kindNumber && v.IsBool():
		return map[bool]string{true: "1", false: "0"}[v.Bool()]
	case k.of == kindNumber && v.Type == gjson.String && gjson.Valid(v.Str) && gjson.Parse(v.Str).Type == gjson.Number:
		return gjson.Parse(v.Str).Raw
	case k.of == kindBool && (v.Type == gjson.Number || v.Str == "true" || v.Str == "false"):
		return strconv.FormatBool(v.Bool())
	}
	return k.def
}

// textsOf returns an array of texts; numbers become texts, and what else is in it goes.
func textsOf(list gjson.Result) string {
	texts, right := []string{}, true
	list.ForEach(func(_, v gjson.Result) bool {
		switch v.Type {
		case gjson.String:
			texts = append(texts, v.Raw)
			return true
		case gjson.Number:
			texts = append(texts, strconv.Quote(v.Raw))
		}
		right = false
		return true
	})
	if right {
		return list.Raw
	}
	return array(texts)
}
