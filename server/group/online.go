package group

import (
	"sync"
	"time"

	"timbre/model"
	"timbre/protocol"
	"timbre/sqlite"
)

// onlineFor is how long a number of members who are online is good: who asks every second gets the same one.
const onlineFor = 5 * time.Second

// turnout remembers how many members of groups are online.
type turnout struct {
	mu     sync.Mutex
	groups map[int64]attendance
}

type attendance struct {
	count int
	until time.Time
}

func (t *turnout) get(gid int64, now time.Time) (int, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, found := t.groups[gid]
	return a.count, found && now.Before(a.until)
}

func (t *turnout) set(gid int64, a attendance) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.groups == nil || len(t.groups) >= maxCached {
		t.groups = map[int64]attendance{}
	}
	t.groups[gid] = a
}

// Online answers how many members of a group have a session now.
func (g *Groups) Online(q sqlite.Queryer, uid, gid int64) (answer protocol.OnlineMembers, err error) {
	r, err := find(q, gid)
	if err != nil {
		return answer, err
	}
	if _, err = g.permit(q, r, uid, model.GroupCountOnline); err != nil {
		return answer, err
	}
	answer.Online, err = g.online(q, r)
	return answer, err
}

// online counts the users whose sessions follow the group, and those members who do not follow it because they do not want
// to hear of it.
func (g *Groups) online(q sqlite.Queryer, r *record) (int, error) {
	switch {
	case g.rulesOf(r).Live && g.near.Audience != nil:
		return g.near.Audience.Size(r.gid), nil
	case g.near.Sessions == nil:
		return 0, nil
	}
	now := g.now()
	if n, fresh := g.turnout.get(r.gid, now); fresh {
		return n, nil
	}
	shut, err := numbers(q, `SELECT uid FROM member WHERE gid=? AND option=1`, r.home())
	if err != nil {
		return 0, err
	}
	n := g.near.Sessions.Followers(r.home(), shut)
	g.turnout.set(r.gid, attendance{n, now.Add(onlineFor)})
	return n, nil
}
