package group

import (
	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// maxAppGroups is how many groups of the app come in one answer.
const maxAppGroups = 100

// ParseAppGroups reads an ExtAppGroupParam.
func ParseAppGroups(v gjson.Result) (ask protocol.AskAppGroups, why *transport.Error) {
	numbers := []struct {
		key   string
		field *int
	}{{tim.KeyExtAppGroupRole, &ask.Role}, {tim.KeyExtAppGroupStart, &ask.Start}, {tim.KeyExtAppGroupCount, &ask.Limit}}
	for _, n := range numbers {
		if given := v.Get(n.key); given.Exists() {
			if given.Type != gjson.Number || given.Int() < 0 {
				return ask, bad(n.key + " must be a number")
			}
			*n.field = int(given.Int())
		}
	}
	if ask.Limit > maxAppGroups {
		return ask, bad("at most 100 groups come in one answer")
	}
	for _, t := range v.Get(tim.KeyExtAppGroupType).Array() { // a number is an array of one
		if t.Type != gjson.Number {
			return ask, bad(tim.KeyExtAppGroupType + " must be a number or an array of numbers")
		}
		ask.Types = append(ask.Types, int(t.Int()))
	}
	ask.Cursor = v.Get(tim.KeyExtAppGroupCursor).String()
	return ask, nil
}

// AppGroups answers a page of the app's groups.
func (g *Groups) AppGroups(ask protocol.AskAppGroups, done event.Done) {
	var page protocol.AppGroups
	if why := g.Ask(protocol.OpAppGroups, ask, &page); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	all := make([]object, 0, len(page.Groups))
	for i := range page.Groups {
		all = append(all, detail(&page.Groups[i]))
	}
	done(0, "", object{
		tim.KeyExtAppGroupTotal: page.Total, tim.KeyExtAppGroupStart: page.Start, tim.KeyExtAppGroupNextCursor: page.Cursor,
		tim.KeyExtAppGroupIsFinished: page.Cursor == "", tim.KeyExtAppGroupArray: all,
	}.json())
}
