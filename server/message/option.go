package message

import (
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
	_, was, err := m.allReceiving(tx, user.UID)
	if err != nil {
		return nil, err
	}
	return m.putAll(tx, user, was, was.Becomes(all.Option), all)
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
	all, _, err := m.allReceiving(q, user.UID)
	if all != (protocol.AllOption{}) {
		a.All = &all
	}
	return protocol.Marshal(a), err
}
