package converge_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"timbre/model/tim"
)

// The model says what users must see, in plain maps. It knows what has happened and nothing of how: no positions in
// logs, no devices that are behind, no order in which things became known.

// letter is a message that the server has numbered.
type letter struct {
	seq     uint64
	id      string
	text    string
	from    string
	counts  bool // as unread, for those who did not send it
	revoked bool
	millis  uint64 // when the server took it
}

// talk is what a user made of one of his conversations.
type talk struct {
	read   uint64 // numbers up to which he has read,
	clear  uint64 // has deleted,
	hide   uint64 // and does not want the conversation listed
	pinned bool
	marks  uint64
	custom string
	groups map[string]bool // conversation groups that it stands in
	option int
}

// person is a user of the model.
type person struct {
	name   string
	talks  map[conv]*talk
	groups map[string]bool // names of his conversation groups
	gone   map[string]bool // ids of messages that he deleted
}

// truth is the model of everything.
type truth struct {
	letters map[string][]*letter // by channel, ascending
	people  []*person
}

func newTruth(users []string, groups []string) *truth {
	m := &truth{letters: map[string][]*letter{}}
	for _, u := range users {
		p := &person{name: u, talks: map[conv]*talk{}, groups: map[string]bool{}, gone: map[string]bool{}}
		for _, g := range groups {
			p.talks[conv{tim.ConvGroup, g}] = &talk{groups: map[string]bool{}}
		}
		for _, other := range users {
			p.talks[conv{tim.ConvC2C, other}] = &talk{groups: map[string]bool{}}
		}
		m.people = append(m.people, p)
	}
	return m
}

// channel names the messages that a user sees in a conversation.
func channel(user string, c conv) string {
	if c.typ == tim.ConvGroup {
		return c.peer
	}
	return min(user, c.peer) + " and " + max(user, c.peer)
}

func (m *truth) in(user string, c conv) []*letter { return m.letters[channel(user, c)] }

// add takes a message in. A number that is there already must be the same message.
func (m *truth) add(user string, c conv, l *letter) error {
	list := m.in(user, c)
	at, found := slices.BinarySearchFunc(list, l.seq, func(l *letter, seq uint64) int { return cmp.Compare(l.seq, seq) })
	if found {
		return fmt.Errorf("the number %d of %s was given twice: %+v, %+v", l.seq, channel(user, c), *list[at], *l)
	}
	m.letters[channel(user, c)] = slices.Insert(list, at, l)
	return nil
}

// newest is the number of the newest message.
func (m *truth) newest(user string, c conv) uint64 {
	list := m.in(user, c)
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].seq
}

// shown is the history of a conversation as a user sees it, oldest first.
func (m *truth) shown(p *person, c conv) (list []*letter) {
	for _, l := range m.in(p.name, c) {
		if l.seq > p.talks[c].clear && !p.gone[l.id] {
			list = append(list, l)
		}
	}
	return list
}

func (m *truth) unread(p *person, c conv) (n int) {
	for _, l := range m.in(p.name, c) {
		if l.counts && l.from != p.name && l.seq > p.talks[c].read {
			n++
		}
	}
	return n
}

// listed says whether a user's devices show a conversation that has no draft.
func (m *truth) listed(p *person, c conv) bool { return m.newest(p.name, c) > p.talks[c].hide }

// deleted is the end of a conversation up to a number.
func (p *person) deleted(c conv, seq uint64) {
	p.hidden(c, seq)
	p.talks[c].clear = max(p.talks[c].clear, seq)
}

// hidden takes a conversation out of the list, with its messages kept. What was attached to it goes.
func (p *person) hidden(c conv, seq uint64) {
	t := p.talks[c]
	t.read, t.hide = max(t.read, seq), max(t.hide, seq)
	t.pinned, t.marks, t.custom = false, 0, ""
	clear(t.groups)
}

// emptied deletes the history and leaves the conversation.
func (p *person) emptied(c conv, seq uint64) {
	t := p.talks[c]
	t.read, t.clear = max(t.read, seq), max(t.clear, seq)
}

// row is a conversation in a list, as the model and a device must agree on it.
type row struct {
	conv   conv
	unread int
	last   string // id of the last message
	pinned bool
	marks  string
	custom string
	groups string
	option int
	draft  string
}

// rows is the list of a user on a device with these drafts, in no order.
func (m *truth) rows(p *person, drafts map[conv]string) map[conv]row {
	all := map[conv]row{}
	for c, t := range p.talks {
		if !m.listed(p, c) && drafts[c] == "" {
			continue
		}
		r := row{conv: c, unread: m.unread(p, c), pinned: t.pinned, marks: bits(t.marks), custom: t.custom,
			groups: sorted(t.groups), option: t.option, draft: drafts[c]}
		if shown := m.shown(p, c); len(shown) > 0 {
			r.last = shown[len(shown)-1].id
		}
		all[c] = r
	}
	return all
}

// filter chooses conversations. The zero value chooses all.
type filter struct {
	typ    int     // 0: any
	group  *string // "": in none
	mark   *uint64 // 0: with none
	unread bool
}

func (f filter) String() string {
	s := fmt.Sprint("type ", f.typ)
	if f.group != nil {
		s += fmt.Sprintf(" group %q", *f.group)
	}
	if f.mark != nil {
		s += fmt.Sprint(" mark ", *f.mark)
	}
	return s
}

func (m *truth) chosen(p *person, drafts map[conv]string, f filter) (list []conv, unread int) {
	for c := range m.rows(p, drafts) {
		t := p.talks[c]
		switch {
		case f.typ != 0 && f.typ != c.typ,
			f.group != nil && *f.group == "" && len(t.groups) > 0,
			f.group != nil && *f.group != "" && !t.groups[*f.group],
			f.mark != nil && *f.mark == 0 && t.marks != 0,
			f.mark != nil && *f.mark != 0 && t.marks&*f.mark == 0,
			f.unread && m.unread(p, c) == 0:
			continue
		}
		list = append(list, c)
		if t.option == tim.RecvMsgOptReceive {
			unread += m.unread(p, c)
		}
	}
	return list, unread
}

// bits spells marks as a list of single ones.
func bits(marks uint64) string {
	var all []string
	for i := range 64 {
		if marks&(1<<i) != 0 {
			all = append(all, fmt.Sprint(uint64(1)<<i))
		}
	}
	return strings.Join(all, ",")
}

func sorted(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), ",") }
