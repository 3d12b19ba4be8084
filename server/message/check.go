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

// Traits is what a message's content says to the server.
type Traits struct {
	Counts     bool // towards unread
	Online     bool // only for those who are online
	Receipt    bool // the sender wants to know who reads it
	Extensions bool // it may have extensions
	NotLast    bool // it is not shown as a conversation's last message
	Priority   int  // TIMMsgPriority
	Targets    []string
	At         []string // users, or tim's word for everybody
	Broadcast  bool     // it says that an operator speaks
	Files      []string // ids of the files in its elements
}

// Check holds a message's content against the rules and says what it asks for. The content is valid JSON, the text values
// of elements and further keys may have limit bytes together.
func Check(content []byte, limit int) (t Traits, err error) {
	if len(content) > escaped*limit {
		return t, tooLarge()
	}
	if _, depth := model.Measure(content); depth > model.MaxNesting {
		return t, malformed("a message is nested too deep")
	}
	var elements, extra gjson.Result
	forged := false
	c := gjson.ParseBytes(content)
	if !c.IsObject() {
		return t, malformed("a message is an object")
	}
	c.ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case protocol.ContentElements:
			elements = v
		case protocol.ContentExtra:
			extra = v
		case protocol.ContentCard:
			forged = true
		}
		return true
	})
	if forged {
		return t, malformed("the server says what name card a sender has")
	}
	t = traits(extra)
	if t.Files, err = checkElements(elements); err != nil {
		return t, err
	}
	if len(content) > limit && model.FieldsSize(elements)+model.FieldsSize(extra) > limit {
		return t, tooLarge()
	}
	return t, nil
}

func checkElements(elements gjson.Result) (files []string, err error) {
	if !elements.IsArray() {
		return nil, malformed("a message has an array of elements")
	}
	n := 0
	elements.ForEach(func(_, e gjson.Result) bool {
		n++
		kind := e.Get(tim.KeyElemType)
		if !e.IsObject() || kind.Type != gjson.Number || !model.Sendable(kind.Int()) {
			err = malformed("a message has an element that cannot be sent")
		}
		files = append(files, model.FileIDs(e)...)
		return err == nil
	})
	if n == 0 {
		return nil, malformed("a message has at least one element")
	}
	return files, err
}

func traits(extra gjson.Result) Traits {
	t := Traits{Counts: true, Priority: tim.MsgPriorityNormal}
	extra.ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case tim.KeyMsgIsExcludedFromUnreadCount:
			t.Counts = t.Counts && !v.Bool()
		case tim.KeyMsgIsOnlineMsg:
			t.Online = v.Bool()
			t.Counts = t.Counts && !v.Bool()
		case tim.KeyMsgNeedReadReceipt:
			t.Receipt = v.Bool()
		case tim.KeyMsgSupportMessageExtension:
			t.Extensions = v.Bool()
		case tim.KeyMsgExcludedFromLastMessage:
			t.NotLast = v.Bool()
		case tim.KeyMsgPriority:
			t.Priority = int(v.Int())
		case tim.KeyMsgTargetGroupMemberArray:
			t.Targets = names(v)
		case tim.KeyMsgIsBroadcastMessage:
			t.Broadcast = v.Bool()
		case tim.KeyMsgGroupAtUserArray:
			t.At = names(v)
		}
		return true
	})
	if len(t.Targets) > 0 {
		t.Counts = false
	}
	return t
}

func names(array gjson.Result) (list []string) {
	array.ForEach(func(_, v gjson.Result) bool {
		if v.Type == gjson.String && v.Str != "" {
			list = append(list, v.Str)
		}
		return true
	})
	return list
}

func malformed(desc string) error { return refusal.New(tim.ErrSVRMsgInvalidJSONBodyFormat, desc) }

func tooLarge() error {
	return refusal.New(tim.ErrSVRCommBodySizeLimit, "the message is too long")
}
