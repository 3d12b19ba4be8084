package group_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/changelog"
	"timbre/server/group"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

const (
	app   = 7
	users = 4
)

func user(uid int64) message.User { return message.User{UID: uid, Name: fmt.Sprint("u", uid)} }

// circle is a group of the model.
type circle struct {
	protocol.CreateGroup
	gid   int64
	max   int
	roles map[int64]int
}

// world is the module over a real database in memory, and a plain model of what must come out.
type world struct {
	t      *rapid.T
	db     *sqlite.DB
	groups *group.Groups
	msgs   *message.Messages
	list   []*circle
	keys   int
	heads  map[int64]uint64                    // newest position of each log
	told   map[int64]map[string]protocol.Group // what each user's log says he is in
	wait   []chan error
}

func newWorld(t *rapid.T) *world {
	accounts := account.New(account.Policy{}, time.Now)
	log := changelog.New(time.Now)
	w := &world{t: t, msgs: message.New(log, accounts, message.DefaultRules(), time.Now), heads: map[int64]uint64{},
		told: map[int64]map[string]protocol.Group{}}
	w.groups = group.New(w.msgs, accounts, log, group.Rules{GroupSwitches: model.DefaultGroupSwitches()}, time.Now)
	db, err := sqlite.Open(sqlite.Config{Schemas: []sqlite.Schema{account.Schema(), changelog.Schema(), message.Schema(), group.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	w.db = db
	for uid := range int64(users) {
		w.told[uid+1] = map[string]protocol.Group{}
		if err := db.Write(context.Background(), func(tx *sqlite.Tx) error {
			return tx.Exec(`INSERT INTO account (uid, app, name, created) VALUES (?,?,?,0)`, uid+1, app, user(uid+1).Name)
		}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) actor(uid int64) *group.Actor {
	w.keys++
	return &group.Actor{User: user(uid), App: app, Platform: "linux", Key: fmt.Sprint("k", w.keys)}
}

// submit runs a change as the gateway does, where a refusal lets the others of the batch go on, and twice, as after a
// lost answer. It must be refused with code, 0 for not at all.
func (w *world) submit(what string, code int, apply func(*sqlite.Tx) (group.Outcome, error)) {
	for again := range 2 {
		var o group.Outcome
		var refused *refusal.Refusal
		done := make(chan error, 1)
		w.wait = append(w.wait, done)
		w.db.Submit(sqlite.Job{Apply: func(tx *sqlite.Tx) (err error) {
			o, err = apply(tx)
			if refused = refusal.Of(err); refused != nil {
				return nil
			}
			return err
		}, Done: func(err error) {
			got := 0
			if refused != nil {
				got = refused.Code
			}
			if err == nil && got != code {
				err = fmt.Errorf("%s: code %d, want %d", what, got, code)
			}
			if err == nil && again > 0 && len(o.Changes)+len(o.Joined)+len(o.Left) > 0 {
				err = fmt.Errorf("%s: a repetition changed something", what)
			}
			if err == nil {
				err = w.hear(o)
			}
			done <- err
		}})
		if code != 0 {
			return // a refusal is not remembered, and may be answered otherwise later
		}
	}
}

// hear follows the logs.
func (w *world) hear(o group.Outcome) error {
	for _, c := range o.Changes {
		if w.heads[c.Owner]++; c.Pos != w.heads[c.Owner] {
			return fmt.Errorf("position %d in a log at %d", c.Pos, w.heads[c.Owner]-1)
		}
		e := protocol.ParseLog(fmt.Appendf(nil, `{"entries":[%s]}`, c.Entry.Bytes())).Entries[0]
		if e.Kind != protocol.EntryGroup {
			continue
		}
		var m protocol.Membership
		if err := json.Unmarshal(e.Data, &m); err != nil {
			return err
		}
		if !m.In {
			delete(w.told[c.Owner], e.Group)
			continue
		}
		w.told[c.Owner][e.Group] = *m.Group
	}
	return nil
}

func (w *world) settle(*rapid.T) {
	for _, ch := range w.wait {
		if err := <-ch; err != nil {
			w.t.Fatal(err)
		}
	}
	w.wait = nil
}

func anyUser(t *rapid.T, label string) int64 { return rapid.Int64Range(1, users).Draw(t, label) }

func (w *world) pick(t *rapid.T) (*circle, int64) {
	if len(w.list) == 0 {
		t.Skip("no groups yet")
	}
	return rapid.SampledFrom(w.list).Draw(t, "group"), anyUser(t, "user")
}

func option(t *rapid.T, label string) *int {
	n := rapid.IntRange(tim.GroupAddOptForbid, tim.GroupAddOptAny).Draw(t, label)
	return &n
}

func (w *world) create(t *rapid.T) {
	owner := anyUser(t, "owner")
	c := &circle{max: rapid.IntRange(1, users).Draw(t, "max"), roles: map[int64]int{owner: tim.MemberRoleOwner}}
	c.CreateGroup = protocol.CreateGroup{ID: fmt.Sprint("g", len(w.list)), Name: "n", MaxMembers: c.max, AddOption: option(t, "add"),
		Approve: option(t, "approve"), Type: rapid.SampledFrom([]int{tim.GroupPublic, tim.GroupPrivate, tim.GroupChatRoom}).Draw(t, "type")}
	c.gid = int64(len(w.list) + 1)
	w.list = append(w.list, c)
	actor := w.actor(owner)
	w.submit("create", 0, func(tx *sqlite.Tx) (group.Outcome, error) {
		_, o, err := w.groups.Create(tx, actor, &c.CreateGroup, nil)
		return o, err
	})
}

func (w *world) join(t *rapid.T) {
	c, uid := w.pick(t)
	code := 0
	switch {
	case c.roles[uid] != 0:
		code = tim.ErrSVRGroupAllreadyMember
	case *c.AddOption == tim.GroupAddOptForbid && c.Type == tim.GroupPrivate:
		code = tim.ErrSDKGroupJoinPrivateGroupDeny
	case *c.AddOption == tim.GroupAddOptForbid:
		code = tim.ErrSVRGroupPermissionDeny
	case *c.AddOption == tim.GroupAddOptAuth:
		code = tim.ErrSDKInterfaceNotSupport
	case len(c.roles) >= c.max:
		code = tim.ErrSVRGroupFullMemberCount
	default:
		c.roles[uid] = tim.MemberRoleNormal
	}
	actor := w.actor(uid)
	w.submit("join", code, func(tx *sqlite.Tx) (group.Outcome, error) { return w.groups.Join(tx, actor, c.gid) })
}

func (w *world) invite(t *rapid.T) {
	c, uid := w.pick(t)
	target := anyUser(t, "target")
	code, result := 0, tim.GroupMemberHandledSuc
	switch {
	case c.roles[uid] == 0, *c.Approve == tim.GroupAddOptForbid:
		code = tim.ErrSVRGroupPermissionDeny
	case *c.Approve == tim.GroupAddOptAuth && !group.Moderator(c.roles[uid]):
		code = tim.ErrSDKInterfaceNotSupport
	case len(c.roles) >= c.max:
		code = tim.ErrSVRGroupFullMemberCount
	case c.roles[target] != 0:
		result = tim.GroupMemberIncluded
	default:
		c.roles[target] = tim.MemberRoleNormal
	}
	actor, name := w.actor(uid), user(target).Name
	w.submit("invite", code, func(tx *sqlite.Tx) (group.Outcome, error) {
		a, o, err := w.groups.Invite(tx, actor, c.gid, []string{name}, map[string]int64{name: target})
		if err == nil && a.Results[0].Result != result {
			err = fmt.Errorf("invited with result %d, want %d", a.Results[0].Result, result)
		}
		return o, err
	})
}

func (w *world) quit(t *rapid.T) {
	c, uid := w.pick(t)
	code := 0
	switch {
	case c.roles[uid] == 0:
		code = tim.ErrSVRGroupPermissionDeny
	case c.roles[uid] == tim.MemberRoleOwner && c.Type != tim.GroupPrivate:
		code = tim.ErrSVRGroupSuperNotAllowQuit
	default:
		delete(c.roles, uid)
	}
	actor := w.actor(uid)
	w.submit("quit", code, func(tx *sqlite.Tx) (group.Outcome, error) { return w.groups.Quit(tx, actor, c.gid) })
}

func (w *world) setRole(t *rapid.T) {
	c, uid := w.pick(t)
	target, role := anyUser(t, "target"), rapid.SampledFrom([]int{tim.MemberRoleNormal, tim.MemberRoleAdmin, tim.MemberRoleOwner}).Draw(t, "role")
	code := 0
	switch {
	case c.roles[uid] != tim.MemberRoleOwner:
		code = tim.ErrSVRGroupPermissionDeny
	case c.Type == tim.GroupPrivate, role == tim.MemberRoleOwner, target == uid, c.roles[target] == 0:
		code = tim.ErrSVRGroupInvalidParameters
	default:
		c.roles[target] = role
	}
	actor := w.actor(uid)
	w.submit("role", code, func(tx *sqlite.Tx) (group.Outcome, error) {
		return w.groups.SetRole(tx, actor, c.gid, user(target), role)
	})
}

func (w *world) post(t *rapid.T) {
	c, uid := w.pick(t)
	code := tim.ErrSVRGroupPermissionDeny
	if c.roles[uid] != 0 {
		code = 0
	}
	key := w.actor(uid).Key
	w.submit("post", code, func(tx *sqlite.Tx) (group.Outcome, error) {
		out := &message.Outgoing{From: user(uid), GID: c.gid, App: app, Key: key, Content: []byte(`{"el":[]}`), Traits: message.Traits{Counts: true}}
		if _, err := w.groups.Admit(tx, out); err != nil {
			return group.Outcome{}, err
		}
		_, changes, err := w.msgs.Post(tx, out)
		return group.Outcome{Changes: changes}, err
	})
}

// check compares the database and the logs with the model.
func (w *world) check(t *rapid.T) {
	w.settle(t)
	err := w.db.Read(context.Background(), func(q sqlite.Queryer) error {
		for _, c := range w.list {
			if err := w.checkGroup(q, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) checkGroup(q sqlite.Queryer, c *circle) error {
	var seats int
	if _, err := q.Get(`SELECT count(*) FROM seat WHERE gid=?`, []any{&seats}, c.gid); err != nil {
		return err
	}
	if seats != len(c.roles) {
		return fmt.Errorf("%s has %d seats for %d members", c.ID, seats, len(c.roles))
	}
	for uid := range int64(users) {
		uid++
		v, err := w.groups.Group(q, c.gid, uid)
		if err != nil {
			return err
		}
		told, in := w.told[uid][c.ID]
		if v.Members != len(c.roles) || in != (c.roles[uid] != 0) || in != (v.Self != nil) {
			return fmt.Errorf("%s has %d members, want %d; %d told in: %v, self %v", c.ID, v.Members, len(c.roles), uid, in, v.Self)
		}
		if !in {
			continue
		}
		if v.Self.Role != c.roles[uid] || told.Self.Role != c.roles[uid] {
			return fmt.Errorf("the role of %d in %s is %d, he was told %d, want %d", uid, c.ID, v.Self.Role, told.Self.Role, c.roles[uid])
		}
		page, err := w.groups.Members(q, uid, c.gid, 0, 0)
		if err != nil || len(page.Members) != len(c.roles) {
			return fmt.Errorf("%d members listed, want %d: %v", len(page.Members), len(c.roles), err)
		}
	}
	return w.checkStates(q, c)
}

// checkStates holds every member's catch-up against the log.
func (w *world) checkStates(q sqlite.Queryer, c *circle) error {
	for _, uid := range slices.Sorted(maps.Keys(c.roles)) {
		page, err := w.groups.States(q, user(uid), protocol.Groups{}, 1)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(page.Groups, func(st protocol.GroupState) bool { return st.Group.ID == c.ID })
		if i < 0 {
			return fmt.Errorf("%d is not told of %s", uid, c.ID)
		}
		st := page.Groups[i]
		if head := w.heads[changelog.GroupLog(c.gid)]; st.Pos != head || st.Max != head || st.PeerCount < st.ReadCount {
			return fmt.Errorf("%s is at %d with %d messages, the log at %d; counts %d and %d", c.ID, st.Pos, st.Max, head, st.PeerCount, st.ReadCount)
		}
	}
	return nil
}

func TestAnyOrderOfChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		defer w.db.Close()
		t.Repeat(map[string]func(*rapid.T){
			"create": w.create, "join": w.join, "invite": w.invite, "quit": w.quit, "role": w.setRole, "post": w.post, "check": w.check,
		})
		w.check(t)
	})
}
