package converge_test

import (
	"fmt"
	"sync"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/message"
	"timbre/model/tim"
)

// host is an application: what it knows from events and answers alone.
type host struct {
	self  string
	fresh bool // nothing was on the device when it logged in

	mu        sync.Mutex
	msgs      map[string]fact   // by id
	convs     map[string]string // JSON by type and id
	announced map[string]bool   // ids that came as new messages, in all lives of the device
	twice     []string
	wrong     []string                   // events that make no sense
	kicked    int                        // times that another device took this one's place
	total     *uint64                    // unread messages in all, when an event has said so
	filtered  map[string]uint64          // unread messages by filter, likewise
	groups    map[string]map[string]bool // conversation groups and what stands in them
	finished  int                        // times that the conversations were brought up to date
}

func newHost(self string, announced map[string]bool) *host {
	return &host{self: self, msgs: map[string]fact{}, convs: map[string]string{}, announced: announced,
		filtered: map[string]uint64{}, groups: map[string]map[string]bool{}}
}

// Waiting implements event.Sink.
func (h *host) Waiting() int { return 0 }

// Emit implements event.Sink.
func (h *host) Emit(e event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e.Setter {
	case tim.OpTIMAddRecvNewMsgCallback:
		for _, m := range gjson.Parse(e.Args[0].Text).Array() {
			id := m.Get(tim.KeyMsgMsgId).String()
			if h.announced[id] {
				h.twice = append(h.twice, id)
			}
			h.announced[id] = true
			h.learn(m)
		}
	case tim.OpTIMSetMsgUpdateCallback:
		for _, m := range gjson.Parse(e.Args[0].Text).Array() {
			h.learn(m)
		}
	case tim.OpTIMSetMsgRevokeCallback:
		for _, m := range gjson.Parse(e.Args[0].Text).Array() {
			h.revoked(m.Get(tim.KeyMsgMsgId).String())
		}
	case tim.OpTIMSetMsgReadedReceiptCallback:
		for _, r := range gjson.Parse(e.Args[0].Text).Array() {
			h.receipt(r)
		}
	case tim.OpTIMSetKickedOfflineCallback:
		h.kicked++
	case tim.OpTIMSetConvEventCallback:
		if e.Args[0].Num == tim.ConvEventFinish {
			h.finished++
		}
		for _, c := range gjson.Parse(e.Args[1].Text).Array() {
			h.conversation(e.Args[0].Num, c)
		}
	default:
		h.attributed(e)
	}
}

// times is how often the conversations were brought up to date.
func (h *host) times() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.finished
}

// attributed takes over what users attach to conversations, and the totals. h.mu is held.
func (h *host) attributed(e event.Event) {
	switch e.Setter {
	case tim.OpTIMSetConvTotalUnreadMessageCountChangedCallback:
		total := e.Args[0].Num
		h.total = &total
	case tim.OpTIMSetConvUnreadMessageCountChangedByFilterCallback:
		h.filtered[filterOf(gjson.Parse(e.Args[0].Text)).String()] = e.Args[1].Num
	case tim.OpTIMSetConvConversationGroupCreatedCallback:
		h.groups[e.Args[0].Text] = map[string]bool{}
		h.grouped(e, true)
	case tim.OpTIMSetConvConversationGroupDeletedCallback:
		delete(h.groups, e.Args[0].Text)
	case tim.OpTIMSetConvConversationGroupNameChangedCallback:
		h.groups[e.Args[1].Text] = h.groups[e.Args[0].Text]
		delete(h.groups, e.Args[0].Text)
	case tim.OpTIMSetConvConversationsAddedToGroupCallback:
		h.grouped(e, true)
	case tim.OpTIMSetConvConversationsDeletedFromGroupCallback:
		h.grouped(e, false)
	}
}

// grouped puts conversations into a group or takes them out. h.mu is held.
func (h *host) grouped(e event.Event, in bool) {
	set := h.groups[e.Args[0].Text]
	if set == nil {
		h.wrong = append(h.wrong, fmt.Sprintf("%s for a group that nobody has heard of: %s", e.Setter, e.Args[0].Text))
		return
	}
	for _, c := range gjson.Parse(e.Args[1].Text).Array() {
		if in {
			set[keyOf(c)] = true
		} else {
			delete(set, keyOf(c))
		}
	}
}

// filterOf reads the three keys of a filter that tell subscriptions apart.
func filterOf(v gjson.Result) (f filter) {
	f.typ = int(v.Get(tim.KeyConversationListFilterConvType).Int())
	if g := v.Get(tim.KeyConversationListFilterConversationGroup); g.Exists() {
		f.group = &g.Str
	}
	if m := v.Get(tim.KeyConversationListFilterMarkType); m.Exists() {
		mark := m.Uint()
		f.mark = &mark
	}
	return f
}

