package conversation_test

import (
	"context"
	"fmt"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/conversation"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/server/store"
	"timbre/sqlite"
)

// directory gives user n the name "un" and group n the name "gn", and knows in which groups everybody is.
type directory struct{ in map[int64]bool }

func (directory) Profile(_ sqlite.Queryer, uid int64) (protocol.Profile, error) {
	return protocol.Profile{User: fmt.Sprint("u", uid)}, nil
}

// users is the directory of users, and groups that of groups: both have names.
type users struct{ directory }

func (users) Name(_ sqlite.Queryer, uid int64) (string, error) { return fmt.Sprint("u", uid), nil }

type groups struct{ directory }

func (groups) Name(_ sqlite.Queryer, gid int64) (string, error) { return fmt.Sprint("g", gid), nil }

func (g groups) Role(_ sqlite.Queryer, gid, _ int64) (int, error) {
	if g.in[gid] {
		return tim.MemberRoleNormal, nil
	}
	return 0, nil
}

// rig is the module over a real database.
type rig struct {
	directory
	store    *store.Store
	messages *message.Messages
	convs    *conversation.Conversations
	reader   *changelog.Reader
	keys     int
}

var self = message.User{UID: 1, Name: "u1"}

func open(t interface{ Fatal(...any) }, dir string) *rig {
	d := directory{in: map[int64]bool{}}
	log := changelog.New(time.Now)
	m := message.New(log, users{d}, message.Rules{}, time.Now)
	s, err := store.Open(store.Config{Dir: dir, Schemas: []sqlite.Schema{changelog.Schema(), message.Schema(), conversation.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	return &rig{directory: d, store: s, messages: m, convs: conversation.New(m, users{d}, groups{d}, log, time.Now),
		reader: changelog.NewReader(s.Epoch(), m)}
}

func (r *rig) key() string {
	r.keys++
	return fmt.Sprint("k", r.keys)
}

func user(n int64) message.Where {
	return message.Where{Peer: message.User{UID: n, Name: fmt.Sprint("u", n)}}
}

func group(n int64) message.Where { return message.Where{GID: n, Group: fmt.Sprint("g", n)} }

var nobody = message.Where{Peer: message.User{Name: "nobody"}}

func target(w message.Where) protocol.Target {
	return protocol.Target{Peer: w.Peer.Name, Group: w.Group}
}

// change runs a change and returns its answer, the code with which it was refused, and how many entries it made.
func change[T any](r *rig, fn func(*sqlite.Tx) (T, []changelog.Change, error)) (answer T, code, entries int, err error) {
	var refused error
	err = r.store.Write(context.Background(), func(tx *sqlite.Tx) (err error) {
		var changes []changelog.Change
		answer, changes, err = fn(tx)
		entries = len(changes)
		if refusal.Of(err) != nil {
			refused, err = err, nil // as the gateway does it: nothing was written
		}
		return err
	})
	if refused != nil {
		code = refusal.Of(refused).Code
	}
	return answer, code, entries, err
}

func (r *rig) set(key string, where []message.Where, s *protocol.SetAttributes) (protocol.ConvsSet, int, int, error) {
	return change(r, func(tx *sqlite.Tx) (protocol.ConvsSet, []changelog.Change, error) {
		return r.convs.Set(tx, self, key, where, s)
	})
}

func (r *rig) group(key string, where []message.Where, g *protocol.ConvGroupChange) (protocol.ConvsSet, int, int, error) {
	return change(r, func(tx *sqlite.Tx) (protocol.ConvsSet, []changelog.Change, error) {
		return r.convs.SetGroup(tx, self, key, where, g)
	})
}

func (r *rig) clear(key string, v message.Move) (protocol.Changed, int, int, error) {
	v.User, v.Key = self, key
	return change(r, func(tx *sqlite.Tx) (protocol.Changed, []changelog.Change, error) { return r.convs.Clear(tx, &v) })
}

// all reads every page.
func (r *rig) all() (pages int, all protocol.AllAttributes, err error) {
	for ask := (protocol.AskAttributes{}); ; pages++ {
		err = r.store.Read(context.Background(), func(q sqlite.Queryer) error {
			p, err := r.convs.All(q, self.UID, ask)
			if n := len(protocol.Marshal(p)); n > protocol.MaxLine {
				return fmt.Errorf("a page of %d bytes", n)
			}
			all.Convs = append(all.Convs, p.Convs...)
			for _, g := range p.Groups {
				if n := len(all.Groups); n > 0 && all.Groups[n-1].Name == g.Name {
					all.Groups[n-1].Convs = append(all.Groups[n-1].Convs, g.Convs...)
				} else {
					all.Groups = append(all.Groups, g)
				}
			}
			ask.Cursor = p.Cursor
			return err
		})
		if err != nil || ask.Cursor == "" {
			return pages + 1, all, err
		}
	}
}
