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
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/refusal"
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

	mu  sync.RWMutex
	ids map[id]int64
}

type id struct {
	app  uint64
	name string
}

// New returns the module.
func New(messages *message.Messages, accounts *account.Accounts, log *changelog.Log, rules Rules, now func() time.Time) *Groups {
	return &Groups{messages: messages, accounts: accounts, log: log, rules: rules, now: now, ids: map[id]int64{}}
}

// maxCached bounds the map of ids; when it is full it starts again empty.
const maxCached = 100_000

// ID returns the number of a group. It must see committed rows only, because it remembers what it finds.
func (g *Groups) ID(q sqlite.Queryer, app uint64, name string) (gid int64, found bool, err error) {
	if gid, found = g.CachedID(app, name); found {
		return gid, true, nil
	}
	found, err = q.Get(`SELECT gid FROM grp WHERE app=? AND id=?`, []any{&gid}, int64(app), name)
	if found && err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if len(g.ids) >= maxCached {
			clear(g.ids)
		}
		g.ids[id{app, name}] = gid
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

// Followed returns the groups whose messages a user wants to get, in the order of their numbers.
func (g *Groups) Followed(q sqlite.Queryer, uid int64) (gids []int64, err error) {
	err = q.Query(`SELECT gid FROM member WHERE uid=? AND option<>? ORDER BY gid`, func(scan func(...any) error) error {
		var gid int64
		err := scan(&gid)
		gids = append(gids, gid)
		return err
	}, uid, tim.RecvMsgOptNotReceive)
	return gids, err
}

// Role returns a member's role, 0 when the user is not a member.
func (g *Groups) Role(q sqlite.Queryer, gid, uid int64) (role int, err error) {
	_, err = q.Get(`SELECT role FROM member WHERE gid=? AND uid=?`, []any{&role}, gid, uid)
	return role, err
}

// Moderator says whether a role may do to messages of others what everybody may do to his own.
func Moderator(role int) bool { return role == tim.MemberRoleOwner || role == tim.MemberRoleAdmin }

// Admit judges a message before it is stored: who may not speak is refused; dropped is true when the group has had too
// many messages this second, and then the sender is told that all is well. It completes the message's audience.
func (g *Groups) Admit(tx *sqlite.Tx, o *message.Outgoing) (dropped bool, err error) {
	var typ, members int
	var role, muted int64
	found, err := tx.Get(`SELECT g.type, g.members, m.role, m.mute_until FROM grp g JOIN member m ON m.gid=g.gid AND m.uid=? WHERE g.gid=?`,
		[]any{&typ, &members, &role, &muted}, o.From.UID, o.GID)
	switch {
	case err != nil:
		return false, err
	case !found:
		return false, refusal.New(tim.ErrSVRGroupPermissionDeny, "not a member of the group")
	case muted > g.now().Unix():
		return false, refusal.New(tim.ErrSVRGroupShutupDeny, "muted in this group")
	case o.Traits.Receipt && o.Traits.Online:
		return false, refusal.New(model.CodeReceiptOnline, "a message that is not kept has no receipts")
	case o.Traits.Receipt && members > model.MaxReceiptMembers:
		return false, refusal.New(model.CodeReceiptGroupSize, "the group has too many members for receipts")
	}
	if typ == tim.GroupChatRoom { // meetings do not count what is unread
		o.Traits.Counts = false
	}
	if o.Traits.Receipt {
		o.Audience = members - 1
		if o.Targets != nil {
			o.Audience = len(o.Targets)
		}
	}
	return g.rules.Rate > 0 && !g.rates.admit(o.GID, g.rules.Rate, o.Traits.Priority, g.now()), nil
}

// MayPin refuses who may not pin messages: in a work group everybody may, elsewhere its owner and admins.
func (g *Groups) MayPin(tx *sqlite.Tx, c *message.Change) error {
	var typ int
	if _, err := tx.Get(`SELECT type FROM grp WHERE gid=?`, []any{&typ}, c.Where.GID); err != nil {
		return err
	}
	if typ != tim.GroupPrivate && !c.Moderator {
		return refusal.New(tim.ErrSVRGroupPermissionDeny, "only the owner and admins pin messages")
	}
	return nil
}

// SetOption changes how a member receives. follows says whether he wants to get the group's messages at all.
func (g *Groups) SetOption(tx *sqlite.Tx, user message.User, w message.Where, option int) (changes []changelog.Change, follows bool, err error) {
	if option < tim.RecvMsgOptReceive || option > tim.RecvMsgOptNotNotifyExceptAt {
		return nil, false, refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such receive option")
	}
	n, err := tx.Change(`UPDATE member SET option=? WHERE gid=? AND uid=?`, option, w.GID, user.UID)
	if err != nil {
		return nil, false, err
	}
	if n == 0 {
		return nil, false, refusal.New(tim.ErrSVRGroupPermissionDeny, "not a member of the group")
	}
	change, err := g.log.Note(tx, user.UID, changelog.Pointer{Kind: protocol.EntryOption, Group: w.Group, Time: g.now().UnixMilli(),
		Data: protocol.Marshal(protocol.OptionChange{Option: option})})
	return []changelog.Change{change}, option != tim.RecvMsgOptNotReceive, err
}
