package converge_test

import (
	"fmt"
	"maps"
	"slices"

	"timbre/model"
	"timbre/model/tim"
)

// hall is a group of the model of groups: a group, a live room, a community, or a topic of one. A change that the server has
// answered with success is made here, one that it has refused is not; what a role may do is another test's business.
type hall struct {
	id     string
	typ    int
	topics bool   // a community with topics, in which itself nothing is said
	parent *hall  // of a topic
	over   bool   // it was dismissed or deleted
	owner  string // of a live room: he stays its owner when he is not there

	name       string
	seats      map[string]*seat // by user; a topic has its parent's
	letters    []groupLetter
	attributes map[string]string
	counters   map[string]int64
	read       map[string]int // by user: how many letters he has read
}

// seat is a membership.
type seat struct {
	role int
	from int // letters that were there when he came
}

// groupLetter is a text in a group.
type groupLetter struct{ id, text, from string }

func newHall(id string, typ int, name, owner string) *hall {
	return &hall{id: id, typ: typ, owner: owner, name: name, seats: map[string]*seat{owner: {role: tim.MemberRoleOwner}}, attributes: map[string]string{},
		counters: map[string]int64{}, read: map[string]int{}}
}

func (h *hall) String() string { return fmt.Sprintf("%s (type %d)", h.name, h.typ) }

func (h *hall) rules() model.GroupRules {
	r, _ := model.RulesOf(h.typ)
	return r
}

// in says how a user is in the hall, nil when he is not.
func (h *hall) in(user string) *seat {
	switch {
	case h.over:
		return nil
	case h.parent != nil:
		return h.parent.in(user)
	}
	return h.seats[user]
}

// enter makes a user a member. Nothing that is there is unread for him.
func (h *hall) enter(user string, role int) {
	h.seats[user] = &seat{role: role, from: len(h.letters)}
	h.read[user] = len(h.letters)
}

// shown is what a user must see, oldest first.
func (h *hall) shown(user string) []groupLetter {
	switch s := h.in(user); {
	case s == nil || h.rules().Live:
		return nil
	case h.rules().History:
		return h.letters
	default:
		return h.letters[s.from:]
	}
}

func (h *hall) unread(user string) (n int) {
	if !h.rules().Unread || h.in(user) == nil {
		return 0
	}
	for _, l := range h.letters[h.read[user]:] {
		if l.from != user {
			n++
		}
	}
	return n
}

// roles is who is in the hall and how.
func (h *hall) roles() map[string]int {
	all := map[string]int{}
	for user, s := range h.seats {
		all[user] = s.role
	}
	return all
}

// diary is what an application knows of a hall from the events since a moment at which it knew everything.
type diary struct {
	since      int // letters that were there at that moment
	name       string
	roles      map[string]int
	attributes map[string]string
	counters   map[string]int64
}

func (h *hall) page() *diary {
	return &diary{since: len(h.letters), name: h.name, roles: h.roles(), attributes: maps.Clone(h.attributes), counters: maps.Clone(h.counters)}
}

// agrees holds what the events said against the model.
func (d *diary) agrees(h *hall) error {
	if d.name != h.name {
		return fmt.Errorf("by its events the name of %v is %q", h, d.name)
	}
	if rules := h.rules(); rules.MemberTips && rules.RoleTips && !maps.Equal(d.roles, h.roles()) {
		return fmt.Errorf("by its events %v has the members %v, and not %v", h, d.roles, h.roles())
	}
	if !maps.Equal(d.attributes, h.attributes) {
		return fmt.Errorf("by its events %v has the attributes %v, and not %v", h, d.attributes, h.attributes)
	}
	if !maps.Equal(d.counters, h.counters) {
		return fmt.Errorf("by its events %v has the counters %v, and not %v", h, d.counters, h.counters)
	}
	return nil
}

// sameTexts says whether a history, oldest first, is the one that must be shown. One of an earlier membership may stand before it on a
// device that was there.
func sameTexts(got []string, must, may []groupLetter) error {
	var want []string
	for _, l := range must {
		want = append(want, l.text)
	}
	if len(got) >= len(want) && slices.Equal(got[len(got)-len(want):], want) {
		for _, text := range got[:len(got)-len(want)] {
			if !slices.ContainsFunc(may, func(l groupLetter) bool { return l.text == text }) {
				return fmt.Errorf("the history shows %q, which was not for this user: %q", text, got)
			}
		}
		return nil
	}
	return fmt.Errorf("the history is %q, and not %q", got, want)
}
