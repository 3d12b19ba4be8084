package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/operator"
)

// Readers of JSON differ in which of two keys counts. A request that names two groups is for one of them, or it is refused:
// nobody comes into a group by the door of a live room, or into a live room by the door of a group.
func TestABodyThatNamesTwoGroups(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, eve := s.login(t, "alice"), s.login(t, "eve")
	team := alice.create(protocol.CreateGroup{ID: "team", Type: tim.GroupPrivate, Name: "n", Notification: "secret"})
	room := alice.create(protocol.CreateGroup{ID: "room", Type: tim.GroupAVChatRoom, Name: "n"})
	n := 0
	for _, op := range []string{protocol.OpGroupJoin, protocol.OpGroupQuit, protocol.OpGroupKick, protocol.OpLivePeek} {
		for _, second := range []string{"group", "Group"} {
			for _, names := range [][2]string{{room, team}, {team, room}} {
				n++
				body := fmt.Sprintf(`{"group":%q,%q:%q,"users":["eve"],"on":true}`, names[0], second, names[1])
				for _, who := range []*client{eve, alice} {
					a := who.call(op, fmt.Sprint("k", n), []byte(body))
					if who == eve && strings.Contains(string(a.Body), "secret") {
						t.Errorf("%s %s: a stranger is told %s", op, body, a.Body)
					}
				}
			}
		}
	}
	if c := eve.postCode(team, "in", "x"); c != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("code %d for a message of a stranger", c)
	}
	eve.settled()
	if c := alice.trans(toGroup(team, "psst")); c != 0 && c != tim.ErrSVRGroupPermissionDeny {
		t.Fatalf("code %d", c)
	}
	alice.settled()
	eve.settled()
	if got := eve.joinedGroups(); len(got) != 0 {
		t.Errorf("a stranger is in %v", got)
	}
}

func (c *client) joinedGroups() (ids []string) {
	c.t.Helper()
	for _, g := range ask[protocol.JoinedPage](c, protocol.OpGroupJoined, "", protocol.JoinedGroups{}).Groups {
		ids = append(ids, g.ID)
	}
	return ids
}

// Who is no member gets nothing from a group, even when a member directs it to him by name.
func TestADirectedOnlineMessageStaysInTheGroup(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, eve := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "eve")
	group := alice.create(protocol.CreateGroup{ID: "team", Type: tim.GroupPrivate, Name: "n", Members: []protocol.NewMember{{User: "bob"}}})
	content := `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"psst"}],"x":{"` + tim.KeyMsgIsOnlineMsg +
		`":true,"` + tim.KeyMsgTargetGroupMemberArray + `":["bob","eve"]}}`
	alice.sent(alice.start(protocol.OpSend, "m", protocol.AppendSend(nil, group, true, []byte(content))))
	if p := bob.next(protocol.PushMessage); !strings.Contains(string(p.Body), "psst") {
		t.Errorf("pushed %s", p.Body)
	}
	ask[protocol.Pong](eve, protocol.OpPing, "", nil)
	for len(eve.pushes) > 0 {
		if p := <-eve.pushes; p.Kind == protocol.PushMessage {
			t.Errorf("a stranger got %s", p.Body)
		}
	}
}

// The row of a deleted topic stays for a while. No other topic can stand in its way.
func TestATopicWithAnyNeighbourIsDeleted(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	town := alice.community(protocol.CreateGroup{ID: "@TGS#_town"})
	first := alice.topic(town, "x", protocol.CreateTopic{ID: town + model.TopicMark + "x"})
	for n := range 10 {
		alice.topic(town, fmt.Sprint(n), protocol.CreateTopic{ID: fmt.Sprint(first, "#", n)})
	}
	got := ask[protocol.Topics](alice, protocol.OpTopicDelete, "gone", protocol.AskTopics{Community: town, Topics: []string{first}})
	if len(got.List) != 1 || got.List[0].Code != 0 {
		t.Errorf("%+v", got)
	}
	alice.topic(town, "again", protocol.CreateTopic{ID: first})
}

func TestAnEditDoesNotSpeakForTheOperator(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	group := alice.create(protocol.CreateGroup{ID: "team", Type: tim.GroupPrivate, Name: "n"})
	sent := alice.post(group, "m", "mine")
	edit := protocol.Edit{Target: groupConv(group), Seq: sent.Seq, Content: []byte(`{"id":"1-2-3","ct":1,"r":3,"p":1,` +
		`"el":[{"elem_type":0,"text_elem_content":"all"}],"x":{"` + tim.KeyMsgIsBroadcastMessage + `":true}}`)}
	if c := alice.code(protocol.OpEdit, "e", edit); c != tim.ErrSVRMsgInvalidJSONBodyFormat {
		t.Errorf("code %d", c)
	}
}

func TestTheOperatorNamesAMemberTwice(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	s.login(t, "bob")
	group := alice.create(protocol.CreateGroup{ID: "team", Type: tim.GroupPrivate, Name: "n", Members: []protocol.NewMember{{User: "bob"}}})
	r, err := http.NewRequest(http.MethodPost, fmt.Sprintf("%s/admin/remove?app=%d&group=%s&user=bob&user=bob", s.http, testApp, group), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+ticket(operator.Administrator))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if n := alice.info(group).Group.Members; a.StatusCode != http.StatusOK || n != 1 {
		t.Errorf("status %d, %d members", a.StatusCode, n)
	}
}
