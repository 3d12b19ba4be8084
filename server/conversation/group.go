package conversation

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// SetGroup changes a conversation group. Where are the conversations of the request, in its order. To create one that is
// there already is to add to it: the second of two devices that create it at once must not fail.
func (c *Conversations) SetGroup(tx *sqlite.Tx, user message.User, key string, where []message.Where, g *protocol.ConvGroupChange) (
	a protocol.ConvsSet, changes []changelog.Change, err error) {
	if err = checkGroup(g); err != nil {
		return a, nil, err
	}
	if found, err := c.messages.Answered(tx, user, key, &a); found || err != nil {
		return a, nil, err
	}
	entry := protocol.ConvGroupChange{Change: g.Change, Name: g.Name}
	if g.Change == protocol.ConvGroupRename {
		entry.New = g.New
	}
	codes, changed, err := c.setGroup(tx, user, where, &entry)
	a.Codes = codes
	if !changed || err != nil {
		return a, nil, err
	}
	if a.Pos, changes, err = c.note(tx, user, protocol.EntryConvGroup, entry); err != nil {
		return a, nil, err
	}
	return a, changes, c.messages.Remember(tx, user, key, a)
}

// checkGroup refuses what cannot be done with any group, and names that none can have.
func checkGroup(g *protocol.ConvGroupChange) error {
	name := g.Name
	switch g.Change {
	case protocol.ConvGroupCreate, protocol.ConvGroupDelete, protocol.ConvGroupAdd, protocol.ConvGroupRemove:
	case protocol.ConvGroupRename:
		if g.Name != "" {
			name = g.New
		}
	default:
		return refusal.New(tim.ErrInvalidParameters, "there is no such change of a conversation group")
	}
	switch {
	case name == "":
		return refusal.New(tim.ErrInvalidParameters, "a conversation group needs a name")
	case !model.ValidConvGroupName(name):
		return refusal.New(tim.ErrSVRConvConvGroupNameExceedLength, "the name of a conversation group has at most 32 bytes")
	}
	return nil
}

// setGroup makes the change, completes its entry and says whether anything changed.
func (c *Conversations) setGroup(tx *sqlite.Tx, user message.User, where []message.Where, entry *protocol.ConvGroupChange) (
	codes []int, changed bool, err error) {
	id, err := findGroup(tx, user.UID, entry.Name)
	if err != nil {
		return nil, false, err
	}
	if id == 0 && entry.Change != protocol.ConvGroupCreate {
		return nil, false, refusal.New(tim.ErrSVRConvConvGroupNotExist, "there is no such conversation group")
	}
	switch entry.Change {
	case protocol.ConvGroupDelete:
		return nil, true, remove(tx, id)
	case protocol.ConvGroupRename:
		changed, err = rename(tx, user.UID, id, entry.New)
		return nil, changed, err
	case protocol.ConvGroupRemove:
		codes, err = take(tx, id, where, entry)
		return codes, len(entry.Convs) > 0, err
	}
	made := id == 0
	if made {
		id, err = create(tx, user.UID, entry.Name)
	}
	if err != nil {
		return nil, false, err
	}
	if !made {
		entry.Change = protocol.ConvGroupAdd
	}
	codes, err = c.put(tx, user, id, where, entry)
	return codes, made || len(entry.Convs) > 0, err
}

func findGroup(q sqlite.Queryer, uid int64, name string) (id int64, err error) {
	_, err = q.Get(`SELECT id FROM conv_group WHERE uid=? AND name=?`, []any{&id}, uid, name)
	return id, err
}

func create(tx *sqlite.Tx, uid int64, name string) (int64, error) {
	var n int
	if _, err := tx.Get(`SELECT count(*) FROM conv_group WHERE uid=?`, []any{&n}, uid); err != nil {
		return 0, err
	}
	if n >= model.MaxConvGroups {
		return 0, refusal.New(tim.ErrSVRConvConvGroupTotalCountExceedLimit, "a user has at most 20 conversation groups")
	}
	return tx.Insert(`INSERT INTO conv_group (uid, name) VALUES (?,?)`, uid, name)
}

// put brings conversations into a group.
func (c *Conversations) put(tx *sqlite.Tx, user message.User, id int64, where []message.Where, entry *protocol.ConvGroupChange) (
	codes []int, err error) {
	var grouped int
	if _, err := tx.Get(`SELECT count(DISTINCT conv) FROM conv_grouped WHERE uid=?`, []any{&grouped}, user.UID); err != nil {
		return nil, err
	}
	for _, w := range where {
		in, elsewhere, err := places(tx, user.UID, id, number(w))
		if err != nil {
			return nil, err
		}
		code := 0
		if !in {
			if code, err = c.room(tx, user, w, elsewhere, grouped); err != nil {
				return nil, err
			}
		}
		codes = append(codes, code)
		if in || code != 0 {
			continue
		}
		if !elsewhere {
			grouped++
		}
		entry.Convs = append(entry.Convs, target(w))
		if err := tx.Exec(`INSERT INTO conv_grouped (grp, conv, uid) VALUES (?,?,?)`, id, number(w), user.UID); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// places says whether a conversation is in a group, and in any of the user's groups.
func places(q sqlite.Queryer, uid, id, conv int64) (in, somewhere bool, err error) {
	var here, all int
	_, err = q.Get(`SELECT count(nullif(grp=?,0)), count(*) FROM conv_grouped WHERE uid=? AND conv=?`, []any{&here, &all}, id, uid, conv)
	return here > 0, all > 0, err
}

// room says why a conversation may not come into a group.
func (c *Conversations) room(tx *sqlite.Tx, user message.User, w message.Where, grouped bool, total int) (int, error) {
	open, err := c.open(tx, user, w)
	switch {
	case err != nil:
		return 0, err
	case !open:
		return tim.ErrSVRConvConvMarkOperateFailed, nil
	case !grouped && total >= model.MaxAttributed:
		return tim.ErrSVRConvConvMarkTotalCountExceedLimit, nil
	}
	return 0, nil
}

// take takes conversations out of a group. Those that are not in it are no mistake.
func take(tx *sqlite.Tx, id int64, where []message.Where, entry *protocol.ConvGroupChange) (codes []int, err error) {
	for _, w := range where {
		if number(w) == 0 {
			codes = append(codes, tim.ErrSVRConvConvMarkOperateFailed)
			continue
		}
		codes = append(codes, 0)
		n, err := tx.Change(`DELETE FROM conv_grouped WHERE grp=? AND conv=?`, id, number(w))
		if err != nil {
			return nil, err
		}
		if n > 0 {
			entry.Convs = append(entry.Convs, target(w))
		}
	}
	return codes, nil
}

func remove(tx *sqlite.Tx, id int64) error {
	if err := tx.Exec(`DELETE FROM conv_grouped WHERE grp=?`, id); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM conv_group WHERE id=?`, id)
}

func rename(tx *sqlite.Tx, uid, id int64, name string) (changed bool, err error) {
	other, err := findGroup(tx, uid, name)
	switch {
	case other == id || err != nil:
		return false, err
	case other != 0:
		return false, refusal.New(tim.ErrInvalidParameters, "another conversation group has this name")
	}
	return true, tx.Exec(`UPDATE conv_group SET name=? WHERE id=?`, name, id)
}
