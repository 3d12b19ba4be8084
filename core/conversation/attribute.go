package conversation

import (
	"slices"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// Of tells the type and the id of a conversation that the server names.
func Of(t protocol.Target) (typ int, peer string) {
	if t.Group != "" {
		return tim.ConvGroup, t.Group
	}
	return tim.ConvC2C, t.Peer
}

// Attributed says whether the user has attached anything to the conversation that his other devices know of.
func (c *Conversation) Attributed() bool { return c.Attributes != Attributes{} }

// Attach sets pin, marks and custom data. Conversation groups stay as they are.
func (e *Entry) Attach(tx *store.Tx, a protocol.Attributes) {
	fresh := Attributes{Pinned: a.Pinned, Marks: a.Marks, Custom: a.Custom, Groups: e.Groups}
	if fresh != e.Attributes {
		e.Attributes = fresh
		e.Touch(tx, false)
	}
}

// Detach takes away everything that the user has attached to the conversation.
func (b *Book) Detach(tx *store.Tx, e *Entry) {
	e.Attach(tx, protocol.Attributes{})
	for _, name := range e.GroupNames() {
		b.RemoveFromGroup(tx, name, []*Entry{e})
	}
}

// Replace makes everything that is attached to conversations what the server says.
func (b *Book) Replace(tx *store.Tx, all *protocol.AllAttributes) error {
	before, err := b.attached(tx, `pinned OR marks<>0 OR custom<>''`)
	if err != nil {
		return err
	}
	wanted := map[*Entry]bool{}
	for _, a := range all.Convs {
		e, err := b.open(tx, a.Target)
		if err != nil {
			return err
		}
		e.Attach(tx, a)
		wanted[e] = true
	}
	for _, e := range before {
		if !wanted[e] {
			e.Attach(tx, protocol.Attributes{})
		}
	}
	return b.replaceGroups(tx, all.Groups)
}

// replaceGroups takes away what is too much before it adds what is missing.
func (b *Book) replaceGroups(tx *store.Tx, groups []protocol.ConvGroup) error {
	names, members := []string{}, map[string][]*Entry{}
	for _, g := range groups {
		if _, known := members[g.Name]; !known {
			names = append(names, g.Name)
		}
		list, err := b.openAll(tx, g.Convs)
		if err != nil {
			return err
		}
		members[g.Name] = append(members[g.Name], list...)
	}
	present, err := Groups(tx)
	if err != nil {
		return err
	}
	for _, name := range present {
		if !slices.Contains(names, name) {
			if err := b.DeleteGroup(tx, name); err != nil {
				return err
			}
			continue
		}
		list, err := b.members(tx, name)
		if err != nil {
			return err
		}
		b.RemoveFromGroup(tx, name, slices.DeleteFunc(list, func(e *Entry) bool { return slices.Contains(members[name], e) }))
	}
	for _, name := range names {
		if err := b.CreateGroup(tx, name, members[name]); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) open(tx *store.Tx, t protocol.Target) (*Entry, error) {
	typ, peer := Of(t)
	return b.Open(tx, typ, peer)
}

// openAll opens conversations, each once.
func (b *Book) openAll(tx *store.Tx, list []protocol.Target) ([]*Entry, error) {
	seen := map[protocol.Target]*Entry{}
	var all []*Entry
	for _, t := range list {
		if seen[t] != nil {
			continue
		}
		e, err := b.open(tx, t)
		if err != nil {
			return nil, err
		}
		seen[t] = e
		all = append(all, e)
	}
	return all, nil
}

// ChangeGroup applies a change of a conversation group. It returns false when the change does not fit what is here, as one
// that is seen a second time: then only all attributes together tell how things stand.
func (b *Book) ChangeGroup(tx *store.Tx, c *protocol.ConvGroupChange) (fits bool, err error) {
	list, err := b.openAll(tx, c.Convs)
	if err != nil {
		return true, err
	}
	known, err := hasGroup(tx, c.Name)
	if err != nil {
		return true, err
	}
	switch {
	case c.Change == protocol.ConvGroupCreate:
		return true, b.CreateGroup(tx, c.Name, list)
	case !known:
		return false, nil
	case c.Change == protocol.ConvGroupDelete:
		return true, b.DeleteGroup(tx, c.Name)
	case c.Change == protocol.ConvGroupAdd:
		return true, b.AddToGroup(tx, c.Name, list)
	case c.Change == protocol.ConvGroupRemove:
		b.RemoveFromGroup(tx, c.Name, list)
	case c.Change == protocol.ConvGroupRename:
		return b.rename(tx, c)
	}
	return true, nil
}

// rename lets a group whose new name is there already go: the other one is what became of it.
func (b *Book) rename(tx *store.Tx, c *protocol.ConvGroupChange) (bool, error) {
	taken, err := hasGroup(tx, c.New)
	switch {
	case err != nil, c.New == c.Name:
		return true, err
	case taken:
		return false, b.DeleteGroup(tx, c.Name)
	}
	return true, b.RenameGroup(tx, c.Name, c.New)
}
