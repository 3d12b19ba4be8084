package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/operator"
)

// community makes a community with topics.
func (c *client) community(g protocol.CreateGroup) string {
	c.t.Helper()
	g.Type, g.Name, g.Topics = tim.GroupCommunity, "town", true
	return c.create(g)
}

func (c *client) topic(community, key string, t protocol.CreateTopic) string {
	c.t.Helper()
	t.Community = community
	if t.Name == "" {
		t.Name = key
	}
	return ask[protocol.CreatedGroup](c, protocol.OpTopicCreate, "topic-"+key, t).ID
}

func (c *client) enterTown(group, key string) {
	c.t.Helper()
	ask[protocol.Joined](c, protocol.OpGroupJoin, key, protocol.JoinGroup{Group: group})
}

// topicOf asks for one topic.
func (c *client) topicOf(community, topic string) protocol.FoundGroup {
	c.t.Helper()
	return ask[protocol.Topics](c, protocol.OpTopics, "", protocol.AskTopics{Community: community, Topics: []string{topic}}).List[0]
}

// drain forgets what was pushed so far.
func (c *client) drain() {
	c.t.Helper()
	ask[protocol.Pong](c, protocol.OpPing, "", nil)
	for {
		select {
		case <-c.pushes:
		default:
			return
		}
	}
}

