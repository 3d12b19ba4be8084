package group_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
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

// club is one public group over a database in memory: user 1 owns it, user 2 administers it, user 3 is a member and user 4 is
// not. Its clock moves on by a second with each change.
type club struct {
	t      *rapid.T
	db     *sqlite.DB
	groups *group.Groups
	gid    int64
	clock  time.Time
	keys   int
	last   []protocol.Entry // what the last change told the members
}

func newClub(t *rapid.T) *club {
	c := &club{t: t, clock: time.Unix(1_800_000_000, 0)}
	now := func() time.Time { return c.clock }
	accounts := account.New(account.Policy{}, now)
	log := changelog.New(now)
	msgs := message.New(log, accounts, message.DefaultRules(), now)
	c.groups = group.New(msgs, accounts, log, group.DefaultRules(), now)
	db, err := sqlite.Open(sqlite.Config{Schemas: []sqlite.Schema{account.Schema(), changelog.Schema(), message.Schema(), group.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	c.db = db
	uids := map[string]int64{}
	for uid := int64(1); uid <= users; uid++ {
		uids[user(uid).Name] = uid
	}
	if err := db.Write(context.Background(), func(tx *sqlite.Tx) error {
		for uid := int64(1); uid <= users; uid++ {
			if err := tx.Exec(`INSERT INTO account (uid, app, name, created) VALUES (?,?,?,0)`, uid, app, user(uid).Name); err != nil {
				return err
			}
		}
		a, _, err := c.groups.Create(tx, c.actor(1), &protocol.CreateGroup{Type: tim.GroupPublic, Name: "club",
			Members: []protocol.NewMember{{User: user(2).Name, Role: tim.MemberRoleAdmin}, {User: user(3).Name}}}, uids)
		if err != nil {
			return err
		}
		c.gid, _, err = c.groups.ID(tx, app, a.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *club) actor(uid int64) *group.Actor {
	c.keys++
	return &group.Actor{User: user(uid), App: app, Platform: "linux", Key: fmt.Sprint("k", c.keys)}
}

// change makes a change twice, as after a lost answer, and returns its code. The repetition must tell nobody anything.
func (c *club) change(uid int64, apply func(*sqlite.Tx, *group.Actor) (group.Outcome, error)) (code int) {
	c.clock = c.clock.Add(time.Second)
	a := c.actor(uid)
	c.last = nil
	for again := range 2 {
		var refused *refusal.Refusal
		if err := c.db.Write(context.Background(), func(tx *sqlite.Tx) error {
			o, err := apply(tx, a)
			if refused = refusal.Of(err); refused != nil {
				return nil
			}
			if again > 0 && len(o.Changes) > 0 {
				c.t.Fatal("a repetition told something")
			}
			for _, ch := range o.Changes {
				if ch.Group != "" {
					log := fmt.Appendf(nil, `{"g":%q,"from":1,"pos":1,"entries":[%s]}`, ch.Group, ch.Entry.Bytes())
					c.last = append(c.last, protocol.ParseLog(log).Entries...)
				}
			}
			return err
		}); err != nil {
			c.t.Fatal(err)
		}
		if refused != nil {
			return refused.Code
		}
	}
	return 0
}

func (c *club) read(fn func(sqlite.Queryer) error) {
	if err := c.db.Write(context.Background(), func(tx *sqlite.Tx) error { return fn(tx) }); err != nil { // in memory there are no readers
		c.t.Fatal(err)
	}
}

func told[T any](c *club, kind string) (list []T) {
	for _, e := range c.last {
		if e.Kind != kind {
			continue
		}
		var v T
		if err := json.Unmarshal(e.Data, &v); err != nil {
			c.t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

// repeat does something some times, and checks after each.
func repeat(t *rapid.T, do, check func()) {
	for range rapid.IntRange(1, 12).Draw(t, "steps") {
		do()
		check()
	}
}

var who = rapid.Int64Range(1, users)

// shelf is what attributes must be.
type shelf struct {
	values   map[string]string
	versions map[string]uint64
	version  uint64
}

// expect is the code of a write, in the order in which the checks are made: who, what there is, how much, who was first.
func (s *shelf) expect(uid int64, w *protocol.SetGroupAttributes) (code int, after map[string]string, touched []string) {
	after = maps.Clone(s.values)
	touched = slices.Collect(maps.Keys(w.Attrs))
	switch {
	case uid == users:
		return tim.ErrSVRGroupPermissionDeny, nil, nil
	case w.Way == protocol.AttributesDelete && len(w.Keys) == 0:
		touched, after = slices.Collect(maps.Keys(s.values)), map[string]string{}
	case w.Way == protocol.AttributesDelete:
		touched = w.Keys
		for _, key := range w.Keys {
			if _, ok := s.values[key]; !ok {
				return model.CodeAttributeNotFound, nil, nil
			}
			delete(after, key)
		}
	case w.Way == protocol.AttributesInit:
		touched = append(touched, slices.Collect(maps.Keys(s.values))...)
		after = map[string]string{}
	}
	maps.Copy(after, w.Attrs)
	size, code := 0, 0
	for key, value := range after {
		size += len(value)
		if len(key) > model.MaxAttributeKey {
			code = model.CodeAttributeKeySize
		}
	}
	for _, key := range touched {
		if code == 0 && s.versions[key] > w.Version {
			code = tim.ErrSVRGroupAttributeWriteConfilct
		}
	}
	if over := len(after) > model.MaxAttributes; over && (code == 0 || code == tim.ErrSVRGroupAttributeWriteConfilct) {
		code = model.CodeAttributeCount
	} else if size > model.MaxAllAttributes && (code == 0 || code == tim.ErrSVRGroupAttributeWriteConfilct) {
		code = model.CodeAttributesSize
	}
	return code, after, touched
}

// Whatever members write, the attributes are what a map with versions says, and the members are told just that.
func TestAttributesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClub(t)
		defer c.db.Close()
		s := &shelf{map[string]string{}, map[string]uint64{}, 0}
		key := rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat("k", rapid.SampledFrom([]int{0, 31}).Draw(t, "size")) + fmt.Sprint(rapid.IntRange(1, 14).Draw(t, "key"))
		})
		repeat(t, func() {
			uid := who.Draw(t, "uid")
			w := &protocol.SetGroupAttributes{Way: rapid.SampledFrom([]string{protocol.AttributesInit, protocol.AttributesSet, protocol.AttributesSet, protocol.AttributesDelete}).Draw(t, "way"),
				Version: s.version - min(s.version, rapid.SampledFrom([]uint64{0, 0, 0, 1, 3}).Draw(t, "behind"))}
			if w.Way == protocol.AttributesDelete {
				w.Keys = rapid.SliceOfNDistinct(key, 0, 2, rapid.ID[string]).Draw(t, "keys")
			} else {
				w.Attrs = rapid.MapOfN(key, rapid.Map(rapid.OneOf(rapid.IntRange(0, 9), rapid.IntRange(0, model.MaxAttribute)), func(n int) string { return strings.Repeat("v", n) }), 0, 18).Draw(t, "attrs")
			}
			code, after, touched := s.expect(uid, w)
			var answer protocol.GroupAttributes
			got := c.change(uid, func(tx *sqlite.Tx, a *group.Actor) (o group.Outcome, err error) {
				answer, o, err = c.groups.SetAttributes(tx, a, c.gid, w)
				return o, err
			})
			if got != code {
				t.Fatalf("code %d, want %d", got, code)
			}
			entries := told[protocol.GroupAttributes](c, protocol.EntryGroupAttributes)
			if code != 0 || len(touched) == 0 {
				if len(entries) > 0 {
					t.Fatal("told of nothing")
				}
				return
			}
			s.version++
			s.values = after
			for _, key := range touched {
				if s.versions[key] = s.version; after[key] == "" {
					if _, stays := after[key]; !stays {
						delete(s.versions, key)
					}
				}
			}
			for _, a := range append(entries, answer) {
				if !maps.Equal(a.Attrs, s.values) || a.Version != s.version {
					t.Fatalf("got version %d, %v; want %d, %v", a.Version, a.Attrs, s.version, s.values)
				}
			}
			if len(entries) != 1 {
				t.Fatalf("told %d times", len(entries))
			}
		}, func() {
			c.read(func(q sqlite.Queryer) error {
				a, err := c.groups.Attributes(q, 3, c.gid, nil)
				if err == nil && (!maps.Equal(a.Attrs, s.values) || a.Version != s.version) {
					t.Fatalf("version %d, %v; want %d, %v", a.Version, a.Attrs, s.version, s.values)
				}
				return err
			})
		})
	})
}

// Whatever members count, a counter is the sum, a request is made whole or not at all, and nothing overflows.
func TestCountersProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClub(t)
		defer c.db.Close()
		have := map[string]int64{}
		value := rapid.OneOf(rapid.Int64Range(-5, 5), rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, math.MaxInt64 - 3}))
		counter := rapid.Custom(func(t *rapid.T) protocol.Counter {
			return protocol.Counter{Key: fmt.Sprint(rapid.IntRange(1, 24).Draw(t, "key")), Value: value.Draw(t, "value")}
		})
		repeat(t, func() {
			uid, s := who.Draw(t, "uid"), &protocol.SetGroupCounters{Add: rapid.Bool().Draw(t, "add"), Counters: rapid.SliceOfN(counter, 1, 5).Draw(t, "counters")}
			after, code := maps.Clone(have), 0
			for _, k := range s.Counters {
				sum := big.NewInt(k.Value)
				if s.Add {
					sum.Add(sum, big.NewInt(after[k.Key]))
				}
				if !sum.IsInt64() {
					code = tim.ErrSVRGroupInvalidParameters
					break
				}
				after[k.Key] = sum.Int64()
			}
			if code == 0 && len(after) > model.MaxCounters {
				code = model.CodeCounterCount
			}
			if uid == users {
				code = tim.ErrSVRGroupPermissionDeny
			}
			var answer protocol.GroupCounters
			if got := c.change(uid, func(tx *sqlite.Tx, a *group.Actor) (o group.Outcome, err error) {
				answer, o, err = c.groups.SetCounters(tx, a, c.gid, s)
				return o, err
			}); got != code {
				t.Fatalf("code %d, want %d", got, code)
			}
			entries := told[protocol.Counter](c, protocol.EntryGroupCounter)
			if code != 0 {
				if len(entries) > 0 {
					t.Fatal("told of nothing")
				}
				return
			}
			have = after
			if !slices.Equal(entries, answer.Counters) {
				t.Fatalf("told %v, answered %v", entries, answer.Counters)
			}
			for _, k := range entries {
				if have[k.Key] != k.Value {
					t.Fatalf("told %v, want %d", k, have[k.Key])
				}
			}
		}, func() {
			c.read(func(q sqlite.Queryer) error {
				a, err := c.groups.Counters(q, 3, c.gid, nil)
				got := map[string]int64{}
				for _, k := range a.Counters {
					got[k.Key] = k.Value
				}
				if err == nil && !maps.Equal(got, have) {
					t.Fatalf("counters %v, want %v", got, have)
				}
				return err
			})
		})
	})
}

