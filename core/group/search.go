package group

import (
	"context"
	"strings"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/search"
	"timbre/sqlite"
)

// Search is a question for groups or members by words in their fields. One word in one field is enough.
type Search struct {
	Groups   []string // of members: only in these; none: in all
	Keywords []string
	Fields   uint64 // bits, TIMGroupSearchFieldKey or TIMGroupMemberSearchFieldKey
}

// ParseSearchGroups reads a GroupSearchParam.
func ParseSearchGroups(v gjson.Result) (Search, *transport.Error) {
	return parseSearch(v.Get(tim.KeyGroupSearchParamKeywordList), v.Get(tim.KeyGroupSearchParamFieldList),
		tim.GroupSearchFieldKeyGroupId|tim.GroupSearchFieldKeyGroupName)
}

// ParseSearchMembers reads a GroupMemberSearchParam that names these groups.
func ParseSearchMembers(v gjson.Result, groups []string) (Search, *transport.Error) {
	s, why := parseSearch(v.Get(tim.KeyGroupMemberSearchParamKeywordList), v.Get(tim.KeyGroupMemberSearchParamFieldList),
		tim.GroupMemberSearchFieldKeyIdentifier|tim.GroupMemberSearchFieldKeyNickName|tim.GroupMemberSearchFieldKeyRemark|
			tim.GroupMemberSearchFieldKeyNameCard)
	s.Groups = groups
	return s, why
}

func parseSearch(keywords, fields gjson.Result, all uint64) (s Search, why *transport.Error) {
	for _, k := range keywords.Array() {
		if word := search.Fold(k.String()); k.Type == gjson.String && word != "" {
			s.Keywords = append(s.Keywords, word)
		}
	}
	for _, f := range fields.Array() {
		s.Fields |= f.Uint()
	}
	if len(fields.Array()) == 0 {
		s.Fields = all
	}
	switch {
	case len(s.Keywords) == 0 || len(s.Keywords) > model.MaxKeywords:
		return s, bad("1 to 5 keywords are needed")
	case s.Fields&all == 0:
		return s, bad("there is no such field")
	}
	return s, nil
}

// matches is the condition for one of the keywords to be in one of the columns, which belong to the bits of Fields.
func (s *Search) matches(columns ...string) (condition string, args []any) {
	var any []string
	for i, column := range columns {
		if s.Fields&(1<<i) == 0 || column == "" {
			continue
		}
		for _, k := range s.Keywords {
			any = append(any, `instr(`+column+`,?)>0`)
			args = append(args, k)
		}
	}
	if any == nil {
		return `0`, nil
	}
	return `(` + strings.Join(any, ` OR `) + `)`, args
}

// SearchGroups answers the user's groups that match. The first time it makes sure that all of them are here, if it can.
func (g *Groups) SearchGroups(s Search, done event.Done) {
	if !g.listed.Load() {
		if why := g.list(); why != nil {
			g.Log.Info("group: the search goes without the server's list", "code", why.Code)
		}
	}
	all := []object{}
	condition, args := s.matches("as_id", "as_name")
	err := g.Store.Read(context.Background(), func(q sqlite.Queryer) error {
		found, err := each[protocol.Group](q, `SELECT data FROM joined_group WHERE `+condition+` ORDER BY id`, args...)
		for i := range found {
			all = append(all, detail(&found[i]))
		}
		return err
	})
	g.found(all, err, done)
}

// SearchMembers answers members that this device has seen and that match, by group.
func (g *Groups) SearchMembers(s Search, done event.Done) {
	condition, args := s.matches("as_id", "as_nick", "", "as_card")
	if len(s.Groups) > 0 {
		condition += ` AND grp IN (SELECT value FROM json_each(?))`
		args = append(args, string(protocol.Marshal(s.Groups)))
	}
	type hit struct {
		Group  string          `json:"g"`
		Member protocol.Member `json:"m"`
	}
	all := []object{}
	err := g.Store.Read(context.Background(), func(q sqlite.Queryer) error {
		hits, err := each[hit](q, `SELECT json_object('g',grp,'m',json(data)) FROM group_member WHERE `+condition+` ORDER BY grp, user`, args...)
		var members []object
		for i := range hits {
			members = append(members, MemberInfo(hits[i].Group, &hits[i].Member))
			if i+1 == len(hits) || hits[i+1].Group != hits[i].Group {
				result := object{tim.KeyGroupSearchGroupMembersResultGroupID: hits[i].Group}
				result.set(tim.KeyGroupSearchGroupMembersResultMemberInfoList, members)
				all, members = append(all, result), nil
			}
		}
		return err
	})
	g.found(all, err, done)
}

func (g *Groups) found(all []object, err error, done event.Done) {
	if why := g.DatabaseError(err); why != nil {
		done(why.Code, why.Text, "")
		return
	}
	done(0, "", list(all))
}
