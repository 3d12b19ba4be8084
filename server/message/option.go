package message

import (
	"encoding/json"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// SetOptions changes how a user receives from other users.
func (m *Messages) SetOptions(tx *sqlite.Tx, user User, app uint64, peers []User, option int) ([]changelog.Change, error) {
	var changes []changelog.Change
	for _, peer := range peers {
		change, err := m.receive(tx, user, app, peer, func(r Receiving) Receiving { return r.Becomes(option) })
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// Shut says whether a user does not want to hear from another.
func (m *Messages) Shut(tx *sqlite.Tx, from, to User) (bool, error) {
	c, err := m.pending(tx).find(tx, from.UID, to.UID)
	return c != nil && from.UID != to.UID && c.side(to.UID).option == notReceived, err
}

// SetAllOption changes how a user receives at certain times.
func (m *Messages) SetAllOption(tx *sqlite.Tx, user User, all protocol.AllOption) ([]changelog.Change, error) {
	if err := tx.Exec(`INSERT INTO option_all (uid, option) VALUES (?,?) ON CONFLICT (uid) DO UPDATE SET option=excluded.option`,
		user.UID, string(protocol.Marshal(all))); err != nil {
		return nil, err
	}
	change, err := m.log.Note(tx, user.UID, changelog.Pointer{Kind: protocol.EntryOption, Time: m.now().UnixMilli(),
		Data: protocol.Marshal(protocol.OptionChange{Option: all.Option, All: &all})})
	return []changelog.Change{change}, err
}

// allOption is how a user receives at certain times, the zero value when he has not said it.
func allOption(q sqlite.Queryer, uid int64) (all protocol.AllOption, err error) {
	var text string
	found, err := q.Get(`SELECT option FROM option_all WHERE uid=?`, []any{&text}, uid)
	if found && err == nil {
		err = json.Unmarshal([]byte(text), &all)
	}
	return all, err
}

// Options answers how a user receives from others, and at certain times.
func (m *Messages) Options(q sqlite.Queryer, user User, peers []User) ([]byte, error) {
	a := protocol.Options{Peers: map[string]int{}}
	for _, peer := range peers {
		c, err := findPair(q, user.UID, peer.UID)
		if err != nil {
			return nil, err
		}
		if c != nil && c.side(user.UID).option != 0 {
			a.Peers[peer.Name] = c.side(user.UID).option
		}
	}
	all, err := allOption(q, user.UID)
	if all != (protocol.AllOption{}) {
		a.All = &all
	}
	return protocol.Marshal(a), err
}
