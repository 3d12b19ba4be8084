package session

import (
	"slices"
	"testing"
)

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
	if n := h.Followers(gid, nil); n != 1 {
		t.Errorf("%d users follow, want 1", n)
	}
}

// A kind of devices is named once, and who has left has none.
func TestPlatforms(t *testing.T) {
	h := NewHub()
	var last *Session
	for i, platform := range []string{"linux", "android", "linux"} {
		last = &Session{Number: uint64(i + 1), UID: 1, Conn: &wire{}}
		last.Device.ID, last.Device.Platform = string(rune('a'+i)), platform
		h.Enter(last, nil, nil)
	}
	want := []string{"android", "linux"}
	if got := h.Platforms(1); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	h.Leave(last)
	if got := h.Platforms(1); !slices.Equal(got, want) {
		t.Errorf("without one of two: %v, want %v", got, want)
	}
	if got := h.Platforms(2); len(got) > 0 {
		t.Errorf("a stranger has %v", got)
	}
}
