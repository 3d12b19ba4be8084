package community

import (
	"encoding/json"

	"timbre/core/store"
	"timbre/protocol"
	"timbre/sqlite"
)

// Schema holds the topics of the communities that the user is in.
var Schema = sqlite.Schema{Module: "community", Steps: []string{`
CREATE TABLE topic (
	id        TEXT PRIMARY KEY,
	community TEXT    NOT NULL,
	data      TEXT    NOT NULL,           -- protocol.Group, JSON
	told      INTEGER NOT NULL DEFAULT 0  -- the host has heard that it was made
) STRICT, WITHOUT ROWID;
CREATE INDEX topic_community ON topic (community, id);
`}}

// topic is a row.
type topic struct {
	protocol.Group
	told bool
}

// find returns a topic, nil when there is none.
func find(q sqlite.Queryer, id string) (*topic, error) {
	t, data := &topic{}, ""
	found, err := q.Get(`SELECT data, told FROM topic WHERE id=?`, []any{&data, &t.told}, id)
	if err != nil || !found {
		return nil, err
	}
	return t, json.Unmarshal([]byte(data), &t.Group)
}

// topics returns what a community has, in the order of their making.
func topics(q sqlite.Queryer, community string) ([]protocol.Group, error) {
	var all []protocol.Group
	err := q.Query(`SELECT data FROM topic WHERE community=? ORDER BY data->>'created', id`, func(scan func(...any) error) error {
		var data string
		if err := scan(&data); err != nil {
			return err
		}
		var g protocol.Group
		err := json.Unmarshal([]byte(data), &g)
		all = append(all, g)
		return err
	}, community)
	return all, err
}

// keep stores a topic of a community. told stays set once it is.
func keep(tx *store.Tx, community string, g *protocol.Group, told bool) error {
	g.Parent = community
	return tx.Exec(`INSERT INTO topic (id,community,data,told) VALUES (?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET data=excluded.data, told=told OR excluded.told`,
		g.ID, community, string(protocol.Marshal(g)), told)
}
