package message

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/search"
	"timbre/sqlite"
)

// searchName is what the tables of the search index begin with.
const searchName = "search"

// SearchSchema holds the search index of the messages.
var SearchSchema = search.Schema(searchName)

// metaIndexed is up to which row messages are in the index.
const metaIndexed = "indexed"

// Indexing costs more than storing, so new messages are indexed a moment later, when nobody waits, or when somebody
// searches. What is in the index is kept right at once.
const (
	indexPause = 500 * time.Millisecond // after the last new message
	indexBatch = 200                    // rows in one transaction
)

// indexed is how far the index has come, as one batch sees it.
type indexed struct {
	upto  int64
	dirty bool
	err   error
}

// Flush implements sqlite.Flusher.
func (x *indexed) Flush(tx *sqlite.Tx) error {
	if x.err != nil || !x.dirty {
		return x.err
	}
	return store.SetMeta(tx, metaIndexed, strconv.FormatInt(x.upto, 10))
}

type indexedOf struct{ m *Messages }

func (m *Messages) indexed(tx *sqlite.Tx) *indexed {
	return tx.Batch(indexedOf{m}, func() sqlite.Flusher {
		x := &indexed{}
		text, err := store.Meta(tx, metaIndexed)
		if x.err = err; err == nil && text != "" {
			x.upto, x.err = strconv.ParseInt(text, 10, 64)
		}
		return x
	}).(*indexed)
}

// index keeps the index right for a row that has changed. New rows follow later.
func (m *Messages) index(tx *store.Tx, r *Row) error {
	if x := m.indexed(tx.Tx); r.ID > x.upto {
		m.indexer.wake()
		return x.err
	}
	return m.put(tx.Tx, r)
}

func (m *Messages) put(tx *sqlite.Tx, r *Row) error {
	text := ""
	if r.Status != tim.MsgDeleted && r.Status != tim.MsgRevoked {
		text = search.Text(gjson.Parse(r.Elements))
	}
	return m.search.Put(tx, search.Doc{Conv: r.Conv, Place: r.Sort - 1, Row: r.ID, Time: r.moment()}, text)
}

// unindex takes the rows of a condition out of the index.
func (m *Messages) unindex(tx *store.Tx, where string, args ...any) error {
	upto := m.indexed(tx.Tx).upto
	var ids []int64
	if err := tx.Query(`SELECT id FROM message `+where, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		if id <= upto {
			ids = append(ids, id)
		}
		return err
	}, args...); err != nil {
		return err
	}
	return m.search.Remove(tx.Tx, ids...)
}

// indexSome indexes the next rows and says whether there are more.
func (m *Messages) indexSome(tx *store.Tx) (more bool, err error) {
	x := m.indexed(tx.Tx)
	list, err := rows(tx, `WHERE id>? ORDER BY id LIMIT ?`, x.upto, indexBatch)
	if err != nil {
		return false, err
	}
	for _, r := range list {
		if err := m.put(tx.Tx, r); err != nil {
			return false, err
		}
		x.upto, x.dirty = r.ID, true
	}
	return len(list) == indexBatch, nil
}

// indexAll brings the index up to date before a search.
func (m *Messages) indexAll(ctx context.Context) error {
	for more := true; more; {
		if err := m.store.Write(ctx, func(tx *store.Tx) (err error) {
			more, err = m.indexSome(tx)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// indexer indexes new messages when none has come for a moment.
type indexer struct {
	mu     sync.Mutex
	timer  *time.Timer
	closed bool
	run    func()
}

func (x *indexer) wake() {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.closed:
	case x.timer == nil:
		x.timer = time.AfterFunc(indexPause, x.run)
	default:
		x.timer.Reset(indexPause)
	}
}

func (x *indexer) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	if x.timer != nil {
		x.timer.Stop()
	}
}

// indexIdle indexes some rows, and again later when there are more.
func (m *Messages) indexIdle() {
	more := false
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) (err error) {
			if more, err = m.indexSome(tx); more {
				tx.After(m.indexer.wake)
			}
			return err
		},
		Failed: func(err error) {
			if !errors.Is(err, store.ErrClosed) { // the next session goes on
				m.log.Warn("messages could not be indexed for searching", "err", err)
			}
		},
	})
}
