package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/config"
	"timbre/server/operator"
)

// hear waits for n entries of a live room and passes over what else is pushed.
func (c *client) hear(room string, n int) (list []protocol.Entry) {
	c.t.Helper()
	for len(list) < n {
		select {
		case p := <-c.pushes:
			if p.Kind != protocol.PushLive {
				continue
			}
			l := protocol.ParseLog(p.Body)
			if l.Group != room || l.From != 0 || l.Pos != 0 {
				c.t.Fatalf("a piece of %q from %d to %d", l.Group, l.From, l.Pos)
			}
			list = append(list, l.Entries...)
		case <-time.After(patience):
			c.t.Fatalf("heard %d of %d entries", len(list), n)
		}
	}
	if len(list) != n {
		c.t.Fatalf("heard %d entries, want %d", len(list), n)
	}
	return list
}

// report waits for a report in the user's own log.
func (c *client) report() (r protocol.Report) {
	c.t.Helper()
	for {
		select {
		case p := <-c.pushes:
			if p.Kind != protocol.PushLog {
				continue
			}
			for _, e := range protocol.ParseLog(p.Body).Entries {
				if e.Kind == protocol.EntryReport {
					if err := json.Unmarshal(e.Data, &r); err != nil {
						c.t.Fatal(err)
					}
					return r
				}
			}
		case <-time.After(patience):
			c.t.Fatal("no report")
		}
	}
}

func (c *client) join(room string) protocol.Joined {
	c.t.Helper()
	return ask[protocol.Joined](c, protocol.OpGroupJoin, fmt.Sprint("join", c.nextID), protocol.JoinGroup{Group: room})
}

func (c *client) kick(room string, seconds uint32, users ...string) []protocol.InviteResult {
	c.t.Helper()
	return ask[protocol.Invited](c, protocol.OpGroupKick, fmt.Sprint("kick", c.nextID),
		protocol.KickMembers{Group: room, Users: users, Seconds: seconds, Reason: "why"}).Results
}

// tipIn returns the element of a tip of a live room.
func tipIn(t *testing.T, e protocol.Entry) gjson.Result {
	t.Helper()
	return tipOf(t, pushed{Entry: e, log: e.Message.Group})
}

func textOf(e protocol.Entry) string {
	return gjson.GetBytes(e.Message.Content, "el.0.text_elem_content").String()
}

// studio makes a live room of alice's.
func (s *running) studio(t *testing.T) (alice *client, room string) {
	t.Helper()
	alice = s.login(t, "alice")
	room = alice.create(protocol.CreateGroup{Type: tim.GroupAVChatRoom, Name: "Studio"})
	for told, came := false, false; !told || !came; { // the report and the tip that she came, in any order
		select {
		case p := <-alice.pushes:
			told = told || slices.ContainsFunc(entriesOf(p), func(e pushed) bool {
				return e.Kind == protocol.EntryReport && reportOf(t, e).Type == tim.GroupReportCreate
			})
			came = came || p.Kind == protocol.PushLive
		case <-time.After(patience):
			t.Fatalf("the maker of a room: report %v, tip %v", told, came)
		}
	}
	return alice, room
}

func TestLiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob := s.login(t, "bob")
	if code := bob.postCode(room, "early", "x"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("who is not there spoke: %d", code)
	}
	j := bob.join(room)
	if !j.Live || j.Group == nil || j.Group.Name != "Studio" || j.Group.Owner != "alice" || j.Group.Members != 2 ||
		j.Group.Self == nil || j.Group.Self.Role != tim.MemberRoleNormal {
		t.Fatalf("joined %+v %+v", j, j.Group)
	}
	for _, c := range []*client{alice, bob} {
		tip := tipIn(t, c.hear(room, 1)[0])
		if tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipInvite || tip.Get(tim.KeyGroupTipsElemMemberNum).Int() != 2 ||
			!slices.Equal(texts(tip.Get(tim.KeyGroupTipsElemUserArray)), []string{"bob"}) {
			t.Errorf("tip %s", tip)
		}
	}
	first := bob.post(room, "k1", "hello")
	if again := bob.post(room, "k1", "hello"); again != first || first.Seq == 0 || first.Seq >= 1<<53 || first.Pos != 0 {
		t.Errorf("%+v, and again %+v", first, again)
	}
	second := bob.post(room, "k2", "there")
	if second.Seq <= first.Seq {
		t.Errorf("%d after %d", second.Seq, first.Seq)
	}
	heard := alice.hear(room, 2)
	if m := heard[0].Message; m.From != "bob" || m.Group != room || m.Seq != first.Seq || m.Time != first.Time || m.Key != "k1" ||
		textOf(heard[0]) != "hello" || textOf(heard[1]) != "there" {
		t.Errorf("heard %+v", heard)
	}
	if n := ask[protocol.OnlineMembers](alice, protocol.OpGroupOnline, "", protocol.OneGroup{Group: room}).Online; n != 2 {
		t.Errorf("%d online", n)
	}
	page := ask[protocol.MemberPage](bob, protocol.OpGroupMembers, "", protocol.AskMembers{Group: room})
	if len(page.Members) != 2 || page.Members[0].User != "bob" || page.Members[1].Role != tim.MemberRoleOwner {
		t.Errorf("members %+v", page)
	}
	if h := bob.code(protocol.OpRange, "", protocol.Range{Target: protocol.Target{Group: room}, Limit: 10}); h == 0 {
		t.Error("a live room has a history")
	}
	if code := alice.code(protocol.OpGroupQuit, "q1", protocol.OneGroup{Group: room}); code != tim.ErrSVRGroupSuperNotAllowQuit {
		t.Errorf("the owner quit: %d", code)
	}
	ask[struct{}](bob, protocol.OpGroupQuit, "q2", protocol.OneGroup{Group: room})
	if tip := tipIn(t, alice.hear(room, 1)[0]); tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipQuit || tip.Get(tim.KeyGroupTipsElemOpUser).String() != "bob" {
		t.Errorf("tip %s", tip)
	}
	if code := bob.code(protocol.OpGroupQuit, "q3", protocol.OneGroup{Group: room}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("quit twice: %d", code)
	}
	text := s.metrics(t)
	for _, line := range []string{"timbred_live_rooms 1", "timbred_live_audience 1", "timbred_live_messages_total 2", "timbred_live_messages_dropped_total 0"} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}

func TestMembershipOfALiveRoomEndsWithTheSession(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob := s.login(t, "bob")
	bob.join(room)
	alice.hear(room, 1)
	ask[struct{}](bob, protocol.OpLogout, "", nil)
	if tip := tipIn(t, alice.hear(room, 1)[0]); tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipQuit {
		t.Errorf("tip %s", tip)
	}
	bob = s.login(t, "bob")
	if code := bob.postCode(room, "k", "x"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("who came back spoke: %d", code)
	}
	bob.join(room)
	alice.hear(room, 1)
	bob.reset()
	s.waitMetric(t, "timbred_live_audience 1")
	bob = s.login(t, "bob")
	ask[protocol.Joined](bob, protocol.OpGroupJoin, "back", protocol.JoinGroup{Group: room, Again: true})
	bob.post(room, "k2", "back")
	if heard := alice.hear(room, 1); textOf(heard[0]) != "back" { // and nobody is told that he was away
		t.Errorf("heard %+v", heard)
	}
}

func TestKeptOutOfALiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob, carol := s.login(t, "bob"), s.login(t, "carol")
	bob.join(room)
	alice.hear(room, 1)
	bob.hear(room, 1)
	if code := bob.code(protocol.OpGroupKick, "no", protocol.KickMembers{Group: room, Users: []string{"alice"}}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a member removed: %d", code)
	}
	want := []protocol.InviteResult{{User: "nobody"}, {User: "bob", Result: tim.GroupMemberHandledSuc}, {User: "carol", Result: tim.GroupMemberHandledSuc}}
	if got := alice.kick(room, 60, "nobody", "bob", "carol", "bob"); !slices.Equal(got, want) {
		t.Errorf("results %+v", got)
	}
	for _, c := range []*client{alice, bob} {
		tip := tipIn(t, c.hear(room, 1)[0])
		if tip.Get(tim.KeyGroupTipsElemTipType).Int() != tim.GroupTipKick || !slices.Equal(texts(tip.Get(tim.KeyGroupTipsElemUserArray)), []string{"bob"}) {
			t.Errorf("tip %s", tip)
		}
	}
	if r := bob.report(); r.Type != tim.GroupReportBannedFromGroup || !r.Gone || r.Text != "why" || r.Operator.User != "alice" {
		t.Errorf("report %+v", r)
	}
	if r := carol.report(); r.Type != tim.GroupReportBannedFromGroup || r.Gone {
		t.Errorf("report %+v", r)
	}
	for _, op := range []string{protocol.OpGroupJoin, protocol.OpLivePeek} {
		if code := bob.code(op, "in", map[string]any{"group": room, "on": true}); code != tim.ErrSVRGroupPermissionDeny {
			t.Errorf("%s: %d", op, code)
		}
	}
	if got := alice.kick(room, 0, "bob"); got[0].Result != tim.GroupMemberHandledSuc {
		t.Errorf("result %+v", got)
	}
	if r := bob.report(); r.Type != tim.GroupReportUnbannedFromGroup || r.Gone {
		t.Errorf("report %+v", r)
	}
	bob.join(room)
	if got := alice.kick(room, 0, "bob"); got[0].Result != tim.GroupMemberHandledSuc {
		t.Errorf("result %+v", got)
	}
	if r := bob.report(); r.Type != tim.GroupReportBeKicked || !r.Gone {
		t.Errorf("report %+v", r)
	}
	if got := alice.kick(room, 0, "bob"); got[0].Result != tim.GroupMemberIncluded {
		t.Errorf("result %+v", got)
	}
}

func TestTheEndOfALiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob := s.login(t, "bob")
	bob.join(room)
	alice.hear(room, 1)
	bob.hear(room, 1)
	if code := bob.code(protocol.OpGroupDismiss, "no", protocol.OneGroup{Group: room}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a member dismissed: %d", code)
	}
	ask[struct{}](alice, protocol.OpGroupDismiss, "end", protocol.OneGroup{Group: room})
	for _, c := range []*client{alice, bob} {
		e := c.hear(room, 1)[0]
		var r protocol.Report
		if err := json.Unmarshal(e.Data, &r); err != nil || e.Kind != protocol.EntryReport || e.Group != room || r.Type != tim.GroupReportDelete ||
			!r.Gone || r.Operator.User != "alice" || r.Name != "Studio" {
			t.Errorf("%v: entry %+v: %+v", err, e, r)
		}
	}
	if code := bob.postCode(room, "k", "x"); code == 0 {
		t.Error("one may speak in a room that is over")
	}
	if code := bob.code(protocol.OpGroupJoin, "again", protocol.JoinGroup{Group: room}); code != tim.ErrSVRGroupNotFound {
		t.Errorf("one may join a room that is over: %d", code)
	}
}

func TestMutedInALiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob := s.login(t, "bob")
	bob.join(room)
	alice.hear(room, 1)
	hour := uint32(3600)
	ask[struct{}](alice, protocol.OpGroupSetMember, "mute", protocol.SetMember{Group: room, User: "bob", Mute: &hour})
	if r := bob.report(); r.Type != tim.GroupReportShutUpMember || r.Mute != hour {
		t.Errorf("report %+v", r)
	}
	if code := bob.postCode(room, "k1", "x"); code != tim.ErrSVRGroupShutupDeny {
		t.Errorf("the muted spoke: %d", code)
	}
	ask[struct{}](bob, protocol.OpGroupQuit, "q", protocol.OneGroup{Group: room})
	bob.join(room)
	if code := bob.postCode(room, "k2", "x"); code != tim.ErrSVRGroupShutupDeny {
		t.Errorf("leaving ended it: %d", code)
	}
}

