package session

import "testing"

// A user counts once however many devices he has, and who does not follow counts when he is named and connected.
func TestFollowersAreUsers(t *testing.T) {
	h := NewHub()
	enter := func(number uint64, uid int64, device string, groups ...int64) *Session {
		s := &Session{Number: number, UID: uid, Conn: &wire{}}
		s.Device.ID = device
		h.Enter(s, groups, nil)
		return s
	}
	enter(1, 1, "a", gid)
	enter(2, 1, "b", gid)
	two := enter(3, 2, "a", gid)
	enter(4, 3, "a")
	enter(5, 4, "a")
	for _, c := range []struct {
		others []int64
		want   int
	}{{nil, 2}, {[]int64{3}, 3}, {[]int64{1, 3, 3, 9}, 3}} {
		if got := h.Followers(gid, c.others); got != c.want {
			t.Errorf("with %v: %d users, want %d", c.others, got, c.want)
		}
	}
	h.Leave(two)
	if h.Followers(gid, nil) != 1 || h.Online(2) || !h.Online(1) || !h.Online(4) || h.Online(9) {
		t.Errorf("%d users follow, online are %v %v %v %v", h.Followers(gid, nil), h.Online(2), h.Online(1), h.Online(4), h.Online(9))
	}
}
