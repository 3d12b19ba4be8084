package group

// lives is what groups need besides a name and members: the rest of their information, who asks to come in, who is muted or
// kept out, attributes, counters and marks. A topic is a row of grp with a parent; its members are the parent's.
const lives = `
	ALTER TABLE grp ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;      -- gid of the community whose topic this is
	ALTER TABLE grp ADD COLUMN mute_all INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE grp ADD COLUMN visible INTEGER NOT NULL DEFAULT 2;
	ALTER TABLE grp ADD COLUMN searchable INTEGER NOT NULL DEFAULT 2;
	ALTER TABLE grp ADD COLUMN topics INTEGER NOT NULL DEFAULT 0;      -- a community with topics
	ALTER TABLE grp ADD COLUMN by_rights INTEGER NOT NULL DEFAULT 0;   -- permission groups decide instead of roles
	ALTER TABLE grp ADD COLUMN rights INTEGER NOT NULL DEFAULT 0;      -- of every member then
	ALTER TABLE grp ADD COLUMN attr_version INTEGER NOT NULL DEFAULT 0;
	ALTER TABLE grp ADD COLUMN dismissed INTEGER NOT NULL DEFAULT 0;   -- since when its end is being told to its members, seconds
	CREATE INDEX grp_by_parent ON grp (parent) WHERE parent<>0;
	CREATE INDEX grp_by_type ON grp (app, type, gid);
	CREATE INDEX grp_ending ON grp (dismissed) WHERE dismissed>0;
	ALTER TABLE member ADD COLUMN custom TEXT NOT NULL DEFAULT '';     -- JSON object
	CREATE INDEX member_by_role ON member (gid, role, uid) WHERE role<>200;
	CREATE INDEX member_shut ON member (gid, uid) WHERE option=1; -- who does not want to hear of it
	CREATE TABLE topic_option (         -- how members receive from topics, where it is not the default
		uid INTEGER NOT NULL,
		gid INTEGER NOT NULL,
		option INTEGER NOT NULL,      -- TIMReceiveMessageOpt
		PRIMARY KEY (uid, gid)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX topic_option_by_topic ON topic_option (gid);
	CREATE TABLE sanction (             -- outlives a membership
		gid INTEGER NOT NULL,
		uid INTEGER NOT NULL,
		mute_until INTEGER NOT NULL DEFAULT 0, -- seconds
		ban_until INTEGER NOT NULL DEFAULT 0,
		removed INTEGER NOT NULL DEFAULT 0,    -- from a live room, and has not come by himself since
		PRIMARY KEY (gid, uid)
	) STRICT, WITHOUT ROWID;
	INSERT INTO sanction (gid, uid, mute_until) SELECT gid, uid, mute_until FROM member WHERE mute_until>0;
	CREATE TABLE pendency (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		gid INTEGER NOT NULL,
		type INTEGER NOT NULL,        -- TIMGroupPendencyType
		origin INTEGER NOT NULL,      -- uid of who wants to come in, or who invites
		target INTEGER NOT NULL,      -- uid of who is invited, 0: none
		added INTEGER NOT NULL,       -- milliseconds
		text TEXT NOT NULL DEFAULT '',
		decider INTEGER NOT NULL DEFAULT 0, -- 0: open
		accepted INTEGER NOT NULL DEFAULT 0,
		answer TEXT NOT NULL DEFAULT '',
		decided INTEGER NOT NULL DEFAULT 0  -- milliseconds
	) STRICT;
	CREATE INDEX pendency_by_group ON pendency (gid, added);
	CREATE INDEX pendency_by_target ON pendency (target, added) WHERE target<>0;
	CREATE INDEX pendency_by_origin ON pendency (origin, gid);
	CREATE TABLE pendency_read (uid INTEGER PRIMARY KEY, time INTEGER NOT NULL) STRICT;
	CREATE TABLE attribute (
		gid INTEGER NOT NULL,
		key TEXT NOT NULL,
		value TEXT NOT NULL,
		version INTEGER NOT NULL,     -- attr_version of the group when it was written
		PRIMARY KEY (gid, key)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE counter (
		gid INTEGER NOT NULL,
		key TEXT NOT NULL,
		value INTEGER NOT NULL,
		PRIMARY KEY (gid, key)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE mark (
		gid INTEGER NOT NULL,
		mark INTEGER NOT NULL,
		uid INTEGER NOT NULL,
		PRIMARY KEY (gid, mark, uid)
	) STRICT, WITHOUT ROWID;`
