package community

import (
	"github.com/tidwall/gjson"

	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// ParseCreateTopic reads a TopicInfo for a new topic.
func ParseCreateTopic(community string, v gjson.Result) protocol.CreateTopic {
	text := func(key string) string { return v.Get(key).String() }
	return protocol.CreateTopic{Community: community, ID: text(tim.KeyCommunityTopicInfoTopicID),
		Name: text(tim.KeyCommunityTopicInfoTopicName), Introduction: text(tim.KeyCommunityTopicInfoIntroduction),
		Notification: text(tim.KeyCommunityTopicInfoNotification), Face: text(tim.KeyCommunityTopicInfoFaceURL),
		Text: text(tim.KeyCommunityTopicInfoCustomString), MuteAll: v.Get(tim.KeyCommunityTopicInfoIsAllMuted).Bool(),
		Rights: v.Get(tim.KeyCommunityTopicInfoDefaultPermissions).Uint()}
}

// topicFlags is everything that a topic's information can change.
const topicFlags = tim.CommunityTopicModifyInfoFlagName | tim.CommunityTopicModifyInfoFlagNotification |
	tim.CommunityTopicModifyInfoFlagIntroduction | tim.CommunityTopicModifyInfoFlagFaceUrl |
	tim.CommunityTopicModifyInfoFlagMuteALl | tim.CommunityTopicModifyInfoFlagCustomString |
	tim.CommunityTopicModifyInfoFlagDraft | tim.CommunityTopicModifyInfoFlagDefaultPermissions

// ParseSetTopic reads a TopicInfo with the flags of what is to be changed. The draft is not the server's business.
func ParseSetTopic(v gjson.Result) (t protocol.SetTopic, draft *string, why *transport.Error) {
	f := fields{v: v, flags: v.Get(tim.KeyCommunityTopicInfoModifyFlag)}
	t.Topic = v.Get(tim.KeyCommunityTopicInfoTopicID).String()
	if !IsTopic(t.Topic) {
		return t, nil, bad("no topic is named")
	}
	t.Name = f.text(tim.CommunityTopicModifyInfoFlagName, tim.KeyCommunityTopicInfoTopicName)
	t.Notification = f.text(tim.CommunityTopicModifyInfoFlagNotification, tim.KeyCommunityTopicInfoNotification)
	t.Introduction = f.text(tim.CommunityTopicModifyInfoFlagIntroduction, tim.KeyCommunityTopicInfoIntroduction)
	t.Face = f.text(tim.CommunityTopicModifyInfoFlagFaceUrl, tim.KeyCommunityTopicInfoFaceURL)
	t.MuteAll = f.flag(tim.CommunityTopicModifyInfoFlagMuteALl, tim.KeyCommunityTopicInfoIsAllMuted)
	t.Text = f.text(tim.CommunityTopicModifyInfoFlagCustomString, tim.KeyCommunityTopicInfoCustomString)
	t.Rights = f.number(tim.CommunityTopicModifyInfoFlagDefaultPermissions, tim.KeyCommunityTopicInfoDefaultPermissions)
	draft = f.text(tim.CommunityTopicModifyInfoFlagDraft, tim.KeyCommunityTopicInfoDraftText)
	return t, draft, f.check(topicFlags)
}

// ParseCreateRights reads a PermissionGroupInfo for a new permission group.
func ParseCreateRights(v gjson.Result) (r protocol.SetRights, why *transport.Error) {
	f := fields{v: v, all: true}
	r = protocol.SetRights{Community: v.Get(tim.KeyCommunityGroupID).String(), ID: v.Get(tim.KeyPermissionGroupID).String()}
	r.Name, r.Custom = f.text(0, tim.KeyPermissionGroupName), f.text(0, tim.KeyPermissionCustomData)
	r.Rights = f.number(0, tim.KeyGroupPermission)
	switch {
	case r.Community == "":
		return r, bad("no community is named")
	case r.Name == nil || *r.Name == "":
		return r, bad("a permission group has a name")
	}
	return r, f.why
}

const rightsFlags = tim.PermissionGroupModifyInfoFlagName | tim.PermissionGroupModifyInfoFlagGroupPermission |
	tim.PermissionGroupModifyInfoFlagCustomData

// ParseSetRights reads a PermissionGroupInfo with the flags of what is to be changed.
func ParseSetRights(v gjson.Result) (r protocol.SetRights, why *transport.Error) {
	f := fields{v: v, flags: v.Get(tim.KeyPermissionGroupModifyInfoFlag)}
	r = protocol.SetRights{Community: v.Get(tim.KeyCommunityGroupID).String(), ID: v.Get(tim.KeyPermissionGroupID).String()}
	if r.Community == "" || r.ID == "" {
		return r, bad("a permission group is named by its community's id and its own")
	}
	r.Name = f.text(tim.PermissionGroupModifyInfoFlagName, tim.KeyPermissionGroupName)
	r.Custom = f.text(tim.PermissionGroupModifyInfoFlagCustomData, tim.KeyPermissionCustomData)
	r.Rights = f.number(tim.PermissionGroupModifyInfoFlagGroupPermission, tim.KeyGroupPermission)
	return r, f.check(rightsFlags)
}

// ParseTopicRights reads the rights in topics: an array of TopicPermissionMap, one such object, or an object of rights by
// topic. The interface's own samples do not agree.
func ParseTopicRights(v gjson.Result) (topics map[string]uint64, why *transport.Error) {
	topics = map[string]uint64{}
	add := func(id, rights gjson.Result) {
		if id.Type != gjson.String || id.Str == "" || !whole(rights) {
			why = bad("the rights in a topic are its id and a number")
			return
		}
		topics[id.Str] = rights.Uint()
	}
	if v.IsObject() && !v.Get(tim.KeyTopicPermissionKey).Exists() {
		v.ForEach(func(id, rights gjson.Result) bool { add(id, rights); return why == nil })
		return topics, why
	}
	for _, one := range v.Array() { // an object is an array of one
		add(one.Get(tim.KeyTopicPermissionKey), one.Get(tim.KeyTopicPermissionValue))
	}
	return topics, why
}

// fields reads what a set of flags says is to be changed. The first thing that is wrong stays in why.
type fields struct {
	v     gjson.Result
	flags gjson.Result
	all   bool // there are no flags: whatever is there
	why   *transport.Error
}

// get returns the value of a field that is to be changed, if it is.
func (f *fields) get(flag uint64, key string, fits func(gjson.Result) bool) (gjson.Result, bool) {
	value := f.v.Get(key)
	if f.all && !value.Exists() || !f.all && f.flags.Uint()&flag == 0 {
		return value, false
	}
	if !fits(value) {
		f.why = bad("the value of " + key + " is missing or of the wrong kind")
		return value, false
	}
	return value, true
}

func (f *fields) text(flag uint64, key string) *string {
	if v, ok := f.get(flag, key, func(v gjson.Result) bool { return v.Type == gjson.String }); ok {
		return &v.Str
	}
	return nil
}

func (f *fields) number(flag uint64, key string) *uint64 {
	if v, ok := f.get(flag, key, whole); ok {
		n := v.Uint()
		return &n
	}
	return nil
}

func (f *fields) flag(flag uint64, key string) *bool {
	if v, ok := f.get(flag, key, func(v gjson.Result) bool { return v.IsBool() }); ok {
		on := v.Bool()
		return &on
	}
	return nil
}

// check refuses flags that change nothing, and those that nobody knows.
func (f *fields) check(known uint64) *transport.Error {
	switch {
	case f.why != nil:
		return f.why
	case f.flags.Type != gjson.Number || f.flags.Uint() == 0:
		return bad("the flags say that nothing is to be changed")
	case f.flags.Uint()&^known != 0:
		return bad("the flags name something that cannot be changed")
	}
	return nil
}

// whole says whether a value is a number without a fraction that is not negative and that 64 bits can hold.
func whole(v gjson.Result) bool {
	return v.Type == gjson.Number && v.Num >= 0 && v.Num == float64(v.Uint())
}
