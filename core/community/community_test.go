package community

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/group"
	"timbre/core/message"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// fataler is what tests and properties fail by.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// device is one user's database with the modules that follow its logs, a server that answers from a script, and a host.
type device struct {
	t        fataler
	store    *store.Store
	messages *message.Messages
	*Communities
	followed map[string]uint64
	told     []string // events as "Setter: arguments"
	answers  map[string]protocol.Answer
	asked    []gjson.Result
	err      error
	// meanwhile happens once while a question is on its way.
	meanwhile func()
}

func start(t fataler) *device {
	t.Helper()
	st, err := store.Open("", conversation.Schema, message.Schema, message.SearchSchema, group.Schema, Schema)
	if err != nil {
		t.Fatalf("%v", err)
	}
	d := &device{t: t, store: st, followed: map[string]uint64{}, answers: map[string]protocol.Answer{}}
	log := slog.New(slog.DiscardHandler)
	book := conversation.New(d, func(_ sqlite.Queryer, c *conversation.Conversation) string { return `{"conv_id":"` + c.Peer + `"}` })
	d.messages = message.New(message.Self{User: "ann", TinyID: func() uint64 { return 7 }, Device: "device",
		Platform: func() int { return tim.PlatformOther }, Timeout: func() time.Duration { return time.Second }, Now: time.Now}, st, book, d, log)
	d.messages.Connect(nil, nil, d, nil)
	groups := group.New(group.Config{User: "ann", Link: d, Store: st, Messages: d.messages, Sink: d, Log: log,
		Timeout: func() time.Duration { return time.Second }, Ended: func() int { return tim.ErrSDKNotLoggedIn }})
	d.Communities = New(Config{User: "ann", Groups: groups, Messages: d.messages, Store: st, Sink: d}, book)
	return d
}

// Emit implements event.Sink.
func (d *device) Emit(e event.Event) {
	var args []string
	for _, a := range e.Args {
		args = append(args, a.Text)
	}
	d.told = append(d.told, e.Setter.String()+": "+strings.Join(args, " "))
}

func (d *device) Waiting() int { return 0 }

// Ask implements group.Asker.
func (d *device) Ask(_ context.Context, op, key string, body []byte, _ time.Duration) (protocol.Answer, error) {
	d.asked = append(d.asked, gjson.ParseBytes(body))
	if do := d.meanwhile; do != nil {
		d.meanwhile = nil
		do()
	}
	return d.answers[op], d.err
}

func (d *device) Applied(*store.Tx, string, uint64) error        { return nil }
func (d *device) Stands(*store.Tx, uint64, protocol.Entry) error { return nil }
func (d *device) Doubt(*store.Tx) error                          { return nil }
func (d *device) Catch()                                         {}
func (d *device) Unfollow(_ *store.Tx, topic string)             { delete(d.followed, topic) }
func (d *device) Follow(_ *store.Tx, topic string, pos uint64) {
	if at, known := d.followed[topic]; !known || pos > at {
		d.followed[topic] = pos
	}
}

func (d *device) write(apply func(tx *store.Tx) error) {
	d.t.Helper()
	if err := d.store.Write(context.Background(), apply); err != nil {
		d.t.Fatalf("%v", err)
	}
}

// apply applies an entry as sync does: the messages first.
func (d *device) apply(e protocol.Entry) {
	d.t.Helper()
	d.write(func(tx *store.Tx) error {
		if err := d.messages.Apply(tx, &e); err != nil {
			return err
		}
		return d.Apply(tx, &e)
	})
}

func (d *device) state(st protocol.GroupState) {
	d.t.Helper()
	d.write(func(tx *store.Tx) error {
		if err := d.messages.GroupState(tx, &st, false); err != nil {
			return err
		}
		return d.GroupState(tx, &st, false)
	})
}

func (d *device) topicEntry(change protocol.TopicChange) {
	d.t.Helper()
	d.apply(protocol.Entry{Kind: protocol.EntryTopic, Group: "team", Data: protocol.Marshal(change)})
}

func (d *device) made(id, name string) {
	d.t.Helper()
	d.topicEntry(protocol.TopicChange{Change: protocol.ChangeCreated, Topic: of(id, name)})
}

// of is a topic as the server tells of it.
func of(id, name string) *protocol.Group {
	return &protocol.Group{ID: id, Type: tim.GroupCommunity, Parent: "team", Name: name, Created: 5}
}

