package changelog

import (
	"slices"

	"timbre/protocol"
	"timbre/sqlite"
)

// Messages finds the messages that a log points to.
type Messages interface {
	// Between calls fn for every message of a conversation with lo <= seq <= hi that the viewer may see, in ascending
	// order, until fn returns false.
	Between(q sqlite.Queryer, viewer, conv int64, lo, hi uint64, fn func(*protocol.Message) bool) error
	// Newest returns the newest number of a group's messages.
	Newest(q sqlite.Queryer, conv int64) (uint64, error)
	// Gone returns a message that the viewer could see if he had not deleted it, nil when there is none, and whether it
	// was his own.
	Gone(q sqlite.Queryer, viewer, conv int64, seq uint64) (msg *protocol.Message, own bool, err error)
}

// Reader answers what happened since.
type Reader struct {
	epoch    string
	messages Messages
}

// NewReader returns a reader of the logs of this epoch.
func NewReader(epoch string, messages Messages) *Reader { return &Reader{epoch, messages} }

// Epoch names the logs: positions of other epochs mean nothing here.
func (r *Reader) Epoch() string { return r.epoch }

// Head returns the newest committed position.
func Head(q sqlite.Queryer, uid int64) (pos uint64, err error) {
	_, err = q.Get(selectHead, []any{&pos}, uid)
	return pos, err
}

// maxAnswer keeps an answer well under the longest line.
const maxAnswer = protocol.MaxLine * 3 / 4

// Diff returns the body of the answer to OpDiff for a log that the viewer may read: his own or a group's.
func (r *Reader) Diff(q sqlite.Queryer, viewer, owner int64, d protocol.Diff) ([]byte, error) {
	head, err := Head(q, owner)
	if err != nil {
		return nil, err
	}
	if d.Epoch != r.epoch || d.Pos > head || d.Pos < Oldest(owner, head) {
		return protocol.TooLongLog(r.epoch), nil
	}
	limit := protocol.MaxDiff
	if d.Limit > 0 && d.Limit < limit {
		limit = d.Limit
	}
	pointers, whole, err := r.pointers(q, owner, d.Pos, limit)
	if err == nil && (!whole || len(pointers) == 0 && d.Pos < head) {
		return protocol.TooLongLog(r.epoch), nil // the log was cut behind that position
	}
	if err == nil && d.Newest && owner < 0 {
		err = r.leaveOutOlder(q, owner, pointers)
	}
	if err != nil {
		return nil, err
	}
	entries, err := r.resolve(q, viewer, owner, d.Group, pointers)
	if err != nil {
		return nil, err
	}
	return protocol.AppendLog(nil, r.epoch, d.Group, d.Pos+1, head, entries), nil
}

// leaveOutOlder empties the pointers to new messages of a group, except to the newest one.
func (r *Reader) leaveOutOlder(q sqlite.Queryer, conv int64, pointers []Pointer) error {
	newest, err := r.messages.Newest(q, conv)
	for i := range pointers {
		if p := &pointers[i]; p.Kind == protocol.EntryMessage && p.Seq != newest {
			*p = Pointer{Kind: protocol.EntryNone}
		}
	}
	return err
}

// pointers reads what follows pos, and says whether nothing is missing in between. The first row may begin before: its entries
// up to pos are known to the client.
func (r *Reader) pointers(q sqlite.Queryer, uid int64, pos uint64, limit int) (list []Pointer, whole bool, err error) {
	whole = true
	err = q.Query(`SELECT pos, n, entries FROM change_log WHERE uid=? AND pos>? ORDER BY pos LIMIT ?`,
		func(scan func(...any) error) error {
			var last, n uint64
			var entries []byte
			if len(list) >= limit {
				return nil
			}
			if err := scan(&last, &n, &entries); err != nil {
				return err
			}
			at := pos + uint64(len(list))
			if whole = whole && last-n <= at; whole {
				list = append(list, parsePointers(entries)[at+n-last:]...)
			}
			return nil
		}, uid, int64(pos), limit)
	return list[:min(len(list), limit)], whole, err
}

// resolve makes the entries, as many as fit into an answer. A message that is gone leaves an empty entry, because its
// position counts, and so does what happened in a group to a message that the viewer may not see.
func (r *Reader) resolve(q sqlite.Queryer, viewer, owner int64, group string, pointers []Pointer) ([][]byte, error) {
	for i := range pointers {
		if owner < 0 && pointers[i].beside() {
			pointers[i].Conv = owner
		}
	}
	found, err := r.find(q, viewer, pointers)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	size := 0
	for i := range pointers {
		e := pointers[i].Entry()
		m, visible := found[ref{pointers[i].Conv, pointers[i].Seq}]
		switch {
		case pointers[i].Conv != 0 && !visible:
			if e, err = r.unseen(q, viewer, group, &pointers[i]); err != nil {
				return nil, err
			}
		case pointers[i].message():
			e.Message = m
		}
		entry := e.Append(nil)
		if size += len(entry); size > maxAnswer && len(entries) > 0 {
			break
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// unseen is what stands in the place of a message that the viewer does not see: nothing, unless he deleted it and a device
// that never saw it has to count it.
func (r *Reader) unseen(q sqlite.Queryer, viewer int64, group string, p *Pointer) (protocol.Entry, error) {
	none := protocol.Entry{Kind: protocol.EntryNone}
	if p.Kind != protocol.EntryMessage {
		return none, nil
	}
	msg, own, err := r.messages.Gone(q, viewer, p.Conv, p.Seq)
	if msg == nil || own && group == "" || err != nil {
		return none, err
	}
	gone := protocol.Entry{Kind: protocol.EntryGone, Group: group, Seq: p.Seq, Count: msg.Count, Time: msg.Time}
	switch {
	case group == "":
		gone.Peer = msg.From
	case own:
		gone.Data = protocol.Marshal(protocol.OwnMessage{Own: msg.Own})
	}
	return gone, nil
}

type ref struct {
	conv int64
	seq  uint64
}

// span is a stretch of a conversation.
type span struct {
	conv   int64
	lo, hi uint64
}

// spans returns what has to be read. New messages of a conversation follow each other, because every one of them is in the
// log; changed ones lie anywhere.
func spans(pointers []Pointer) (list []span) {
	fresh := map[int64]span{}
	for _, p := range pointers {
		switch p.Kind {
		case protocol.EntryUpdate, protocol.EntryExtensions, protocol.EntryReaction, protocol.EntryPin:
			if one := (span{p.Conv, p.Seq, p.Seq}); p.Conv != 0 && !slices.Contains(list, one) {
				list = append(list, one)
			}
		case protocol.EntryMessage:
			if s, ok := fresh[p.Conv]; ok {
				fresh[p.Conv] = span{p.Conv, min(s.lo, p.Seq), max(s.hi, p.Seq)}
			} else {
				fresh[p.Conv] = span{p.Conv, p.Seq, p.Seq}
			}
		}
	}
	for _, s := range fresh {
		list = append(list, s)
	}
	return list
}

func (r *Reader) find(q sqlite.Queryer, viewer int64, pointers []Pointer) (map[ref]protocol.Message, error) {
	found := map[ref]protocol.Message{}
	for _, s := range spans(pointers) {
		err := r.messages.Between(q, viewer, s.conv, s.lo, s.hi, func(m *protocol.Message) bool {
			found[ref{s.conv, m.Seq}] = *m
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
