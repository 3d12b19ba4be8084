package gateway

import "timbre/server/group"

// liveHandlers is the operations on live rooms.
func liveHandlers() map[string]handler {
	return map[string]handler{}
}

// publishLive hands what happened in live rooms to those who are there.
func (g *Gateway) publishLive([]group.LiveEntry) {}
