package group

import (
	"encoding/json"
	"maps"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
	"timbre/protocol"
)

// publicMessage is a pinned message as the tip about it shows it: what is the same for everybody.
func publicMessage(group string, m *protocol.Message) object {
	content := gjson.ParseBytes(m.Content)
	o := object{}
	content.Get(protocol.ContentExtra).ForEach(func(k, v gjson.Result) bool {
		o[k.Str] = json.RawMessage(v.Raw)
		return true
	})
	number := content.Get("r").Uint()
	common := object{
		tim.KeyMsgConvId: group, tim.KeyMsgConvType: tim.ConvGroup, tim.KeyMsgSender: m.From,
		tim.KeyMsgMsgId: content.Get(protocol.ContentID).String(), tim.KeyMsgSeq: m.Seq, tim.KeyMsgRand: number,
		tim.KeyMsgClientTime: content.Get("ct").Int(), tim.KeyMsgServerTime: m.Time / 1000,
		tim.KeyMsgUniqueId: uint64(m.Time/1000)<<32 + number, tim.KeyMsgPlatform: content.Get("p").Int(),
		tim.KeyMsgStatus: tim.MsgSendSucc, tim.KeyMsgVersion: m.Version,
		tim.KeyMsgElemArray: json.RawMessage(content.Get(protocol.ContentElements).Raw),
	}
	maps.Copy(o, common)
	return o
}
