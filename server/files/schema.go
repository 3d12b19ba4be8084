package files

import "timbre/sqlite"

// States of a file.
const (
	uploading = iota
	stored
	dead // its bytes are being deleted; nobody sees it any more
)

// Schema is the module's tables.
func Schema() sqlite.Schema {
	return sqlite.Schema{Module: "files", Steps: []string{`
		CREATE TABLE file (
			id TEXT PRIMARY KEY,
			app INTEGER NOT NULL,
			uid INTEGER NOT NULL,  -- who uploads or uploaded it
			sum BLOB NOT NULL,     -- SHA-256
			size INTEGER NOT NULL,
			type TEXT NOT NULL,    -- as it is served, found in the content
			state INTEGER NOT NULL,
			used INTEGER NOT NULL  -- milliseconds
		) STRICT, WITHOUT ROWID;
		CREATE UNIQUE INDEX file_stored ON file (app, sum, size) WHERE state = 1;
		CREATE UNIQUE INDEX file_uploading ON file (uid, sum, size) WHERE state = 0;
		CREATE INDEX file_by_use ON file (state, used);

		CREATE TABLE file_part (
			id TEXT NOT NULL,
			n INTEGER NOT NULL,
			PRIMARY KEY (id, n)
		) STRICT, WITHOUT ROWID;

		CREATE TABLE file_quota (
			uid INTEGER NOT NULL,
			day INTEGER NOT NULL,  -- since 1970, UTC
			bytes INTEGER NOT NULL,
			PRIMARY KEY (uid, day)
		) STRICT, WITHOUT ROWID;

		CREATE TABLE file_key (key BLOB NOT NULL) STRICT;`, `
		CREATE TABLE file_held (
			holder TEXT NOT NULL,  -- a file in which others are named: who uses it uses them
			id TEXT NOT NULL,
			PRIMARY KEY (holder, id)
		) STRICT, WITHOUT ROWID;`}}
}
