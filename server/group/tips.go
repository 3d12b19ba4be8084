package group

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"maps"
	random "math/rand/v2"
	"slices"
	"strconv"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/sqlite"
)

// tip is something that a group says to its members about itself: a message of nobody that counts for nothing.
type tip struct {
	kind   int     // TIMGroupTipType
	join   int     // TIMGroupJoinType
	about  []int64 // users
	by     int64   // who did it, 0: the actor
	only   []int64 // who alone is told; nil: all
	pinned json.RawMessage
	change []object // of GroupTipGroupInfoChange: GroupTipGroupChangeInfo
	mutes  []object // of GroupTipMemberInfoChange: GroupTipMemberChangeInfo
	marks  []object // of GroupTipMemberMarkChange: GroupTipMemberMarkChangeInfo

	operator protocol.Member
	members  []protocol.Member // those of about
}

// prepare describes the users that the tip names, as they are now.
func (t *tip) prepare(g *Groups, tx *sqlite.Tx, r *record, operator int64) (err error) {
	if t.operator, err = g.describe(tx, r, operator); err != nil {
		return err
	}
	for _, uid := range t.about {
		m, err := g.describe(tx, r, uid)
		if err != nil {
			return err
		}
		t.members = append(t.members, m)
	}
	return nil
}

// said says whether a group of this type speaks of such things.
func (t *tip) said(rules model.GroupRules) bool {
	switch t.kind {
	case tim.GroupTipInvite, tim.GroupTipQuit, tim.GroupTipKick:
		return rules.MemberTips
	case tim.GroupTipSetAdmin, tim.GroupTipCancelAdmin, tim.GroupTipMemberInfoChange:
		return rules.RoleTips
	}
	return true
}

// say stores a tip as a message of the group.
func (g *Groups) say(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, t *tip) error {
	if !t.said(g.rulesOf(r)) {
		return nil
	}
	if t.operator.User == "" {
		if err := t.prepare(g, tx, r, cmp.Or(t.by, a.UID)); err != nil {
			return err
		}
	}
	content := t.content(r, a.Platform, g.now().Unix())
	if g.rulesOf(r).Live {
		o.Live = append(o.Live, LiveEntry{r.gid, protocol.Entry{Kind: protocol.EntryMessage, Message: protocol.Message{
			From: model.SystemSender, Group: r.ID, Time: g.now().UnixMilli(), Content: content}}})
		return nil
	}
	_, changes, err := g.messages.Post(tx, &message.Outgoing{From: message.User{Name: model.SystemSender}, GID: r.gid, App: a.App,
		Key: "tip:" + rand.Text(), Content: content, Tip: true, Targets: t.only})
	o.Changes = append(o.Changes, changes...)
	return err
}

// content is the tip as a protocol.Content.
func (t *tip) content(r *record, platform string, now int64) []byte {
	number := random.Uint32()
	id := strconv.FormatUint(account.TinyID(0), 10) + "-" + strconv.FormatInt(now, 10) + "-" + strconv.FormatUint(uint64(number), 10)
	return protocol.Marshal(map[string]any{"id": id, "ct": now, "r": number, "p": tim.PlatformOther,
		protocol.ContentElements: []object{t.element(r, platform, now)},
		protocol.ContentExtra:    object{tim.KeyMsgPriority: tim.MsgPriorityLowest}})
}

// object is public JSON.
type object map[string]any

func (t *tip) element(r *record, platform string, now int64) object {
	users, profiles, members := []string{}, []object{}, []object{}
	for _, m := range t.members {
		users = append(users, m.User)
		profiles = append(profiles, profile(m))
		members = append(members, memberInfo(r.ID, m))
	}
	pinned := []json.RawMessage{}
	if t.pinned != nil {
		pinned = append(pinned, t.pinned)
	}
	return object{
		tim.KeyElemType: tim.ElemGroupTips, tim.KeyGroupTipsElemTipType: t.kind, tim.KeyGroupTipsElemJoinType: t.join,
		tim.KeyGroupTipsElemGroupId: r.ID, tim.KeyGroupTipsElemGroupName: r.Name, tim.KeyGroupTipsElemTime: now,
		tim.KeyGroupTipsElemOpUser: t.operator.User, tim.KeyGroupTipsElemOpUserInfo: profile(t.operator),
		tim.KeyGroupTipsElemOpGroupMemberInfo: memberInfo(r.ID, t.operator),
		tim.KeyGroupTipsElemUserArray:         users, tim.KeyGroupTipsElemChangedUserInfoArray: profiles,
		tim.KeyGroupTipsElemChangedGroupMemberInfoArray: members, tim.KeyGroupTipsElemMemberNum: t.memberNum(r),
		tim.KeyGroupTipsElemPlatform: model.PlatformName(platform), tim.KeyGroupTipsElemPinnedMessageList: pinned,
		tim.KeyGroupTipsElemGroupChangeInfoArray:  orNone(t.change),
		tim.KeyGroupTipsElemMemberChangeInfoArray: orNone(t.mutes),
		tim.KeyGroupTipsElemMemberMarkInfoArray:   orNone(t.marks),
	}
}

