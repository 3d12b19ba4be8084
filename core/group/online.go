package group

import (
	"time"

	"timbre/core/event"
	"timbre/model/tim"
	"timbre/protocol"
)

// onlineFor is how long an answer is good. The interface asks a server for it no more often.
const onlineFor = time.Minute

// online is how many members of a group were online.
type online struct {
	count int
	until time.Time
}

// Online answers how many members of a group are online, or were when it was asked within the last minute.
func (g *Groups) Online(group string, done event.Done) {
	g.mu.Lock()
	o, known := g.online[group]
	g.mu.Unlock()
	if !known || time.Now().After(o.until) {
		var a protocol.OnlineMembers
		if why := g.Ask(protocol.OpGroupOnline, protocol.OneGroup{Group: group}, &a); why != nil {
			done(why.Code, why.Text, "")
			return
		}
		o = online{a.Online, time.Now().Add(onlineFor)}
		g.mu.Lock()
		g.online[group] = o
		g.mu.Unlock()
	}
	done(0, "", object{tim.KeyGroupGetOnlineMemberCountResult: o.count}.json())
}