func changeOf[T any](t *testing.T, e pushed, kind string) (v T) {
	t.Helper()
	if e.Kind != kind {
		t.Fatalf("a %s in the log of %q, want a %s", e.Kind, e.log, kind)
	}
	if err := json.Unmarshal(e.Data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTopicIsFollowedFromItsFirstEntry(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	id := alice.community(protocol.CreateGroup{})
	bob.enterTown(id, "j")
	alice.drain()
	bob.drain()
	topic := alice.topic(id, "news", protocol.CreateTopic{Introduction: "i", Notification: "n", Face: "f", Text: "x", Rights: 8})
	if !strings.HasPrefix(topic, id+model.TopicMark) {
		t.Errorf("the server made the id %q", topic)
	}
	for _, c := range []*client{alice, bob} {
		change := changeOf[protocol.TopicChange](t, c.logged(1)[0], protocol.EntryTopic)
		if g := change.Topic; change.Change != protocol.ChangeCreated || g.ID != topic || g.Parent != id || g.Name != "news" ||
			g.Introduction != "i" || g.Notification != "n" || g.Face != "f" || g.Text != "x" || g.Rights != 8 || g.Self != nil {
			t.Errorf("the topic that was made is %+v", change.Topic)
		}
	}
	sent := bob.post(topic, "m", "hello")
	if sent.Seq != 1 || sent.Pos != 1 || sent.Own != 1 {
		t.Errorf("the first message got %+v", sent)
	}
	if e := alice.logged(1)[0]; e.log != topic || e.pos != 1 || e.Message.Group != topic || e.Message.From != "bob" {
		t.Errorf("got %+v", e)
	}
	carol.quiet()
	if code := carol.postCode(topic, "m", "hello"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("who is in no community speaks in its topic: %d", code)
	}
	if code := carol.code(protocol.OpRange, "", protocol.Range{Target: protocol.Target{Group: topic}}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("who is in no community reads a topic: %d", code)
	}
	if code := carol.code(protocol.OpTopics, "", protocol.AskTopics{Community: id}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("who is in no community lists its topics: %d", code)
	}
	if code := carol.code(protocol.OpDiff, "", protocol.Diff{Group: topic}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("who is in no community follows a topic: %d", code)
	}
	if f := ask[protocol.GroupInfos](carol, protocol.OpGroupInfo, "", protocol.GroupInfo{Groups: []string{topic, id}}).List; f[0].Code != tim.ErrSVRGroupPermissionDeny ||
		f[0].Group.Name != "" || f[1].Code != 0 || f[1].Group.Name != "town" {
		t.Errorf("who is in no community knows of a topic: %+v", f)
	}
	for _, join := range []string{topic, id + model.TopicMark + "none"} {
		if code := carol.code(protocol.OpGroupJoin, "x"+join, protocol.JoinGroup{Group: join}); code == 0 {
			t.Errorf("somebody joins %s", join)
		}
	}
}

func TestRefusedTopics(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	id := alice.community(protocol.CreateGroup{ID: model.CommunityPrefix + "town"})
	plain := alice.create(protocol.CreateGroup{Type: tim.GroupPublic, Name: "n", ID: "plain"})
	bob.enterTown(id, "j")
	own := id + model.TopicMark + "news"
	alice.topic(id, "first", protocol.CreateTopic{ID: own})
	for i, c := range []struct {
		who  *client
		t    protocol.CreateTopic
		code int
	}{
		{alice, protocol.CreateTopic{Community: id, Name: "n", ID: own}, tim.ErrSVRGroupGroupidInUsed},
		{alice, protocol.CreateTopic{Community: id, Name: "n", ID: "news"}, tim.ErrSDKGroupInvalidID},
		{alice, protocol.CreateTopic{Community: id, Name: "n", ID: id + model.TopicMark}, tim.ErrSDKGroupInvalidID},
		{alice, protocol.CreateTopic{Community: id, Name: "n", ID: own + model.TopicMark + "x"}, tim.ErrSDKGroupInvalidID},
		{alice, protocol.CreateTopic{Community: id, Name: "n", ID: id + model.TopicMark + strings.Repeat("x", 49)}, tim.ErrSDKGroupInvalidID},
		{alice, protocol.CreateTopic{Community: id}, tim.ErrSDKGroupInvalidName},
		{alice, protocol.CreateTopic{Community: id, Name: strings.Repeat("x", 151)}, tim.ErrSDKGroupInvalidName},
		{alice, protocol.CreateTopic{Community: id, Name: "n", Introduction: strings.Repeat("x", 401)}, tim.ErrSDKGroupInvalidIntroduction},
		{alice, protocol.CreateTopic{Community: id, Name: "n", Notification: strings.Repeat("x", 401)}, tim.ErrSDKGroupInvalidNotification},
		{alice, protocol.CreateTopic{Community: id, Name: "n", Face: strings.Repeat("x", 501)}, tim.ErrSDKGroupInvalidFaceURL},
		{alice, protocol.CreateTopic{Community: id, Name: "n", Text: strings.Repeat("x", 3001)}, tim.ErrSVRGroupInvalidParameters},
		{alice, protocol.CreateTopic{Community: plain, Name: "n"}, tim.ErrSVRGroupInvalidParameters},
		{alice, protocol.CreateTopic{Community: own, Name: "n"}, tim.ErrSVRGroupInvalidParameters},
		{alice, protocol.CreateTopic{Community: "none", Name: "n"}, tim.ErrSVRGroupNotFound},
		{alice, protocol.CreateTopic{Name: "n"}, tim.ErrSVRGroupInvalidGroupid},
		{bob, protocol.CreateTopic{Community: id, Name: "n"}, tim.ErrSVRGroupPermissionDeny},
	} {
		if code := c.who.code(protocol.OpTopicCreate, fmt.Sprint("t", i), c.t); code != c.code {
			t.Errorf("%+v: code %d, want %d", c.t, code, c.code)
		}
	}
	if code := bob.code(protocol.OpTopicSet, "s", protocol.SetTopic{Topic: own, Name: text("n")}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a member changed a topic: %d", code)
	}
	if code := alice.code(protocol.OpTopicSet, "s", protocol.SetTopic{Topic: id, Name: text("n")}); code != tim.ErrSVRGroupInvalidGroupid {
		t.Errorf("a community was changed as a topic: %d", code)
	}
	a := ask[protocol.Topics](bob, protocol.OpTopicDelete, "d", protocol.AskTopics{Community: id, Topics: []string{own, "x"}})
	if len(a.List) != 2 || a.List[0].Code != tim.ErrSVRGroupPermissionDeny || a.List[1].Code != tim.ErrSVRGroupInvalidGroupid {
		t.Errorf("a member deleted topics: %+v", a.List)
	}
}

func text(s string) *string { return &s }
func bits(n uint64) *uint64 { return &n }
func truth(b bool) *bool    { return &b }

func TestTopicChangesAndEnds(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	id := alice.community(protocol.CreateGroup{})
	bob.enterTown(id, "j")
	news, sport := alice.topic(id, "news", protocol.CreateTopic{}), alice.topic(id, "sport", protocol.CreateTopic{ID: id + model.TopicMark + "sport"})
	bob.post(sport, "m", "hello")
	bob.drain()
	ask[any](alice, protocol.OpTopicSet, "s", protocol.SetTopic{Topic: news, Name: text("olds"), Text: text("data"), MuteAll: truth(true)})
	log := bob.logged(2)
	change := changeOf[protocol.TopicChange](t, log[0], protocol.EntryTopic)
	if g := change.Topic; log[0].log != id || change.Change != protocol.ChangeSet || g.ID != news || g.Name != "olds" || g.Text != "data" || !g.MuteAll {
		t.Errorf("the change is %+v", g)
	}
	tip := tipOf(t, log[1])
	flags := texts(tip.Get(tim.KeyGroupTipsElemGroupChangeInfoArray + ".#." + tim.KeyGroupTipGroupChangeInfoFlag))
	if log[1].log != news || tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipTopicInfoChange || !slices.Equal(flags, []string{"1", "9"}) {
		t.Errorf("the tip in %s is %s", log[1].log, tip)
	}
	if code := bob.postCode(news, "quiet", "x"); code != tim.ErrSVRGroupShutupDeny {
		t.Errorf("bob speaks in a muted topic: %d", code)
	}
	alice.post(news, "loud", "x")
	bob.drain()
	a := ask[protocol.Topics](alice, protocol.OpTopicDelete, "d", protocol.AskTopics{Community: id, Topics: []string{sport, "x"}})
	if a.List[0].Code != 0 || a.List[1].Code == 0 {
		t.Errorf("deleting gave %+v", a.List)
	}
	change = changeOf[protocol.TopicChange](t, bob.logged(1)[0], protocol.EntryTopic)
	if change.Change != protocol.ChangeDeleted || !slices.Equal(change.IDs, []string{sport}) {
		t.Errorf("the end is %+v", change)
	}
	if code := bob.postCode(sport, "late", "x"); code != tim.ErrSVRGroupNotFound {
		t.Errorf("bob speaks in a topic that is gone: %d", code)
	}
	if f := bob.topicOf(id, sport); f.Code != tim.ErrSVRGroupNotFound {
		t.Errorf("a topic that is gone is found: %+v", f)
	}
	again := alice.topic(id, "again", protocol.CreateTopic{ID: sport})
	bob.drain()
	if sent := bob.post(again, "first", "x"); sent.Seq != 1 || sent.Own != 1 {
		t.Errorf("the new topic of the old id begins with %+v", sent)
	}
	all := ask[protocol.Topics](bob, protocol.OpTopics, "", protocol.AskTopics{Community: id})
	if len(all.List) != 2 || all.List[0].Group.ID != news || all.List[1].Group.ID != sport || all.List[1].Group.Max != 1 {
		t.Errorf("the topics are %+v", all.List)
	}
}

func TestTopicsOfJoinersAndLeavers(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	id := alice.community(protocol.CreateGroup{})
	bob.enterTown(id, "j")
	topic := alice.topic(id, "news", protocol.CreateTopic{})
	later := alice.topic(id, "later", protocol.CreateTopic{})
	alice.post(topic, "1", "one")
	alice.post(topic, "2", "two")
	unread := func(c *client, want uint64) {
		t.Helper()
		if f := c.topicOf(id, topic); f.Group.Self == nil || f.Group.Self.Unread != want || f.Group.Parent != id {
			t.Errorf("unread %+v, want %d", f.Group.Self, want)
		}
	}
	unread(alice, 0)
	unread(bob, 2)
	carol.drain()
	carol.enterTown(id, "j")
	m := membershipOf(t, carol.logged(1)[0])
	if !m.In || len(m.Topics) != 2 || m.Topics[0].Group.ID != topic || m.Topics[0].Pos != 2 || m.Topics[0].Max != 2 ||
		m.Topics[0].ReadSeq != 2 || m.Topics[1].Group.ID != later || m.Topics[1].Pos != 0 {
		t.Fatalf("the membership is %+v", m)
	}
	unread(carol, 0)
	bob.post(topic, "3", "three")
	carol.post(later, "l", "x")
	unread(alice, 1)
	unread(bob, 2)
	unread(carol, 1)
	for _, c := range []*client{bob, carol} {
		ask[protocol.Changed](c, protocol.OpRead, "r", protocol.Read{Target: protocol.Target{Group: topic}, Seq: 3})
		unread(c, 0)
	}
	if h := carol.history(topic); h.Min != 1 || len(h.Msgs) != 3 {
		t.Errorf("carol sees from %d on %d messages", h.Min, len(h.Msgs))
	}
	ask[any](carol, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: id})
	carol.drain()
	alice.post(topic, "4", "four")
	carol.quiet()
	if code := carol.code(protocol.OpRange, "", protocol.Range{Target: protocol.Target{Group: topic}}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("carol reads a topic after leaving: %d", code)
	}
	if code := carol.postCode(later, "late", "x"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("carol speaks after leaving: %d", code)
	}
	carol.enterTown(id, "again")
	unread(carol, 0)
	alice.post(topic, "5", "five")
	unread(carol, 1)
	unread(bob, 2)
}

func TestTopicStates(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	id := alice.community(protocol.CreateGroup{})
	bob.enterTown(id, "j")
	news, sport := alice.topic(id, "news", protocol.CreateTopic{}), alice.topic(id, "sport", protocol.CreateTopic{})
	alice.post(news, "n", "hello")
	states := func(c *client) (ids []string, all map[string]protocol.GroupState) {
		page := ask[protocol.GroupsPage](c, protocol.OpGroups, "", protocol.Groups{})
		all = map[string]protocol.GroupState{}
		for _, st := range page.Groups {
			ids, all[st.Group.ID] = append(ids, st.Group.ID), st
		}
		return ids, all
	}
	ids, all := states(bob)
	if !slices.Equal(ids, []string{id, news, sport}) {
		t.Fatalf("the states are of %v", ids)
	}
	if st := all[news]; st.Group.Parent != id || st.Pos != 1 || st.Max != 1 || st.PeerCount != 1 || len(st.Msgs) != 1 || st.Group.Self.Unread != 1 {
		t.Errorf("the state of the topic is %+v", st)
	}
	bob.drain()
	ask[any](bob, protocol.OpSetOption, "", protocol.SetOption{Group: news, Option: tim.RecvMsgOptNotReceive})
	bob.logged(1)
	alice.post(news, "quiet", "hello")
	bob.quiet()
	if ids, _ = states(bob); !slices.Equal(ids, []string{id, sport}) {
		t.Errorf("without news the states are of %v", ids)
	}
	if f := bob.topicOf(id, news); f.Group.Self.Option != tim.RecvMsgOptNotReceive {
		t.Errorf("the option is %d", f.Group.Self.Option)
	}
	ask[any](bob, protocol.OpSetOption, "", protocol.SetOption{Group: id, Option: tim.RecvMsgOptNotReceive})
	bob.logged(1)
	alice.post(sport, "quiet", "hello")
	alice.topic(id, "more", protocol.CreateTopic{})
	bob.quiet()
	ask[any](bob, protocol.OpSetOption, "", protocol.SetOption{Group: id, Option: tim.RecvMsgOptReceive})
	bob.logged(1)
	alice.post(news, "still", "hello")
	alice.post(sport, "loud", "hello")
	if e := bob.logged(1)[0]; e.log != sport {
		t.Errorf("heard of %s", e.log)
	}
	bob.quiet()
}

func TestMessagesInATopic(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	id := alice.community(protocol.CreateGroup{})
	bob.enterTown(id, "j")
	topic := alice.topic(id, "news", protocol.CreateTopic{})
	alice.post(topic, "1", "one")
	bob.post(topic, "2", "two")
	in := protocol.Target{Group: topic}
	if code := bob.code(protocol.OpRevoke, "r1", protocol.Revoke{Target: in, Seq: 1}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a member revoked a message of another: %d", code)
	}
	if code := bob.code(protocol.OpPin, "p1", protocol.Pin{Group: topic, Seq: 1, On: true}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a member pinned: %d", code)
	}
	ask[protocol.Edited](alice, protocol.OpPin, "p2", protocol.Pin{Group: topic, Seq: 2, On: true})
	ask[protocol.Edited](alice, protocol.OpRevoke, "r2", protocol.Revoke{Target: in, Seq: 2})
	bob.drain()
	d := bob.call(protocol.OpDiff, "", protocol.Marshal(protocol.Diff{Group: topic, Epoch: bob.epoch()}))
	if n := gjson.GetBytes(d.Body, "entries.#").Int(); n == 0 {
		t.Errorf("the diff of a topic is %d %s", d.Code, d.Body)
	}
	found := ask[protocol.Found](alice, protocol.OpSearch, "", protocol.Search{Keywords: []string{"one"}})
	if found.Total != 1 {
		t.Errorf("a search over everything finds %+v", found)
	}
	ask[any](alice, protocol.OpTopicDelete, "d", protocol.AskTopics{Community: id, Topics: []string{topic}})
	found = ask[protocol.Found](alice, protocol.OpSearch, "", protocol.Search{Keywords: []string{"one"}})
	if found.Total != 0 {
		t.Errorf("a search finds what is gone: %+v", found)
	}
}

// pmg makes a permission group.
func (c *client) pmg(community, key string, rights uint64) string {
	c.t.Helper()
	return ask[protocol.CreatedGroup](c, protocol.OpRightsCreate, key, protocol.SetRights{Community: community, Name: text(key),
		Custom: text("data"), Rights: bits(rights)}).ID
}

func TestPermissionGroupsDecide(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	id := alice.community(protocol.CreateGroup{})
	for _, c := range []*client{bob, carol} {
		c.enterTown(id, "j")
	}
	ask[any](alice, protocol.OpGroupSetMember, "admin", protocol.SetMember{Group: id, User: "carol", Role: number(tim.MemberRoleAdmin)})
	topic := carol.topic(id, "by an admin", protocol.CreateTopic{})
	if code := carol.code(protocol.OpRightsCreate, "no", protocol.SetRights{Community: id, Name: text("x")}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("an admin made a permission group: %d", code)
	}
	ask[any](alice, protocol.OpGroupSet, "on", protocol.SetGroup{Group: id, ByRights: truth(true)})
	if code := carol.code(protocol.OpTopicCreate, "no", protocol.CreateTopic{Community: id, Name: "x"}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("an admin has power beside permission groups: %d", code)
	}
	if code := bob.postCode(topic, "1", "x"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("bob speaks without the right: %d", code)
	}
	alice.post(topic, "owner", "x")
	speakers := alice.pmg(id, "speakers", 0)
	alice.drain()
	r := ask[protocol.Results](alice, protocol.OpRightsEnlist, "in", protocol.Enlist{Community: id, ID: speakers, Users: []string{"bob", "dave", "bob"}, On: true})
	if len(r.List) != 3 || r.List[0].Code != 0 || r.List[1].Code != tim.ErrSVRGroupAccountNotFound || r.List[2].Code != 0 {
		t.Errorf("enlisting gave %+v", r.List)
	}
	change := changeOf[protocol.RightsChange](t, alice.logged(1)[0], protocol.EntryRights)
	if change.Change != protocol.ChangeEnlist || change.Rights.ID != speakers || change.Rights.Members != 1 || !slices.Equal(change.Users, []string{"bob"}) {
		t.Errorf("the change is %+v", change)
	}
	r = ask[protocol.Results](alice, protocol.OpRightsGrant, "g", protocol.Grant{Community: id, ID: speakers, Change: protocol.ChangeGrant,
		Topics: map[string]uint64{topic: tim.TopicPermissionSendMessage, "none": 1}})
	if r.List[0].ID != topic || r.List[0].Code != 0 || r.List[1].Code == 0 {
		t.Errorf("granting gave %+v", r.List)
	}
	bob.post(topic, "2", "x")
	if code := bob.postCode(id, "3", "x"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("bob speaks where he has no right: %d", code)
	}
	ask[any](alice, protocol.OpRightsSet, "set", protocol.SetRights{Community: id, ID: speakers,
		Rights: bits(tim.CommunityPermissionSendMessage | tim.CommunityPermissionManageTopicInCommunity)})
	bob.post(id, "4", "x")
	bob.topic(id, "bob's", protocol.CreateTopic{})
	ask[protocol.Results](alice, protocol.OpRightsEnlist, "out", protocol.Enlist{Community: id, ID: speakers, Users: []string{"bob"}})
	if code := bob.postCode(topic, "5", "x"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("bob speaks after he left the permission group: %d", code)
	}
	ask[any](alice, protocol.OpGroupSet, "off", protocol.SetGroup{Group: id, ByRights: truth(false)})
	carol.topic(id, "again by an admin", protocol.CreateTopic{})
	bob.post(topic, "6", "x")
}

func TestPermissionGroupsAreListed(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	id := alice.community(protocol.CreateGroup{})
	bob.enterTown(id, "j")
	topic := alice.topic(id, "news", protocol.CreateTopic{})
	a, b := alice.pmg(id, "a", 5), alice.pmg(id, "b", 6)
	ask[protocol.Results](alice, protocol.OpRightsEnlist, "in", protocol.Enlist{Community: id, ID: b, Users: []string{"bob", "alice"}, On: true})
	ask[protocol.Results](alice, protocol.OpRightsGrant, "g", protocol.Grant{Community: id, ID: b, Change: protocol.ChangeGrant, Topics: map[string]uint64{topic: 3}})
	list := func(q protocol.AskRights) (ids []string, l protocol.RightsList) {
		t.Helper()
		q.Community = id
		l = ask[protocol.RightsList](bob, protocol.OpRights, "", q)
		for _, f := range l.List {
			ids = append(ids, f.Rights.ID)
		}
		return ids, l
	}
	ids, all := list(protocol.AskRights{})
	if !slices.Equal(ids, []string{a, b}) || all.List[1].Rights.Members != 2 || all.List[1].Rights.Rights != 6 || all.List[1].Rights.Name != "b" ||
		all.List[1].Rights.Custom != "data" || all.List[1].Rights.Community != id || !strings.HasPrefix(a, model.PermissionGroupPrefix) {
		t.Errorf("all are %+v", all.List)
	}
	if ids, _ = list(protocol.AskRights{Joined: true}); !slices.Equal(ids, []string{b}) {
		t.Errorf("bob is in %v", ids)
	}
	if ids, all = list(protocol.AskRights{IDs: []string{"x", a}}); !slices.Equal(ids, []string{"x", a}) || all.List[0].Code != tim.ErrSVRGroupNotFound {
		t.Errorf("named are %+v", all.List)
	}
	page := ask[protocol.RightsMembers](bob, protocol.OpRightsMembers, "", protocol.AskRights{Community: id, ID: b})
	if len(page.Members) != 2 || page.Members[0].User != "alice" || page.Members[0].Role != tim.MemberRoleOwner || page.Members[1].User != "bob" || page.Cursor != "" {
		t.Errorf("the members are %+v", page)
	}
	in := ask[protocol.Results](bob, protocol.OpRightsTopics, "", protocol.AskRights{Community: id, ID: b})
	if len(in.List) != 1 || in.List[0].ID != topic || in.List[0].Rights != 3 {
		t.Errorf("the rights in topics are %+v", in.List)
	}
	change := func(key, how string, n uint64) int {
		t.Helper()
		return ask[protocol.Results](alice, protocol.OpRightsGrant, key, protocol.Grant{Community: id, ID: b, Change: how,
			Topics: map[string]uint64{topic: n}}).List[0].Code
	}
	if change("alter", protocol.ChangeAlter, 7) != 0 || change("revoke", protocol.ChangeRevoke, 0) != 0 ||
		change("gone", protocol.ChangeRevoke, 0) != tim.ErrSVRGroupInvalidParameters || change("gone too", protocol.ChangeAlter, 1) != tim.ErrSVRGroupInvalidParameters {
		t.Error("rights in topics do not change as they should")
	}
	ask[any](bob, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: id})
	alice.drain()
	l := ask[protocol.RightsList](alice, protocol.OpRights, "", protocol.AskRights{Community: id, IDs: []string{b}})
	if l.List[0].Rights.Members != 1 {
		t.Errorf("who left is still in the permission group: %+v", l.List)
	}
	l = ask[protocol.RightsList](alice, protocol.OpRightsDelete, "d", protocol.AskRights{Community: id, IDs: []string{b, "x"}})
	if l.List[0].Code != 0 || l.List[1].Code != tim.ErrSVRGroupNotFound {
		t.Errorf("deleting gave %+v", l.List)
	}
	gone := changeOf[protocol.RightsChange](t, alice.logged(1)[0], protocol.EntryRights)
	if gone.Change != protocol.ChangeDeleted || !slices.Equal(gone.IDs, []string{b}) {
		t.Errorf("the change is %+v", gone)
	}
}

