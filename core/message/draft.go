package message

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Draft is a message that was accepted for sending.
type Draft struct {
	typ   int
	peer  string
	row   *Row
	again bool // a second try of an own message
	// uploads is which elements have files that must be on the server before the message can be.
	uploads []int
	online  bool             // only for those who are online
	live    int              // type of the live room that it goes to, else conversation.NoGroup
	bad     *transport.Error // why it cannot be sent
}

// MsgID is the public id that the message has from now on.
func (d *Draft) MsgID() string { return d.row.MsgID }

// NewDraft makes a message of the caller's JSON. An error means that a required key is missing or unusable.
func (m *Messages) NewDraft(typ int, peer, json string) (*Draft, error) {
	msg := gjson.Parse(json)
	elements, err := complete(msg.Get(tim.KeyMsgElemArray))
	if err != nil {
		return nil, err
	}
	now := m.self.Now().Unix()
	r := &Row{Sender: m.self.User, ClientTime: now, Rand: m.rand.Add(1), Status: tim.MsgSending, Platform: m.self.Platform(),
		Unread: -1, Elements: mergers(elements), Extra: extraOf(msg), Key: m.newKey(),
		LocalInt: uint32(msg.Get(tim.KeyMsgCustomInt).Uint()), LocalStr: msg.Get(tim.KeyMsgCustomStr).String()}
	r.flag()
	r.MsgID = m.newID(r.Sender, now, r.Rand)
	id := msg.Get(tim.KeyMsgMsgId).String()
	var own *Row
	if id != "" && !msg.Get(tim.KeyMsgIsForwardMessage).Bool() {
		own = m.own(typ, peer, id)
	}
	if own != nil { // with its key, by which the message is known after a crash too
		r.MsgID, r.Key = id, own.Key
	}
	d := &Draft{typ: typ, peer: peer, row: r, again: own != nil, bad: checkSendable(r.Elements, r.Extra),
		online: gjson.Get(r.Extra, tim.KeyMsgIsOnlineMsg).Bool(), live: conversation.NoGroup}
	if roomType, live := m.liveRoom(typ, peer); live {
		d.live = roomType
	}
	if d.bad == nil {
		d.uploads, d.bad = checkFiles(r.Elements)
	}
	return d, nil
}

// own finds a message of the conversation that this user has sent by its id, nil when there is none.
func (m *Messages) own(typ int, peer, msgID string) (row *Row) {
	_ = m.store.Read(context.Background(), func(q sqlite.Queryer) error { // unreadable: then it is a new message
		c, err := conversation.Find(q, typ, peer)
		if err != nil || c == nil {
			return err
		}
		row, err = m.known(q, c.ID, msgID)
		if row != nil && row.Key == "" && row.Seq == 0 { // imported or saved, never sent
			row = nil
		}
		return err
	})
	return row
}

// Elements checks the elements of a message in the caller's JSON and returns them complete.
func Elements(json string) (string, error) { return complete(gjson.Get(json, tim.KeyMsgElemArray)) }

// Unsent makes a draft that nobody can send, for the answer to a call that came without a user.
func Unsent(typ int, peer, json string) *Draft {
	now := time.Now().Unix()
	elements, _ := Elements(json) // checked before
	r := &Row{ClientTime: now, Rand: rand.Uint32(), Status: tim.MsgSendFail, Unread: -1, Elements: elements, Extra: extraOf(gjson.Parse(json))}
	r.MsgID = fmt.Sprintf("-%d-%d", now, r.Rand)
	return &Draft{typ: typ, peer: peer, row: r, live: conversation.NoGroup}
}

// JSON is the message as it would have been sent.
func (d *Draft) JSON() string {
	return d.row.json(d.conversation(), d.row.Sender)
}

// Refuse answers a draft with an error and the message as it would have been sent.
func (m *Messages) Refuse(d *Draft, why *transport.Error, done event.Done) {
	done(why.Code, why.Text, d.row.json(d.conversation(), m.self.User))
}

// conversation is the draft's conversation as far as it is known without a database.
func (d *Draft) conversation() *conversation.Conversation {
	return &conversation.Conversation{Type: d.typ, Peer: d.peer, GroupType: d.live}
}
