package message

import "timbre/sqlite"

// Schema is the tables of this module. In pair, lo and hi are the two users, the smaller number first; a user who talks
// to himself is both and counts as lo. A room is the history of a group or topic and a seat a member's place in it. In all other tables
// conv is a pair's id, or the negative of a group's number.
func Schema() sqlite.Schema {
	return sqlite.Schema{Module: "message", Steps: []string{pairs, rooms, hiding, beneath, branches, silent}}
}

// pairs is what two users need.
const pairs = `
	CREATE TABLE pair (
		id INTEGER PRIMARY KEY,
		app INTEGER NOT NULL,
		lo INTEGER NOT NULL,
		hi INTEGER NOT NULL,
		max_seq INTEGER NOT NULL DEFAULT 0,
		last_time INTEGER NOT NULL DEFAULT 0,
		count_lo INTEGER NOT NULL DEFAULT 0,     -- messages of lo that count as unread
		count_hi INTEGER NOT NULL DEFAULT 0,
		read_lo INTEGER NOT NULL DEFAULT 0,      -- lo has read up to this seq
		read_hi INTEGER NOT NULL DEFAULT 0,
		rc_lo INTEGER NOT NULL DEFAULT 0,        -- count of hi at lo's read position
		rc_hi INTEGER NOT NULL DEFAULT 0,
		seen_lo INTEGER NOT NULL DEFAULT 0,      -- up to where hi knows that lo has read
		seen_hi INTEGER NOT NULL DEFAULT 0,
		seen_time_lo INTEGER NOT NULL DEFAULT 0,
		seen_time_hi INTEGER NOT NULL DEFAULT 0,
		clear_lo INTEGER NOT NULL DEFAULT 0,     -- lo deleted everything up to this seq
		clear_hi INTEGER NOT NULL DEFAULT 0,
		UNIQUE (lo, hi)
	) STRICT;
	CREATE INDEX pair_by_lo ON pair (lo, last_time);
	CREATE INDEX pair_by_hi ON pair (hi, last_time);

	CREATE TABLE msg (
		pair INTEGER NOT NULL,
		seq INTEGER NOT NULL,
		sender INTEGER NOT NULL,
		key TEXT NOT NULL,
		time INTEGER NOT NULL,
		count INTEGER NOT NULL, -- of the sender, this message included
		other INTEGER NOT NULL, -- of the other user at this point
		pos INTEGER NOT NULL,   -- in the sender's change log
		content BLOB NOT NULL,
		PRIMARY KEY (pair, seq)
	) STRICT, WITHOUT ROWID;
	CREATE UNIQUE INDEX msg_by_key ON msg (sender, key);

	CREATE TABLE answered (
		uid INTEGER NOT NULL,
		key TEXT NOT NULL,
		answer BLOB NOT NULL,
		time INTEGER NOT NULL,
		PRIMARY KEY (uid, key)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX answered_by_time ON answered (time);`

