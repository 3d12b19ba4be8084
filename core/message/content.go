package message

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// MaxContent is how many bytes the fields of a message may have: elements and cloud data together.
const MaxContent = 12 << 10

// elementKeys are the keys that an element always shows, with their defaults.
var elementKeys = map[int64][]struct{ key, value string }{
	tim.ElemText:     {{tim.KeyTextElemContent, `""`}},
	tim.ElemCustom:   {{tim.KeyCustomElemData, `""`}, {tim.KeyCustomElemDesc, `""`}, {tim.KeyCustomElemExt, `""`}, {tim.KeyCustomElemSound, `""`}},
	tim.ElemFace:     {{tim.KeyFaceElemIndex, "0"}, {tim.KeyFaceElemBuf, `""`}},
	tim.ElemLocation: {{tim.KeyLocationElemDesc, `""`}, {tim.KeyLocationElemLongitude, "0.0"}, {tim.KeyLocationElemLatitude, "0.0"}},
	tim.ElemImage: {{tim.KeyImageElemFormat, "0"}, {tim.KeyImageElemLargeId, `""`}, {tim.KeyImageElemLargePicHeight, "0"},
		{tim.KeyImageElemLargePicSize, "0"}, {tim.KeyImageElemLargePicWidth, "0"}, {tim.KeyImageElemLargeUrl, `""`},
		{tim.KeyImageElemLevel, "1"}, {tim.KeyImageElemOrigId, `""`}, {tim.KeyImageElemOrigPath, `""`},
		{tim.KeyImageElemOrigPicHeight, "0"}, {tim.KeyImageElemOrigPicSize, "0"}, {tim.KeyImageElemOrigPicWidth, "0"},
		{tim.KeyImageElemOrigUrl, `""`}, {tim.KeyImageElemThumbId, `""`}, {tim.KeyImageElemThumbPicHeight, "0"},
		{tim.KeyImageElemThumbPicSize, "0"}, {tim.KeyImageElemThumbPicWidth, "0"}, {tim.KeyImageElemThumbUrl, `""`}},
	tim.ElemSound: {{tim.KeySoundElemBusinessId, "0"}, {tim.KeySoundElemFileId, `""`}, {tim.KeySoundElemFilePath, `""`},
		{tim.KeySoundElemFileSize, "0"}, {tim.KeySoundElemFileTime, "0"}},
	tim.ElemFile: {{tim.KeyFileElemBusinessId, "0"}, {tim.KeyFileElemFileId, `""`}, {tim.KeyFileElemFileName, `""`},
		{tim.KeyFileElemFilePath, `""`}, {tim.KeyFileElemFileSize, "0"}},
	tim.ElemVideo: {{tim.KeyVideoElemBusinessId, "0"}, {tim.KeyVideoElemImageHeight, "0"}, {tim.KeyVideoElemImageId, `""`},
		{tim.KeyVideoElemImagePath, `""`}, {tim.KeyVideoElemImageSize, "0"}, {tim.KeyVideoElemImageType, `""`},
		{tim.KeyVideoElemImageWidth, "0"}, {tim.KeyVideoElemVideoDuration, "0"}, {tim.KeyVideoElemVideoId, `""`},
		{tim.KeyVideoElemVideoPath, `""`}, {tim.KeyVideoElemVideoSize, "0"}, {tim.KeyVideoElemVideoType, `""`}},
	tim.ElemMerge: {{tim.KeyMergerElemAbstractArray, "[]"}, {tim.KeyMergerElemCompatibleText, `""`},
		{tim.KeyMergerElemLayersOverLimit, "false"}, {tim.KeyMergerElemTitle, `""`}},
}

// complete returns the elements with the defaults of missing keys added. An array that is complete stays as it is, byte
// for byte.
func complete(elements gjson.Result) (string, error) {
	if !elements.IsArray() {
		return "", fmt.Errorf("%s is not an array", tim.KeyMsgElemArray)
	}
	all := elements.Array()
	if len(all) == 0 {
		return "", fmt.Errorf("a message needs an element")
	}
	out := make([]string, len(all))
	changed := false
	for i, e := range all {
		typ := e.Get(tim.KeyElemType)
		keys, known := elementKeys[typ.Int()]
		if !e.IsObject() || typ.Type != gjson.Number || typ.Num != float64(typ.Int()) || !known {
			return "", fmt.Errorf("element %d has no type that a message may carry", i)
		}
		if out[i] = typed(e); out[i] != e.Raw {
			e, changed = gjson.Parse(out[i]), true
		}
		for _, k := range keys {
			if e.Get(k.key).Exists() {
				continue
			}
			var err error
			if out[i], err = sjson.SetRaw(out[i], k.key, k.value); err != nil {
				return "", fmt.Errorf("element %d: %w", i, err)
			}
			changed = true
		}
	}
	if !changed {
		return elements.Raw, nil
	}
	return array(out), nil
}