func TestWhatLiveRoomsDoNotHave(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	s.login(t, "bob")
	for name, x := range map[string]string{"receipt": `"` + tim.KeyMsgNeedReadReceipt + `":true`, "directed": `"` + tim.KeyMsgTargetGroupMemberArray + `":["bob"]`} {
		content := `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"x"}],"x":{` + x + `}}`
		if code := alice.call(protocol.OpSend, name, protocol.AppendSend(nil, room, true, []byte(content))).Code; code != tim.ErrSVRGroupInvalidParameters {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code := alice.code(protocol.OpGroupInvite, "invite", protocol.Invite{Group: room, Users: []string{"bob"}}); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("invited: %d", code)
	}
	online := `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"x"}],"x":{"` + tim.KeyMsgIsOnlineMsg + `":true}}`
	if code := alice.call(protocol.OpSend, "online", protocol.AppendSend(nil, room, true, []byte(online))).Code; code != 0 {
		t.Errorf("for those online: %d", code)
	}
}

func TestLiveRoomUnderLoadDropsTheLowest(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.GroupRate = 1 })
	alice, room := s.studio(t)
	var answers []<-chan protocol.Answer
	for i := range 60 {
		answers = append(answers, alice.start(protocol.OpSend, fmt.Sprint("k", i), protocol.AppendSend(nil, room, true, textContent("x"))))
	}
	dropped := 0
	for _, a := range answers {
		if alice.sent(a).Seq == 0 { // and all is well
			dropped++
		}
	}
	if dropped == 0 || dropped == len(answers) {
		t.Errorf("%d dropped", dropped)
	}
	s.waitMetric(t, fmt.Sprint("timbred_live_messages_dropped_total ", dropped))
}

func TestLiveHistory(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.LiveHistory, c.GroupTips = 2, nil })
	alice := s.login(t, "alice")
	room := alice.create(protocol.CreateGroup{Type: tim.GroupAVChatRoom, Name: "Studio"})
	bob := s.login(t, "bob")
	bob.join(room)
	for _, text := range []string{"a", "b", "c"} {
		alice.post(room, text, text)
	}
	bob.hear(room, 3)
	carol := s.login(t, "carol")
	ch := carol.start(protocol.OpGroupJoin, "j", protocol.Marshal(protocol.JoinGroup{Group: room}))
	if heard := carol.hear(room, 2); textOf(heard[0]) != "b" || textOf(heard[1]) != "c" {
		t.Errorf("heard %+v", heard)
	}
	select {
	case <-ch: // the answer came first
	default:
		t.Error("history before the answer")
	}
}

func TestWatchALiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob := s.login(t, "bob")
	if j := ask[protocol.Joined](bob, protocol.OpLivePeek, "", protocol.LivePeek{Group: room, On: true}); !j.Live || j.Group == nil {
		t.Errorf("%+v", j)
	}
	if code := bob.postCode(room, "k", "x"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a watcher spoke: %d", code)
	}
	alice.post(room, "a", "a")
	if heard := bob.hear(room, 1); textOf(heard[0]) != "a" {
		t.Errorf("heard %+v", heard)
	}
	ask[struct{}](bob, protocol.OpLivePeek, "", protocol.LivePeek{Group: room})
	s.waitMetric(t, "timbred_live_audience 1")
	team := alice.create(protocol.CreateGroup{Type: tim.GroupPublic, Name: "team"})
	if code := bob.code(protocol.OpLivePeek, "", protocol.LivePeek{Group: team, On: true}); code != tim.ErrSVRGroupInvalidParameters {
		t.Errorf("watched a team: %d", code)
	}
}

