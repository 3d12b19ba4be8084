package changelog

import (
	"timbre/protocol"
	"timbre/sqlite"
)

// Messages finds the messages that a log points to.
type Messages interface {
	// Between calls fn for every message of a conversation with lo <= seq <= hi, in ascending order, until fn returns
	// false.
	Between(q sqlite.Queryer, pair int64, lo, hi uint64, fn func(*protocol.Message) bool) error
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

// Diff returns the body of the answer to OpDiff.
func (r *Reader) Diff(q sqlite.Queryer, uid int64, d protocol.Diff) ([]byte, error) {
	head, err := Head(q, uid)
	if err != nil {
		return nil, err
	}
	if d.Epoch != r.epoch || d.Pos > head || d.Pos < Oldest(head) {
		return protocol.TooLongLog(r.epoch), nil
	}
	limit := protocol.MaxDiff
	if d.Limit > 0 && d.Limit < limit {
		limit = d.Limit
	}
	pointers, err := r.pointers(q, uid, d.Pos, limit)
	if err != nil {
		return nil, err
	}
	entries, err := r.resolve(q, pointers)
	if err != nil {
		return nil, err
	}
	return protocol.AppendLog(nil, r.epoch, d.Pos+1, head, entries), nil
}

// pointers reads what follows pos. The first row may begin before: its entries up to pos are known to the client.
func (r *Reader) pointers(q sqlite.Queryer, uid int64, pos uint64, limit int) (list []Pointer, err error) {
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
			known := pos + uint64(len(list)) + n - last
			list = append(list, parsePointers(entries)[known:]...)
			return nil
		}, uid, int64(pos), limit)
	return list[:min(len(list), limit)], err
}

// resolve makes the entries, as many as fit into an answer. A message that is gone leaves an empty entry, because its
// position counts.
func (r *Reader) resolve(q sqlite.Queryer, pointers []Pointer) ([][]byte, error) {
	found, err := r.find(q, pointers)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	size := 0
	for i := range pointers {
		e := pointers[i].Entry()
		if e.Kind == protocol.EntryMessage {
			e.Kind = protocol.EntryNone
			if m, ok := found[ref{pointers[i].Pair, pointers[i].Seq}]; ok {
				e.Kind, e.Message = protocol.EntryMessage, m
			}
		}
		entry := e.Append(nil)
		if size += len(entry); size > maxAnswer && len(entries) > 0 {
			break
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

type ref struct {
	pair int64
	seq  uint64
}

// find reads the messages, one range per conversation: every message of a conversation is in the logs of both users, so
// a piece of a log holds whole stretches of it.
func (r *Reader) find(q sqlite.Queryer, pointers []Pointer) (map[ref]protocol.Message, error) {
	type span struct{ lo, hi uint64 }
	spans := map[int64]span{}
	for _, p := range pointers {
		if p.Kind != protocol.EntryMessage {
			continue
		}
		if s, ok := spans[p.Pair]; ok {
			spans[p.Pair] = span{min(s.lo, p.Seq), max(s.hi, p.Seq)}
		} else {
			spans[p.Pair] = span{p.Seq, p.Seq}
		}
	}
	found := map[ref]protocol.Message{}
	for pair, s := range spans {
		err := r.messages.Between(q, pair, s.lo, s.hi, func(m *protocol.Message) bool {
			found[ref{pair, m.Seq}] = *m
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
