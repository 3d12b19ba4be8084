package message

import (
	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
)

// escaped is how much longer than a text its JSON form may be.
const escaped = 6

// Check holds a message's content against the rules and says whether it counts as unread. The content is valid JSON,
// the text values of elements and further keys may have limit bytes together.
func Check(content []byte, limit int) (counts bool, err error) {
	if len(content) > escaped*limit {
		return false, tooLarge()
	}
	if _, depth := model.Measure(content); depth > model.MaxNesting {
		return false, malformed("a message is nested too deep")
	}
	var elements, extra gjson.Result
	c := gjson.ParseBytes(content)
	if !c.IsObject() {
		return false, malformed("a message is an object")
	}
	c.ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case protocol.ContentElements:
			elements = v
		case protocol.ContentExtra:
			extra = v
		}
		return true
	})
	if err := checkElements(elements); err != nil {
		return false, err
	}
	if len(content) > limit && model.FieldsSize(elements)+model.FieldsSize(extra) > limit {
		return false, tooLarge()
	}
	return countsAsUnread(extra), nil
}

func checkElements(elements gjson.Result) (err error) {
	if !elements.IsArray() {
		return malformed("a message has an array of elements")
	}
	n := 0
	elements.ForEach(func(_, e gjson.Result) bool {
		n++
		if !e.IsObject() || !sendable(e.Get(tim.KeyElemType)) {
			err = malformed("a message has an element that cannot be sent")
		}
		return err == nil
	})
	if n == 0 {
		return malformed("a message has at least one element")
	}
	return err
}

// sendable is true for what a user may send; tips and reports are the server's own, changes of friends and profiles are
// too old to be made by anyone.
func sendable(kind gjson.Result) bool {
	if kind.Type != gjson.Number {
		return false
	}
	switch kind.Num {
	case tim.ElemText, tim.ElemImage, tim.ElemSound, tim.ElemCustom, tim.ElemFile, tim.ElemFace, tim.ElemLocation,
		tim.ElemVideo, tim.ElemMerge:
		return true
	}
	return false
}

func countsAsUnread(extra gjson.Result) bool {
	counts := true
	extra.ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case tim.KeyMsgIsExcludedFromUnreadCount, tim.KeyMsgIsOnlineMsg:
			counts = counts && !v.Bool()
		}
		return true
	})
	return counts
}

func malformed(desc string) error { return refusal.New(tim.ErrSVRMsgInvalidJSONBodyFormat, desc) }

func tooLarge() error {
	return refusal.New(tim.ErrSVRCommBodySizeLimit, "the message is too long")
}
