package session

import "slices"

// Platforms returns on what devices a user has sessions, each kind once; none: he is not online.
func (h *Hub) Platforms(uid int64) (list []string) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, s := range h.users[uid] {
		list = append(list, s.Device.Platform)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Followers counts users who have a session that follows a group, and those of others who have any session.
func (h *Hub) Followers(gid int64, others []int64) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	users := map[int64]bool{}
	if c := h.groups[gid]; c != nil {
		for _, s := range c.sessions {
			users[s.UID] = true
		}
	}
	for _, uid := range others {
		if len(h.users[uid]) > 0 {
			users[uid] = true
		}
	}
	return len(users)
}
