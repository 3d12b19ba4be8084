package converge_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
)

// watched are the filters that every host subscribes to and every check asks for.
func watched() []filter {
	star, none := uint64(tim.ConversationMarkTypeStar), uint64(0)
	first, alone := groupName(0), ""
	return []filter{{typ: tim.ConvC2C}, {typ: tim.ConvGroup}, {mark: &star}, {mark: &none}, {group: &first}, {group: &alone}}
}

// JSON is the filter as the interface takes it.
func (f filter) JSON(unread bool) string {
	m := map[string]any{}
	if f.typ != 0 {
		m[tim.KeyConversationListFilterConvType] = f.typ
	}
	if f.group != nil {
		m[tim.KeyConversationListFilterConversationGroup] = *f.group
	}
	if f.mark != nil {
		m[tim.KeyConversationListFilterMarkType] = *f.mark
	}
	if unread {
		m[tim.KeyConversationListFilterHasUnreadCount] = true
	}
	return text(m)
}

// subscribe makes the host hear of totals; a logout ends that.
func (s *scene) subscribe(p *phone) {
	p.ask(tim.OpTIMConvGetTotalUnreadMessageCount)
	for _, f := range watched() {
		p.call(tim.OpTIMConvSubscribeUnreadMessageCountByFilter, f.JSON(false))
	}
	clear(p.told)
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	p.host.total = nil
	clear(p.host.filtered)
}

// rowOf reads a conversation of a device's list.
func rowOf(v gjson.Result) row {
	r := row{conv: conv{int(v.Get(tim.KeyConvType).Int()), v.Get(tim.KeyConvId).String()}, unread: int(v.Get(tim.KeyConvUnReadNum).Int()),
		last: v.Get(tim.KeyConvLastMsg).Get(tim.KeyMsgMsgId).String(), pinned: v.Get(tim.KeyConvIsPinned).Bool(),
		custom: v.Get(tim.KeyConvCustomData).String(), option: int(v.Get(tim.KeyConvRecvOpt).Int())}
	marks := uint64(0)
	for _, m := range v.Get(tim.KeyConvMarkArray).Array() {
		marks |= m.Uint()
	}
	r.marks = bits(marks)
	in := map[string]bool{}
	for _, g := range v.Get(tim.KeyConvConversationGroupArray).Array() {
		in[g.String()] = true
	}
	r.groups = sorted(in)
	if v.Get(tim.KeyConvIsHasDraft).Bool() {
		r.draft = v.Get(tim.KeyConvDraft).Get(tim.KeyDraftUserDefine).String()
	}
	return r
}

// upToDate says what differs between the phone's list and the model's. A phone that has never looked into a conversation
// may lack its last message: it has got the newest one, and that is deleted. Then the conversation's place tells that the
// phone knows of it.
func (p *phone) upToDate() error { return p.sameList(p.list(), false) }

func (p *phone) sameList(list []gjson.Result, looked bool) error {
	want := p.s.truth.rows(p.owner, p.drafts)
	var above row
	last, unpinned := uint64(1)<<63, false
	for _, v := range list {
		got := rowOf(v)
		if w, listed := want[got.conv]; listed && !looked && got.last == "" && p.placed(v, w) {
			w.last = ""
			want[got.conv] = w
		}
		if w, listed := want[got.conv]; !listed || got != w {
			return fmt.Errorf("listed %v, the conversation is\n%+v\nand must be\n%+v", listed, got, w)
		}
		delete(want, got.conv)
		if got.pinned && unpinned {
			return fmt.Errorf("pinned, but not on top: %+v", got)
		}
		unpinned = !got.pinned
		if at := v.Get(tim.KeyConvActiveTime).Uint(); at >= last {
			return fmt.Errorf("at %d\n%+v\nstands above, at %d,\n%+v", last, above, at, got)
		} else {
			last, above = at, got
		}
	}
	for _, w := range want {
		return fmt.Errorf("not listed: %+v", w)
	}
	return nil
}

// placed says whether the place of a conversation is at least that of the last message that it must show.
func (p *phone) placed(v gjson.Result, r row) bool {
	const pinned, slots = uint64(1) << 62, 1024
	shown := p.s.truth.shown(p.owner, r.conv)
	return len(shown) == 0 || v.Get(tim.KeyConvActiveTime).Uint()%pinned/slots >= shown[len(shown)-1].millis
}

// agrees holds everything that the phone shows against the model, and what its host was told against what it shows.
func (p *phone) agrees() error {
	var all []gjson.Result
	for c := range p.owner.talks {
		h := p.history(c, true)
		if err := p.sameHistory(c, h); err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		all = append(all, h...)
	}
	list := p.list()
	if err := p.sameList(list, true); err != nil {
		return err
	}
	if err := p.host.agrees(list, all); err != nil {
		return err
	}
	if err := p.sameGroups(); err != nil {
		return err
	}
	return p.sameTotals()
}

