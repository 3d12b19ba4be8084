package server_test

import (
	"fmt"
	"strings"
	"testing"

	"timbre/model/tim"
	"timbre/protocol"
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
