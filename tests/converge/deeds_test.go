package converge_test

import (
	"fmt"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
)

// gone ends a membership in the model. What the user could see until then may stay on his device.
func (d deed) gone(user string) {
	for _, g := range d.guests {
		if g.owner.name != user {
			continue
		}
		for _, h := range d.halls {
			if h == d.h || h.parent == d.h {
				g.past[h] = append(g.past[h], h.shown(user)...)
			}
		}
		g.forget(d.h)
	}
	delete(d.h.seats, user)
}

// came begins a membership in the model. His application did not see what was before.
func (d deed) came(user string) {
	role := tim.MemberRoleNormal
	if d.h.rules().Live && user == d.h.owner {
		role = tim.MemberRoleOwner
	}
	d.h.enter(user, role)
	for _, h := range d.halls {
		if h.parent == d.h {
			h.read[user] = len(h.letters)
		}
	}
	for _, g := range d.guests {
		if g.owner.name == user {
			g.forget(d.h)
		}
	}
}

func (d deed) join() {
	was := d.h.in(d.self()) != nil
	if !d.does(tim.OpTIMGroupJoin, d.h.id, "let me in") || was {
		return
	}
	if add := d.addOption(); add == tim.GroupAddOptAuth {
		d.decided()
	} else {
		d.came(d.self())
	}
}

// addOption asks the server: who decides is not the model's business.
func (d deed) addOption() int {
	info := gjson.Get(d.g.ask(tim.OpTIMGroupGetGroupInfoList, text([]string{d.h.id})), "0."+tim.KeyGetGroupInfoResultInfo)
	return int(info.Get(tim.KeyGroupDetailInfoAddOption).Int())
}

// decided is what the owner makes of a request.
func (d deed) decided() {
	for _, g := range d.guests {
		if s := d.h.in(g.owner.name); s == nil || s.role != tim.MemberRoleOwner || g.away {
			continue
		}
		decider := d
		decider.g = g
		decider.ready()
		list := g.ask(tim.OpTIMGroupGetPendencyList, object(tim.KeyGroupPendencyOptionStartTime, 0, tim.KeyGroupPendencyOptionMaxLimited, 50))
		for _, one := range gjson.Get(list, tim.KeyGroupPendencyResultPendencyArray).Array() {
			if one.Get(tim.KeyGroupPendencyGroupId).String() != d.h.id || one.Get(tim.KeyGroupPendencyHandled).Int() != 0 ||
				one.Get(tim.KeyGroupPendencyFromIdentifier).String() != d.self() {
				continue
			}
			param := object(tim.KeyGroupHandlePendencyParamIsAccept, d.m.on, tim.KeyGroupHandlePendencyParamPendency, one.Value())
			if decider.does(tim.OpTIMGroupHandlePendency, param) && d.m.on {
				d.came(d.self())
			}
			return
		}
	}
}

func (d deed) invite() {
	r := d.g.start(tim.OpTIMGroupInviteMember, object(tim.KeyGroupInviteMemberParamGroupId, d.h.id,
		tim.KeyGroupInviteMemberParamIdentifierArray, []string{d.other}))
	d.g.end(r)
	d.log(d.g.name, "invites", d.other, "to", d.h, "with", r.code, r.desc, r.json)
	if r.code == 0 && gjson.Get(r.json, "0."+tim.KeyGroupInviteMemberResultResult).Int() == tim.GroupMemberHandledSuc {
		d.came(d.other)
	}
}

func (d deed) quit() {
	if d.does(tim.OpTIMGroupQuit, d.h.id) {
		d.gone(d.self())
	}
}

func (d deed) kick() {
	if d.does(tim.OpTIMGroupDeleteMember, object(tim.KeyGroupDeleteMemberParamGroupId, d.h.id,
		tim.KeyGroupDeleteMemberParamIdentifierArray, []string{d.other})) {
		d.gone(d.other)
	}
}

func (d deed) set(flags int, key string, value any) bool {
	return d.does(tim.OpTIMGroupModifyMemberInfo, object(tim.KeyGroupModifyMemberInfoParamGroupId, d.h.id,
		tim.KeyGroupModifyMemberInfoParamIdentifier, d.other, tim.KeyGroupModifyMemberInfoParamModifyFlag, flags, key, value))
}

func (d deed) role() {
	role := tim.MemberRoleNormal
	if d.m.on {
		role = tim.MemberRoleAdmin
	}
	if d.set(tim.GroupMemberModifyFlagMemberRole, tim.KeyGroupModifyMemberInfoParamMemberRole, role) {
		d.h.seats[d.other].role = role
	}
}

// mute changes who may speak, which shows in what the server answers to him only.
func (d deed) mute() {
	seconds := 0
	if d.m.on {
		seconds = 3600
	}
	d.set(tim.GroupMemberModifyFlagShutupTime, tim.KeyGroupModifyMemberInfoParamShutupTime, seconds)
}

