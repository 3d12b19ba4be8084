package group

// Kind is what a group is as long as it lives.
type Kind struct {
	Type   int   // TIMGroupType
	Parent int64 // number of the community whose topic it is, 0: none
	Live   bool  // who is in it stands in no table
}

// Kind returns what a group is whose number came from ID.
func (g *Groups) Kind(gid int64) Kind {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.kinds[gid]
}

// learn remembers a group that was found.
func (g *Groups) learn(key id, gid int64, typ int, parent int64) {
	rules, _ := g.rules.Rules(typ)
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, is := g.gone[gid]; is { // the reader saw an older state
		return
	}
	if max(len(g.ids), len(g.kinds)) >= maxCached {
		clear(g.ids)
		clear(g.kinds)
	}
	g.ids[key] = gid
	if _, known := g.kinds[gid]; !known { // else the reader may have seen what stood in the row before
		g.kinds[gid] = Kind{Type: typ, Parent: parent, Live: rules.Live}
	}
}

// relearn remembers what a group is whose row is used again, which may be of another type: readers still see the old one.
func (g *Groups) relearn(gid int64, typ int) {
	rules, _ := g.rules.Rules(typ)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kinds[gid] = Kind{Type: typ, Live: rules.Live}
}

// unlearn forgets a group whose row is deleted. Readers that see it still must not remember it again.
func (g *Groups) unlearn(key id, gid int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.ids, key)
	delete(g.kinds, gid)
	if len(g.gone) >= maxCached {
		clear(g.gone)
	}
	g.gone[gid] = struct{}{}
}