func TestOneLiveRoomAtATime(t *testing.T) {
	s := serve(t, t.TempDir(), func(c *config.Config) { c.LiveSingle = true })
	_, room := s.studio(t)
	carol := s.login(t, "carol")
	other := carol.create(protocol.CreateGroup{ID: "other", Type: tim.GroupAVChatRoom, Name: "Other"})
	bob := s.login(t, "bob")
	bob.join(room)
	if j := bob.join(other); !slices.Equal(j.Quit, []string{room}) {
		t.Errorf("quit %v", j.Quit)
	}
	if code := bob.postCode(room, "k", "x"); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("still in the first room: %d", code)
	}
	bob.post(other, "k2", "x")
	a := ask[protocol.CreatedGroup](bob, protocol.OpGroupCreate, "own", protocol.CreateGroup{ID: "own", Type: tim.GroupAVChatRoom, Name: "Own"})
	if !slices.Equal(a.Quit, []string{other}) {
		t.Errorf("quit %v for a room of his own", a.Quit)
	}
}

func TestAttributesOfALiveRoomReachThoseWhoAreThere(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob := s.login(t, "bob")
	bob.join(room)
	bob.hear(room, 1)
	ask[protocol.GroupAttributes](alice, protocol.OpGroupSetAttributes, "set", protocol.SetGroupAttributes{Group: room, Way: protocol.AttributesSet,
		Attrs: map[string]string{"mood": "good"}})
	e := bob.hear(room, 1)[0]
	if e.Kind != protocol.EntryGroupAttributes || gjson.GetBytes(e.Data, "attrs.mood").String() != "good" {
		t.Errorf("%+v %s", e, e.Data)
	}
	name := "Hall"
	ask[struct{}](alice, protocol.OpGroupSet, "name", protocol.SetGroup{Group: room, Name: &name})
	heard := bob.hear(room, 2)
	if heard[0].Kind != protocol.EntryGroupInfo || heard[1].Message.From != model.SystemSender {
		t.Errorf("%+v", heard)
	}
}

// An operator with the app's secret says something in all live rooms.
func TestBroadcastToLiveRooms(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob := s.login(t, "bob")
	other := bob.create(protocol.CreateGroup{ID: "other", Type: tim.GroupAVChatRoom, Name: "Other"})
	bob.hear(other, 1)
	r, err := http.NewRequest(http.MethodPost, fmt.Sprintf("%s/admin/broadcast?app=%d", s.http, testApp),
		strings.NewReader(`{"message_elem_array":[{"elem_type":0,"text_elem_content":"hello"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+ticket(operator.Administrator))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if text, _ := io.ReadAll(a.Body); strings.TrimSpace(string(text)) != `{"rooms":2}` {
		t.Errorf("%d %s", a.StatusCode, text)
	}
	for c, room := range map[*client]string{alice: room, bob: other} {
		e := c.hear(room, 1)[0]
		if e.Message.From != operator.Administrator || e.Message.Group != room || e.Message.Seq == 0 || textOf(e) != "hello" ||
			!gjson.GetBytes(e.Message.Content, "x."+tim.KeyMsgIsBroadcastMessage).Bool() {
			t.Errorf("%+v %s", e, e.Message.Content)
		}
	}
}

// What is passed on without being stored reaches those who are in a live room, too.
func TestTransInALiveRoom(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, room := s.studio(t)
	bob := s.login(t, "bob")
	bob.join(room)
	bob.hear(room, 1)
	ask[struct{}](alice, protocol.OpTrans, "", protocol.Trans{Target: protocol.Target{Group: room}, Command: "wave"})
	for {
		select {
		case p := <-bob.pushes:
			if p.Kind != protocol.PushTrans {
				continue
			}
			if gjson.GetBytes(p.Body, "cmd").String() != "wave" || gjson.GetBytes(p.Body, "from").String() != "alice" {
				t.Errorf("%s", p.Body)
			}
			return
		case <-time.After(patience):
			t.Fatal("nothing came")
		}
	}
}
