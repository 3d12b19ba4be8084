package message

import (
	"context"
	"os"
	"path/filepath"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/media"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
)

// keyMergerLayers counts how deep mergers stand inside each other, this one included.
const keyMergerLayers = "ext_merge_elem_layers"

// checkMerger judges an element that forwards several messages as one.
func checkMerger(e gjson.Result) *transport.Error {
	list := e.Get(tim.KeyMergerElemMsgArray).Array()
	key := e.Get(tim.KeyMergerElemRelayJsonKey).String()
	switch {
	case len(list) == 0 && key == "":
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "a merger message needs messages"}
	case len(list) > model.MaxMerged:
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "at most 300 messages can be merged"}
	case e.Get(tim.KeyMergerElemCompatibleText).String() == "":
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "a merger message needs a compatible text"}
	}
	for _, msg := range list {
		if bad := checkMerged(msg); bad != nil {
			return bad
		}
	}
	return nil
}

// checkMerged judges one message inside a merger.
func checkMerged(msg gjson.Result) *transport.Error {
	if status := msg.Get(tim.KeyMsgStatus); status.Exists() && status.Int() != tim.MsgSendSucc {
		return &transport.Error{Code: tim.ErrInvalidParameters, Text: "only messages that were sent can be merged"}
	}
	for _, e := range msg.Get(tim.KeyMsgElemArray).Array() {
		if !model.Sendable(e.Get(tim.KeyElemType).Int()) {
			return &transport.Error{Code: tim.ErrInvalidParameters, Text: "tips and reports cannot be merged"}
		}
	}
	return nil
}

// layers is how deep the mergers of a merger element stand inside each other.
func layers(e gjson.Result) int64 {
	inner := int64(0)
	for _, msg := range e.Get(tim.KeyMergerElemMsgArray).Array() {
		for _, x := range msg.Get(tim.KeyMsgElemArray).Array() {
			if x.Get(tim.KeyElemType).Int() == tim.ElemMerge {
				inner = max(inner, max(x.Get(keyMergerLayers).Int(), layers(x)))
			}
		}
	}
	return inner + 1
}

// merged returns a merger element with what the sender's side adds: how deep it is, and when that is too deep the mark for
// it instead of a title and abstracts. What the merged messages have of this device stays here.
func merged(e gjson.Result) string {
	out := newEdit(bareMerger(e))
	n := layers(e)
	if n > 1 {
		out.set(keyMergerLayers, n)
	}
	if n > model.MaxMergedLayers {
		out.set(tim.KeyMergerElemLayersOverLimit, true)
		out.set(tim.KeyMergerElemTitle, "")
		out.set(tim.KeyMergerElemAbstractArray, []string{})
	}
	if out.err != nil {
		return e.Raw
	}
	return out.text
}

// bareMerger returns a merger element whose messages, at any depth, say nothing that only this device knows: where files lie,
// and the application's local data.
func bareMerger(e gjson.Result) string {
	list := e.Get(tim.KeyMergerElemMsgArray).Array()
	texts := make([]string, len(list))
	changed := false
	for i, msg := range list {
		texts[i] = bare(msg)
		changed = changed || texts[i] != msg.Raw
	}
	if !changed {
		return e.Raw
	}
	out := newEdit(e.Raw)
	out.raw(tim.KeyMergerElemMsgArray, array(texts))
	return out.text
}

func bare(msg gjson.Result) string {
	out := newEdit(msg.Raw)
	if msg.Get(tim.KeyMsgCustomStr).String() != "" {
		out.set(tim.KeyMsgCustomStr, "")
	}
	if msg.Get(tim.KeyMsgCustomInt).Uint() != 0 {
		out.set(tim.KeyMsgCustomInt, 0)
	}
	given := msg.Get(tim.KeyMsgElemArray).Raw
	elements := withoutPaths(given)
	for i, e := range gjson.Parse(elements).Array() {
		if e.Get(tim.KeyElemType).Int() == tim.ElemMerge {
			if changed, err := replaced(elements, i, bareMerger(e)); err == nil {
				elements = changed
			}
		}
	}
	if elements != given {
		out.raw(tim.KeyMsgElemArray, elements)
	}
	return out.text
}

// mergers completes the merger elements of a message.
func mergers(elements string) string {
	for i, e := range gjson.Parse(elements).Array() {
		if e.Get(tim.KeyElemType).Int() == tim.ElemMerge {
			if changed, err := replaced(elements, i, merged(e)); err == nil {
				elements = changed
			}
		}
	}
	return elements
}

// OpenMerger answers the messages of a merger element, from the message itself or from the file that has them. A message that
// is here may be named by its id alone.
func (m *Messages) OpenMerger(msg gjson.Result, done event.Done) {
	elements := msg.Get(tim.KeyMsgElemArray)
	if !elements.Exists() {
		s, err := m.Subject(tim.ConvInvalid, "", msg)
		if err != nil {
			m.failing(done, "")(err)
			return
		}
		if s.row != nil {
			elements = gjson.Parse(s.row.Elements)
		}
	}
	var e gjson.Result
	for _, x := range elements.Array() {
		if x.Get(tim.KeyElemType).Int() == tim.ElemMerge {
			e = x
		}
	}
	id := e.Get(tim.KeyMergerElemRelayJsonKey).String()
	switch {
	case !e.Exists():
		done(tim.ErrInvalidParameters, "not a merger message", "")
	case e.Get(tim.KeyMergerElemLayersOverLimit).Bool():
		done(tim.ErrMergerMsgLayersOverLimit, "mergers are nested too deep", "")
	case len(e.Get(tim.KeyMergerElemMsgArray).Array()) > 0:
		done(0, "", e.Get(tim.KeyMergerElemMsgArray).Raw)
	case id == "":
		done(tim.ErrInvalidParameters, "the merger message names no messages", "")
	default:
		var text string
		m.transfer(func(ctx context.Context) (err error) {
			text, err = m.downloadText(ctx, id)
			return err
		}, func(bad *transport.Error) {
			if bad != nil {
				done(bad.Code, bad.Text, "")
				return
			}
			done(0, "", text)
		})
	}
}

// downloadText fetches a file with a JSON array.
func (m *Messages) downloadText(ctx context.Context, id string) (string, error) {
	folder, err := os.MkdirTemp("", "timbre-merged-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	ctx, cancel := context.WithTimeout(ctx, m.self.Timeout())
	defer cancel()
	path := filepath.Join(folder, "merged.json")
	if err := m.files.Download(ctx, media.Remote{ID: id}, path, nil); err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	if err == nil && !(gjson.ValidBytes(text) && gjson.ParseBytes(text).IsArray()) {
		err = &transport.Error{Code: tim.ErrParseResponseFailed, Text: "the merged messages cannot be read"}
	}
	if err != nil {
		return "", err
	}
	return typedAll(gjson.ParseBytes(text)), nil
}

// fieldsSize is what counts towards the limit of a message: not the merged messages, which travel as a file when they are
// many.
func fieldsSize(text string) int {
	v := gjson.Parse(text)
	n := model.FieldsSize(v)
	if v.IsArray() {
		for _, e := range v.Array() {
			if list := e.Get(tim.KeyMergerElemMsgArray); list.Exists() {
				n -= model.FieldsSize(list)
			}
		}
	}
	return n
}