// rooms is what groups need, and what happens to a message later.
const rooms = `
	ALTER TABLE msg ADD COLUMN version INTEGER NOT NULL DEFAULT 0;  -- number of changes
	ALTER TABLE msg ADD COLUMN state TEXT NOT NULL DEFAULT '';      -- protocol.State, the part that is the same for all
	ALTER TABLE msg ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;    -- see the constants
	ALTER TABLE msg ADD COLUMN audience INTEGER NOT NULL DEFAULT 0; -- members that were to confirm it
	ALTER TABLE msg ADD COLUMN targets TEXT NOT NULL DEFAULT '';    -- JSON array of the users who may see it, '' for all
	ALTER TABLE pair ADD COLUMN min_seq INTEGER NOT NULL DEFAULT 1; -- what lies before is gone
	ALTER TABLE pair ADD COLUMN opt_lo INTEGER NOT NULL DEFAULT 0;  -- how lo receives from hi
	ALTER TABLE pair ADD COLUMN opt_hi INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE pair ADD COLUMN indexed_seq INTEGER NOT NULL DEFAULT 0; -- up to here messages are in the search index
	CREATE INDEX msg_directed ON msg (pair) WHERE targets<>'';
	CREATE TABLE room (
		gid INTEGER PRIMARY KEY,
		name TEXT NOT NULL,
		max_seq INTEGER NOT NULL DEFAULT 0,
		min_seq INTEGER NOT NULL DEFAULT 1,
		count INTEGER NOT NULL DEFAULT 0,     -- messages that count as unread
		last_time INTEGER NOT NULL DEFAULT 0,
		changed INTEGER NOT NULL DEFAULT 0,   -- newest position of the group's log that is not just a new message
		touched INTEGER NOT NULL DEFAULT 0,   -- time of the log's newest entry, milliseconds
		indexed_seq INTEGER NOT NULL DEFAULT 0 -- as in pair
	) STRICT;
	CREATE TABLE seat (
		gid INTEGER NOT NULL,
		uid INTEGER NOT NULL,
		read_seq INTEGER NOT NULL DEFAULT 0,
		read_count INTEGER NOT NULL DEFAULT 0, -- countable messages of others up to there
		own INTEGER NOT NULL DEFAULT 0,        -- this user's countable messages
		clear_seq INTEGER NOT NULL DEFAULT 0,  -- he sees nothing up to here
		PRIMARY KEY (gid, uid)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX seat_by_user ON seat (uid);
	CREATE TABLE mention (
		gid INTEGER NOT NULL,
		uid INTEGER NOT NULL, -- 0: everybody
		seq INTEGER NOT NULL,
		PRIMARY KEY (gid, uid, seq)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE hidden ( -- messages that a user deleted for himself
		uid INTEGER NOT NULL,
		conv INTEGER NOT NULL,
		seq INTEGER NOT NULL,
		PRIMARY KEY (uid, conv, seq)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE receipt (
		conv INTEGER NOT NULL,
		seq INTEGER NOT NULL,
		uid INTEGER NOT NULL,
		time INTEGER NOT NULL,
		PRIMARY KEY (conv, seq, uid)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE extension (
		conv INTEGER NOT NULL,
		seq INTEGER NOT NULL,
		key TEXT NOT NULL,
		value TEXT NOT NULL,
		n INTEGER NOT NULL, -- changes of this key
		PRIMARY KEY (conv, seq, key)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE reaction (
		conv INTEGER NOT NULL,
		seq INTEGER NOT NULL,
		id TEXT NOT NULL,
		uid INTEGER NOT NULL,
		time INTEGER NOT NULL,
		PRIMARY KEY (conv, seq, id, uid)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE pin (
		gid INTEGER NOT NULL,
		seq INTEGER NOT NULL,
		uid INTEGER NOT NULL,
		time INTEGER NOT NULL,
		PRIMARY KEY (gid, seq)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE option_all (uid INTEGER PRIMARY KEY, option TEXT NOT NULL) STRICT;`

// hiding separates what a user deleted from what he only took out of his list, which was one before.
const hiding = `
	ALTER TABLE pair ADD COLUMN hide_lo INTEGER NOT NULL DEFAULT 0; -- lo's list has the conversation if max_seq is greater
	ALTER TABLE pair ADD COLUMN hide_hi INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE seat ADD COLUMN hide_seq INTEGER NOT NULL DEFAULT 0; -- likewise
	UPDATE pair SET hide_lo=clear_lo, hide_hi=clear_hi WHERE clear_lo>0 OR clear_hi>0;
	UPDATE seat SET hide_seq=clear_seq WHERE clear_seq>0;`

// branches is what topics need.
const branches = `
	ALTER TABLE room ADD COLUMN parent INTEGER NOT NULL DEFAULT 0; -- gid of the community whose topic has this history, -1: the topic is no more
	CREATE INDEX room_by_parent ON room (parent) WHERE parent<>0;`

// silent lets a group leave the list in which nobody has said anything: there is no number up to which it would be hidden.
const silent = `
	ALTER TABLE seat ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0; -- out of the list until something is said`
