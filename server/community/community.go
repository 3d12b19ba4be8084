// Package community keeps the permission groups of communities: what their members may do where permission groups decide and
// not roles. A member's rights are those that everybody has, with those of all permission groups that he is in; in a topic
// likewise, and some rights in the community hold in all its topics. The owner has all rights and asks nobody.
//
// Nothing is worked out ahead: a question reads the member's few permission groups by their key, so a change of what a
// permission group may do costs one row, however many members it has.
//
// Topics are package group's: a topic is a group whose members are the community's.
//
// Rejected: a column with every member's rights (a hundred thousand rows rewritten when a permission group changes).
package community

import (
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/server/group"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Schema is the tables of this module.
func Schema() sqlite.Schema {
	return sqlite.Schema{Module: "community", Steps: []string{`
		CREATE TABLE permission_group (
			pid INTEGER PRIMARY KEY AUTOINCREMENT,
			gid INTEGER NOT NULL,         -- the community
			id TEXT NOT NULL,
			name TEXT NOT NULL,
			custom TEXT NOT NULL,
			rights INTEGER NOT NULL,      -- CommunityPermission bits
			created INTEGER NOT NULL,     -- seconds
			members INTEGER NOT NULL DEFAULT 0,
			UNIQUE (gid, id)
		) STRICT;
		CREATE TABLE permission_member (
			gid INTEGER NOT NULL,
			uid INTEGER NOT NULL,
			pid INTEGER NOT NULL,
			PRIMARY KEY (gid, uid, pid)
		) STRICT, WITHOUT ROWID;
		CREATE INDEX permission_member_by_group ON permission_member (pid, uid);
		CREATE TABLE permission_topic (
			pid INTEGER NOT NULL,
			topic INTEGER NOT NULL,       -- its number
			rights INTEGER NOT NULL,      -- TopicPermission bits
			PRIMARY KEY (pid, topic)
		) STRICT, WITHOUT ROWID;
		CREATE INDEX permission_topic_by_topic ON permission_topic (topic);`}}
}

// Communities is the module.
type Communities struct {
	groups *group.Groups
	now    func() time.Time
}

// New returns the module over the groups, which it tells who may do what: introduce it to them with Meet.
func New(groups *group.Groups, now func() time.Time) *Communities { return &Communities{groups, now} }

// Left implements group.Rights.
func (c *Communities) Left(tx *sqlite.Tx, gid, uid int64) error {
	if err := tx.Exec(`UPDATE permission_group SET members=members-1 WHERE pid IN
		(SELECT pid FROM permission_member WHERE gid=? AND uid=?)`, gid, uid); err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM permission_member WHERE gid=? AND uid=?`, gid, uid)
}

// Ended implements group.Rights.
func (c *Communities) Ended(tx *sqlite.Tx, gid int64) error {
	for _, statement := range []string{
		`DELETE FROM permission_topic WHERE topic=?`,
		`DELETE FROM permission_topic WHERE pid IN (SELECT pid FROM permission_group WHERE gid=?)`,
		`DELETE FROM permission_member WHERE gid=?`,
		`DELETE FROM permission_group WHERE gid=?`,
	} {
		if err := tx.Exec(statement, gid); err != nil {
			return err
		}
	}
	return nil
}

func invalid(desc string) error { return refusal.New(tim.ErrSVRGroupInvalidParameters, desc) }

func denied() error {
	return refusal.New(tim.ErrSVRGroupPermissionDeny, "the user has no right to say who is in permission groups")
}

func unknown() error {
	return refusal.New(tim.ErrSVRGroupNotFound, "there is no such permission group")
}

// checkTexts holds the texts of a permission group against their limits.
func checkTexts(name, custom string) error {
	switch {
	case name == "":
		return invalid("a permission group has a name")
	case len(name) > model.MaxPermissionGroupName:
		return invalid("the name is longer than 150 bytes")
	case len(custom) > model.MaxPermissionGroupCustom:
		return invalid("the custom data is longer than 3000 bytes")
	}
	return nil
}
