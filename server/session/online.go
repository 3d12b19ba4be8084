package session

// Online says whether a user has a session.
func (h *Hub) Online(uid int64) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.users[uid]) > 0
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
