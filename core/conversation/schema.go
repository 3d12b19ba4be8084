package conversation

import "timbre/sqlite"

// Schema holds the conversations of the account.
var Schema = sqlite.Schema{Module: "conversation", Steps: []string{`
CREATE TABLE conversation (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	type       INTEGER NOT NULL,           -- TIMConvType
	peer       TEXT    NOT NULL,           -- user or group id
	visible    INTEGER NOT NULL DEFAULT 0, -- stands in the list
	active     INTEGER NOT NULL DEFAULT 0, -- order in the list, larger is newer
	last_msg   INTEGER NOT NULL DEFAULT 0, -- message.id of the last message, 0: none
	max_seq    INTEGER NOT NULL DEFAULT 0, -- newest seq that the server gave
	peer_count INTEGER NOT NULL DEFAULT 0, -- countable messages of the peer
	read_seq   INTEGER NOT NULL DEFAULT 0, -- this user's read position
	read_count INTEGER NOT NULL DEFAULT 0, -- countable messages of the peer up to there
	read_time  INTEGER NOT NULL DEFAULT 0, -- when this user read, seconds
	seen_seq   INTEGER NOT NULL DEFAULT 0, -- the peer's read position
	seen_time  INTEGER NOT NULL DEFAULT 0, -- when the peer read, milliseconds
	clear_seq  INTEGER NOT NULL DEFAULT 0, -- deleted up to here
	UNIQUE (type, peer)
) STRICT;
CREATE INDEX conversation_order ON conversation (active) WHERE visible;
CREATE INDEX conversation_unread ON conversation (peer_count - read_count) WHERE peer_count > read_count;
`, `
ALTER TABLE conversation ADD COLUMN own_count  INTEGER NOT NULL DEFAULT 0;  -- in a group: this user's countable messages
ALTER TABLE conversation ADD COLUMN own_seq    INTEGER NOT NULL DEFAULT 0;  -- in a group: this user's newest known message
ALTER TABLE conversation ADD COLUMN option     INTEGER NOT NULL DEFAULT 0;  -- TIMReceiveMessageOpt
ALTER TABLE conversation ADD COLUMN group_type INTEGER NOT NULL DEFAULT -1; -- TIMGroupType
ALTER TABLE conversation ADD COLUMN name       TEXT    NOT NULL DEFAULT ''; -- of the group
ALTER TABLE conversation ADD COLUMN face       TEXT    NOT NULL DEFAULT ''; -- likewise
ALTER TABLE conversation ADD COLUMN at         TEXT    NOT NULL DEFAULT ''; -- unread messages that speak to this user, JSON array of Mention
`, attributes, `
ALTER TABLE conversation ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- of the group
`}}

// attributes is the step that lets a user attach something to his conversations. Pinned ones stand before all others
// (pinnedOrder), and each has a place of its own (slots). What was deleted before counts as hidden, too.
const attributes = `
ALTER TABLE conversation ADD COLUMN hide_seq  INTEGER NOT NULL DEFAULT 0;  -- out of the list until something newer comes
ALTER TABLE conversation ADD COLUMN draft     TEXT    NOT NULL DEFAULT ''; -- JSON object Draft of the interface
ALTER TABLE conversation ADD COLUMN pinned    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN marks     INTEGER NOT NULL DEFAULT 0;  -- 64 bits
ALTER TABLE conversation ADD COLUMN custom    TEXT    NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN in_groups TEXT    NOT NULL DEFAULT ''; -- names of conversation groups, JSON array, '' for none
ALTER TABLE conversation ADD COLUMN place     INTEGER GENERATED ALWAYS AS (active + pinned*4611686018427387904) VIRTUAL;
UPDATE conversation SET hide_seq = clear_seq, active = active*1024 + id%1024;
DROP INDEX conversation_order;
CREATE INDEX conversation_place ON conversation (place) WHERE visible;
CREATE INDEX conversation_grouped ON conversation (id) WHERE in_groups <> '';
CREATE TABLE conv_group (
	id   INTEGER PRIMARY KEY AUTOINCREMENT, -- their order
	name TEXT NOT NULL UNIQUE
) STRICT;
`
