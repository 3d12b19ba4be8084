package conversation

import (
	"encoding/json"
	"slices"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Groups returns the names of the conversation groups, oldest first.
func Groups(q sqlite.Queryer) ([]string, error) {
	names := []string{}
	err := q.Query(`SELECT name FROM conv_group ORDER BY id`, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

func hasGroup(q sqlite.Queryer, name string) (bool, error) {
	var id int64
	return q.Get(`SELECT id FROM conv_group WHERE name=?`, []any{&id}, name)
}

// GroupNames returns the names of the conversation groups that hold the conversation.
func (a *Attributes) GroupNames() (names []string) {
	if a.Groups != "" {
		_ = json.Unmarshal([]byte(a.Groups), &names) // it was written here
	}
	return names
}

func (a *Attributes) setGroupNames(names []string) {
	if a.Groups = ""; len(names) > 0 {
		a.Groups = string(protocol.Marshal(names))
	}
}

func (a *Attributes) in(group string) bool {
	return a.Groups != "" && slices.Contains(a.GroupNames(), group)
}

// groupNews is an event about a conversation group that waits for the end of the batch, when its conversations are as they
// will be.
type groupNews struct {
	after   *store.Tx
	setter  tim.Op
	names   []string
	members []*Entry // nil: the event lists none
}

func (s *batch) news(tx *store.Tx, setter tim.Op, members []*Entry, names ...string) {
	s.groups = append(s.groups, groupNews{tx, setter, names, members})
}

func (s *batch) tellGroup(tx *sqlite.Tx, n *groupNews) {
	var args []event.Arg
	for _, name := range n.names {
		args = append(args, event.Text(name))
	}
	if n.members != nil {
		b := []byte{'['}
		for i, e := range n.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, s.book.render(tx, &e.Conversation)...)
		}
		args = append(args, event.Text(string(append(b, ']'))))
	}
	if n.setter == tim.OpTIMSetConvConversationsDeletedFromGroupCallback {
		args = append(args, event.Num(0)) // the reason: the user wanted it so
	}
	setter := n.setter
	n.after.After(func() { s.book.sink.Emit(event.Event{Setter: setter, Args: args}) })
}

// CreateGroup makes a conversation group with these conversations. To one that exists they are added.
func (b *Book) CreateGroup(tx *store.Tx, name string, members []*Entry) error {
	exists, err := hasGroup(tx, name)
	switch {
	case err != nil:
		return err
	case exists:
		return b.AddToGroup(tx, name, members)
	}
	if err := tx.Exec(`INSERT INTO conv_group (name) VALUES (?)`, name); err != nil {
		return err
	}
	for _, e := range members {
		e.join(tx, name)
	}
	b.batch(tx).news(tx, tim.OpTIMSetConvConversationGroupCreatedCallback, append([]*Entry{}, members...), name) // never nil: the list is an argument, empty or not
	return nil
}

// DeleteGroup ends a conversation group, if there is one of this name. Its conversations stay.
func (b *Book) DeleteGroup(tx *store.Tx, name string) error {
	n, err := tx.Change(`DELETE FROM conv_group WHERE name=?`, name)
	if err != nil || n == 0 {
		return err
	}
	members, err := b.members(tx, name)
	for _, e := range members {
		e.part(tx, name)
	}
	b.batch(tx).news(tx, tim.OpTIMSetConvConversationGroupDeletedCallback, nil, name)
	return err
}

// RenameGroup gives a conversation group another name. There must be none of that name.
func (b *Book) RenameGroup(tx *store.Tx, name, to string) error {
	n, err := tx.Change(`UPDATE conv_group SET name=? WHERE name=?`, to, name)
	if err != nil || n == 0 {
		return err
	}
	members, err := b.members(tx, name)
	for _, e := range members {
		names := e.GroupNames()
		names[slices.Index(names, name)] = to
		e.setGroupNames(names)
		e.Touch(tx, false)
	}
	b.batch(tx).news(tx, tim.OpTIMSetConvConversationGroupNameChangedCallback, nil, name, to)
	return err
}

// AddToGroup puts conversations into an existing conversation group.
func (b *Book) AddToGroup(tx *store.Tx, name string, list []*Entry) error {
	list = slices.DeleteFunc(slices.Clone(list), func(e *Entry) bool { return e.in(name) })
	for _, e := range list {
		e.join(tx, name)
	}
	if len(list) > 0 {
		b.batch(tx).news(tx, tim.OpTIMSetConvConversationsAddedToGroupCallback, list, name)
	}
	return nil
}

// RemoveFromGroup takes conversations out of a conversation group.
func (b *Book) RemoveFromGroup(tx *store.Tx, name string, list []*Entry) {
	list = slices.DeleteFunc(slices.Clone(list), func(e *Entry) bool { return !e.in(name) })
	for _, e := range list {
		e.part(tx, name)
	}
	if len(list) > 0 {
		b.batch(tx).news(tx, tim.OpTIMSetConvConversationsDeletedFromGroupCallback, list, name)
	}
}

func (e *Entry) join(tx *store.Tx, group string) {
	if !e.in(group) {
		e.setGroupNames(append(e.GroupNames(), group))
		e.Touch(tx, false)
	}
}

func (e *Entry) part(tx *store.Tx, group string) {
	e.setGroupNames(slices.DeleteFunc(e.GroupNames(), func(name string) bool { return name == group }))
	e.Touch(tx, false)
}

// members returns the conversations in a group as the batch has them.
func (b *Book) members(tx *store.Tx, name string) ([]*Entry, error) {
	all, err := b.attached(tx, `in_groups<>''`)
	return slices.DeleteFunc(all, func(e *Entry) bool { return !e.in(name) }), err
}

// attached opens the conversations of which a condition holds in the database, and those that the batch has opened.
func (b *Book) attached(tx *store.Tx, condition string) ([]*Entry, error) {
	var ids []int64
	err := tx.Query(`SELECT id FROM conversation WHERE `+condition+` ORDER BY id`, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	for _, id := range ids {
		if _, e := b.OpenByID(tx, id); e != nil {
			return nil, e
		}
	}
	return slices.Clone(b.batch(tx).order), err
}