// Whoever changes the group, what the members are told is what the group is, and refused changes leave nothing.
func TestSettingsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClub(t)
		defer c.db.Close()
		var want protocol.Group
		see := func(q sqlite.Queryer) (g protocol.Group, err error) {
			g, err = c.groups.Group(q, c.gid, 3)
			g.Self, g.LastInfo, g.Max, g.LastTime = nil, 0, 0, 0
			return g, err
		}
		c.read(func(q sqlite.Queryer) (err error) { want, err = see(q); return err })
		text := func(name string) *rapid.Generator[*string] {
			return rapid.Ptr(rapid.SampledFrom([]string{name, "", strings.Repeat("x", 600)}), true)
		}
		fields := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", strings.Repeat("k", 17)}), rapid.SampledFrom([]string{"", "1", "2"}), 0, 3)
		repeat(t, func() {
			uid := who.Draw(t, "uid")
			s := &protocol.SetGroup{Name: text("n").Draw(t, "name"), Introduction: text("i").Draw(t, "intro"), AddOption: rapid.Ptr(rapid.IntRange(0, 3), true).Draw(t, "add"),
				MuteAll: rapid.Ptr(rapid.Bool(), true).Draw(t, "mute"), MaxMembers: rapid.Ptr(rapid.IntRange(1, 5), true).Draw(t, "max"), Custom: fields.Draw(t, "custom")}
			code := c.change(uid, func(tx *sqlite.Tx, a *group.Actor) (group.Outcome, error) { return c.groups.Set(tx, a, c.gid, s) })
			entries := told[protocol.Group](c, protocol.EntryGroupInfo)
			if uid > 2 && code != tim.ErrSVRGroupPermissionDeny {
				t.Fatalf("user %d got code %d", uid, code)
			}
			if code != 0 || len(entries) == 0 {
				return
			}
			want = entries[0]
			want.LastInfo = 0
		}, func() {
			c.read(func(q sqlite.Queryer) error {
				got, err := see(q)
				if err == nil && string(protocol.Marshal(got)) != string(protocol.Marshal(want)) {
					t.Fatalf("the group is %s, and the members know %s", protocol.Marshal(got), protocol.Marshal(want))
				}
				return err
			})
		})
	})
}
