package group

import (
	"fmt"
	"maps"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
)

// fieldsText is custom fields as a row has them.
func fieldsText(fields map[string]string) string {
	if len(fields) == 0 {
		return ""
	}
	return string(protocol.Marshal(fields))
}

// checkFields refuses too many custom fields, and those that are too long.
func checkFields(fields map[string]string, count, size int) error {
	if len(fields) > count {
		return refusal.New(tim.ErrSVRGroupInvalidParameters, fmt.Sprintf("there are at most %d custom fields", count))
	}
	for key, value := range fields {
		switch {
		case key == "" || len(key) > model.MaxFieldKey:
			return refusal.New(tim.ErrSVRGroupInvalidParameters, fmt.Sprintf("the key of a custom field has 1 to %d bytes", model.MaxFieldKey))
		case len(value) > size:
			return refusal.New(tim.ErrSVRGroupInvalidParameters, fmt.Sprintf("this custom field has at most %d bytes", size))
		}
	}
	return nil
}

// merge returns the fields after a change; an empty value takes a field away.
func merge(fields, change map[string]string) map[string]string {
	if len(change) == 0 {
		return fields
	}
	merged := map[string]string{}
	maps.Copy(merged, fields)
	maps.Copy(merged, change)
	maps.DeleteFunc(merged, func(_, value string) bool { return value == "" })
	return merged
}
