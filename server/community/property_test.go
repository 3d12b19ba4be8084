package community_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

const users = 4

// view is what a member must see of a topic.
type view struct{ unread, max uint64 }

// branch is a topic of the model.
type branch struct {
	id     string
	gid    int64
	max    uint64
	rights uint64
	seen   map[int64]*view // by member
}

// permission is a permission group of the model.
type permission struct {
	id     string
	rights uint64
	topics map[string]uint64
	in     map[int64]bool
}

// picture is a plain model of the town: every member's unread count in every topic, and every right of everybody.
type picture struct {
	*town
	on          bool
	rights      uint64
	members     map[int64]bool
	topics      []*branch
	permissions []*permission
}

func (p *picture) anyone(t *rapid.T) int64 { return rapid.Int64Range(2, users).Draw(t, "user") }

func (p *picture) anyTopic(t *rapid.T) *branch {
	if len(p.topics) == 0 {
		t.Skip("no topic")
	}
	return rapid.SampledFrom(p.topics).Draw(t, "topic")
}

func (p *picture) anyPermission(t *rapid.T) *permission {
	if len(p.permissions) == 0 {
		t.Skip("no permission group")
	}
	return rapid.SampledFrom(p.permissions).Draw(t, "permission group")
}

// union is a member's rights in the community and in a topic.
func (p *picture) union(uid int64, b *branch) (all, here uint64) {
	all, here = p.rights, b.rights
	for _, g := range p.permissions {
		if g.in[uid] {
			all, here = all|g.rights, here|g.topics[b.id]
		}
	}
	return all, here
}

// speaks is the code for a message of a user in a topic.
func (p *picture) speaks(uid int64, b *branch) int {
	all, here := p.union(uid, b)
	may := uid == 1 || !p.on || all&tim.CommunityPermissionSendMessage != 0 || here&tim.TopicPermissionSendMessage != 0
	if p.members[uid] && may {
		return 0
	}
	return tim.ErrSVRGroupPermissionDeny
}

func (p *picture) come(t *rapid.T) {
	uid := p.anyone(t)
	if p.members[uid] {
		t.Skip("there already")
	}
	p.join(uid)
	p.members[uid] = true
	for _, b := range p.topics {
		b.seen[uid] = &view{max: b.max}
	}
}

func (p *picture) leave(t *rapid.T) {
	uid := p.anyone(t)
	if !p.members[uid] {
		t.Skip("not there")
	}
	p.quit(uid)
	delete(p.members, uid)
	for _, b := range p.topics {
		delete(b.seen, uid)
	}
	for _, g := range p.permissions {
		delete(g.in, uid)
	}
}

func (p *picture) open(t *rapid.T) {
	if len(p.topics) >= 5 {
		t.Skip("enough topics")
	}
	b := &branch{id: p.topic(1, 0), seen: map[int64]*view{}}
	b.gid = p.number(b.id)
	for uid := range p.members {
		b.seen[uid] = &view{}
	}
	p.topics = append(p.topics, b)
}

func (p *picture) end(t *rapid.T) {
	b := p.anyTopic(t)
	p.change(0, func(tx *sqlite.Tx) error {
		_, _, err := p.groups.DeleteTopics(tx, p.actor(1), p.gid, []string{b.id})
		return err
	})
	p.topics = slices.DeleteFunc(p.topics, func(x *branch) bool { return x == b })
	for _, g := range p.permissions {
		delete(g.topics, b.id)
	}
	for uid := range p.members {
		p.post(uid, b.gid, tim.ErrSVRGroupNotFound)
	}
}

func (p *picture) speak(t *rapid.T) {
	uid, b := rapid.Int64Range(1, users).Draw(t, "user"), p.anyTopic(t)
	code := p.speaks(uid, b)
	if p.post(uid, b.gid, code); code != 0 {
		return
	}
	b.max++
	for other, v := range b.seen {
		v.max = b.max
		if other != uid {
			v.unread++
		}
	}
}

