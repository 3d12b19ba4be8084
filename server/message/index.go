package message

import (
	"errors"

	"github.com/tidwall/gjson"

	"timbre/protocol"
	"timbre/search"
	"timbre/sqlite"
)

// indexName is what the tables of the search index begin with.
const indexName = "msg_search"

// IndexSchema is the search index of the messages.
func IndexSchema() sqlite.Schema { return search.Schema(indexName) }

// indexPiece is how many messages one transaction indexes, so that none holds up those who send.
const indexPiece = 64

// indexConv is the number of a conversation in the index: pairs have the even ones and groups the odd ones.
func indexConv(conv int64) int64 {
	if conv < 0 {
		return -conv<<1 | 1
	}
	return conv << 1
}

// convOf is the inverse of indexConv.
func convOf(n int64) int64 {
	if n&1 == 1 {
		return -(n >> 1)
	}
	return n >> 1
}

// indexRow is the number of a message in the index, and the constants are SQL that takes it apart.
func indexRow(conv int64, seq uint64) int64 { return indexConv(conv)<<32 | int64(seq) }

const (
	rowConv = `((hit.row>>33)*(1-2*((hit.row>>32)&1)))`
	rowSeq  = `(hit.row&4294967295)`
)

func seqOfRow(row int64) uint64 { return uint64(row & (1<<32 - 1)) }

// indexed returns up to where a conversation is in the index, and its newest message.
func indexed(q sqlite.Queryer, conv int64) (upto, newest uint64, err error) {
	if conv < 0 {
		_, err = q.Get(`SELECT indexed_seq, max_seq FROM room WHERE gid=?`, []any{&upto, &newest}, -conv)
		return upto, newest, err
	}
	_, err = q.Get(`SELECT indexed_seq, max_seq FROM pair WHERE id=?`, []any{&upto, &newest}, conv)
	return upto, newest, err
}

func setIndexed(tx *sqlite.Tx, conv int64, seq uint64) error {
	if conv < 0 {
		return tx.Exec(`UPDATE room SET indexed_seq=? WHERE gid=?`, int64(seq), -conv)
	}
	return tx.Exec(`UPDATE pair SET indexed_seq=? WHERE id=?`, int64(seq), conv)
}

// IndexSome indexes the next messages of these conversations, a piece of work that is short. It returns the
// conversations that have more.
func (m *Messages) IndexSome(tx *sqlite.Tx, convs []int64) (left []int64, err error) {
	room := indexPiece
	for i, conv := range convs {
		if room <= 0 {
			return convs[i:], nil
		}
		n, more, err := m.indexNext(tx, conv, room)
		if err != nil {
			return nil, err
		}
		if more {
			return convs[i:], nil
		}
		room -= n + 1 // to look at a conversation is work too
	}
	return nil, nil
}

// indexNext indexes at most limit messages of a conversation.
func (m *Messages) indexNext(tx *sqlite.Tx, conv int64, limit int) (n int, more bool, err error) {
	upto, newest, err := indexed(tx, conv)
	if err != nil {
		return 0, false, err
	}
	was := upto
	list, err := unindexed(tx, conv, upto, limit)
	for i := 0; i < len(list) && err == nil; i++ {
		s := list[i]
		upto = s.Seq
		err = m.put(tx, conv, s)
	}
	if err != nil {
		return 0, false, err
	}
	if more = len(list) == limit && upto < newest; !more {
		upto = max(upto, newest) // what is missing is gone
	}
	if upto > was {
		err = setIndexed(tx, conv, upto)
	}
	return len(list), more, err
}

func unindexed(tx *sqlite.Tx, conv int64, after uint64, limit int) (list []*protocol.Message, err error) {
	err = tx.Query(`SELECT seq, time, content FROM msg WHERE pair=? AND seq>? ORDER BY seq LIMIT ?`, func(scan func(...any) error) error {
		s := &protocol.Message{}
		list = append(list, s)
		return scan(&s.Seq, &s.Time, &s.Content)
	}, conv, int64(after), limit)
	return list, err
}

// put makes a message findable by what it says now.
func (m *Messages) put(tx *sqlite.Tx, conv int64, s *protocol.Message) error {
	text := search.Text(gjson.GetBytes(s.Content, protocol.ContentElements))
	return inRange(m.search.Put(tx, search.Doc{Conv: indexConv(conv), Place: int64(s.Seq), Row: indexRow(conv, s.Seq), Time: s.Time}, text))
}

// reindex keeps the index right for a message that has changed. One that is not in it yet follows later.
func (m *Messages) reindex(tx *sqlite.Tx, conv int64, s *protocol.Message) error {
	upto, _, err := indexed(tx, conv)
	if err != nil || s.Seq > upto {
		return err
	}
	return m.put(tx, conv, s)
}

// unindex takes the messages up to seq out of the index.
func (m *Messages) unindex(tx *sqlite.Tx, conv int64, seq uint64) error {
	return inRange(m.search.RemoveSpan(tx, search.Span{Conv: indexConv(conv), To: int64(min(seq, search.MaxPlace))}))
}

// inRange passes over what has too large a number for the index, the billionth conversation: it is not found, and
// everything else goes on.
func inRange(err error) error {
	if errors.Is(err, search.ErrRange) {
		return nil
	}
	return err
}
