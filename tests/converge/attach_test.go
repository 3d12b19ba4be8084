package converge_test

import "timbre/model/tim"

// This file is the steps that attach something to conversations.

func (d do) pin() {
	if !d.listed() {
		return
	}
	d.says("pins %s: %v", d.c.peer, d.a.on)
	d.call(func() { d.talk().pinned = d.a.on }, tim.OpTIMConvPinConversation, d.c.peer, d.c.typ, d.a.on)
}

func (d do) mark() {
	if !d.listed() {
		return
	}
	mark := []uint64{tim.ConversationMarkTypeStar, tim.ConversationMarkTypeHide, 1 << 32, 1 << 63}[d.a.n%4]
	d.says("marks %s with %d: %v", d.c.peer, mark, d.a.on)
	d.call(func() {
		if d.talk().marks &^= mark; d.a.on {
			d.talk().marks |= mark
		}
	}, tim.OpTIMConvMarkConversation, d.name(), mark, d.a.on)
}

func (d do) custom() {
	if !d.listed() {
		return
	}
	data := []string{"", "red", "blue"}[d.a.n%3]
	d.says("sets the custom data of %s to %q", d.c.peer, data)
	d.call(func() { d.talk().custom = data }, tim.OpTIMConvSetConversationCustomData, d.name(), data)
}

// groupName is a conversation group's.
func groupName(n int) string { return []string{"family", "work", "etc"}[n%3] }

// addToGroup makes the group first if it is not there.
func (d do) addToGroup() {
	g := groupName(d.a.n)
	op, owner := tim.OpTIMConvAddConversationsToGroup, d.p.owner
	if !owner.groups[g] {
		op = tim.OpTIMConvCreateConversationGroup
	}
	if !d.listed() {
		return
	}
	d.says("adds %s to the group %s", d.c.peer, g)
	d.call(func() { owner.groups[g], d.talk().groups[g] = true, true }, op, g, d.name())
}

func (d do) removeFromGroup() {
	g := groupName(d.a.n)
	if !d.p.owner.groups[g] || !d.listed() {
		return
	}
	d.says("takes %s out of the group %s", d.c.peer, g)
	d.call(func() { delete(d.talk().groups, g) }, tim.OpTIMConvDeleteConversationsFromGroup, g, d.name())
}

func (d do) deleteGroup() {
	g, owner := groupName(d.a.n), d.p.owner
	if !owner.groups[g] {
		return
	}
	d.says("deletes the group %s", g)
	d.call(func() {
		delete(owner.groups, g)
		for _, t := range owner.talks {
			delete(t.groups, g)
		}
	}, tim.OpTIMConvDeleteConversationGroup, g)
}

func (d do) renameGroup() {
	g, to, owner := groupName(d.a.n), groupName(d.a.n+d.a.conv), d.p.owner
	if !owner.groups[g] || owner.groups[to] {
		return
	}
	d.says("renames the group %s to %s", g, to)
	d.call(func() {
		delete(owner.groups, g)
		owner.groups[to] = true
		for _, t := range owner.talks {
			if t.groups[g] {
				delete(t.groups, g)
				t.groups[to] = true
			}
		}
	}, tim.OpTIMConvRenameConversationGroup, g, to)
}

func (d do) draft() {
	words := []string{"", "dear", "hello"}[d.a.n%3]
	if words == "" {
		if !d.truth.listed(d.p.owner, d.c) {
			return // what only a draft has put into this phone's list stays there without it
		}
		d.says("drops the draft for %s", d.c.peer)
		delete(d.p.drafts, d.c)
		d.p.call(tim.OpTIMConvCancelDraft, d.c.peer, d.c.typ)
	} else {
		d.says("drafts %q for %s", words, d.c.peer)
		d.p.drafts[d.c] = words
		elements := []map[string]any{{tim.KeyElemType: tim.ElemText, tim.KeyTextElemContent: words}}
		d.p.call(tim.OpTIMConvSetDraft, d.c.peer, d.c.typ, object(tim.KeyDraftUserDefine, words, tim.KeyDraftEditTime, 1,
			tim.KeyDraftMsg, map[string]any{tim.KeyMsgElemArray: elements}))
	}
}

func (d do) mute() {
	option := tim.RecvMsgOptReceive
	if d.a.on {
		option = tim.RecvMsgOptNotNotify
	}
	d.says("receives from %s with %d", d.c.peer, option)
	apply := func() { d.talk().option = option }
	if d.c.typ == tim.ConvGroup {
		d.call(apply, tim.OpTIMMsgSetGroupReceiveMessageOpt, d.c.peer, option)
		return
	}
	d.call(apply, tim.OpTIMMsgSetC2CReceiveMessageOpt, text([]string{d.c.peer}), option)
}
