package gateway

import (
	"context"
	"encoding/json"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/group"
	"timbre/server/refusal"
	"timbre/server/session"
	"timbre/sqlite"
)

// refuse answers with a code. It is called by the reading goroutine.
func (c *conn) refuse(id uint64, code int, desc string) {
	c.answer(&protocol.Answer{ID: id, Code: code, Desc: desc})
	c.Wake()
}

// answer queues an answer.
func (c *conn) answer(a *protocol.Answer) {
	c.answered(a)
	c.send(a.Append(make([]byte, 0, len(a.Body)+len(a.Desc)+64)))
}

// reply queues the answer for a result.
func (c *conn) reply(id uint64, body []byte, err error) {
	if err == nil {
		c.answer(&protocol.Answer{ID: id, Body: body})
		return
	}
	if r := refusal.Of(err); r != nil {
		c.answer(&protocol.Answer{ID: id, Code: r.Code, Desc: r.Desc, Body: r.Body})
		return
	}
	b := c.trace.of(id)
	c.logger().Error("request failed", "request", b.name(), "error", err)
	c.answer(&protocol.Answer{ID: id, Code: protocol.CodeInside, Desc: "the server failed"})
}

// query answers a request that changes nothing. It sees everything that this connection asked for before.
func (c *conn) query(id uint64, fn func(sqlite.Queryer) ([]byte, error)) {
	var body []byte
	err := c.g.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		body, err = fn(q)
		return err
	})
	c.reply(id, body, err)
	c.Wake()
}

// changed is what a change has for the requester and for the logs.
type changed struct {
	body    []byte
	changes []changelog.Change
	message bool // a message was stored
	opened  []session.Branch
	joined  []session.Seat
	left    []session.Seat
	closed  []int64
	direct  []session.Direct
	live    []group.LiveEntry
	after   func() // made when the answer is queued and everything else is published; nil: nothing
	told    bool   // the requester gets the entries like everybody else: the answer stands for none of them
}

func (r *changed) empty() bool {
	return len(r.changes)+len(r.joined)+len(r.left)+len(r.direct)+len(r.opened)+len(r.closed) == 0
}

// change queues a change and answers when it is committed. It returns while that is under way; when too much is, it
// waits, and the client's next requests wait in the network.
func (c *conn) change(id uint64, apply func(*sqlite.Tx) (changed, error)) {
	if c.busy(id) || !c.begin() {
		return
	}
	origin := c.self.Number
	arrived := time.Now()
	var result changed
	var refused error
	c.g.Store.Submit(func(tx *sqlite.Tx) (err error) {
		if refused = c.behind(arrived); refused != nil {
			return nil
		}
		result, err = apply(tx)
		if refused = err; refusal.Of(err) != nil {
			return nil // nothing was written: the others in the batch go on
		}
		return err
	}, func(err error) {
		c.g.Metrics.Commit(time.Since(arrived))
		if err != nil {
			c.failed.Store(time.Now().UnixNano())
		} else {
			err = refused
		}
		c.reply(id, result.body, err)
		if err == nil {
			c.publish(origin, &result)
		}
		c.finish()
	})
}

func (c *conn) publish(origin uint64, r *changed) {
	if r.message {
		c.g.Metrics.Messages.Inc()
	}
	c.g.publishLive(origin, r)
	if r.empty() {
		return
	}
	if r.told {
		origin = 0
	}
	c.g.Bus.Publish(session.Event{Origin: origin, Opened: r.opened, Joined: r.joined, Changes: r.changes, Left: r.left, Closed: r.closed, Direct: r.direct})
}

// Publish hands on what groups have done beside requests. It runs on the database writer's goroutine, after the commit.
func (g *Gateway) Publish(o group.Outcome) {
	r := outcome(nil, o)
	g.publishLive(0, &r)
	if r.direct = o.Direct; !r.empty() {
		g.Bus.Publish(session.Event{Opened: r.opened, Joined: r.joined, Changes: r.changes, Left: r.left, Closed: r.closed, Direct: r.direct})
	}
}

// busy refuses when the database has too much to do already.
func (c *conn) busy(id uint64) bool {
	if c.g.Store.Queued() < c.g.cfg.MaxQueue {
		return false
	}
	c.sayBusy(id)
	return true
}

// behind refuses what came behind a change of this connection that the database could not make, for the reason of busyRow.
func (c *conn) behind(arrived time.Time) error {
	if at := c.failed.Load(); at == 0 || arrived.Sub(time.Unix(0, at)) > c.g.cfg.BusyTime {
		return nil
	}
	return refusal.New(protocol.CodeBusy, "the change before this one failed")
}

// busyRow is busy for changes that a client makes in a row. What it sent behind a refused one is refused too, for
// BusyTime, even if there is room again: messages must not be stored in another order than they were sent in. Clients
// wait longer before they try again.
func (c *conn) busyRow(id uint64) bool {
	now := c.g.Now()
	if now.Before(c.busyUntil) {
		c.sayBusy(id)
		return true
	}
	if !c.busy(id) {
		return false
	}
	c.busyUntil = now.Add(c.g.cfg.BusyTime)
	return true
}

func (c *conn) sayBusy(id uint64) {
	c.g.Metrics.Busy.Inc()
	c.refuse(id, protocol.CodeBusy, "the server is busy")
}

// begin takes a slot for a request. It returns false when the connection ends.
func (c *conn) begin() bool {
	select {
	case c.slots <- struct{}{}:
		c.pending.Add(1)
		return true
	case <-c.stopped:
		return false
	}
}

// finish gives the slot back; the answer goes out when the commit is settled.
func (c *conn) finish() {
	c.g.Hub.Touch(c)
	<-c.slots
	c.pending.Done()
}

// decode reads a rare body.
func decode[T any](body []byte) (v T, err error) {
	if len(body) == 0 {
		return v, nil
	}
	if json.Unmarshal(body, &v) != nil {
		return v, refusal.New(tim.ErrSVRCommReqJSONParseFailed, "the body cannot be read")
	}
	return v, nil
}
