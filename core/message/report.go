package message

import (
	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model"
	"timbre/model/tim"
)

// Announce tells the host what the server says to this user alone: a message of the system that belongs to no conversation and
// stands in no history. at is when it was said, in milliseconds.
func (m *Messages) Announce(elements string, at int64) {
	row := &Row{Sender: model.SystemSender, ClientTime: at / 1000, ServerTime: at, Rand: m.rand.Add(1),
		Status: tim.MsgSendSucc, Unread: -1, Elements: elements}
	row.MsgID = m.newID(row.Sender, row.ClientTime, row.Rand)
	text := "[" + row.json(&conversation.Conversation{Type: tim.ConvSystem, GroupType: conversation.NoGroup}, m.self.User) + "]"
	m.sink.Emit(event.Event{Setter: tim.OpTIMAddRecvNewMsgCallback, Args: []event.Arg{event.Text(text)}})
}

// reportOption tells the host of a group's new receive option the way the interface does: as a report.
func (m *Messages) reportOption(tx *store.Tx, e *conversation.Entry) {
	m.reportOwn(tx, e.Peer, tim.GroupReportGroupMessageRecvOption, int64(e.Option), m.self.Now().UnixMilli())
}

// reportRead tells the host that the user has read a group on another device, likewise.
func (m *Messages) reportRead(tx *store.Tx, e *conversation.Entry, at int64) {
	m.reportOwn(tx, e.Peer, tim.GroupReportReadReport, int64(e.Option), at)
}

// reportOwn tells the host what this user himself has done on some device.
func (m *Messages) reportOwn(tx *store.Tx, group string, kind int, option, at int64) {
	w := writer{b: []byte{'{'}}
	w.num(tim.KeyElemType, tim.ElemGroupReport)
	w.num(tim.KeyGroupReportElemReportType, int64(kind))
	w.text(tim.KeyGroupReportElemGroupId, group)
	w.text(tim.KeyGroupReportElemOpUser, m.self.User)
	w.num(tim.KeyGroupReportElemGroupMessageReceiveOption, option)
	elements := "[" + string(append(w.b, "}]"...))
	tx.After(func() { m.Announce(elements, at) })
}
