package message

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/guard"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// sendOnline sends a message that reaches only those who are online. Nothing is kept of it, here or there.
func (m *Messages) sendOnline(d *Draft, done event.Done) {
	if len(d.uploads) == 0 {
		m.requestOnline(d, done)
		return
	}
	if !m.uploads.begin() {
		d.row.Status = tim.MsgSendFail
		m.Refuse(d, m.dbError(store.ErrClosed), done)
		return
	}
	ctx, cancel := context.WithCancelCause(m.uploads.life)
	m.passing.enter(d.row.MsgID, cancel)
	go func() {
		defer m.uploads.wg.Done()
		defer cancel(nil)
		err := errInside
		guard.Run(m.log, "an upload", func() { err = m.uploadOnline(ctx, cancel, d) })
		taken := m.passing.leave(d.row.MsgID)
		switch {
		case err != nil:
			m.notUploaded(d, transport.AsError(err), done, taken)
		case len(taken) > 0: // at the last moment
			m.notUploaded(d, transport.AsError(errTaken), done, taken)
		default:
			m.requestOnline(d, done)
		}
	}()
}

// notUploaded ends a message whose files did not get there, or that was taken back meanwhile.
func (m *Messages) notUploaded(d *Draft, why *transport.Error, done event.Done, taken []event.Done) {
	d.row.Status = tim.MsgSendFail
	if why.Code == tim.ErrSDKSendMessageFailedWithCancel {
		d.row.Status = tim.MsgCancel
	}
	m.Refuse(d, why, done)
	for _, told := range taken {
		if d.row.Status == tim.MsgCancel {
			told(0, "", d.row.json(d.conversation(), m.self.User))
		} else {
			told(tim.ErrSDKInvalidCancelMessage, "the message has failed already", "")
		}
	}
}

// uploadOnline uploads the files of a message that is not stored: a logout ends it for good.
func (m *Messages) uploadOnline(ctx context.Context, cancel context.CancelCauseFunc, d *Draft) error {
	select {
	case m.uploads.slots <- struct{}{}:
		defer func() { <-m.uploads.slots }()
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), errTaken) {
			return errTaken
		}
		return &transport.Error{Code: tim.ErrSVRResSendCancel, Text: "the upload was cut off"}
	}
	watch := time.AfterFunc(m.self.Timeout(), func() {
		cancel(&transport.Error{Code: tim.ErrSVRResTransferTimeout, Text: "the upload did not get on"})
	})
	defer watch.Stop()
	alive := func() { watch.Reset(m.self.Timeout()) }
	for _, i := range d.uploads {
		element, err := m.uploadElement(ctx, announced{d.row.MsgID, d.JSON()}, i, gjson.Parse(d.row.Elements).Array()[i], alive)
		if err != nil {
			return err
		}
		if d.row.Elements, err = replaced(d.row.Elements, i, element); err != nil {
			return err
		}
	}
	return nil
}

func (m *Messages) requestOnline(d *Draft, done event.Done) {
	body := protocol.AppendSend(nil, d.peer, d.typ == tim.ConvGroup, d.row.content())
	if d.live == conversation.NoGroup {
		m.whispers.add(whisper{d.typ, d.peer, d.row.Sender, d.row.MsgID}) // this device's next connection is not to hear it either
	}
	m.link.Request(protocol.OpSend, d.row.Key, body, m.self.Timeout(), func(a protocol.Answer, err error) {
		why := &transport.Error{Code: a.Code, Text: a.Desc}
		if err != nil {
			why = transport.AsError(err)
		}
		if why = why.Public(); why.Code != 0 {
			m.refusedOnline(d, why, done)
			return
		}
		var sent protocol.Sent
		_ = json.Unmarshal(a.Body, &sent) // its time matters, in a group the name card, and in a live room its number
		if d.live != conversation.NoGroup {
			m.self.Live.Said(d.peer, sent.Seq)
		}
		d.row.Status, d.row.Seq, d.row.ServerTime, d.row.Card = tim.MsgSendSucc, sent.Seq, sent.Time, sent.Card
		done(0, "", d.row.json(d.conversation(), m.self.User))
	})
}

// refusedOnline ends a message that is not stored, unless it came too early to a live room: then it goes out again.
func (m *Messages) refusedOnline(d *Draft, why *transport.Error, done event.Done) {
	refuse := func() {
		d.row.Status = tim.MsgSendFail
		m.Refuse(d, why, done)
	}
	early := why.Code == tim.ErrSVRGroupPermissionDeny && d.live != conversation.NoGroup
	if early && m.self.Live.Await(d.peer, func(back bool) {
		if back {
			m.requestOnline(d, done)
		} else {
			refuse()
		}
	}) {
		return
	}
	refuse()
}

// liveRoom says whether a conversation is a live room, and its type. Nothing of it is stored: it has neither a history nor a
// place in the list.
func (m *Messages) liveRoom(typ int, peer string) (groupType int, live bool) {
	if typ != tim.ConvGroup || m.self.Live == nil {
		return 0, false
	}
	return m.self.Live.Type(peer)
}

// Live says whether a conversation is a live room.
func (m *Messages) Live(typ int, peer string) bool {
	_, live := m.liveRoom(typ, peer)
	return live
}

// unkept answers a call that would store something of a live room.
func (m *Messages) unkept(typ int, peer string, done event.Done) bool {
	if !m.Live(typ, peer) {
		return false
	}
	done(tim.ErrSVRGroupInvalidParameters, "nothing of a live room is stored", "")
	return true
}

// Show shows the host messages of a live room, all at once. Those that are tips reach who listens to tips alone.
func (m *Messages) Show(groupType int, list []*protocol.Message) {
	var texts []string
	for _, msg := range list {
		row := received(0, msg)
		if m.emitTips(row) {
			continue
		}
		c := &conversation.Conversation{Type: tim.ConvGroup, Peer: msg.Group, GroupType: groupType, ReadSeq: msg.Seq}
		texts = append(texts, row.json(c, m.self.User))
	}
	if len(texts) > 0 {
		m.sink.Emit(event.Event{Setter: tim.OpTIMAddRecvNewMsgCallback, Args: []event.Arg{event.Text(array(texts))}})
	}
}

// emitTips tells the host of the tips that a message of the system carries and says whether there are any.
func (m *Messages) emitTips(row *Row) (some bool) {
	for _, text := range tipsOf(row) {
		m.sink.Emit(event.Event{Setter: tim.OpTIMSetGroupTipsEventCallback, Args: []event.Arg{event.Text(text)}})
		some = true
	}
	return some
}
