package message

import (
	"encoding/json"
	"sync"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// extensionsSeen remembers which state of a message's extensions this client has seen: a change names it, and the server
// refuses one that was made in ignorance of another.
type extensionsSeen struct {
	mu   sync.Mutex
	byID map[string]map[string]uint64 // message, key
}

// maxSeen bounds the messages that are remembered; what is forgotten is asked for again.
const maxSeen = 1000

// of returns what is known of a message, false when nothing is.
func (x *extensionsSeen) of(id, key string) (seq uint64, known bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	keys, known := x.byID[id]
	return keys[key], known
}

// all says that these are all extensions of the message.
func (x *extensionsSeen) all(id string, list []protocol.Extension) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.byID) >= maxSeen || x.byID == nil {
		x.byID = map[string]map[string]uint64{}
	}
	x.byID[id] = map[string]uint64{}
	for _, e := range list {
		x.byID[id][e.Key] = e.Seq
	}
}

// some takes over what became of some keys of a message that is remembered.
func (x *extensionsSeen) some(id string, set []protocol.Extension, del []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	keys, known := x.byID[id]
	if !known {
		return
	}
	for _, e := range set {
		keys[e.Key] = max(keys[e.Key], e.Seq)
	}
	for _, k := range del {
		delete(keys, k)
	}
}

// SetExtensions sets keys of a message.
func (m *Messages) SetExtensions(s Subject, list []protocol.Extension, done event.Done) {
	m.changeExtensions(s, protocol.SetExtensions{Set: list}, len(list), done)
}

// DeleteExtensions deletes keys of a message, all of them when none is named.
func (m *Messages) DeleteExtensions(s Subject, keys []string, done event.Done) {
	body := protocol.SetExtensions{Clear: len(keys) == 0}
	for _, k := range keys {
		body.Del = append(body.Del, protocol.Extension{Key: k})
	}
	m.changeExtensions(s, body, len(keys), done)
}

func (m *Messages) changeExtensions(s Subject, body protocol.SetExtensions, n int, done event.Done) {
	bad := s.Unknown()
	if bad == nil && n > model.MaxExtensionsCall {
		bad = &transport.Error{Code: tim.ErrInvalidParameters, Text: "at most 20 extensions a call"}
	}
	if bad == nil && !body.Clear {
		bad = m.knowExtensions(s, &body)
	}
	var a protocol.ExtensionsSet
	body.Target, body.Seq = s.target(), s.Seq
	if bad == nil {
		bad = m.ask(protocol.OpSetExtensions, m.newKey(), body, &a)
	}
	if bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	m.change(done, func(tx *store.Tx) (string, error) {
		return m.extensionResults(s, &a), m.pos.Applied(tx, group(s.Type, s.Peer), a.Pos)
	})
}

// knowExtensions fills in which state of the keys the change is based on.
func (m *Messages) knowExtensions(s Subject, body *protocol.SetExtensions) *transport.Error {
	if _, known := m.seenExt.of(s.ID, ""); !known {
		if _, bad := m.askExtensions(s); bad != nil {
			return bad
		}
	}
	for _, list := range [][]protocol.Extension{body.Set, body.Del} {
		for i := range list {
			list[i].Seq, _ = m.seenExt.of(s.ID, list[i].Key)
		}
	}
	return nil
}

func (m *Messages) extensionResults(s Subject, a *protocol.ExtensionsSet) string {
	texts := make([]string, len(a.Results))
	for i, r := range a.Results {
		if r.Code == tim.ErrSVRMsgExtensionNotExist || r.Seq == 0 {
			m.seenExt.some(s.ID, nil, []string{r.Key})
		} else {
			m.seenExt.some(s.ID, []protocol.Extension{r.Extension}, nil)
		}
		w := writer{b: []byte{'{'}}
		w.raw(tim.KeyMsgExtensionItem, extension(r.Extension))
		w.num(tim.KeyMsgExtensionResultCode, int64(r.Code))
		w.text(tim.KeyMsgExtensionResultInfo, extensionTexts[r.Code])
		texts[i] = string(append(w.b, '}'))
	}
	return array(texts)
}

var extensionTexts = map[int]string{
	tim.ErrSVRMsgExtensionConflict: "somebody else changed this extension meanwhile",
	tim.ErrSVRMsgExtensionNotExist: "there is no such extension",
	tim.ErrInvalidParameters:       "the message has too many extensions",
}

func extension(e protocol.Extension) string {
	w := writer{b: []byte{'{'}}
	w.text(tim.KeyMsgExtensionKey, e.Key)
	w.text(tim.KeyMsgExtensionValue, e.Value)
	return string(append(w.b, '}'))
}

func extensions(list []protocol.Extension) string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = extension(e)
	}
	return array(texts)
}

// Extensions answers a message's extensions.
func (m *Messages) Extensions(s Subject, done event.Done) {
	bad := s.Unknown()
	var list []protocol.Extension
	if bad == nil {
		list, bad = m.askExtensions(s)
	}
	if bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	done(0, "", extensions(list))
}

func (m *Messages) askExtensions(s Subject) ([]protocol.Extension, *transport.Error) {
	var a protocol.Extensions
	if bad := m.ask(protocol.OpExtensions, "", protocol.Seqs{Target: s.target(), Seqs: []uint64{s.Seq}}, &a); bad != nil {
		return nil, bad
	}
	m.seenExt.all(s.ID, a.List)
	return a.List, nil
}

// extended applies that somebody changed extensions, and tells the host.
func (m *Messages) extended(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.ExtensionChange
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	id, err := m.idOf(tx, entry)
	if id == "" || err != nil {
		return err
	}
	tx.After(func() {
		m.seenExt.some(id, d.Set, d.Del)
		if len(d.Set) > 0 {
			m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgExtensionsChangedCallback,
				Args: []event.Arg{event.Text(id), event.Text(extensions(d.Set))}})
		}
		if len(d.Del) > 0 {
			m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgExtensionsDeletedCallback,
				Args: []event.Arg{event.Text(id), event.Text(extensionKeys(d.Del))}})
		}
	})
	return nil
}

func extensionKeys(keys []string) string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		w := writer{b: []byte{'{'}}
		w.text(tim.KeyMsgExtensionKey, k)
		texts[i] = string(append(w.b, '}'))
	}
	return array(texts)
}

// idOf is the public id of the message that an entry is about, "" when the message is not here.
func (m *Messages) idOf(q sqlite.Queryer, entry *protocol.Entry) (id string, err error) {
	typ, peer := named(entry)
	c, err := conversation.Find(q, typ, peer)
	if c == nil || err != nil {
		return "", err
	}
	_, err = q.Get(`SELECT msg_id FROM message WHERE conv=? AND seq=?`, []any{&id}, c.ID, int64(entry.Seq))
	return id, err
}
