package group

import (
	"timbre/model"
	"timbre/sqlite"
)

// Neighbours is what this module asks others that are made after it. Who is nil is not asked: then nobody is connected,
// nobody is in a live room, and roles decide everywhere.
type Neighbours struct {
	Sessions Sessions
	Audience Audience
	Rights   Rights
}

// Meet introduces the neighbours, before the first request.
func (g *Groups) Meet(n Neighbours) { g.near = n }

// Sessions knows who is connected.
type Sessions interface {
	// Platforms returns on what kinds of devices a user has a session now, none when he is not online.
	Platforms(uid int64) []string
	// Followers counts users who have a session now that follows a group, and those of the others that are named.
	Followers(gid int64, others []int64) int
}

// Audience knows who is in live rooms, of whom no table tells.
type Audience interface {
	// Since returns when a user came, in seconds, and false when he is not there.
	Since(gid, uid int64) (int64, bool)
	// Size returns how many users are there.
	Size(gid int64) int
	// Newest returns the users who are there as far as they are listed, who came last first.
	Newest(gid int64) []int64
	// Rooms returns the live rooms in which a user is.
	Rooms(uid int64) []int64
}

// Rights knows the permission groups of communities.
type Rights interface {
	// Allows says whether a member who does not own the community may do something in it or in one of its topics. Decides
	// is false when his role says it.
	Allows(q sqlite.Queryer, gid, uid int64, a model.GroupAction) (allows, decides bool, err error)
	// Deciders returns the members whom a permission group of a community lets decide who comes in.
	Deciders(q sqlite.Queryer, gid int64) ([]int64, error)
	// Left takes a user out of the permission groups of a community that he is not in any more.
	Left(tx *sqlite.Tx, gid, uid int64) error
	// Ended deletes what belonged to a community or a topic that is no more.
	Ended(tx *sqlite.Tx, gid int64) error
}
