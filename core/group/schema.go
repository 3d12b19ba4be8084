package group

import "timbre/sqlite"

// Schema holds the groups that the user is in and the members that this device has seen. The last words of each row are
// what a search looks into, folded by search.Fold.
var Schema = sqlite.Schema{Module: "group", Steps: []string{`
CREATE TABLE joined_group (
	id     TEXT PRIMARY KEY,
	data   TEXT NOT NULL, -- protocol.Group with Self, JSON
	as_id   TEXT NOT NULL,
	as_name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE group_member (
	grp    TEXT NOT NULL,
	user   TEXT NOT NULL,
	data   TEXT NOT NULL, -- protocol.Member, JSON
	as_id   TEXT NOT NULL,
	as_nick TEXT NOT NULL,
	as_card TEXT NOT NULL,
	PRIMARY KEY (grp, user)
) STRICT, WITHOUT ROWID;
` + listOfOldReleases}}

// listOfOldReleases takes over the list that older releases kept as one word about the database.
const listOfOldReleases = `
INSERT OR REPLACE INTO joined_group
	SELECT value->>'id', value, lower(value->>'id'), lower(value->>'name')
	FROM json_each((SELECT value FROM meta WHERE key='groups_joined')) WHERE value->>'id'<>'' ;
DELETE FROM meta WHERE key='groups_joined';
`