// says is a message of somebody in a topic where every message counts, bob's unless own says how many are the user's.
func (d *device) says(topic, from string, seq uint64, own ...uint64) {
	d.t.Helper()
	m := protocol.Message{Seq: seq, From: from, Group: topic, Time: 1000, Count: seq, Own: append(own, 0)[0],
		Content: []byte(fmt.Sprintf(`{"id":"%s-%d","el":[{"elem_type":0,"text_elem_content":"hello %d"}]}`, from, seq, seq))}
	parsed, _ := protocol.ParseMessage(m.Append(nil))
	d.apply(protocol.Entry{Kind: protocol.EntryMessage, Group: topic, Message: parsed})
}

// heard returns what the host was told by a setter, and forgets everything.
func (d *device) heard(setter tim.Op) (all []string) {
	for _, line := range d.told {
		if text, is := strings.CutPrefix(line, setter.String()+": "); is {
			all = append(all, text)
		}
	}
	d.told = nil
	return all
}

// call returns the result of a call.
func (d *device) call(fn func(done event.Done)) (result gjson.Result, code int) {
	d.t.Helper()
	calls, text := 0, ""
	fn(func(c int, _, json string) { calls, code, text = calls+1, c, json })
	if calls != 1 || text != "" && !json.Valid([]byte(text)) {
		d.t.Fatalf("answered %d times, %s", calls, text)
	}
	return gjson.Parse(text), code
}

func (d *device) answer(op string, body any) {
	d.answers[op] = protocol.Answer{Body: protocol.Marshal(body)}
}

// offline lists the topics without a network.
func (d *device) offline(ids ...string) []gjson.Result {
	d.t.Helper()
	d.err = &transport.Error{Code: tim.ErrSDKNetDisconnect}
	defer func() { d.err = nil }()
	list, code := d.call(func(done event.Done) { d.Topics("team", ids, done) })
	if code != 0 {
		d.t.Fatalf("without a network: %d", code)
	}
	return list.Array()
}

const (
	created = tim.OpTIMSetCommunityCreateTopicCallback
	deleted = tim.OpTIMSetCommunityDeleteTopicCallback
	changed = tim.OpTIMSetCommunityChangeTopicInfoCallback
	news    = "team@TOPIC#_news"
	chat    = "team@TOPIC#_chat"
	ofInfo  = tim.KeyCommunityTopicInfoResultTopicInfo + "."
)

