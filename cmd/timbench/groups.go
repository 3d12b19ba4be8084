package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/store"
	"timbre/sqlite"
)

// tries is how often each thing is done that is measured one by one.
const tries = 100

// groups measures groups of several sizes. Their members are written into the database while the server does not run,
// because a hundred thousand that join one by one take minutes.
func groups(o *options) error {
	if o.server == nil {
		return errors.New("groups needs a server of its own: --start")
	}
	if o.sizes == nil {
		o.sizes = []int{10, 1_000, 100_000}
	}
	slices.Sort(o.sizes)
	owner, err := connect(o, "owner")
	if err != nil {
		return err
	}
	created, err := each(tries, func(i int) error { return create(owner, "new"+strconv.Itoa(i)) })
	for _, n := range o.sizes {
		err = errors.Join(err, create(owner, sized(n)))
	}
	owner.Close()
	if err != nil {
		return err
	}
	if err := o.refill(); err != nil {
		return err
	}
	title(o)
	fmt.Printf("%-20s %12s %12s %12s\n", "members", "p50 ms", "p99 ms", "max ms")
	row("make one", created)
	for _, n := range o.sizes {
		if err := o.measure(n); err != nil {
			return err
		}
	}
	if err := o.talk(o.sizes[len(o.sizes)-1]); err != nil {
		return err
	}
	fmt.Println(groupsMethod)
	return nil
}

const groupsMethod = `
Method: communities. Each figure is of one request after the other, from the write to its answer, on loopback; a page has
50 members. The cost of a message is the server's own CPU time from the sender's first message to the last delivery, by
message: once with nobody else online, which is what it costs beside its deliveries, and once with the online members, each
of which gets every message once and in order.`

func sized(n int) string { return "of" + strconv.Itoa(n) }

func create(ws *websocket.Conn, id string) error {
	var made protocol.CreatedGroup
	return request(ws, protocol.OpGroupCreate, id, protocol.CreateGroup{ID: "@TGS#_" + id, Type: tim.GroupCommunity, Name: id}, &made)
}

func groupNamed(n int) string { return "@TGS#_" + sized(n) }

// each does something several times and returns how long each took, the quickest first.
func each(n int, do func(i int) error) (took []time.Duration, err error) {
	for i := range n {
		begin := time.Now()
		if err := do(i); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took, nil
}

func row(name string, took []time.Duration) {
	r := result{latencies: took}
	fmt.Printf("%-20s %12.3f %12.3f %12.3f\n", name, r.quantile(0.5), r.quantile(0.99), r.quantile(1))
}

// refill stops the server, writes the members and starts it again.
func (o *options) refill() error {
	o.server.end()
	if err := o.populate(); err != nil {
		return err
	}
	return o.server.run(o)
}

func (o *options) populate() error {
	s, err := store.Open(store.Config{Dir: o.server.dir})
	if err != nil {
		return err
	}
	defer s.Close()
	app, err := strconv.ParseUint(o.app, 10, 53)
	if err != nil {
		return err
	}
	now := time.Now().Unix()
	return s.Write(context.Background(), func(tx *sqlite.Tx) error {
		err := tx.Exec(`INSERT INTO account (app, name, created) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+1<?)
			SELECT ?, 'm'||i, ? FROM n`, slices.Max(o.sizes), int64(app), now)
		for _, n := range o.sizes {
			if err == nil {
				err = join(tx, n, now)
			}
		}
		return err
	})
}

// join makes the first accounts members of a group besides its owner, and leaves room for one more.
func join(tx *sqlite.Tx, n int, now int64) error {
	var gid int64
	found, err := tx.Get(`SELECT gid FROM grp WHERE id=?`, []any{&gid}, groupNamed(n))
	if err == nil && !found {
		err = errors.New("the group is not there")
	}
	if err != nil {
		return err
	}
	const some = ` FROM account WHERE name GLOB 'm[0-9]*' ORDER BY uid LIMIT `
	return errors.Join(
		tx.Exec(`INSERT INTO member (gid, uid, role, joined) SELECT ?, uid, 200, ?`+some+`?`, gid, now, n-2),
		tx.Exec(`INSERT INTO seat (gid, uid) SELECT ?, uid`+some+`?`, gid, n-2),
		tx.Exec(`UPDATE grp SET members=? WHERE gid=?`, n-1, gid))
}

// measure joins and lists a group.
func (o *options) measure(n int) error {
	owner, err := connect(o, "owner")
	if err != nil {
		return err
	}
	defer owner.Close()
	next := uint64(0)
	paged, err := each(tries, func(int) error {
		var page protocol.MemberPage
		err := request(owner, protocol.OpGroupMembers, "", protocol.AskMembers{Group: groupNamed(n), Next: next}, &page)
		if next = page.Next; err == nil && len(page.Members) == 0 {
			err = errors.New("an empty page")
		}
		return err
	})
	if err != nil {
		return err
	}
	row(fmt.Sprintf("%d: a page", n), paged)
	joined, err := o.newcomers(n)
	if err != nil {
		return err
	}
	row(fmt.Sprintf("%d: join", n), joined)
	return nil
}

// newcomers has new users join and leave again, one after the other.
func (o *options) newcomers(n int) (took []time.Duration, err error) {
	for i := range tries {
		name := fmt.Sprintf("new-%d-%d", n, i)
		ws, err := connect(o, name)
		if err != nil {
			return nil, err
		}
		begin := time.Now()
		err = request(ws, protocol.OpGroupJoin, name, protocol.JoinGroup{Group: groupNamed(n)}, new(protocol.Joined))
		took = append(took, time.Since(begin))
		if err == nil {
			err = request(ws, protocol.OpGroupQuit, name, protocol.OneGroup{Group: groupNamed(n)}, new(struct{}))
		}
		ws.Close()
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(took)
	return took, nil
}

// talk sends messages to the largest group: with nobody there, then with some.
func (o *options) talk(n int) error {
	for _, online := range []int{2, min(o.online, n-2)} {
		c, err := o.gatherSome(n, online)
		if err != nil {
			return err
		}
		before := processorTime(o.pid)
		r, err := c.run(time.Duration(o.seconds) * time.Second)
		if err != nil {
			return err
		}
		cost := processorTime(o.pid) - before
		fmt.Printf("%d members, %d online: %.3f ms of server CPU a message, %.0f deliveries/s, p99 %.1f ms\n", n, online,
			cost.Seconds()*1000/float64(r.messages), r.rate, r.quantile(0.99))
	}
	return nil
}

// gatherSome connects the first members of a group, one of which sends.
func (o *options) gatherSome(n, online int) (*crowd, error) {
	c := &crowd{o: o, name: groupNamed(n), epoch: time.Now(), failed: make(chan error, online), members: make([]*member, online)}
	errs := make([]error, online)
	turns := make(chan struct{}, fillers)
	var wg sync.WaitGroup
	for i := range online {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			var ws *websocket.Conn
			ws, errs[i] = connect(o, "m"+strconv.Itoa(i))
			c.members[i] = &member{ws: ws, crowd: c, sent: make([]int, 1)}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return c, err
	}
	c.senders = []*sender{newSender(c, 0)}
	return c, nil
}