// orNone is a list that is an array in JSON also when it is empty.
func orNone(list []object) []object {
	if list == nil {
		return []object{}
	}
	return list
}

// memberNum is given when somebody came or went.
func (t *tip) memberNum(r *record) int {
	if t.kind == tim.GroupTipInvite || t.kind == tim.GroupTipQuit || t.kind == tim.GroupTipKick {
		return r.Members
	}
	return 0
}

// profile is a user as tips show him.
func profile(m protocol.Member) object {
	return object{
		tim.KeyUserProfileIdentifier: m.User, tim.KeyUserProfileNickName: m.Nick, tim.KeyUserProfileFaceUrl: m.Face,
		tim.KeyUserProfileGender: tim.GenderTypeUnknown, tim.KeyUserProfileFriendRemark: "",
		tim.KeyUserProfileSelfSignature: "", tim.KeyUserProfileAddPermission: tim.ProfileAddPermissionUnknown,
		tim.KeyUserProfileLocation: "", tim.KeyUserProfileLanguage: 0, tim.KeyUserProfileBirthDay: 0,
		tim.KeyUserProfileLevel: 0, tim.KeyUserProfileRole: 0, tim.KeyUserProfileCustomStringArray: []any{},
	}
}

// memberInfo is a member as tips show him.
func memberInfo(group string, m protocol.Member) object {
	o := object{
		tim.KeyGroupMemberInfoIdentifier: m.User, tim.KeyGroupMemberInfoGroupId: group, tim.KeyGroupMemberInfoJoinTime: m.Joined,
		tim.KeyGroupMemberInfoMemberRole: m.Role, tim.KeyGroupMemberInfoMsgFlag: 0, tim.KeyGroupMemberInfoMsgSeq: 0,
		tim.KeyGroupMemberInfoShutupTime: m.MuteUntil, tim.KeyGroupMemberInfoNameCard: m.NameCard,
		tim.KeyGroupMemberInfoNickName: m.Nick, tim.KeyGroupMemberInfoFriendRemark: "", tim.KeyGroupMemberInfoFaceUrl: m.Face,
		tim.KeyGroupMemberInfoCustomInfo: memberFields(m.Custom), tim.KeyGroupMemberInfoIsOnline: false,
		tim.KeyGroupMemberInfoOnlineDevices: []any{},
	}
	for _, older := range tim.OlderKeys(tim.KeyGroupMemberInfoFriendRemark) {
		o[older] = ""
	}
	return o
}

// memberFields is a member's custom fields as tips show them.
func memberFields(fields map[string]string) []object {
	list := make([]object, 0, len(fields))
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, object{tim.KeyGroupMemberInfoCustomStringInfoKey: key, tim.KeyGroupMemberInfoCustomStringInfoValue: fields[key]})
	}
	return list
}

// TellPinned says in the group that a message was pinned, or is not pinned any more, to those who may see the message.
func (g *Groups) TellPinned(tx *sqlite.Tx, a *Actor, c *message.Change, on bool) ([]changelog.Change, error) {
	r, err := find(tx, c.Where.GID)
	if err != nil {
		return nil, err
	}
	m, only, err := g.messages.Find(tx, c)
	if err != nil {
		return nil, err
	}
	t := &tip{kind: tim.GroupTipPinnedMessageDeleted, only: only, pinned: protocol.Marshal(publicMessage(r.ID, m))}
	if on {
		t.kind = tim.GroupTipPinnedMessageAdded
	}
	var o Outcome
	err = g.say(tx, a, r, &o, t)
	return o.Changes, err
}
