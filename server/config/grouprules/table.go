package main

import (
	"timbre/model"
	"timbre/model/tim"
)

// roles are whom a verdict is about, in its order.
var roles = []struct {
	name string
	role int
}{{"owner", tim.MemberRoleOwner}, {"admin", tim.MemberRoleAdmin}, {"member", tim.MemberRoleNormal}, {"outsider", 0}}

// rulesOfType is a type of groups in the JSON.
type rulesOfType struct {
	Type          int                       `json:"type"`
	Name          string                    `json:"name"`
	MaxMembers    int                       `json:"max_members"` // 0: no limit
	Admins        bool                      `json:"admins"`
	Live          bool                      `json:"live"`
	Unread        bool                      `json:"unread"`
	History       bool                      `json:"history"` // of before the time of a newcomer
	MemberTips    bool                      `json:"member_tips"`
	Successor     bool                      `json:"successor"`
	AddOption     int                       `json:"add"`
	ApproveOption int                       `json:"approve"`
	FixedAdd      bool                      `json:"fixed_add"`
	FixedApprove  bool                      `json:"fixed_approve"`
	ReceiveOption int                       `json:"receive"`
	May           map[string]map[string]int `json:"may"`    // action, role: code
	Rights        map[string]uint64         `json:"rights"` // action: the bit that it needs where permission groups decide
}

func table(s *model.GroupSwitches) (list []rulesOfType) {
	for _, t := range model.GroupTypes() {
		r, _ := s.Rules(t)
		one := rulesOfType{Type: t, Name: r.Name, MaxMembers: r.MaxMembers, Admins: r.Admins, Live: r.Live, Unread: r.Unread,
			History: r.History, MemberTips: r.MemberTips, Successor: r.Successor, AddOption: r.AddOption, ApproveOption: r.ApproveOption,
			FixedAdd: r.FixedAdd, FixedApprove: r.FixedApprove, ReceiveOption: r.ReceiveOption, May: map[string]map[string]int{}, Rights: map[string]uint64{}}
		for _, a := range model.GroupActions() {
			one.May[string(a)] = map[string]int{}
			if right, decided := model.GroupRightTo(a); decided && t == tim.GroupCommunity {
				one.Rights[string(a)] = right.Community
			}
			for _, who := range roles {
				one.May[string(a)][who.name] = r.May(a, who.role)
			}
		}
		list = append(list, one)
	}
	return list
}