// checkSendable refuses what cannot be sent.
func checkSendable(elements, extra string) *transport.Error {
	n := 0
	var bad *transport.Error
	gjson.Parse(elements).ForEach(func(_, e gjson.Result) bool {
		typ := e.Get(tim.KeyElemType).Int()
		switch {
		case !model.Sendable(typ):
			bad = &transport.Error{Code: tim.ErrInvalidMsgElem, Text: "this kind of element cannot be sent"}
		case n > 0 && !model.Further(typ):
			bad = &transport.Error{Code: tim.ErrInvalidMsgElem, Text: "only texts, custom data, faces and locations may follow the first element"}
		case typ == tim.ElemMerge:
			bad = checkMerger(e)
		}
		n++
		return bad == nil
	})
	if bad == nil {
		bad = checkAddressed(extra)
	}
	if bad == nil && len(elements)+len(extra) > MaxContent && fieldsSize(elements)+fieldsSize(extra) > MaxContent {
		bad = &transport.Error{Code: tim.ErrSDKMsgBodySizeLimit, Text: "the message is larger than 12 KB"}
	}
	return bad
}

// checkAddressed judges whom a message is directed to and whom it speaks to.
func checkAddressed(extra string) *transport.Error {
	if extra == "" {
		return nil
	}
	at := len(gjson.Get(extra, tim.KeyMsgGroupAtUserArray).Array())
	targets := len(gjson.Get(extra, tim.KeyMsgTargetGroupMemberArray).Array())
	switch {
	case at > model.MaxAt:
		return &transport.Error{Code: model.CodeTooManyAt, Text: "a message speaks to at most 30 members by name"}
	case targets > model.MaxTargets:
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "a message is directed to at most 50 members"}
	case at > 0 && targets > 0:
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "a directed message cannot speak to members by name"}
	}
	return nil
}

// extraOf picks the keys of a message that are not at their default.
func extraOf(msg gjson.Result) string {
	w := writer{b: []byte{'{'}}
	for _, d := range extraDefaults {
		if v := msg.Get(d.key); v.Exists() {
			if value := kinds[d.key].cast(v); value != d.value {
				w.raw(d.key, value)
			}
		}
	}
	for _, k := range extraOptional {
		if v := msg.Get(k); v.Exists() {
			if value := kinds[k].cast(v); value != "" {
				w.raw(k, value)
			}
		}
	}
	if len(w.b) == 1 {
		return ""
	}
	return string(append(w.b, '}'))
}

// content is what the message looks like on the wire.
func (r *Row) content() []byte {
	b := append(make([]byte, 0, 128+len(r.Elements)+len(r.Extra)), `{"id":`...)
	b = protocol.AppendString(b, r.MsgID)
	b = append(b, `,"ct":`...)
	b = strconv.AppendInt(b, r.ClientTime, 10)
	b = append(b, `,"r":`...)
	b = strconv.AppendUint(b, uint64(r.Rand), 10)
	b = append(b, `,"p":`...)
	b = strconv.AppendInt(b, int64(r.Platform), 10)
	b = append(b, `,"el":`...)
	b = append(b, withoutPaths(r.Elements)...)
	if r.Extra != "" {
		b = append(b, `,"x":`...)
		b = append(b, r.Extra...)
	}
	return append(b, '}')
}

// received makes a row of a message from the wire.
func received(conv int64, m *protocol.Message) *Row {
	r := &Row{Conv: conv, Seq: m.Seq, Sort: sortOf(m.Seq), Sender: m.From, ServerTime: m.Time, Status: tim.MsgSendSucc,
		Version: m.Version, Unread: -1, Elements: "[]"}
	gjson.ParseBytes(m.Content).ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case "id":
			r.MsgID = v.String()
		case "ct":
			r.ClientTime = v.Int()
		case "r":
			r.Rand = uint32(v.Uint())
		case "p":
			r.Platform = int(v.Int())
		case "el":
			r.Elements = typedAll(v)
		case "x":
			r.Extra = typed(v)
		case protocol.ContentCard:
			r.Card = v.String()
		}
		return true
	})
	r.flag()
	r.become(m.State)
	return r
}

// become takes over what the server says of the message's fate.
func (r *Row) become(state []byte) {
	if len(state) == 0 {
		return
	}
	var st protocol.State
	if json.Unmarshal(state, &st) != nil {
		return
	}
	if st.Revoked != nil {
		r.Status, r.Revoked = tim.MsgRevoked, string(protocol.Marshal(st.Revoked))
	}
	r.Readers = max(r.Readers, st.Read)
	if st.Unread != nil && (r.Unread < 0 || *st.Unread < r.Unread) {
		r.Unread = *st.Unread
	}
	if st.PeerRead {
		r.Flags |= flagPeerRead
	}
	if st.Confirmed {
		r.Flags |= flagConfirmed
	}
}
