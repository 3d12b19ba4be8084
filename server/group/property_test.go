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
	kept  map[int64]bool // out
	mute  map[int64]bool
	asked map[int64]bool // who wants to come in
	over  bool
}

// rules are the ones that the server must follow.
func (c *circle) rules() model.GroupRules {
	rules, _ := model.RulesOf(c.Type)
	return rules
}

// may is the code of the refusal.
func (c *circle) may(a model.GroupAction, uid int64) int {
	if c.over {
		return tim.ErrSVRGroupNotFound
	}
	rules := c.rules()
	return rules.May(a, c.roles[uid])
}

// comes makes a user a member.
func (c *circle) comes(uid int64) {
	c.roles[uid] = tim.MemberRoleNormal
	delete(c.kept, uid)
	delete(c.asked, uid)
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
	seen   map[string]map[string]int           // what each group's log says of the roles of its members
	wait   []chan error
}

func newWorld(t *rapid.T) *world {
	accounts := account.New(account.Policy{}, time.Now)
	log := changelog.New(time.Now)
	w := &world{t: t, msgs: message.New(log, accounts, message.DefaultRules(), time.Now), heads: map[int64]uint64{},
		told: map[int64]map[string]protocol.Group{}, seen: map[string]map[string]int{}}
	w.groups = group.New(w.msgs, accounts, log, group.Rules{GroupSwitches: model.DefaultGroupSwitches()}, time.Now)
	db, err := sqlite.Open(sqlite.Config{Schemas: []sqlite.Schema{account.Schema(), changelog.Schema(), message.Schema(), message.IndexSchema(), group.Schema()}})
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
		if e.Kind == protocol.EntryMembers {
			if err := w.see(e); err != nil {
				return err
			}
		}
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

// see follows who is how in a group.
func (w *world) see(e protocol.Entry) error {
	var change protocol.MembersChange
	if err := json.Unmarshal(e.Data, &change); err != nil {
		return err
	}
	roles := w.seen[e.Group]
	if roles == nil {
		roles = map[string]int{}
		w.seen[e.Group] = roles
	}
	for _, m := range change.Members {
		roles[m.User] = m.Role
	}
	for _, name := range change.Gone {
		delete(roles, name)
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
	c := &circle{max: rapid.IntRange(1, users).Draw(t, "max"), roles: map[int64]int{owner: tim.MemberRoleOwner},
		kept: map[int64]bool{}, mute: map[int64]bool{}, asked: map[int64]bool{}}
	c.CreateGroup = protocol.CreateGroup{ID: fmt.Sprint("g", len(w.list)), Name: "n", MaxMembers: c.max, AddOption: option(t, "add"),
		Approve: option(t, "approve"), Type: rapid.SampledFrom([]int{tim.GroupPublic, tim.GroupPrivate, tim.GroupChatRoom, tim.GroupCommunity}).Draw(t, "type")}
	if i := slices.IndexFunc(w.list, func(c *circle) bool { return c.over }); i >= 0 && rapid.Bool().Draw(t, "again") {
		w.settle(t) // what the logs say of the one before is heard
		c.ID, c.gid = w.list[i].ID, w.list[i].gid
		delete(w.seen, c.ID)
		w.list[i] = c
	} else {
		c.gid = int64(len(w.list) + 1)
		w.list = append(w.list, c)
	}
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
	case c.over:
		code = tim.ErrSVRGroupNotFound
	case c.roles[uid] != 0:
		code = tim.ErrSVRGroupAllreadyMember
	case c.kept[uid]:
		code = tim.ErrSVRGroupPermissionDeny
	case *c.AddOption == tim.GroupAddOptForbid && c.Type == tim.GroupPrivate:
		code = tim.ErrSDKGroupJoinPrivateGroupDeny
	case *c.AddOption == tim.GroupAddOptForbid:
		code = tim.ErrSVRGroupPermissionDeny
	case len(c.roles) >= c.max:
		code = tim.ErrSVRGroupFullMemberCount
	case *c.AddOption == tim.GroupAddOptAuth:
		c.asked[uid] = true
	default:
		c.comes(uid)
	}
	actor, pending := w.actor(uid), *c.AddOption == tim.GroupAddOptAuth
	w.submit("join", code, func(tx *sqlite.Tx) (group.Outcome, error) {
		a, o, err := w.groups.Join(tx, actor, c.gid, "please")
		if err == nil && a.Pending != pending {
			err = fmt.Errorf("joined with %+v", a)
		}
		return o, err
	})
}

// decide answers who wants to come in. It names the request by who asked, because keys are the server's.
func (w *world) decide(t *rapid.T) {
	c, uid := w.pick(t)
	target, accept := anyUser(t, "target"), rapid.Bool().Draw(t, "accept")
	if !c.asked[target] && !c.over {
		t.Skip("nothing to decide, or decided before")
	}
	code := c.may(model.GroupApprove, uid)
	switch {
	case code != 0:
	case accept && len(c.roles) >= c.max:
		code = tim.ErrSVRGroupFullMemberCount
	case accept:
		c.comes(target)
	default:
		delete(c.asked, target)
	}
	actor := w.actor(uid)
	d := &protocol.DecidePendency{Pendency: protocol.Pendency{From: user(target).Name}, Accept: accept}
	w.submit("decide", code, func(tx *sqlite.Tx) (group.Outcome, error) {
		return w.groups.Decide(tx, actor, c.gid, d, map[string]int64{user(target).Name: target})
	})
}

func (w *world) invite(t *rapid.T) {
	c, uid := w.pick(t)
	target := anyUser(t, "target")
	code, result := c.may(model.GroupInvite, uid), tim.GroupMemberHandledSuc
	rules := c.rules()
	manager := rules.May(model.GroupApprove, c.roles[uid]) == 0
	switch {
	case code != 0:
	case *c.Approve == tim.GroupAddOptForbid:
		code = tim.ErrSVRGroupPermissionDeny
	case len(c.roles) >= c.max:
		code = tim.ErrSVRGroupFullMemberCount
	case c.roles[target] != 0:
		result = tim.GroupMemberIncluded
	case c.kept[target] && !manager:
		result = tim.GroupMemberHandledErr
	case *c.Approve == tim.GroupAddOptAuth && !manager:
		result = tim.GroupMemberInvited
	default:
		c.comes(target)
	}
	actor, name := w.actor(uid), user(target).Name
	w.submit("invite", code, func(tx *sqlite.Tx) (group.Outcome, error) {
		a, o, err := w.groups.Invite(tx, actor, c.gid, &protocol.Invite{Users: []string{name}}, map[string]int64{name: target})
		if err == nil && a.Results[0].Result != result {
			err = fmt.Errorf("invited with result %d, want %d", a.Results[0].Result, result)
		}
		return o, err
	})
}

func (w *world) kick(t *rapid.T) {
	c, uid := w.pick(t)
	target, seconds := anyUser(t, "target"), rapid.SampledFrom([]uint32{0, model.MuteForever}).Draw(t, "seconds")
	code, result := c.may(model.GroupKick, uid), tim.GroupMemberHandledSuc
	switch {
	case code != 0:
	case c.roles[target] == 0:
		result = tim.GroupMemberIncluded
	case target == uid, !model.Outranks(c.roles[uid], c.roles[target]):
		code = tim.ErrSVRGroupPermissionDeny
	default:
		delete(c.roles, target)
		if seconds > 0 {
			c.kept[target] = true
		}
	}
	actor, name := w.actor(uid), user(target).Name
	w.submit("kick", code, func(tx *sqlite.Tx) (group.Outcome, error) {
		a, o, err := w.groups.Kick(tx, actor, c.gid, &protocol.KickMembers{Users: []string{name}, Seconds: seconds}, map[string]int64{name: target})
		if err == nil && a.Results[0].Result != result {
			err = fmt.Errorf("removed with result %d, want %d", a.Results[0].Result, result)
		}
		return o, err
	})
}

func (w *world) quit(t *rapid.T) {
	c, uid := w.pick(t)
	code := c.may(model.GroupQuit, uid)
	if code == 0 {
		delete(c.roles, uid)
	}
	actor := w.actor(uid)
	w.submit("quit", code, func(tx *sqlite.Tx) (group.Outcome, error) { return w.groups.Quit(tx, actor, c.gid) })
}

func (w *world) transfer(t *rapid.T) {
	c, uid := w.pick(t)
	target := anyUser(t, "target")
	code := c.may(model.GroupTransfer, uid)
	switch {
	case code != 0:
	case c.roles[target] == 0:
		code = tim.ErrSVRGroupInvalidParameters
	default:
		c.roles[uid] = tim.MemberRoleNormal
		c.roles[target] = tim.MemberRoleOwner
	}
	actor := w.actor(uid)
	w.submit("transfer", code, func(tx *sqlite.Tx) (group.Outcome, error) { return w.groups.Transfer(tx, actor, c.gid, user(target)) })
}

// dismiss ends a group; what is left of it goes at some other time.
func (w *world) dismiss(t *rapid.T) {
	c, uid := w.pick(t)
	code := c.may(model.GroupDismiss, uid)
	if code == 0 {
		c.over, c.roles = true, map[int64]int{}
	}
	actor := w.actor(uid)
	w.submit("dismiss", code, func(tx *sqlite.Tx) (group.Outcome, error) { return w.groups.Dismiss(tx, actor, c.gid) })
}

func (w *world) clear(*rapid.T) {
	w.submit("clear", 0, func(tx *sqlite.Tx) (group.Outcome, error) {
		o, _, err := w.groups.EndSome(tx)
		return o, err
	})
}

func (w *world) setRole(t *rapid.T) {
	c, uid := w.pick(t)
	target, role := anyUser(t, "target"), rapid.SampledFrom([]int{tim.MemberRoleNormal, tim.MemberRoleAdmin, tim.MemberRoleOwner}).Draw(t, "role")
	code := c.may(model.GroupSetRole, uid)
	switch {
	case code != 0:
	case role == tim.MemberRoleOwner, target == uid, c.roles[target] == 0:
		code = tim.ErrSVRGroupInvalidParameters
	default:
		c.roles[target] = role
	}
	w.setMember("role", code, c, uid, target, &protocol.SetMember{Role: &role})
}

func (w *world) silence(t *rapid.T) {
	c, uid := w.pick(t)
	target, seconds := anyUser(t, "target"), rapid.SampledFrom([]uint32{0, model.MuteForever}).Draw(t, "seconds")
	code := c.may(model.GroupMute, uid)
	switch {
	case code != 0:
	case c.roles[target] == 0:
		code = tim.ErrSVRGroupInvalidParameters
	case !model.Outranks(c.roles[uid], c.roles[target]):
		code = tim.ErrSVRGroupPermissionDeny
	default:
		c.mute[target] = seconds > 0
	}
	w.setMember("mute", code, c, uid, target, &protocol.SetMember{Mute: &seconds})
}

func (w *world) setMember(what string, code int, c *circle, uid, target int64, s *protocol.SetMember) {
	if code != 0 && c.roles[uid] == 0 && !c.over {
		code = tim.ErrSVRGroupPermissionDeny
	}
	actor := w.actor(uid)
	w.submit(what, code, func(tx *sqlite.Tx) (group.Outcome, error) {
		return w.groups.SetMember(tx, actor, c.gid, user(target), s)
	})
}

func (w *world) post(t *rapid.T) {
	c, uid := w.pick(t)
	code := c.may(model.GroupSpeak, uid)
	if code == 0 && c.mute[uid] {
		code = tim.ErrSVRGroupShutupDeny
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
	if c.over {
		return w.checkEnded(q, c)
	}
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
		if muted := v.Self.MuteUntil > 0; muted != c.mute[uid] {
			return fmt.Errorf("%d is muted in %s: %v", uid, c.ID, muted)
		}
		page, err := w.groups.Members(q, uid, c.gid, 0, 0)
		if err != nil || len(page.Members) != len(c.roles) {
			return fmt.Errorf("%d members listed, want %d: %v", len(page.Members), len(c.roles), err)
		}
		for _, m := range page.Members {
			if seen, known := w.seen[c.ID][m.User]; known && seen != m.Role {
				return fmt.Errorf("the log of %s says that %s has the role %d, and it is %d", c.ID, m.User, seen, m.Role)
			}
		}
	}
	for name := range w.seen[c.ID] {
		if c.roles[int64(name[1]-'0')] == 0 {
			return fmt.Errorf("the log of %s says that %s is in it", c.ID, name)
		}
	}
	if err := w.checkAsked(q, c); err != nil {
		return err
	}
	return w.checkStates(q, c)
}

// checkEnded looks for what is left of a group that was dismissed.
func (w *world) checkEnded(q sqlite.Queryer, c *circle) error {
	for uid := range int64(users) {
		uid++
		if _, in := w.told[uid][c.ID]; in {
			return fmt.Errorf("%d was not told that %s has ended", uid, c.ID)
		}
		if _, err := w.groups.Group(q, c.gid, uid); refusal.Of(err) == nil {
			return fmt.Errorf("%s is there still: %v", c.ID, err)
		}
		page, err := w.groups.Joined(q, uid, "")
		if err != nil || slices.ContainsFunc(page.Groups, func(v protocol.Group) bool { return v.ID == c.ID }) {
			return fmt.Errorf("%d is in %s still: %v", uid, c.ID, err)
		}
	}
	return nil
}

// checkAsked holds the requests that managers see against the model.
func (w *world) checkAsked(q sqlite.Queryer, c *circle) error {
	for _, uid := range slices.Sorted(maps.Keys(c.roles)) {
		page, err := w.groups.Pendencies(q, user(uid), protocol.AskPendencies{})
		if err != nil {
			return err
		}
		open := 0
		for _, p := range page.List {
			if p.Group == c.ID && p.Handled == tim.GroupPendencyNotHandle && p.Type == tim.GroupPendencyRequestJoin {
				open++
			}
		}
		want := len(c.asked)
		if c.may(model.GroupApprove, uid) != 0 {
			want = 0
		}
		if open != want {
			return fmt.Errorf("%d sees %d open requests of %s, want %d", uid, open, c.ID, want)
		}
	}
	return nil
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
		if head := w.heads[changelog.GroupLog(c.gid)]; st.Pos != head || st.Max > head || st.PeerCount < st.ReadCount {
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
			"create": w.create, "join": w.join, "decide": w.decide, "invite": w.invite, "kick": w.kick, "quit": w.quit, "role": w.setRole,
			"mute": w.silence, "transfer": w.transfer, "dismiss": w.dismiss, "clear": w.clear, "post": w.post, "check": w.check,
		})
		w.check(t)
	})
}
