package conversation

import (
	"fmt"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Filter says which conversations of the list are meant: those that fit everything that is set.
type Filter struct {
	Type      int     // TIMConvType, 0: any
	Group     *string // in this conversation group; "": in none
	Mark      *uint64 // with these marks; 0: with none at all
	Unread    *bool   // with unread messages, or without
	Mentioned *bool   // with an unread message that speaks to the user, or without
}

// ParseFilter reads a TIMConversationListFilter. Keys that it does not know filter nothing.
func ParseFilter(json string) (f Filter, err error) {
	v := gjson.Parse(json)
	if x := v.Get(tim.KeyConversationListFilterConvType); x.Exists() {
		f.Type = int(x.Int())
		if x.Type != gjson.Number || f.Type < 0 || f.Type > tim.ConvSystem {
			return f, wrong(tim.KeyConversationListFilterConvType)
		}
	}
	group := v.Get(tim.KeyConversationListFilterConversationGroup)
	if !group.Exists() {
		group = v.Get(tim.KeyConversationListFilterGroupName) // what programs made for older headers say
	}
	if group.Exists() {
		if group.Type != gjson.String {
			return f, wrong(tim.KeyConversationListFilterConversationGroup)
		}
		f.Group = &group.Str
	}
	if x := v.Get(tim.KeyConversationListFilterMarkType); x.Exists() {
		bits := x.Uint()
		if x.Type != gjson.Number || bits != 0 && !model.ValidMarks(bits) {
			return f, wrong(tim.KeyConversationListFilterMarkType)
		}
		f.Mark = &bits
	}
	if f.Unread, err = flag(v, tim.KeyConversationListFilterHasUnreadCount); err != nil {
		return f, err
	}
	f.Mentioned, err = flag(v, tim.KeyConversationListFilterHasGroupAtInfo)
	return f, err
}

func wrong(key string) error { return fmt.Errorf("the value of %s cannot be used", key) }

func flag(v gjson.Result, key string) (*bool, error) {
	x := v.Get(key)
	switch {
	case !x.Exists():
		return nil, nil
	case !x.IsBool():
		return nil, wrong(key)
	}
	on := x.Bool()
	return &on, nil
}

// JSON is the filter as the interface has it.
func (f Filter) JSON() string {
	m := map[string]any{}
	if f.Type != 0 {
		m[tim.KeyConversationListFilterConvType] = f.Type
	}
	if f.Group != nil {
		m[tim.KeyConversationListFilterConversationGroup] = *f.Group
	}
	if f.Mark != nil {
		m[tim.KeyConversationListFilterMarkType] = *f.Mark
	}
	if f.Unread != nil {
		m[tim.KeyConversationListFilterHasUnreadCount] = *f.Unread
	}
	if f.Mentioned != nil {
		m[tim.KeyConversationListFilterHasGroupAtInfo] = *f.Mentioned
	}
	return string(protocol.Marshal(m))
}

// same says whether the interface takes two filters for one subscription: type, mark and group identify it.
func (f Filter) same(g Filter) bool {
	return f.Type == g.Type && equal(f.Mark, g.Mark) && equal(f.Group, g.Group)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// where is the filter as a condition that begins with AND.
func (f Filter) where() (text string, args []any) {
	add := func(condition string, values ...any) {
		text, args = text+" AND "+condition, append(args, values...)
	}
	if f.Type != 0 {
		add(`+type=?`, f.Type) // not through its index: the order of the list is worth more
	}
	switch {
	case f.Group == nil:
	case *f.Group == "":
		add(`in_groups=''`)
	default:
		add(`in_groups<>'' AND EXISTS (SELECT 1 FROM json_each(in_groups) WHERE value=?)`, *f.Group)
	}
	switch {
	case f.Mark == nil:
	case *f.Mark == 0:
		add(`marks=0`)
	default:
		add(`marks&?=?`, int64(*f.Mark), int64(*f.Mark))
	}
	if f.Unread != nil {
		add(`(peer_count>read_count)=?`, *f.Unread)
	}
	if f.Mentioned != nil {
		add(`(at<>'')=?`, *f.Mentioned)
	}
	return text, args
}

// Page returns at most count conversations of the list that fit, below the order next, or from the top with 0, and whether
// these are the last ones.
func Page(q sqlite.Queryer, f Filter, next uint64, count int) (page []*Conversation, last bool, err error) {
	below := int64(next)
	if next == 0 || below < 0 {
		below = highest
	}
	where, args := f.where()
	args = append(append([]any{below}, args...), count+1)
	page, err = list(q, `WHERE visible AND place<?`+where+` ORDER BY place DESC LIMIT ?`, args...)
	if len(page) > count {
		return page[:count], false, err
	}
	return page, true, err
}

// Total returns the number of unread messages in all visible conversations that the user wants to be told of.
func Total(q sqlite.Queryer) (uint64, error) { return Unread(q, Filter{}) }

// Unread is Total for the conversations that fit.
func Unread(q sqlite.Queryer, f Filter) (n uint64, err error) {
	where, args := f.where()
	_, err = q.Get(countUnread+where, []any{&n}, args...)
	return n, err
}

// countUnread goes through the index of those in which something is unread, mostly a few of many; with a plain "visible" it
// would go through the whole list.
const countUnread = `SELECT coalesce(sum(peer_count-read_count),0) FROM conversation WHERE peer_count>read_count AND +visible AND option=0`