func TestOperatorTellsATopic(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	id := alice.community(protocol.CreateGroup{})
	topic := alice.topic(id, "news", protocol.CreateTopic{})
	alice.drain()
	tell := func(name string) int {
		q, err := http.NewRequest(http.MethodPost, fmt.Sprintf("%s/admin/topic?app=%d&topic=%s", s.http, testApp, url.QueryEscape(name)), strings.NewReader(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+ticket(operator.Administrator))
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		return a.StatusCode
	}
	for name, status := range map[string]int{topic: http.StatusOK, id: http.StatusNotFound, "none": http.StatusNotFound} {
		if got := tell(name); got != status {
			t.Errorf("telling %s: status %d, want %d", name, got, status)
		}
	}
	change := changeOf[protocol.TopicChange](t, alice.logged(1)[0], protocol.EntryTopic)
	if change.Change != protocol.ChangeCustom || !slices.Equal(change.IDs, []string{topic}) || change.Data != `{"a":1}` {
		t.Errorf("told %+v", change)
	}
}

// What one may do in a topic only, and what only whoever has the right to it may do to others.
func TestRightsInOneTopic(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	id := alice.community(protocol.CreateGroup{ByRights: true, Rights: tim.CommunityPermissionSendMessage})
	for _, c := range []*client{bob, carol} {
		c.enterTown(id, "j")
	}
	news, sport := alice.topic(id, "news", protocol.CreateTopic{}), alice.topic(id, "sport", protocol.CreateTopic{})
	keepers := alice.pmg(id, "keepers", 0)
	ask[protocol.Results](alice, protocol.OpRightsEnlist, "in", protocol.Enlist{Community: id, ID: keepers, Users: []string{"bob"}, On: true})
	ask[protocol.Results](alice, protocol.OpRightsGrant, "g", protocol.Grant{Community: id, ID: keepers, Change: protocol.ChangeGrant,
		Topics: map[string]uint64{news: tim.TopicPermissionManageTopic | tim.TopicPermissionMuteMember | tim.TopicPermissionRevokeOtherMemberMessage |
			tim.TopicPermissionManageTopicPermission}})
	mute := func(topic, user string) protocol.SetMember {
		seconds := uint32(60)
		return protocol.SetMember{Group: topic, User: user, Mute: &seconds}
	}
	seqs := map[string]uint64{}
	for _, topic := range []string{news, sport} {
		seqs[topic] = carol.post(topic, "m"+topic, "hello").Seq
	}
	for i, c := range []struct {
		op   string
		body func(topic string) any
	}{
		{protocol.OpTopicSet, func(topic string) any { return protocol.SetTopic{Topic: topic, Name: text("by bob")} }},
		{protocol.OpTopicSet, func(topic string) any { return protocol.SetTopic{Topic: topic, Rights: bits(1)} }},
		{protocol.OpRevoke, func(topic string) any {
			return protocol.Revoke{Target: protocol.Target{Group: topic}, Seq: seqs[topic]}
		}},
		{protocol.OpGroupSetMember, func(topic string) any { return mute(topic, "carol") }},
	} {
		if code := bob.code(c.op, fmt.Sprint("news", i), c.body(news)); code != 0 {
			t.Errorf("%s of %d in his topic: code %d", c.op, i, code)
		}
		if code := bob.code(c.op, fmt.Sprint("sport", i), c.body(sport)); code != tim.ErrSVRGroupPermissionDeny {
			t.Errorf("%s of %d in another topic: code %d", c.op, i, code)
		}
	}
	if code := bob.code(protocol.OpGroupSetMember, "owner", mute(news, "alice")); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("bob muted the owner: %d", code)
	}
	if code := carol.postCode(news, "muted", "x"); code != tim.ErrSVRGroupShutupDeny {
		t.Errorf("carol speaks where she is muted: %d", code)
	}
	carol.post(sport, "not muted", "x")
	if self := carol.topicOf(id, news).Group.Self; self.MuteUntil == 0 {
		t.Errorf("carol does not see that she is muted: %+v", self)
	}
	if code := bob.code(protocol.OpGroupKick, "k", protocol.KickMembers{Group: id, Users: []string{"carol"}}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("bob removed a member: %d", code)
	}
	ask[any](alice, protocol.OpRightsSet, "ban", protocol.SetRights{Community: id, ID: keepers, Rights: bits(tim.CommunityPermissionBanMember)})
	if code := bob.code(protocol.OpGroupKick, "k2", protocol.KickMembers{Group: id, Users: []string{"carol"}}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("bob removed a member whom he may only ban: %d", code)
	}
	if code := bob.code(protocol.OpGroupKick, "b", protocol.KickMembers{Group: id, Users: []string{"carol"}, Seconds: 60}); code != 0 {
		t.Errorf("bob may not ban: %d", code)
	}
}

