package search

import (
	"strings"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
)

// searchable names the keys of an element, by its type, that a user would search for. The value of a key is a string or
// an array of strings.
func searchable(typ int64) []string {
	switch typ {
	case tim.ElemText:
		return []string{tim.KeyTextElemContent}
	case tim.ElemCustom:
		return []string{tim.KeyCustomElemDesc}
	case tim.ElemFile:
		return []string{tim.KeyFileElemFileName}
	case tim.ElemLocation:
		return []string{tim.KeyLocationElemDesc}
	case tim.ElemMerge:
		return []string{tim.KeyMergerElemTitle, tim.KeyMergerElemAbstractArray}
	}
	return nil
}

// Text returns what is searchable in a message's element array: texts, the descriptions of custom and location
// elements, file names, titles and abstracts of merged messages, each on a line of its own. Pictures, sounds and videos
// have nothing. What is not such an array has nothing either.
func Text(elements gjson.Result) string {
	var lines []string
	elements.ForEach(func(_, e gjson.Result) bool {
		typ := e.Get(tim.KeyElemType)
		if typ.Type != gjson.Number {
			return true
		}
		for _, key := range searchable(typ.Int()) {
			lines = appendStrings(lines, e.Get(key))
		}
		return true
	})
	return strings.Join(lines, "\n")
}

func appendStrings(lines []string, v gjson.Result) []string {
	if v.Type == gjson.String && v.Str != "" {
		return append(lines, v.Str)
	}
	if v.IsArray() {
		v.ForEach(func(_, one gjson.Result) bool {
			if one.Type == gjson.String && one.Str != "" {
				lines = append(lines, one.Str)
			}
			return true
		})
	}
	return lines
}
