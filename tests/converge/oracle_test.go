package converge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/tidwall/gjson"

	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// oracle asks the server what one user may see, without an engine between.
type oracle struct {
	user string
	link *transport.Link
}

func newOracle(w *world, user string) *oracle {
	o := &oracle{user: user}
	o.link = transport.New(transport.Config{
		URL:   func() string { return "ws://" + w.target.Load().(string) },
		Proxy: func() (*url.URL, error) { return nil, nil },
		Log:   slog.New(slog.DiscardHandler), Retry: func() int { return 100 }, Needed: func() bool { return true },
		State: func(transport.Status, int, string) {}, Push: func(*protocol.Push) {}, Open: o.login,
	})
	o.link.Start()
	return o
}

func (o *oracle) login(context.Context) {
	body := protocol.Marshal(protocol.Login{Version: protocol.Version, App: app, User: o.user, Sig: ticket(o.user),
		Device: "oracle", Platform: "linux", Client: "test"})
	o.link.Login(body, patience, func(a protocol.Answer, err error) {
		if err == nil && a.Code == 0 {
			o.link.Release()
		}
	})
}

func (o *oracle) close() { o.link.Stop(&transport.Error{Text: "the test is over"}) }

func (o *oracle) ask(op string, body, answer any) error {
	a, err := o.link.Ask(context.Background(), op, "", protocol.Marshal(body), patience)
	switch {
	case err != nil:
		return err
	case a.Code != 0:
		return fmt.Errorf("%s: %d %s", op, a.Code, a.Desc)
	}
	return json.Unmarshal(a.Body, answer)
}

// view is a conversation as the server has it for a user.
type view struct {
	msgs    []fact // ascending
	unread  uint64
	clear   uint64
	seenSeq uint64
}

// fact is what must be the same everywhere of a message.
type fact struct {
	Seq      uint64
	ID       string
	Sender   string
	Status   int
	Version  uint64
	Elements string
	Cloud    string
	Read     uint64 // receipts, of own messages
	PeerRead bool
}

// views are all conversations of the user. At rest nothing changes while they are read.
func (o *oracle) views() (map[conv]*view, error) {
	all := map[conv]*view{}
	if err := o.pairs(all); err != nil {
		return nil, err
	}
	if err := o.groups(all); err != nil {
		return nil, err
	}
	for c, v := range all {
		if err := o.history(c, v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (o *oracle) pairs(all map[conv]*view) error {
	ask := protocol.Snapshot{Limit: protocol.MaxSnapshot, Deleted: true}
	for {
		var page protocol.SnapshotPage
		if err := o.ask(protocol.OpSnapshot, ask, &page); err != nil {
			return err
		}
		for _, c := range page.Convs {
			all[conv{tim.ConvC2C, c.Peer}] = &view{unread: c.PeerCount - min(c.ReadCount, c.PeerCount), clear: c.ClearSeq, seenSeq: c.SeenSeq}
		}
		if ask.Cursor = page.Cursor; ask.Cursor == "" {
			return nil
		}
	}
}

func (o *oracle) groups(all map[conv]*view) error {
	var page protocol.GroupsPage
	if err := o.ask(protocol.OpGroups, protocol.Groups{}, &page); err != nil {
		return err
	}
	for _, g := range page.Groups {
		all[conv{tim.ConvGroup, g.Group.ID}] = &view{unread: g.PeerCount - min(g.ReadCount, g.PeerCount), clear: g.ClearSeq}
	}
	return nil
}

func (o *oracle) history(c conv, v *view) error {
	ask := protocol.Range{Lo: 1, Limit: protocol.MaxRange, Newer: true}
	if ask.Peer = c.peer; c.typ == tim.ConvGroup {
		ask.Peer, ask.Group = "", c.peer
	}
	for {
		var got protocol.Ranged
		if err := o.ask(protocol.OpRange, ask, &got); err != nil {
			return err
		}
		for _, raw := range got.Msgs {
			msg, ok := protocol.ParseMessage(raw)
			if !ok {
				return errors.New("the server sent no message")
			}
			v.msgs = append(v.msgs, o.fact(&msg))
		}
		if got.Hi >= got.Max {
			return nil
		}
		ask.Lo = got.Hi + 1
	}
}

func (o *oracle) fact(m *protocol.Message) fact {
	content := gjson.ParseBytes(m.Content)
	f := fact{Seq: m.Seq, ID: content.Get(protocol.ContentID).String(), Sender: m.From, Status: tim.MsgSendSucc, Version: m.Version,
		Elements: content.Get(protocol.ContentElements).Raw,
		Cloud:    content.Get(protocol.ContentExtra).Get(tim.KeyMsgCloudCustomStr).String()}
	var st protocol.State
	if len(m.State) > 0 && json.Unmarshal(m.State, &st) == nil {
		if st.Revoked != nil {
			f.Status = tim.MsgRevoked
		}
		if f.Sender == o.user && f.Status != tim.MsgRevoked {
			f.Read, f.PeerRead = st.Read, st.PeerRead
		}
	}
	return f
}

// factOf reads the public JSON of a message.
func factOf(m gjson.Result, self string) fact {
	f := fact{Seq: m.Get(tim.KeyMsgSeq).Uint(), ID: m.Get(tim.KeyMsgMsgId).String(), Sender: m.Get(tim.KeyMsgSender).String(),
		Status: int(m.Get(tim.KeyMsgStatus).Int()), Version: m.Get(tim.KeyMsgVersion).Uint(),
		Elements: m.Get(tim.KeyMsgElemArray).Raw, Cloud: m.Get(tim.KeyMsgCloudCustomStr).String()}
	if f.Sender == self && f.Status != tim.MsgRevoked { // of a revoked one nobody counts them any more
		f.Read, f.PeerRead = m.Get(tim.KeyMsgGroupReceiptReadCount).Uint(), m.Get(tim.KeyMsgReceiptPeerRead).Bool()
	}
	return f
}