func (h *host) conversation(kind uint64, c gjson.Result) {
	key := keyOf(c)
	_, known := h.convs[key]
	if known != (kind != tim.ConvEventAdd) {
		h.wrong = append(h.wrong, fmt.Sprintf("event %d for %s, which was listed: %v", kind, key, known))
	}
	if kind == tim.ConvEventDel {
		delete(h.convs, key)
		return
	}
	h.convs[key] = c.Raw
	if last := c.Get(tim.KeyConvLastMsg); last.Exists() {
		h.learn(last)
	}
}

func keyOf(c gjson.Result) string {
	return fmt.Sprint(c.Get(tim.KeyConvType).Int(), " ", c.Get(tim.KeyConvId).String())
}

// revoked notes that nothing is left of a message. h.mu is held.
func (h *host) revoked(id string) {
	f := h.msgs[id]
	f.ID, f.Status = id, tim.MsgRevoked
	h.msgs[id] = f
}

// receipt notes who has confirmed a message. h.mu is held.
func (h *host) receipt(r gjson.Result) {
	id := r.Get(tim.KeyMsgReceiptMsgId).String()
	if id == "" {
		return
	}
	f := h.msgs[id]
	f.ID = id
	f.PeerRead = f.PeerRead || r.Get(tim.KeyMsgReceiptIsPeerRead).Bool()
	f.Read = max(f.Read, r.Get(tim.KeyMsgReceiptReadCount).Uint())
	h.msgs[id] = f
}

// tell lets the host see messages that an answer brings.
func (h *host) tell(json string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := gjson.Parse(json)
	if v.IsObject() {
		h.learn(v)
		return
	}
	for _, m := range v.Array() {
		h.learn(m)
	}
}

// rank is how final a status is: what was asked before an event may be answered after it.
func rank(status int) int {
	switch status {
	case tim.MsgRevoked:
		return 3
	case tim.MsgSendSucc:
		return 2
	case tim.MsgSending:
		return 0
	}
	return 1
}

// learn takes over what is newer. h.mu is held.
func (h *host) learn(m gjson.Result) {
	f := factOf(m, h.self)
	if f.ID == "" {
		return
	}
	old, known := h.msgs[f.ID]
	if known {
		f.Read, f.PeerRead = max(f.Read, old.Read), f.PeerRead || old.PeerRead
		if rank(old.Status) > rank(f.Status) {
			f.Status = old.Status
		}
		if old.Version > f.Version {
			f.Version, f.Elements, f.Cloud = old.Version, old.Elements, old.Cloud
		}
	}
	h.msgs[f.ID] = f
}

// begin is what the host reads before it logs in.
func (h *host) begin(convs []gjson.Result, msgs []gjson.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fresh = len(convs) == 0
	for _, c := range convs {
		h.convs[keyOf(c)] = c.Raw
	}
	for _, m := range msgs {
		h.learn(m)
	}
}

// agrees holds what the host knows against what the client answers.
func (h *host) agrees(convs, local []gjson.Result) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.twice) > 0 {
		return fmt.Errorf("announced twice: %q", h.twice)
	}
	if len(h.wrong) > 0 {
		return fmt.Errorf("events that make no sense: %q", h.wrong)
	}
	if len(convs) != len(h.convs) {
		return fmt.Errorf("the events left %d conversations, the list has %d", len(h.convs), len(convs))
	}
	for _, c := range convs {
		if told := h.convs[keyOf(c)]; told != c.Raw {
			return fmt.Errorf("conversation %s by events\n%s\nby the list\n%s", keyOf(c), told, c.Raw)
		}
	}
	for _, v := range local {
		is := factOf(v, h.self)
		told, known := h.msgs[is.ID]
		// Nobody is told of what was revoked before it came, and of own ones among the unread that a new device gets.
		if !known && (is.Status == tim.MsgRevoked || h.fresh && is.Sender == h.self) {
			continue
		}
		if !known {
			return fmt.Errorf("nothing told of the message %+v", is)
		}
		if is.Status == tim.MsgRevoked && told.Status == tim.MsgRevoked { // the event says no more of it
			told.Version, told.Elements, told.Cloud, told.Read, told.PeerRead = is.Version, is.Elements, is.Cloud, is.Read, is.PeerRead
		}
		if told.Seq = is.Seq; told.Sender == "" { // known by its revocation or its receipts
			told.Sender = is.Sender
		}
		if told != is {
			return fmt.Errorf("a message by events\n%+v\nby the history\n%+v", told, is)
		}
	}
	return nil
}

func conversations(m *message.Messages) []gjson.Result {
	text := "[]"
	m.Conversations(func(_ int, _, json string) { text = json })
	return gjson.Parse(text).Array()
}