func (p *picture) readAll(t *rapid.T) {
	uid, b := rapid.Int64Range(1, users).Draw(t, "user"), p.anyTopic(t)
	if !p.members[uid] {
		t.Skip("not there")
	}
	p.write(func(tx *sqlite.Tx) error { return p.markRead(tx, uid, b.gid, b.max) })
	b.seen[uid].unread = 0
}

var words = rapid.Uint64Range(0, 2047)

func (p *picture) rule(t *rapid.T) {
	p.on, p.rights = rapid.Bool().Draw(t, "on"), words.Draw(t, "rights")
	p.change(0, func(tx *sqlite.Tx) error {
		_, err := p.groups.Set(tx, p.actor(1), p.gid, &protocol.SetGroup{ByRights: &p.on, Rights: &p.rights})
		return err
	})
}

func (p *picture) ruleTopic(t *rapid.T) {
	b := p.anyTopic(t)
	rights := rapid.Uint64Range(0, 127).Draw(t, "rights")
	p.change(0, func(tx *sqlite.Tx) error {
		_, err := p.groups.SetTopic(tx, p.actor(1), b.gid, &protocol.SetTopic{Rights: &rights, MuteAll: new(bool)})
		return err
	})
	b.rights = rights
}

func (p *picture) permit(t *rapid.T) {
	if len(p.permissions) >= 4 {
		t.Skip("enough permission groups")
	}
	g := &permission{rights: words.Draw(t, "rights"), topics: map[string]uint64{}, in: map[int64]bool{}}
	name := "g"
	p.change(0, func(tx *sqlite.Tx) error {
		a, _, err := p.coms.Create(tx, p.actor(1), p.gid, &protocol.SetRights{Name: &name, Rights: &g.rights})
		g.id = a.ID
		return err
	})
	p.permissions = append(p.permissions, g)
}

func (p *picture) alter(t *rapid.T) {
	g := p.anyPermission(t)
	g.rights = words.Draw(t, "rights")
	p.change(0, func(tx *sqlite.Tx) error {
		_, err := p.coms.Set(tx, p.actor(1), p.gid, &protocol.SetRights{ID: g.id, Rights: &g.rights})
		return err
	})
}

func (p *picture) forbid(t *rapid.T) {
	g := p.anyPermission(t)
	p.change(0, func(tx *sqlite.Tx) error {
		_, _, err := p.coms.Delete(tx, p.actor(1), p.gid, []string{g.id})
		return err
	})
	p.permissions = slices.DeleteFunc(p.permissions, func(x *permission) bool { return x == g })
}

func (p *picture) enlist(t *rapid.T) {
	g, uid, on := p.anyPermission(t), p.anyone(t), rapid.Bool().Draw(t, "in")
	var r protocol.Results
	p.change(0, func(tx *sqlite.Tx) (err error) {
		name := user(uid).Name
		r, _, err = p.coms.Enlist(tx, p.actor(1), p.gid, &protocol.Enlist{ID: g.id, Users: []string{name}, On: on}, map[string]int64{name: uid})
		return err
	})
	if (r.List[0].Code == 0) != p.members[uid] {
		t.Fatalf("enlisting a member (%v) gave %d", p.members[uid], r.List[0].Code)
	}
	if p.members[uid] {
		delete(g.in, uid)
		if on {
			g.in[uid] = true
		}
	}
}

