package message

import "timbre/sqlite"

// Schema is the tables of this module. In pair, lo and hi are the two users, the smaller number first; a user who talks
// to himself is both and counts as lo.
func Schema() sqlite.Schema {
	return sqlite.Schema{Module: "message", Steps: []string{`
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
		CREATE INDEX answered_by_time ON answered (time);`}}
}