func (d deed) transfer() {
	if d.other != d.self() && d.does(tim.OpTIMGroupModifyGroupInfo, object(tim.KeyGroupModifyInfoParamGroupId, d.h.id,
		tim.KeyGroupModifyInfoParamModifyFlag, tim.GroupModifyInfoFlagOwner, tim.KeyGroupModifyInfoParamOwner, d.other)) {
		d.h.seats[d.self()].role, d.h.seats[d.other].role = tim.MemberRoleNormal, tim.MemberRoleOwner
	}
}

func (d deed) rename() {
	name := fmt.Sprint("hall ", d.moves)
	if d.does(tim.OpTIMGroupModifyGroupInfo, object(tim.KeyGroupModifyInfoParamGroupId, d.h.id,
		tim.KeyGroupModifyInfoParamModifyFlag, tim.GroupModifyInfoFlagName, tim.KeyGroupModifyInfoParamGroupName, name)) {
		d.h.name = name
	}
}

func (d deed) dismiss() {
	if d.m.n > 1 || !d.does(tim.OpTIMGroupDelete, d.h.id) { // not so often
		return
	}
	d.h.over = true
}

func (d deed) attributes() {
	key, value := fmt.Sprint("a", d.m.n%3), fmt.Sprint(d.moves)
	pair := text([]map[string]string{{tim.KeyGroupAttributeKey: key, tim.KeyGroupAttributeValue: value}})
	switch {
	case d.m.n == 0:
		if d.does(tim.OpTIMGroupInitGroupAttributes, d.h.id, pair) {
			d.h.attributes = map[string]string{key: value}
		}
	case d.m.on:
		if d.does(tim.OpTIMGroupSetGroupAttributes, d.h.id, pair) {
			d.h.attributes[key] = value
		}
	default:
		if d.does(tim.OpTIMGroupDeleteGroupAttributes, d.h.id, text([]string{key})) {
			delete(d.h.attributes, key)
		}
	}
}

func (d deed) counters() {
	key, value := fmt.Sprint("c", d.m.n%3), int64(d.m.n+1)
	op, after := tim.OpTIMGroupIncreaseGroupCounter, d.h.counters[key]+value
	if d.m.on {
		op, after = tim.OpTIMGroupDecreaseGroupCounter, d.h.counters[key]-value
	}
	if d.does(op, d.h.id, key, uint64(value)) {
		d.h.counters[key] = after
	}
}

func (d deed) send() {
	words := fmt.Sprint("m", d.moves)
	message := object(tim.KeyMsgElemArray, []map[string]any{{tim.KeyElemType: tim.ElemText, tim.KeyTextElemContent: words}})
	var id string
	if d.does(tim.OpTIMMsgSendMessage, d.h.id, tim.ConvGroup, message, func(buffer string) { id = buffer }) {
		d.h.letters = append(d.h.letters, groupLetter{id, words, d.self()})
	}
}

func (d deed) read() {
	if d.h.in(d.self()) == nil || d.h.rules().Live || d.h.topics {
		return
	}
	if d.does(tim.OpTIMMsgReportReaded, d.h.id, tim.ConvGroup, "") {
		d.h.read[d.self()] = len(d.h.letters)
	}
}

func (d deed) topic() {
	name := fmt.Sprint("topic ", d.moves)
	if !d.h.topics {
		return
	}
	r := d.g.start(tim.OpTIMCommunityCreateTopicInCommunity, d.h.id, object(tim.KeyCommunityTopicInfoTopicName, name))
	d.g.end(r)
	d.log(d.g.name, "makes the topic", name, "with", r.code, r.desc)
	if r.code != 0 {
		return
	}
	t := newHall(r.json, tim.GroupCommunity, name, d.self())
	t.parent = d.h
	d.halls = append(d.halls, t)
}

func (d deed) topicName() {
	if d.h.parent == nil {
		return
	}
	name := fmt.Sprint("topic ", d.moves)
	if d.does(tim.OpTIMCommunitySetTopicInfo, object(tim.KeyCommunityTopicInfoTopicID, d.h.id,
		tim.KeyCommunityTopicInfoModifyFlag, tim.GroupModifyInfoFlagName, tim.KeyCommunityTopicInfoTopicName, name)) {
		d.h.name = name
	}
}

func (d deed) topicEnd() {
	if d.h.parent == nil {
		return
	}
	r := d.g.start(tim.OpTIMCommunityDeleteTopicFromCommunity, d.h.parent.id, text([]string{d.h.id}))
	d.g.end(r)
	d.log(d.g.name, "deletes", d.h, "with", r.code, r.desc, r.json)
	if r.code == 0 && gjson.Get(r.json, "0."+tim.KeyCommunityTopicOperationResultErrorCode).Int() == 0 {
		d.h.over = true
	}
}
