// Package group keeps who is in which group, and the rules of what members may do. The history of a group is package
// message's; this package opens it, gives members their seats there and speaks in it when something happens (tips).
//
// Rejected: members as one document per group (a hundred thousand members rewritten for each one that joins).
package group

import (
	"sync"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/server/account"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/sqlite"
)

// Schema is the tables of this module.
func Schema() sqlite.Schema {
	return sqlite.Schema{Module: "group", Steps: []string{`
		CREATE TABLE grp (
			gid INTEGER PRIMARY KEY AUTOINCREMENT,
			app INTEGER NOT NULL,
			id TEXT NOT NULL,
			type INTEGER NOT NULL,        -- TIMGroupType
			name TEXT NOT NULL,
			intro TEXT NOT NULL DEFAULT '',
			notice TEXT NOT NULL DEFAULT '',
			face TEXT NOT NULL DEFAULT '',
			owner INTEGER NOT NULL,       -- 0: nobody
			created INTEGER NOT NULL,     -- seconds
			members INTEGER NOT NULL DEFAULT 0,
			max_members INTEGER NOT NULL,
			add_opt INTEGER NOT NULL,     -- TIMGroupAddOption
			approve INTEGER NOT NULL,     -- likewise, for invitations
			info_time INTEGER NOT NULL,   -- newest change of the above, seconds
			custom TEXT NOT NULL DEFAULT '',
			UNIQUE (app, id)
		) STRICT;
		CREATE TABLE member (
			gid INTEGER NOT NULL,
			uid INTEGER NOT NULL,
			role INTEGER NOT NULL,        -- TIMGroupMemberRole
			joined INTEGER NOT NULL,      -- seconds
			option INTEGER NOT NULL DEFAULT 0, -- TIMReceiveMessageOpt
			card TEXT NOT NULL DEFAULT '',
			mute_until INTEGER NOT NULL DEFAULT 0, -- seconds
			PRIMARY KEY (gid, uid)
		) STRICT, WITHOUT ROWID;
		CREATE INDEX member_by_user ON member (uid, gid);`, lives}}
}

// Rules are the module's settings.
type Rules struct {
	Rate int // messages a second in one group, 0: no limit
	model.GroupSwitches
}

// DefaultRules are those of a server that nobody configured.
func DefaultRules() Rules {
	return Rules{Rate: model.GroupRate, GroupSwitches: model.DefaultGroupSwitches()}
}

// Groups is the module.
type Groups struct {
	messages *message.Messages
	accounts *account.Accounts
	log      *changelog.Log
	rules    Rules
	now      func() time.Time
	rates    rates
	writes   pace // of attributes
	turnout  turnout
	near     Neighbours
	tables   map[int]*model.GroupRules // by type

	mu    sync.RWMutex
	ids   map[id]int64
	kinds map[int64]Kind // of the groups in ids
	gone  map[int64]struct{}

	ending chan struct{} // has a value when there is something to do for the ender
}

type id struct {
	app  uint64
	name string
}

// New returns the module.
func New(messages *message.Messages, accounts *account.Accounts, log *changelog.Log, rules Rules, now func() time.Time) *Groups {
	g := &Groups{messages: messages, accounts: accounts, log: log, rules: rules, now: now, ids: map[id]int64{},
		kinds: map[int64]Kind{}, gone: map[int64]struct{}{}, ending: make(chan struct{}, 1), tables: map[int]*model.GroupRules{}}
	for _, t := range append(model.GroupTypes(), tim.GroupBChatRoom) {
		table, _ := rules.Rules(t)
		g.tables[t] = &table
	}
	return g
}

// maxCached bounds what is remembered of groups; when it is full it starts again empty.
const maxCached = 100_000

// ID returns the number of a group. It must see committed rows only, because it remembers what it finds.
func (g *Groups) ID(q sqlite.Queryer, app uint64, name string) (gid int64, found bool, err error) {
	if gid, found = g.CachedID(app, name); found {
		return gid, true, nil
	}
	var typ int
	var parent int64
	found, err = q.Get(`SELECT gid, type, parent FROM grp WHERE app=? AND id=?`, []any{&gid, &typ, &parent}, int64(app), name)
	if found && err == nil {
		g.learn(id{app, name}, gid, typ, parent)
	}
	return gid, found, err
}

// Name returns the id of a group as users know it.
func (g *Groups) Name(q sqlite.Queryer, gid int64) (name string, err error) {
	_, err = q.Get(`SELECT id FROM grp WHERE gid=?`, []any{&name}, gid)
	return name, err
}

// CachedID returns a number that is known without asking the database.
func (g *Groups) CachedID(app uint64, name string) (gid int64, found bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	gid, found = g.ids[id{app, name}]
	return gid, found
}

// Followed returns the groups and topics whose messages a user wants to get, in the order of their numbers. Who does not want
// to hear of a community does not follow its topics either, and the admins of a live room, who have a row there, are told of it
// only while they are in it.
func (g *Groups) Followed(q sqlite.Queryer, uid int64) ([]int64, error) {
	return numbers(q, `SELECT m.gid FROM member m JOIN grp g ON g.gid=m.gid AND g.type NOT IN (3,4) WHERE m.uid=?1 AND m.option<>?2
		UNION ALL SELECT t.gid FROM member m CROSS JOIN grp t ON t.parent=m.gid AND t.parent<>0 AND t.dismissed=0
			WHERE m.uid=?1 AND m.option<>?2 AND NOT EXISTS (SELECT 1 FROM topic_option o WHERE o.uid=?1 AND o.gid=t.gid AND o.option=?2)
		ORDER BY 1`, uid, tim.RecvMsgOptNotReceive)
}

// Role returns a member's role, in a topic the one that he has in its community; 0 when the user is not a member.
func (g *Groups) Role(q sqlite.Queryer, gid, uid int64) (role int, err error) {
	_, err = q.Get(`SELECT m.role FROM grp g JOIN member m ON m.gid=CASE g.parent WHEN 0 THEN g.gid ELSE g.parent END AND m.uid=?
		WHERE g.gid=?`, []any{&role}, uid, gid)
	return role, err
}

// Moderator says whether a role may do to messages of others what everybody may do to his own.
func Moderator(role int) bool { return role == tim.MemberRoleOwner || role == tim.MemberRoleAdmin }
