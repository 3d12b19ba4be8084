package group

import "time"

// pace counts what each user does in each group in the present second. It is used on the database writer's goroutine only.
type pace struct {
	second int64
	now    map[[2]int64]int
}

// admit says whether a user may do it once more.
func (p *pace) admit(gid, uid int64, limit int, now time.Time) bool {
	if second := now.Unix(); second != p.second || p.now == nil {
		p.second, p.now = second, map[[2]int64]int{}
	}
	key := [2]int64{gid, uid}
	p.now[key]++
	return p.now[key] <= limit
}
