package group

import (
	"encoding/json"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/search"
	"timbre/sqlite"
)

// lasting says whether a group is one of those that are kept. Topics belong to their community, and live rooms end with the
// session.
func lasting(r *protocol.Group) bool {
	return r.Parent == "" && r.Type != tim.GroupAVChatRoom && r.Type != tim.GroupBChatRoom
}

// keepOne keeps a group as the user sees it.
func keepOne(tx *store.Tx, r *protocol.Group) error {
	if !lasting(r) {
		return nil
	}
	return put(tx, r)
}

func put(tx *store.Tx, r *protocol.Group) error {
	return tx.Exec(`INSERT OR REPLACE INTO joined_group VALUES (?,?,?,?)`,
		r.ID, string(protocol.Marshal(r)), search.Fold(r.ID), search.Fold(r.Name))
}

// see keeps a member for searches, without what is soon not true any more: whether he is online.
func see(tx *store.Tx, group string, m *protocol.Member) error {
	lasting := *m
	lasting.Online, lasting.Platforms = false, nil
	return tx.Exec(`INSERT OR REPLACE INTO group_member VALUES (?,?,?,?,?,?)`,
		group, m.User, string(protocol.Marshal(lasting)), search.Fold(m.User), search.Fold(m.Nick), search.Fold(m.NameCard))
}

func drop(tx *store.Tx, group string) error {
	if err := tx.Exec(`DELETE FROM group_member WHERE grp=?`, group); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM joined_group WHERE id=?`, group)
}

// find returns a group that is kept, nil when there is none of that id.
func find(q sqlite.Queryer, id string) (*protocol.Group, error) {
	var data string
	found, err := q.Get(`SELECT data FROM joined_group WHERE id=?`, []any{&data}, id)
	if !found || err != nil {
		return nil, err
	}
	r := &protocol.Group{}
	return r, json.Unmarshal([]byte(data), r)
}

// each reads what the first column of a question's answer says, which is JSON.
func each[T any](q sqlite.Queryer, question string, args ...any) (all []T, err error) {
	err = q.Query(question, func(scan func(...any) error) error {
		var data string
		if err := scan(&data); err != nil {
			return err
		}
		var v T
		err := json.Unmarshal([]byte(data), &v)
		all = append(all, v)
		return err
	}, args...)
	return all, err
}
