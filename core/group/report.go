package group

import (
	"encoding/json"

	"timbre/core/store"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// report tells the host what a group tells this user alone: a message of the system that stands in no history.
func (g *Groups) report(e *protocol.Entry) error {
	var d protocol.Report
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return err
	}
	g.Messages.Announce(list([]object{reportElement(e.Group, &d)}), e.Time)
	return nil
}

// Tell tells the host of something in a group as reports do, although every member hears of it.
func (g *Groups) Tell(tx *store.Tx, group string, r *protocol.Report, at int64) {
	text := list([]object{reportElement(group, r)})
	tx.After(func() { g.Messages.Announce(text, at) })
}

// reportElement is a GroupReportElem.
func reportElement(group string, r *protocol.Report) object {
	return object{
		tim.KeyElemType: tim.ElemGroupReport, tim.KeyGroupReportElemReportType: r.Type,
		tim.KeyGroupReportElemGroupId: group, tim.KeyGroupReportElemGroupName: r.Name,
		tim.KeyGroupReportElemOpUser: r.Operator.User, tim.KeyGroupReportElemMsg: r.Text, tim.KeyGroupReportElemUserData: r.Data,
		tim.KeyGroupReportElemOpUserInfo: profile(&r.Operator), tim.KeyGroupReportElemOpGroupMemberInfo: MemberInfo(group, &r.Operator),
		tim.KeyGroupReportElemPlatform: model.PlatformName(r.Platform), tim.KeyGroupReportElemShutUpTime: r.Mute,
		tim.KeyGroupReportElemGroupMessageReceiveOption: r.Option,
	}
}

// profile is a UserProfile of somebody in a group.
func profile(m *protocol.Member) object {
	return object{
		tim.KeyUserProfileIdentifier: m.User, tim.KeyUserProfileNickName: m.Nick, tim.KeyUserProfileFaceUrl: m.Face,
		tim.KeyUserProfileGender: tim.GenderTypeUnknown, tim.KeyUserProfileFriendRemark: "",
		tim.KeyUserProfileSelfSignature: "", tim.KeyUserProfileAddPermission: tim.ProfileAddPermissionUnknown,
		tim.KeyUserProfileLocation: "", tim.KeyUserProfileLanguage: 0, tim.KeyUserProfileBirthDay: 0,
		tim.KeyUserProfileLevel: 0, tim.KeyUserProfileRole: 0, tim.KeyUserProfileCustomStringArray: []any{},
	}
}
