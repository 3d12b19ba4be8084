package group

import (
	"maps"
	"slices"

	"timbre/model/tim"
	"timbre/protocol"
)

// edit is a change of a group's information under way: what the group says about it later.
type edit struct {
	tip     []object // GroupTipGroupChangeInfo
	changed bool
}

func (e *edit) texts(r *record, s *protocol.SetGroup) {
	for _, t := range []struct {
		given, field *string
		flag         int
	}{
		{s.Name, &r.Name, tim.GroupTipChangeFlagName},
		{s.Introduction, &r.Introduction, tim.GroupTipChangeFlagIntroduction},
		{s.Notification, &r.Notification, tim.GroupTipChangeFlagNotification},
		{s.Face, &r.Face, tim.GroupTipChangeFlagFaceUrl},
	} {
		if t.given != nil && *t.given != *t.field {
			e.changed, *t.field = true, *t.given
			e.say(t.flag, tim.KeyGroupTipGroupChangeInfoValue, *t.given)
		}
	}
}

func (e *edit) number(given, field *int, flag int, says bool) {
	if given == nil || *given == *field {
		return
	}
	e.changed, *field = true, *given
	if says {
		e.say(flag, tim.KeyGroupTipGroupChangeInfoIntValue, *given)
	}
}

func (e *edit) flag(given, field *bool, flag int, says bool) {
	if given == nil || *given == *field {
		return
	}
	e.changed, *field = true, *given
	if says {
		e.say(flag, tim.KeyGroupTipGroupChangeInfoBoolValue, *given)
	}
}

func (e *edit) custom(r *record, fields map[string]string) {
	merged := merge(r.Custom, fields)
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if r.Custom[key] != fields[key] {
			e.changed = true
			e.say(tim.GroupTipChangeFlagCustom, tim.KeyGroupTipGroupChangeInfoValue, fields[key])
			e.tip[len(e.tip)-1][tim.KeyGroupTipGroupChangeInfoKey] = key
		}
	}
	r.Custom = merged
}

// say adds a change to the tip.
func (e *edit) say(flag int, key string, value any) {
	e.tip = append(e.tip, changeInfo(flag, key, value))
}

// changeInfo is one change of a group as a tip shows it: with all keys, of which one has the value.
func changeInfo(flag int, key string, value any) object {
	o := object{tim.KeyGroupTipGroupChangeInfoFlag: flag, tim.KeyGroupTipGroupChangeInfoKey: "", tim.KeyGroupTipGroupChangeInfoValue: "",
		tim.KeyGroupTipGroupChangeInfoBoolValue: false, tim.KeyGroupTipGroupChangeInfoIntValue: 0, tim.KeyGroupTipGroupChangeInfoUint64Value: 0}
	o[key] = value
	return o
}
