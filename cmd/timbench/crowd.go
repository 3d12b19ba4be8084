package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// crowd is a group whose members are all online. The first ones send.
type crowd struct {
	o       *options
	name    string
	senders []*sender
	members []*member

	epoch      time.Time // what the times below count from
	begin, end atomic.Int64
	failed     chan error // the first failure of a member
}

// gather connects the members and makes the group. Every connection stands at the same position of the group's log then.
func gather(o *options, senders int) (c *crowd, err error) {
	c = &crowd{o: o, epoch: time.Now(), failed: make(chan error, o.members)}
	run := strconv.FormatInt(c.epoch.UnixNano(), 36)
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	var users []string
	for i := range o.members {
		users = append(users, fmt.Sprintf("%s-%d", run, i))
		ws, err := connect(o, users[i])
		if err != nil {
			return c, err
		}
		c.members = append(c.members, &member{ws: ws, crowd: c, sent: make([]int, senders)})
	}
	if c.name, err = createGroup(c.members[0].ws, users); err != nil {
		return c, err
	}
	for i := range senders {
		c.senders = append(c.senders, newSender(c, i))
	}
	return c, nil
}

// createGroup makes a Work group of the users; the first one, whose connection this is, owns it.
func createGroup(ws *websocket.Conn, users []string) (string, error) {
	var made protocol.CreatedGroup
	ask := protocol.CreateGroup{Type: tim.GroupPrivate, Name: "timbench"}
	if err := request(ws, protocol.OpGroupCreate, users[0], ask, &made); err != nil {
		return "", err
	}
	for some := range slices.Chunk(users[1:], model.MaxInvites) {
		var invited protocol.Invited
		if err := request(ws, protocol.OpGroupInvite, some[0], protocol.Invite{Group: made.ID, Users: some}, &invited); err != nil {
			return "", err
		}
		for _, r := range invited.Results {
			if r.Result != tim.GroupMemberHandledSuc {
				return "", fmt.Errorf("%s cannot be invited: %d", r.User, r.Result)
			}
		}
	}
	return made.ID, nil
}

// request asks and waits for the answer; pushes that come before it are passed over.
func request(ws *websocket.Conn, op, key string, body, answer any) error {
	r := protocol.Request{ID: 1, Op: op, Key: key + op, Body: protocol.Marshal(body)}
	if err := ws.WriteMessage(websocket.TextMessage, r.Append(nil)); err != nil {
		return err
	}
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			return err
		}
		found := false
		protocol.Lines(frame, func(line []byte) bool {
			a, push, ok := protocol.ParseServerLine(line)
			if !ok || push != nil {
				return true
			}
			found = true
			if err = json.Unmarshal(a.Body, answer); a.Code != 0 {
				err = fmt.Errorf("%s: %d %s", op, a.Code, a.Desc)
			}
			return true
		})
		if found || err != nil {
			return err
		}
	}
}

func (c *crowd) close() {
	for _, m := range c.members {
		m.ws.Close()
	}
}

// now is the time since the epoch.
func (c *crowd) now() int64 { return int64(time.Since(c.epoch)) }

// fail ends the run.
func (c *crowd) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
}

// run lets the senders send for a second to warm up and for d, and waits until everybody has everything.
func (c *crowd) run(d time.Duration) (*result, error) {
	begin := c.now() + int64(warmUp)
	c.begin.Store(begin)
	c.end.Store(begin + int64(d))
	var readers, writers sync.WaitGroup
	defer readers.Wait()
	defer c.close()
	for _, m := range c.members {
		readers.Go(m.read)
	}
	stop := make(chan struct{})
	for _, s := range c.senders {
		writers.Go(func() { s.run(stop) })
	}
	var err error
	select {
	case <-time.After(warmUp + d):
	case err = <-c.failed:
	}
	close(stop)
	writers.Wait()
	if err = errors.Join(err, c.settle()); err != nil {
		return nil, err
	}
	c.close()
	readers.Wait()
	return c.figures(d), nil
}

// settle waits until every message has arrived at every member.
func (c *crowd) settle() error {
	deadline := time.After(patience)
	for _, s := range c.senders {
		for range cap(s.credit) {
			select {
			case <-s.credit:
			case err := <-c.failed:
				return err
			case <-deadline:
				return errors.New("not everybody got everything")
			}
		}
	}
	return nil
}

func (c *crowd) figures(d time.Duration) *result {
	r := &result{}
	for _, s := range c.senders {
		r.messages += s.number
	}
	for _, m := range c.members {
		for _, us := range m.late {
			r.latencies = append(r.latencies, time.Duration(us)*time.Microsecond)
		}
	}
	r.rate = float64(len(r.latencies)) / d.Seconds()
	slices.Sort(r.latencies)
	return r
}
