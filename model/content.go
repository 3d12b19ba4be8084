package model

import (
	"github.com/tidwall/gjson"

	"timbre/model/tim"
)

// SystemSender is who speaks in tips and reports.
const SystemSender = "@TIM#SYSTEM"

// Administrator is who acts in a group when the server's operator does.
const Administrator = "administrator"

// The words that mean everybody in a list of users who are spoken to; the second is an older spelling.
const (
	AtAll      = "__kImSDK_MessageAtALL__"
	AtAllOlder = "__kImSDK_MesssageAtALL__"
)

// IsAtAll says whether a word means everybody.
func IsAtAll(word string) bool { return word == AtAll || word == AtAllOlder }

// Sendable says whether a user may send an element of this type. Tips and reports are the server's own, changes of friends
// and profiles are too old to be made by anyone.
func Sendable(elemType int64) bool {
	switch elemType {
	case tim.ElemText, tim.ElemImage, tim.ElemSound, tim.ElemCustom, tim.ElemFile, tim.ElemFace, tim.ElemLocation,
		tim.ElemVideo, tim.ElemMerge:
		return true
	}
	return false
}

// Further says whether an element of this type may follow the first one of a message.
func Further(elemType int64) bool {
	switch elemType {
	case tim.ElemText, tim.ElemCustom, tim.ElemFace, tim.ElemLocation:
		return true
	}
	return false
}

// Editable says whether the content of such an element may be changed after it was sent.
func Editable(elemType int64) bool { return Further(elemType) }

// fileKeys are where an element names uploaded files.
var fileKeys = map[int64][]string{
	tim.ElemImage: {tim.KeyImageElemOrigId, tim.KeyImageElemLargeId, tim.KeyImageElemThumbId},
	tim.ElemSound: {tim.KeySoundElemFileId},
	tim.ElemFile:  {tim.KeyFileElemFileId},
	tim.ElemVideo: {tim.KeyVideoElemVideoId, tim.KeyVideoElemImageId},
	tim.ElemMerge: {tim.KeyMergerElemRelayJsonKey},
}

// FileIDs returns the ids of the uploaded files that an element names, of a merger with those of its messages.
func FileIDs(element gjson.Result) (ids []string) {
	typ := element.Get(tim.KeyElemType).Int()
	for _, k := range fileKeys[typ] {
		if id := element.Get(k).String(); id != "" {
			ids = append(ids, id)
		}
	}
	if typ != tim.ElemMerge {
		return ids
	}
	for _, msg := range element.Get(tim.KeyMergerElemMsgArray).Array() {
		for _, e := range msg.Get(tim.KeyMsgElemArray).Array() {
			ids = append(ids, FileIDs(e)...)
		}
	}
	return ids
}
