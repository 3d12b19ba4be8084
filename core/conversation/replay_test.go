package conversation

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"timbre/core/store"
	"timbre/protocol"
)

// folders is conversation groups as the server has them: what stands in each, in the order of the alphabet.
type folders map[string][]string

// apply makes a change that the server would make, and returns false for others.
func (f folders) apply(c protocol.ConvGroupChange) bool {
	members, known := f[c.Name]
	_, taken := f[c.New]
	if known == (c.Change == protocol.ConvGroupCreate) {
		return false
	}
	for _, t := range c.Convs {
		members = slices.DeleteFunc(slices.Clone(members), func(p string) bool { return p == t.Peer })
		if c.Change != protocol.ConvGroupRemove {
			members = append(members, t.Peer)
		}
	}
	slices.Sort(members)
	switch {
	case c.Change == protocol.ConvGroupRename && taken:
		return false
	case c.Change == protocol.ConvGroupRename:
		f[c.New] = members
		fallthrough
	case c.Change == protocol.ConvGroupDelete:
		delete(f, c.Name)
	default:
		f[c.Name] = members
	}
	return true
}

func (f folders) all() *protocol.AllAttributes {
	a := &protocol.AllAttributes{}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		a.Groups = append(a.Groups, protocol.ConvGroup{Name: name, Convs: targets(f[name]...)})
	}
	return a
}

// The state of all groups may be newer than the log's position: then the changes in between are seen a second time. They
// leave everything as it is, or are doubted, and then the state is taken anew.
func TestChangesOfGroupsSeenTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server := folders{}
		var log []protocol.ConvGroupChange
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			c := protocol.ConvGroupChange{Name: groupNames.Draw(t, "name"), Change: rapid.SampledFrom([]string{protocol.ConvGroupCreate,
				protocol.ConvGroupDelete, protocol.ConvGroupRename, protocol.ConvGroupAdd, protocol.ConvGroupRemove}).Draw(t, "change")}
			switch c.Change {
			case protocol.ConvGroupRename:
				c.New = groupNames.Draw(t, "new")
			case protocol.ConvGroupCreate, protocol.ConvGroupAdd, protocol.ConvGroupRemove:
				c.Convs = targets(rapid.SliceOfNDistinct(peerNames, 1, 2, rapid.ID[string]).Draw(t, "peers")...)
			}
			if server.apply(c) {
				log = append(log, c)
			}
		}
		s := open(t, "")
		defer s.store.Close()
		replace := func() {
			s.write(func(tx *store.Tx) error { return s.book.Replace(tx, server.all()) })
		}
		replace()
		fits := true
		for _, c := range log[len(log)-rapid.IntRange(0, len(log)).Draw(t, "seen twice"):] {
			fits = s.regroup(c) && fits
		}
		want := fmt.Sprint(map[string][]string(server))
		if got := fmt.Sprint(s.groups()); fits && got != want {
			t.Fatalf("the changes seem to fit and leave %s, want %s", got, want)
		}
		replace()
		if got := fmt.Sprint(s.groups()); got != want {
			t.Fatalf("taken anew, the groups are %s, want %s", got, want)
		}
	})
}
