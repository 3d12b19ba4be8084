package message

import (
	"maps"
	"slices"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// ParseFlags reads an ExtReceiveOptParam.
func ParseFlags(v gjson.Result) (f protocol.SetReceiveFlags, why *transport.Error) {
	id, typ := v.Get(tim.KeyExtOptConvId).String(), int(v.Get(tim.KeyExtOptConvType).Int())
	switch {
	case typ == tim.ConvInvalid && id == "":
	case typ == tim.ConvC2C && id != "" || typ == tim.ConvGroup && id != "":
		f.Target = target(typ, id)
	default:
		return f, &transport.Error{Code: tim.ErrInvalidParameters, Text: "a user or a group is needed, or neither for everything"}
	}
	for key, field := range map[string]**bool{tim.KeyExtOptNoDisturb: &f.NoDisturb, tim.KeyExtOptShield: &f.Shield} {
		given := v.Get(key)
		if !given.Exists() {
			continue
		}
		if !given.IsBool() {
			return f, &transport.Error{Code: tim.ErrInvalidParameters, Text: key + " must be true or false"}
		}
		on := given.Bool()
		*field = &on
	}
	if typ == tim.ConvInvalid && f.Shield != nil {
		return f, &transport.Error{Code: tim.ErrInvalidParameters, Text: "only a user or a group can be shielded"}
	}
	if f.NoDisturb == nil && f.Shield == nil {
		return f, &transport.Error{Code: tim.ErrInvalidParameters, Text: "nothing is to be changed"}
	}
	return f, nil
}

// SetFlags turns the switches that a receive option is made of.
func (m *Messages) SetFlags(f protocol.SetReceiveFlags, done event.Done) {
	if bad := m.ask(protocol.OpReceiveOption, m.newKey(), f, nil); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	done(0, "", "")
}

// Flags answers where such a switch is on.
func (m *Messages) Flags(done event.Done) {
	var a protocol.AllReceiveFlags
	if bad := m.ask(protocol.OpAllOptions, "", struct{}{}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	w := writer{b: []byte{'{'}}
	w.raw(tim.KeyExtOptGlobal, flags("", a.All))
	w.raw(tim.KeyExtOptUserArray, flagsOf(a.Users))
	w.raw(tim.KeyExtOptGroupArray, flagsOf(a.Groups))
	done(0, "", string(append(w.b, '}')))
}

func flagsOf(all map[string]protocol.ReceiveFlags) string {
	var texts []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		texts = append(texts, flags(id, all[id]))
	}
	return array(texts)
}

func flags(id string, f protocol.ReceiveFlags) string {
	w := writer{b: []byte{'{'}}
	if id != "" {
		w.text(tim.KeyExtOptId, id)
	}
	w.flag(tim.KeyExtOptNoDisturb, f.NoDisturb)
	w.flag(tim.KeyExtOptShield, f.Shield)
	return string(append(w.b, '}'))
}
