package group

import (
	"github.com/tidwall/gjson"

	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// allowed is the changes of a group that a GroupModifyInfoParam may ask for.
const allowed = tim.GroupModifyInfoFlagName | tim.GroupModifyInfoFlagNotification | tim.GroupModifyInfoFlagIntroduction |
	tim.GroupModifyInfoFlagFaceUrl | tim.GroupModifyInfoFlagAddOption | tim.GroupModifyInfoFlagMaxMemberNum |
	tim.GroupModifyInfoFlagVisible | tim.GroupModifyInfoFlagSearchable | tim.GroupModifyInfoFlagShutupAll |
	tim.GroupModifyInfoFlagCustom | tim.GroupModifyInfoFlagApproveOption | tim.GroupModifyInfoFlagEnablePermissionGroup |
	tim.GroupModifyInfoFlagDefaultPermissions

// ownerFlag is kTIMGroupModifyInfoFlag_Owner, which hosts give as a negative number or as a positive one.
const ownerFlag = uint32(1) << 31

// ParseSet reads a GroupModifyInfoParam.
func ParseSet(v gjson.Result) (s protocol.SetGroup, why *transport.Error) {
	s.Group = v.Get(tim.KeyGroupModifyInfoParamGroupId).String()
	p := fields{v: v, flags: uint32(v.Get(tim.KeyGroupModifyInfoParamModifyFlag).Int())}
	switch {
	case p.flags == ownerFlag:
		p.text(ownerFlag, tim.KeyGroupModifyInfoParamOwner, &s.Owner)
		if s.Owner != nil && *s.Owner == "" {
			p.missing = true
		}
		return s, p.why()
	case p.flags&ownerFlag != 0:
		return s, bad("the owner is changed alone")
	case p.flags == 0 || p.flags&^allowed != 0:
		return s, bad("nothing is to be changed, or what there is not")
	}
	p.text(tim.GroupModifyInfoFlagName, tim.KeyGroupModifyInfoParamGroupName, &s.Name)
	p.text(tim.GroupModifyInfoFlagIntroduction, tim.KeyGroupModifyInfoParamIntroduction, &s.Introduction)
	p.text(tim.GroupModifyInfoFlagNotification, tim.KeyGroupModifyInfoParamNotification, &s.Notification)
	p.text(tim.GroupModifyInfoFlagFaceUrl, tim.KeyGroupModifyInfoParamFaceUrl, &s.Face)
	number(&p, tim.GroupModifyInfoFlagAddOption, tim.KeyGroupModifyInfoParamAddOption, &s.AddOption)
	number(&p, tim.GroupModifyInfoFlagApproveOption, tim.KeyGroupModifyInfoParamApproveOption, &s.Approve)
	number(&p, tim.GroupModifyInfoFlagMaxMemberNum, tim.KeyGroupModifyInfoParamMaxMemberNum, &s.MaxMembers)
	number(&p, tim.GroupModifyInfoFlagVisible, tim.KeyGroupModifyInfoParamVisible, &s.Visible)
	number(&p, tim.GroupModifyInfoFlagSearchable, tim.KeyGroupModifyInfoParamSearchAble, &s.Searchable)
	number(&p, tim.GroupModifyInfoFlagDefaultPermissions, tim.KeyGroupModifyInfoParamDefaultPermissions, &s.Rights)
	p.flag(tim.GroupModifyInfoFlagShutupAll, tim.KeyGroupModifyInfoParamIsShutupAll, &s.MuteAll)
	p.flag(tim.GroupModifyInfoFlagEnablePermissionGroup, tim.KeyGroupModifyInfoParamEnablePermissionGroup, &s.ByRights)
	p.custom(tim.GroupModifyInfoFlagCustom, tim.KeyGroupModifyInfoParamCustomInfo, groupFields, &s.Custom)
	return s, p.why()
}

// fields reads what the flags of a change name.
type fields struct {
	v       gjson.Result
	flags   uint32
	missing bool
}

// named returns the value of a flag that is set. One that is missing, or of another kind, is noted.
func (p *fields) named(flag uint32, key string, kinds ...gjson.Type) (gjson.Result, bool) {
	if p.flags&flag == 0 {
		return gjson.Result{}, false
	}
	value := p.v.Get(key)
	for _, k := range kinds {
		if value.Exists() && value.Type == k {
			return value, true
		}
	}
	p.missing = true
	return value, false
}

func (p *fields) text(flag uint32, key string, field **string) {
	if v, ok := p.named(flag, key, gjson.String); ok {
		*field = &v.Str
	}
}

func (p *fields) flag(flag uint32, key string, field **bool) {
	if v, ok := p.named(flag, key, gjson.True, gjson.False, gjson.Number); ok {
		on := v.Bool()
		*field = &on
	}
}

// number reads a number that its field can hold; another one is not cut to size but noted as wrong.
func number[T int | uint32 | uint64](p *fields, flag uint32, key string, field **T) {
	v, ok := p.named(flag, key, gjson.Number)
	if !ok {
		return
	}
	n := T(v.Uint())
	if v.Num < 0 {
		n = T(v.Int())
	}
	if float64(n) != v.Num {
		p.missing = true
		return
	}
	*field = &n
}

func (p *fields) custom(flag uint32, key string, names keys, field *map[string]string) {
	v, ok := p.named(flag, key, gjson.JSON)
	if !ok {
		return
	}
	if *field, ok = names.read(v); !ok || len(*field) == 0 {
		p.missing = true
	}
}

func (p *fields) why() *transport.Error {
	if p.missing {
		return bad("a value that is to be changed is missing, of the wrong kind or out of range")
	}
	return nil
}

// keys names the parts of what is written as an array of keys with values.
type keys struct{ key, value string }

var (
	groupFields    = keys{tim.KeyGroupInfoCustomStringInfoKey, tim.KeyGroupInfoCustomStringInfoValue}
	memberFields   = keys{tim.KeyGroupMemberInfoCustomStringInfoKey, tim.KeyGroupMemberInfoCustomStringInfoValue}
	attributeNames = keys{tim.KeyGroupAttributeKey, tim.KeyGroupAttributeValue}
)

// read reads such an array, with older spellings too; false when an element has no key or no text.
func (k keys) read(array gjson.Result) (all map[string]string, ok bool) {
	all = map[string]string{}
	for _, one := range array.Array() {
		key, value := spelled(one, k.key), spelled(one, k.value)
		if key.Type != gjson.String || key.Str == "" || value.Exists() && value.Type != gjson.String {
			return nil, false
		}
		all[key.Str] = value.Str
	}
	return all, true
}

// spelled is the value of a key in any of its spellings.
func spelled(v gjson.Result, key string) gjson.Result {
	found := v.Get(key)
	for _, older := range tim.OlderKeys(key) {
		if !found.Exists() {
			found = v.Get(older)
		}
	}
	return found
}

// ParseAttributes reads an array of GroupAttributes.
func ParseAttributes(v gjson.Result) (map[string]string, *transport.Error) {
	all, ok := attributeNames.read(v)
	switch {
	case !ok:
		return nil, bad("an attribute is an object with a key and a text")
	case len(all) == 0:
		return nil, bad("no attributes are named")
	}
	return all, nil
}

// ParseCounters reads an array of GroupCounter.
func ParseCounters(v gjson.Result) (all []protocol.Counter, why *transport.Error) {
	for _, one := range v.Array() {
		key, value := one.Get(tim.KeyGroupCounterKey), one.Get(tim.KeyGroupCounterValue)
		if key.Type != gjson.String || key.Str == "" || value.Type != gjson.Number {
			return nil, bad("a counter is an object with a key and a number")
		}
		all = append(all, protocol.Counter{Key: key.Str, Value: value.Int()})
	}
	if len(all) == 0 || len(all) > model.MaxCounters {
		return nil, bad("1 to 20 counters are needed")
	}
	return all, nil
}

// ParseKick reads a GroupDeleteMemberParam that names these users.
func ParseKick(v gjson.Result, users []string) (k protocol.KickMembers, why *transport.Error) {
	k = protocol.KickMembers{Group: v.Get(tim.KeyGroupDeleteMemberParamGroupId).String(), Users: users,
		Reason: v.Get(tim.KeyGroupDeleteMemberParamUserData).String()}
	duration := v.Get(tim.KeyGroupDeleteMemberParamDuration)
	if k.Seconds = uint32(duration.Uint()); float64(k.Seconds) != duration.Num {
		return k, bad("the duration is not a number of seconds")
	}
	return k, nil
}

// ParsePendencies reads a GroupPendencyOption.
func ParsePendencies(v gjson.Result) protocol.AskPendencies {
	limit := v.Get(tim.KeyGroupPendencyOptionMaxLimited).Uint()
	return protocol.AskPendencies{Before: v.Get(tim.KeyGroupPendencyOptionStartTime).Int(), Limit: int(min(limit, model.PendencyPage))}
}

// ParseDecision reads a GroupHandlePendencyParam.
func ParseDecision(v gjson.Result) protocol.DecidePendency {
	p := v.Get(tim.KeyGroupHandlePendencyParamPendency)
	return protocol.DecidePendency{
		Accept: v.Get(tim.KeyGroupHandlePendencyParamIsAccept).Bool(), Answer: v.Get(tim.KeyGroupHandlePendencyParamHandleMsg).String(),
		Pendency: protocol.Pendency{Group: p.Get(tim.KeyGroupPendencyGroupId).String(), Type: int(p.Get(tim.KeyGroupPendencyPendencyType).Int()),
			From: p.Get(tim.KeyGroupPendencyFromIdentifier).String(), To: p.Get(tim.KeyGroupPendencyToIdentifier).String(),
			Added: p.Get(tim.KeyGroupPendencyAddTime).Int(), Key: p.Get(tim.KeyGroupPendencyKey).String(),
			Signature: p.Get(tim.KeyGroupPendencyAuthentication).String()},
	}
}
