package message

import (
	"encoding/json"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// SetOption changes how this user receives: from other users, in a group, or everything.
func (m *Messages) SetOption(o protocol.SetOption, done event.Done) {
	if len(o.Peers) > model.MaxOptionUsers {
		done(tim.ErrInvalidParameters, "at most 30 users a call", "")
		return
	}
	if bad := m.ask(protocol.OpSetOption, m.newKey(), o, nil); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	done(0, "", "")
}

// Options answers how this user receives from others.
func (m *Messages) Options(users []string, done event.Done) {
	var a protocol.Options
	if bad := m.ask(protocol.OpOptions, "", protocol.Users{Names: users}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	texts := make([]string, len(users))
	for i, u := range users {
		w := writer{b: []byte{'{'}}
		w.text(tim.KeyMsgGetC2CRecvMsgOptResultIdentifier, u)
		w.num(tim.KeyMsgGetC2CRecvMsgOptResultOpt, int64(a.Peers[u]))
		texts[i] = string(append(w.b, '}'))
	}
	done(0, "", array(texts))
}

// AllOption answers how this user receives at certain times.
func (m *Messages) AllOption(done event.Done) {
	var a protocol.Options
	if bad := m.ask(protocol.OpOptions, "", protocol.Users{}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	if a.All == nil {
		a.All = &protocol.AllOption{}
	}
	done(0, "", "["+allOption(a.All)+"]")
}

func allOption(o *protocol.AllOption) string {
	w := writer{b: []byte{'{'}}
	w.num(tim.KeyMsgAllRecvMsgDuration, o.Duration)
	w.num(tim.KeyMsgAllRecvMsgOptLevel, int64(o.Option))
	w.num(tim.KeyMsgAllRecvMsgOptStartHour, int64(o.Hour))
	w.num(tim.KeyMsgAllRecvMsgOptStartMinute, int64(o.Minute))
	w.num(tim.KeyMsgAllRecvMsgOptStartSecond, int64(o.Second))
	w.num(tim.KeyMsgAllRecvMsgOptStartTimeStamp, o.Start)
	return string(append(w.b, '}'))
}

// optionChanged applies a receive option that this user set on some device.
func (m *Messages) optionChanged(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.OptionChange
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	if d.All != nil {
		text := allOption(d.All)
		tx.After(func() {
			m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgAllMessageReceiveOptionCallback, Args: []event.Arg{event.Text(text)}})
		})
		return nil
	}
	typ, peer := named(entry)
	e, err := m.book.Open(tx, typ, peer)
	if err != nil || e.Option == d.Option {
		return err
	}
	e.Option = d.Option
	e.Touch(tx, false)
	if typ == tim.ConvGroup {
		m.reportOption(tx, e)
	}
	return nil
}
