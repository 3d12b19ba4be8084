package message

import (
	"encoding/json"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/sqlite"
)

// SetOptions changes how a user receives from other users.
func (m *Messages) SetOptions(tx *sqlite.Tx, user User, app uint64, peers []User, option int) ([]changelog.Change, error) {
	p := m.pending(tx)
	var changes []changelog.Change
	for _, peer := range peers {
		c, err := p.open(tx, user.UID, peer.UID, app)
		if err != nil {
			return nil, err
		}
		if me := c.side(user.UID); me.option != option {
			me.option, c.moved = option, true
		}
		change, err := m.log.Note(tx, user.UID, changelog.Pointer{Kind: protocol.EntryOption, Peer: peer.Name,
			Time: m.now().UnixMilli(), Data: protocol.Marshal(protocol.OptionChange{Option: option})})
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
	var text string
	found, err := q.Get(`SELECT option FROM option_all WHERE uid=?`, []any{&text}, user.UID)
	if err != nil {
		return nil, err
	}
	if found {
		a.All = &protocol.AllOption{}
		if err := json.Unmarshal([]byte(text), a.All); err != nil {
			return nil, err
		}
	}
	return protocol.Marshal(a), nil
}