func (p *phone) sameHistory(c conv, list []gjson.Result) error {
	var got, want []letter
	for _, m := range slices.Backward(list) {
		got = append(got, *letterOf(m))
	}
	for _, l := range p.s.truth.shown(p.owner, c) {
		want = append(want, *l)
	}
	plain := func(list []letter) (out []string) {
		for _, l := range list {
			if l.revoked { // its text may be gone
				l.text = ""
			}
			out = append(out, fmt.Sprint(l.seq, " ", l.from, " ", l.text, " ", l.id, " revoked=", l.revoked))
		}
		return out
	}
	if a, b := plain(got), plain(want); !slices.Equal(a, b) {
		return fmt.Errorf("the history is\n%s\nand must be\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	return nil
}

// sameGroups holds the conversation groups against the model, and those that the events made.
func (p *phone) sameGroups() error {
	got := map[string]bool{}
	for _, g := range gjson.Parse(p.ask(tim.OpTIMConvGetConversationGroupList)).Array() {
		got[g.String()] = true
	}
	if !maps.Equal(got, p.owner.groups) {
		return fmt.Errorf("the groups are %s and must be %s", sorted(got), sorted(p.owner.groups))
	}
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	for g, in := range p.host.groups {
		if !got[g] {
			return fmt.Errorf("the events left a group %s", g)
		}
		for c, t := range p.owner.talks {
			if key := fmt.Sprint(c.typ, " ", c.peer); t.groups[g] != in[key] {
				return fmt.Errorf("by the events %v stands in the group %s: %v, and must: %v", c, g, in[key], t.groups[g])
			}
		}
	}
	if len(p.host.groups) != len(got) {
		return fmt.Errorf("the events left %d groups, there are %d", len(p.host.groups), len(got))
	}
	return nil
}

// sameTotals holds totals, and lists by filter, against the model; and the events about them.
func (p *phone) sameTotals() error {
	m := p.s.truth
	total := gjson.Get(p.ask(tim.OpTIMConvGetTotalUnreadMessageCount), tim.KeyConvGetTotalUnreadMessageCountResultUnreadCount).Uint()
	if _, want := m.chosen(p.owner, p.drafts, filter{}); uint64(want) != total {
		return fmt.Errorf("in all %d are unread and must be %d", total, want)
	}
	p.host.mu.Lock()
	event := p.host.total
	p.host.mu.Unlock()
	if err := p.same("total", event, total); err != nil {
		return err
	}
	for _, f := range watched() {
		got := gjson.Get(p.ask(tim.OpTIMConvGetUnreadMessageCountByFilter, f.JSON(false)), tim.KeyConvGetTotalUnreadMessageCountResultUnreadCount).Uint()
		want, unread := m.chosen(p.owner, p.drafts, f)
		if uint64(unread) != got {
			return fmt.Errorf("with %v %d are unread and must be %d", f, got, unread)
		}
		var by *uint64
		p.host.mu.Lock()
		if n, told := p.host.filtered[f.String()]; told {
			by = &n
		}
		p.host.mu.Unlock()
		if err := p.same(f.String(), by, got); err != nil {
			return err
		}
		for _, only := range []bool{false, true} {
			if f.unread = only; only {
				want, _ = m.chosen(p.owner, p.drafts, f)
			}
			if err := p.samePages(f, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// same compares what the host was told last with what is: with the first answer, until an event says more.
func (p *phone) same(what string, event *uint64, now uint64) error {
	if event != nil {
		p.told[what] = *event
	} else if _, known := p.told[what]; !known {
		p.told[what] = now
	}
	if p.told[what] != now {
		return fmt.Errorf("%s: the host was told %d, it is %d", what, p.told[what], now)
	}
	return nil
}

// samePages pages through a filter.
func (p *phone) samePages(f filter, want []conv) error {
	var got []conv
	next := uint64(0)
	for {
		page := gjson.Parse(p.ask(tim.OpTIMConvGetConversationListByFilter, f.JSON(f.unread), next, 2))
		for _, v := range page.Get(tim.KeyConversationListResultConvList).Array() {
			got = append(got, rowOf(v).conv)
		}
		next = page.Get(tim.KeyConversationListResultNextSeq).Uint()
		if page.Get(tim.KeyConversationListResultIsFinished).Bool() {
			break
		}
		if len(got) > 100 {
			return fmt.Errorf("paging by %v has no end", f)
		}
	}
	order := func(a, b conv) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		return fmt.Errorf("by %v, only unread=%v, there are %v and must be %v", f, f.unread, got, want)
	}
	return nil
}