func open(t *testing.T) *device {
	d := start(t)
	t.Cleanup(func() { d.store.Close() })
	return d
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestTopicComesAndGoes(t *testing.T) {
	d := open(t)
	d.made(news, "News")
	equal(t, "followed", d.followed, map[string]uint64{news: 0})
	if len(d.told) != 2 || d.told[0] != created.String()+": team "+news || !strings.Contains(d.told[1], `"group_report_elem_report_type":18`) {
		t.Errorf("a new topic: %v", d.told)
	}
	equal(t, "created", d.heard(created), []string{"team " + news})
	d.made(news, "News")
	equal(t, "created again", d.heard(created), []string(nil))
	d.says(news, "bob", 1)
	if list := d.offline(); len(list) != 1 || list[0].Get(ofInfo+tim.KeyCommunityTopicInfoUnreadCount).Int() != 1 {
		t.Errorf("the list: %v", list)
	}
	for range 2 {
		d.topicEntry(protocol.TopicChange{Change: protocol.ChangeDeleted, IDs: []string{news, "team@TOPIC#_none"}})
	}
	equal(t, "deleted", d.heard(deleted), []string{`team ["` + news + `"]`})
	equal(t, "followed at last", len(d.followed), 0)
	equal(t, "listed at last", len(d.offline()), 0)
	history, code := d.call(func(done event.Done) {
		d.messages.History(message.Page{Type: tim.ConvGroup, Peer: news, Count: 10}, false, done)
	})
	equal(t, "history at last", fmt.Sprint(code, history), "0 []")
	info, _ := d.call(func(done event.Done) {
		d.messages.ConversationInfo([]message.Target{{Type: tim.ConvGroup, Peer: news}}, done)
	})
	equal(t, "the conversation at last", info.Raw, "[]")
}

// A device that was away gets a topic's state before the community's log tells of its making.
func TestStateBeforeTheNews(t *testing.T) {
	d := open(t)
	d.state(protocol.GroupState{Group: *of(news, "News"), Pos: 4, Max: 3, PeerCount: 3})
	d.Follow(nil, news, 4)
	equal(t, "created by the state", d.heard(created), []string(nil))
	d.made(news, "older name")
	equal(t, "created by the log", d.heard(created), []string{"team " + news})
	equal(t, "followed", d.followed[news], 4)
	info := d.offline()[0]
	equal(t, "the name", info.Get(ofInfo+tim.KeyCommunityTopicInfoTopicName), "News")
	equal(t, "unread", info.Get(ofInfo+tim.KeyCommunityTopicInfoUnreadCount), 3)
}

// An id may come again, for a topic whose messages are numbered from 1.
func TestTopicIsMadeAgain(t *testing.T) {
	d := open(t)
	d.made(news, "News")
	for seq := range uint64(3) {
		d.says(news, "bob", seq+1)
	}
	d.apply(protocol.Entry{Kind: protocol.EntryRead, Group: news, Seq: 3, Count: 3, Time: 5000})
	d.topicEntry(protocol.TopicChange{Change: protocol.ChangeDeleted, IDs: []string{news}})
	d.told = nil
	d.made(news, "News again")
	equal(t, "created", d.heard(created), []string{"team " + news})
	d.says(news, "bob", 1)
	equal(t, "unread", d.offline()[0].Get(ofInfo+tim.KeyCommunityTopicInfoUnreadCount), 1)
	history, _ := d.call(func(done event.Done) {
		d.messages.History(message.Page{Type: tim.ConvGroup, Peer: news, Count: 10}, false, done)
	})
	equal(t, "the history", len(history.Array()), 1)
}

func TestTopicThatNobodyKnowsWithoutANetwork(t *testing.T) {
	d := open(t)
	d.made(news, "News")
	list := d.offline(chat, news)
	equal(t, "the codes", fmt.Sprint(list[0].Get(tim.KeyCommunityTopicInfoResultErrorCode), list[1].Get(tim.KeyCommunityTopicInfoResultErrorCode)), "10010 0")
	equal(t, "the unknown one", list[0].Get(ofInfo+tim.KeyCommunityTopicInfoTopicID), chat)
}

func TestMessagesChangeTheTopic(t *testing.T) {
	d := open(t)
	d.made(news, "News")
	d.told = nil
	d.says(news, "bob", 1)
	last := d.told[len(d.told)-1]
	if list := d.heard(tim.OpTIMSetConvEventCallback); len(list) != 0 {
		t.Errorf("events of conversations: %v", list)
	}
	args, _ := strings.CutPrefix(last, changed.String()+": team ")
	info := gjson.Parse(args)
	equal(t, "unread", info.Get(tim.KeyCommunityTopicInfoUnreadCount), 1)
	equal(t, "the last message", info.Get(tim.KeyCommunityTopicInfoLastMessage+"."+tim.KeyMsgSender), "bob")
	equal(t, "its conversation", info.Get(tim.KeyCommunityTopicInfoLastMessage+"."+tim.KeyMsgConvId), news)
	d.apply(protocol.Entry{Kind: protocol.EntryRead, Group: news, Seq: 1, Count: 1, Time: 5000})
	events := d.heard(changed)
	if len(events) != 1 || gjson.Parse(events[0][len("team "):]).Get(tim.KeyCommunityTopicInfoUnreadCount).Int() != 0 {
		t.Errorf("read elsewhere: %v", events)
	}
	list, _ := d.call(d.messages.Conversations)
	total, _ := d.call(d.messages.TotalUnread)
	equal(t, "the list", list.Raw, "[]")
	equal(t, "the total", total.Get(tim.KeyConvGetTotalUnreadMessageCountResultUnreadCount), 0)
}

func TestTopicIsChanged(t *testing.T) {
	d := open(t)
	d.made(news, "News")
	d.state(protocol.GroupState{Group: func() protocol.Group {
		g := *of(news, "News")
		g.Self = &protocol.Self{MuteUntil: 99, Option: tim.RecvMsgOptNotNotify}
		return g
	}(), Pos: 1})
	d.told = nil
	now := of(news, "Newer")
	now.Text, now.MuteAll, now.Rights, now.Parent = "custom", true, 8, ""
	d.topicEntry(protocol.TopicChange{Change: protocol.ChangeSet, Topic: now})
	events := d.heard(changed)
	if len(events) != 1 {
		t.Fatalf("changed: %v", events)
	}
	info := gjson.Parse(events[0][len("team "):])
	for key, want := range map[string]any{tim.KeyCommunityTopicInfoTopicName: "Newer", tim.KeyCommunityTopicInfoCustomString: "custom",
		tim.KeyCommunityTopicInfoIsAllMuted: true, tim.KeyCommunityTopicInfoDefaultPermissions: 8, tim.KeyCommunityTopicInfoSelfMuteTime: 99,
		tim.KeyCommunityTopicInfoRecvOpt: tim.RecvMsgOptNotNotify, tim.KeyCommunityTopicCreateTime: 5} {
		equal(t, key, info.Get(key), want)
	}
	d.topicEntry(protocol.TopicChange{Change: protocol.ChangeSet, Topic: of(chat, "nobody has heard of it")})
	equal(t, "an unknown topic", d.heard(changed), []string(nil))
}

// Who joins follows the topics from where they stand; who leaves hears nothing more of them, and what he read stays.
func TestComingAndGoing(t *testing.T) {
	d := open(t)
	in := protocol.Membership{In: true, Pos: 9, Group: &protocol.Group{ID: "team", Topics: true, Self: &protocol.Self{}},
		Topics: []protocol.GroupState{{Group: *of(news, "News"), Pos: 7, Max: 5, PeerCount: 5, ReadSeq: 3, ReadCount: 3}, {Group: *of(chat, "Chat")}}}
	joins := protocol.Entry{Kind: protocol.EntryGroup, Group: "team", Data: protocol.Marshal(in)}
	d.apply(joins)
	equal(t, "followed", d.followed, map[string]uint64{"team": 9, news: 7, chat: 0})
	equal(t, "unread", d.offline(news)[0].Get(ofInfo+tim.KeyCommunityTopicInfoUnreadCount), 2)
	d.says(news, "bob", 6)
	equal(t, "unread after another", d.offline(news)[0].Get(ofInfo+tim.KeyCommunityTopicInfoUnreadCount), 3)
	d.says(news, "ann", 7, 1)
	out := protocol.Entry{Kind: protocol.EntryGroup, Group: "team", Data: protocol.Marshal(protocol.Membership{})}
	d.apply(out)
	equal(t, "followed after leaving", len(d.followed), 0)
	equal(t, "listed after leaving", len(d.offline()), 0)
	history, _ := d.call(func(done event.Done) {
		d.messages.History(message.Page{Type: tim.ConvGroup, Peer: news, Count: 10}, false, done)
	})
	equal(t, "history after leaving", len(history.Array()), 2)
	equal(t, "deletions", d.heard(deleted), []string(nil))
	in.Topics[0] = protocol.GroupState{Group: *of(news, "News"), Pos: 12, Max: 8, PeerCount: 8, ReadSeq: 8, ReadCount: 8}
	d.apply(protocol.Entry{Kind: protocol.EntryGroup, Group: "team", Data: protocol.Marshal(in)})
	equal(t, "followed again", d.followed[news], 12)
	d.says(news, "bob", 9)
	equal(t, "unread after coming back", d.offline(news)[0].Get(ofInfo+tim.KeyCommunityTopicInfoUnreadCount), 1)
}

// A topic that the server does not name may be one that the user does not want to hear of. That it is gone, the list says,
// unless the log is ahead of it.
func TestGoneWithoutAWord(t *testing.T) {
	d := open(t)
	d.made(news, "News")
	d.made(chat, "Chat")
	d.says(chat, "bob", 1)
	d.write(func(tx *store.Tx) error { return d.GroupGone(tx, chat) })
	equal(t, "the topics", len(d.offline()), 2)
	d.answer(protocol.OpTopics, protocol.Topics{List: []protocol.FoundGroup{{Group: *of(news, "News")}}})
	d.meanwhile = func() { d.made("team@TOPIC#_new", "New") }
	d.call(func(done event.Done) { d.Topics("team", nil, done) })
	equal(t, "the topics after a list that is old", len(d.offline()), 3)
	d.topicEntry(protocol.TopicChange{Change: protocol.ChangeDeleted, IDs: []string{"team@TOPIC#_new"}})
	d.call(func(done event.Done) { d.Topics("team", nil, done) })
	equal(t, "the topics after a list", len(d.offline()), 1)
	equal(t, "followed after a list", len(d.followed), 1)
	option := func(option int) protocol.Entry {
		return protocol.Entry{Kind: protocol.EntryOption, Group: "team", Data: protocol.Marshal(protocol.OptionChange{Option: option})}
	}
	d.apply(option(tim.RecvMsgOptNotReceive))
	d.write(func(tx *store.Tx) error { return d.GroupGone(tx, "team") })
	equal(t, "the topics of a community that is not to be heard of", len(d.offline()), 1)
	d.apply(option(tim.RecvMsgOptReceive))
	d.write(func(tx *store.Tx) error { return d.GroupGone(tx, "team") })
	equal(t, "the topics at last", len(d.offline()), 0)
	equal(t, "followed", len(d.followed), 0)
}

func TestRightsEvents(t *testing.T) {
	d := open(t)
	entry := func(c protocol.RightsChange) {
		c.Rights.ID = "@PMG#_1"
		d.apply(protocol.Entry{Kind: protocol.EntryRights, Group: "team", Data: protocol.Marshal(c)})
	}
	entry(protocol.RightsChange{Change: protocol.ChangeCreated, Rights: protocol.Rights{Name: "helpers", Rights: 5, Members: 2, Custom: "x"}})
	entry(protocol.RightsChange{Change: protocol.ChangeSet, Rights: protocol.Rights{Name: "others"}})
	entry(protocol.RightsChange{Change: protocol.ChangeDeleted, IDs: []string{"@PMG#_1"}})
	entry(protocol.RightsChange{Change: protocol.ChangeEnlist, Users: []string{"bob"}})
	entry(protocol.RightsChange{Change: protocol.ChangeDelist, Users: []string{"bob", "cat"}})
	entry(protocol.RightsChange{Change: protocol.ChangeGrant, Rights: protocol.Rights{Topics: map[string]uint64{news: 8, chat: 9}}})
	entry(protocol.RightsChange{Change: protocol.ChangeAlter, Rights: protocol.Rights{Topics: map[string]uint64{news: 1}}})
	entry(protocol.RightsChange{Change: protocol.ChangeRevoke, Topics: []string{news}})
	d.topicEntry(protocol.TopicChange{Change: protocol.ChangeCustom, IDs: []string{news}, Data: "from the operator"})
	info := `{"community_group_id":"team","group_permission":5,"permission_custom_data":"x","permission_group_id":"@PMG#_1",` +
		`"permission_group_member_count":2,"permission_group_name":"helpers"}`
	want := []string{
		"TIMSetCommunityCreatePermissionGroupCallback: team " + info,
		"TIMSetCommunityChangePermissionGroupInfoCallback: team " + strings.NewReplacer("helpers", "others", `:5`, `:0`, `"x"`, `""`, `:2`, `:0`).Replace(info),
		`TIMSetCommunityDeletePermissionGroupCallback: team ["@PMG#_1"]`,
		`TIMSetCommunityAddMembersToPermissionGroupCallback: team {"member_id_list":["bob"],"permission_group_id":"@PMG#_1"}`,
		`TIMSetCommunityRemoveMembersFromPermissionGroupCallback: team {"member_id_list":["bob","cat"],"permission_group_id":"@PMG#_1"}`,
		`TIMSetCommunityAddTopicPermissionCallback: team {"permission_group_id":"@PMG#_1","topic_permission_map":[` +
			`{"topic_permission_key":"` + chat + `","topic_permission_value":9},{"topic_permission_key":"` + news + `","topic_permission_value":8}]}`,
		`TIMSetCommunityModifyTopicPermissionCallback: team {"permission_group_id":"@PMG#_1","topic_permission_map":[` +
			`{"topic_permission_key":"` + news + `","topic_permission_value":1}]}`,
		`TIMSetCommunityDeleteTopicPermissionCallback: team {"permission_group_id":"@PMG#_1","topic_id_list":["` + news + `"]}`,
		"TIMSetCommunityReceiveTopicRESTCustomDataCallback: " + news + " from the operator",
	}
	if !slices.Equal(d.told, want) {
		t.Errorf("the host heard\n%s\nwant\n%s", strings.Join(d.told, "\n"), strings.Join(want, "\n"))
	}
}

func TestCalls(t *testing.T) {
	d := open(t)
	topicResult := func(name string) gjson.Result {
		list, code := d.call(func(done event.Done) { d.Topics("team", []string{news}, done) })
		if code != 0 || len(list.Array()) != 1 {
			t.Fatalf("%s: %d %v", name, code, list)
		}
		return list.Array()[0].Get(ofInfo + "@this")
	}
	g := *of(news, "News")
	g.Self = &protocol.Self{Unread: 7, ReadSeq: 2, Option: tim.RecvMsgOptNotNotify}
	d.answer(protocol.OpTopics, protocol.Topics{List: []protocol.FoundGroup{{Group: g}}})
	info := topicResult("a topic that this device has not heard of")
	equal(t, "unread as the server says", info.Get(tim.KeyCommunityTopicInfoUnreadCount), 7)
	equal(t, "the receive option as the server says", info.Get(tim.KeyCommunityTopicInfoRecvOpt), tim.RecvMsgOptNotNotify)
	equal(t, "what is kept of an answer", len(d.offline()), 0)
	d.made(news, "News")
	d.says(news, "bob", 1)
	equal(t, "unread as this device knows", topicResult("known").Get(tim.KeyCommunityTopicInfoUnreadCount), 1)

	d.answer(protocol.OpRightsTopics, protocol.Results{List: []protocol.Result{{ID: news, Rights: 8}, {ID: chat, Code: 10004, Desc: "none"}}})
	list, _ := d.call(func(done event.Done) { d.TopicRights(protocol.AskRights{Community: "team", ID: "@PMG#_1"}, done) })
	equal(t, "rights in topics", list.Raw, `[{"topic_permission_result_error_code":0,"topic_permission_result_error_message":"","topic_permission_result_group_id":"team",`+
		`"topic_permission_result_permission_group_id":"@PMG#_1","topic_permission_result_topic_id":"`+news+`","topic_permission_result_topic_permission":8},`+
		`{"topic_permission_result_error_code":10004,"topic_permission_result_error_message":"none","topic_permission_result_group_id":"team",`+
		`"topic_permission_result_permission_group_id":"@PMG#_1","topic_permission_result_topic_id":"`+chat+`","topic_permission_result_topic_permission":0}]`)
	d.answer(protocol.OpRightsMembers, protocol.RightsMembers{Members: []protocol.Member{{User: "bob", Role: tim.MemberRoleNormal}}, Cursor: "next"})
	page, _ := d.call(func(done event.Done) { d.RightsMembers("team", "@PMG#_1", "", done) })
	equal(t, "the cursor", page.Get(tim.KeyPermissionGroupMemberInfoResultNextCursor), "next")
	equal(t, "the member", page.Get(tim.KeyPermissionGroupMemberInfoResultArray+".0."+tim.KeyGroupMemberInfoIdentifier), "bob")

	d.answers[protocol.OpTopicSet] = protocol.Answer{Code: tim.ErrSVRGroupPermissionDeny}
	name, draft := "Newer", "a draft"
	d.told, d.asked = nil, nil
	_, code := d.call(func(done event.Done) { d.SetTopic(protocol.SetTopic{Topic: news, Name: &name}, &draft, done) })
	equal(t, "a change that is refused", code, tim.ErrSVRGroupPermissionDeny)
	equal(t, "the draft of a change that is refused", len(d.heard(changed)), 0)
	_, code = d.call(func(done event.Done) { d.SetTopic(protocol.SetTopic{Topic: news}, &draft, done) })
	equal(t, "a draft alone", fmt.Sprint(code, len(d.asked), len(d.heard(changed))), "0 1 1")
	equal(t, "the draft", d.offline()[0].Get(ofInfo+tim.KeyCommunityTopicInfoDraftText), draft)
}

// A call about nothing, or about too much, does not reach the server.
func TestCallsThatAreRefusedHere(t *testing.T) {
	d := open(t)
	many := make([]string, 21)
	topics := map[string]uint64{}
	for i := range 51 {
		topics[fmt.Sprint(news, i)] = 1
	}
	for i, call := range []func(event.Done){
		func(done event.Done) { d.DeleteTopics("team", nil, done) },
		func(done event.Done) { d.DeleteRights("team", nil, done) },
		func(done event.Done) { d.Enlist(protocol.Enlist{Community: "team"}, done) },
		func(done event.Done) { d.Enlist(protocol.Enlist{Community: "team", Users: many}, done) },
		func(done event.Done) { d.Grant(protocol.Grant{Community: "team"}, done) },
		func(done event.Done) { d.Grant(protocol.Grant{Community: "team", Topics: topics}, done) },
	} {
		if _, code := d.call(call); code != tim.ErrInvalidParameters || len(d.asked) != 0 {
			t.Errorf("call %d: code %d, %d questions", i, code, len(d.asked))
		}
	}
}