func TestRightsToThePastAndToAll(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	id := alice.community(protocol.CreateGroup{ByRights: true, Rights: tim.CommunityPermissionSendMessage})
	closed := alice.topic(id, "closed", protocol.CreateTopic{})
	open := alice.topic(id, "open", protocol.CreateTopic{Rights: tim.TopicPermissionGetHistoryMessage | tim.TopicPermissionAtAll})
	for _, where := range []string{id, closed, open} {
		alice.post(where, "m"+where, "before bob came")
	}
	bob.enterTown(id, "j")
	for where, want := range map[string]bool{id: false, closed: false, open: true} {
		if h := bob.history(where); slices.ContainsFunc(h.Msgs, func(m json.RawMessage) bool { return strings.Contains(string(m), "before bob came") }) != want {
			t.Errorf("bob sees what was said in %s before he came: %v, want %v", where, !want, want)
		}
	}
	all := []byte(`{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"x"}],"x":{"` + tim.KeyMsgGroupAtUserArray + `":["` + model.AtAll + `"]}}`)
	for where, want := range map[string]int{closed: tim.ErrSVRGroupPermissionDeny, open: 0} {
		if code := bob.call(protocol.OpSend, "at"+where, protocol.AppendSend(nil, where, true, all)).Code; code != want {
			t.Errorf("mentioning all in %s: code %d, want %d", where, code, want)
		}
	}
}
