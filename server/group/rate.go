package group

import "time"

// rates counts each group's messages in the present second. It is used on the database writer's goroutine only.
type rates struct {
	second int64
	now    map[int64]*window
	before map[int64]*window // the second before
}

// window counts messages by priority.
type window struct{ seen, taken [4]int }

// admit says whether another message fits. A priority leaves room for as many messages of higher priorities as came in the
// second before, so under load the lowest are dropped first, and all of the limit is there when nothing more important
// happens.
func (r *rates) admit(gid int64, limit, priority int, now time.Time) bool {
	r.turn(now.Unix())
	priority = min(max(priority, 0), 3)
	w := r.now[gid]
	if w == nil {
		w = &window{}
		r.now[gid] = w
	}
	w.seen[priority]++
	taken, reserved := 0, 0
	for p := range w.taken {
		taken += w.taken[p]
		if old := r.before[gid]; old != nil && p < priority {
			reserved += max(0, old.seen[p]-w.taken[p])
		}
	}
	if taken+reserved >= limit {
		return false
	}
	w.taken[priority]++
	return true
}

func (r *rates) turn(second int64) {
	if second == r.second && r.now != nil {
		return
	}
	r.before = nil
	if second == r.second+1 {
		r.before = r.now
	}
	r.second, r.now = second, map[int64]*window{}
}