func (p *picture) grant(t *rapid.T) {
	g, b, rights := p.anyPermission(t), p.anyTopic(t), rapid.Uint64Range(0, 127).Draw(t, "rights")
	how := rapid.SampledFrom([]string{protocol.ChangeGrant, protocol.ChangeAlter, protocol.ChangeRevoke}).Draw(t, "how")
	var r protocol.Results
	p.change(0, func(tx *sqlite.Tx) (err error) {
		r, _, err = p.coms.Grant(tx, p.actor(1), p.gid, &protocol.Grant{ID: g.id, Change: how, Topics: map[string]uint64{b.id: rights}})
		return err
	})
	_, had := g.topics[b.id]
	if done := had || how == protocol.ChangeGrant; (r.List[0].Code == 0) != done {
		t.Fatalf("%s of rights that were there (%v) gave %d", how, had, r.List[0].Code)
	} else if !done {
		return
	}
	if delete(g.topics, b.id); how != protocol.ChangeRevoke {
		g.topics[b.id] = rights
	}
}

// check compares what everybody sees and may do with the model.
func (p *picture) check(t *rapid.T) {
	p.read(func(q sqlite.Queryer) error {
		for uid := range p.members {
			followed, err := p.groups.Followed(q, uid)
			if err != nil {
				return err
			}
			want := []int64{p.gid}
			for _, b := range p.topics {
				want = append(want, b.gid)
				if err := p.checkTopic(t, q, uid, b); err != nil {
					return err
				}
			}
			if slices.Sort(want); !slices.Equal(followed, want) {
				t.Fatalf("user %d follows %v, want %v", uid, followed, want)
			}
		}
		return p.checkGroups(t, q)
	})
}

func (p *picture) checkTopic(t *rapid.T, q sqlite.Queryer, uid int64, b *branch) error {
	g, err := p.groups.Group(q, b.gid, uid)
	if err != nil {
		return err
	}
	if v := *b.seen[uid]; g.Self == nil || g.Self.Unread != v.unread || g.Max != v.max || g.Parent != townID {
		t.Fatalf("user %d sees of %s %+v, want %+v", uid, b.id, g.Self, v)
	}
	if uid == 1 {
		return nil
	}
	allows, decides, err := p.coms.Allows(q, b.gid, uid, model.GroupRevokeOthers)
	all, here := p.union(uid, b)
	want := all&tim.CommunityPermissionRevokeOtherMemberMessage != 0 || here&tim.TopicPermissionRevokeOtherMemberMessage != 0
	if decides != p.on || p.on && allows != want {
		t.Fatalf("user %d may revoke in %s: %v (decided: %v), want %v of %d and %d", uid, b.id, allows, decides, want, all, here)
	}
	return err
}

func (p *picture) checkGroups(t *rapid.T, q sqlite.Queryer) error {
	list, err := p.coms.List(q, 1, p.gid, &protocol.AskRights{})
	if len(list.List) != len(p.permissions) {
		t.Fatalf("%d permission groups, want %d", len(list.List), len(p.permissions))
	}
	for i, f := range list.List {
		if g := p.permissions[i]; f.Rights.ID != g.id || f.Rights.Members != len(g.in) || f.Rights.Rights != g.rights {
			t.Fatalf("permission group %+v, want %+v", f.Rights, g)
		}
		in, err := p.coms.Topics(q, 1, p.gid, &protocol.AskRights{ID: f.Rights.ID})
		if err != nil {
			return err
		}
		got := map[string]uint64{}
		for _, r := range in.List {
			got[r.ID] = r.Rights
		}
		if !maps.Equal(got, p.permissions[i].topics) {
			t.Fatalf("its rights in topics are %v, want %v", got, p.permissions[i].topics)
		}
	}
	return err
}

// Whatever happens in a community, everybody's unread counts and rights are what a plain model says.
func TestCommunityAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &picture{town: newTown(t, users), members: map[int64]bool{1: true}}
		defer p.close()
		t.Repeat(map[string]func(*rapid.T){
			"come": p.come, "go": p.leave, "open": p.open, "end": p.end, "speak": p.speak, "read": p.readAll, "rule": p.rule,
			"rule topic": p.ruleTopic, "permit": p.permit, "alter": p.alter, "forbid": p.forbid, "enlist": p.enlist, "grant": p.grant,
			"": p.check,
		})
	})
}
