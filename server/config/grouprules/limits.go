package main

import (
	"fmt"
	"strings"

	"timbre/model"
)

// limits is the part on sizes. Codes are those of the call that asks for too much.
func limits(b *strings.Builder) {
	long, short := model.LongGroupTexts, model.ShortGroupTexts
	bytes := func(n int) string { return number(n) + " bytes" }
	rows := []struct{ what, limit string }{
		{"id that an application chooses", fmt.Sprintf("1 to %s of printable ASCII, not beginning with `%s`", bytes(model.MaxGroupID), model.GroupPrefix)},
		{"name", bytes(long.Name) + " (short: " + number(short.Name) + ")"},
		{"introduction", bytes(long.Introduction) + " (short: " + number(short.Introduction) + ")"},
		{"notification", bytes(long.Notification) + " (short: " + number(short.Notification) + ")"},
		{"URL of the picture", bytes(long.Face) + " (short: " + number(short.Face) + ")"},
		{"groups of a user", number(model.MaxGroups)},
		{"first members, users in one invitation", number(model.MaxInvites)},
		{"users in one removal", number(model.MaxKicks)},
		{"members in one page", number(model.MemberPage)},
		{"reason of who asks or decides", bytes(model.MaxJoinReason)},
		{"name card", bytes(model.MaxNameCard)},
		{"custom fields of a group", fmt.Sprintf("%d with keys of %s and values of %s", model.MaxGroupFields, bytes(model.MaxFieldKey), bytes(model.MaxGroupField))},
		{"custom fields of a member", fmt.Sprintf("%d with values of %s", model.MaxMemberFields, bytes(model.MaxMemberField))},
		{"attributes", fmt.Sprintf("%d with keys of %s, values of %s, together %s", model.MaxAttributes, bytes(model.MaxAttributeKey), bytes(model.MaxAttribute), bytes(model.MaxAllAttributes))},
		{"counters", fmt.Sprintf("%d with keys of %s, 64-bit integers", model.MaxCounters, bytes(model.MaxCounterKey))},
		{"marks", fmt.Sprintf("%d different ones from %s on, %s members each, %d users in one call", model.MaxMarks, number(model.MinMark), number(model.MaxMarked), model.MaxMarkUsers)},
		{"topics of a community", number(model.MaxTopics)},
		{"a topic's name, introduction or notification, picture, custom text", fmt.Sprintf("%d, %d, %d, %s", model.MaxTopicName, model.MaxTopicText, model.MaxTopicFace, bytes(model.MaxTopicCustom))},
		{"permission groups of a community", number(model.MaxPermissionGroups)},
		{"a permission group's name, custom text", fmt.Sprintf("%d, %s", model.MaxPermissionGroupName, bytes(model.MaxPermissionGroupCustom))},
		{"topics, users in one change of a permission group", fmt.Sprintf("%d, %d", model.MaxPermissionTopics, model.MaxPermissionMembers)},
		{"a transparent message", bytes(model.MaxTrans)},
	}
	b.WriteString("\n## Limits\n")
	head(b, "what", []string{"limit"})
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s |\n", r.what, r.limit)
	}
}
