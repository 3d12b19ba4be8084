package search

import (
	"maps"
	"slices"

	"timbre/sqlite"
)

// maxPending bounds what one transaction keeps in memory.
const maxPending = 8192

// pending is what a batch changes in the texts. FTS5 closes a segment whenever a rowid is smaller than the one before,
// and merging segments is most of the cost of a message. So the batch writes its texts once, by rising rowid.
type pending struct {
	sql  *statements
	puts map[int64]string // by number
	gone map[int64]bool   // removed before puts are written
}

func (x *Index) pending(tx *sqlite.Tx) *pending {
	return tx.Batch(x, func() sqlite.Flusher {
		return &pending{&x.sql, map[int64]string{}, map[int64]bool{}}
	}).(*pending)
}

func (p *pending) put(tx *sqlite.Tx, doc int64, text string) error {
	p.puts[doc] = text
	if len(p.puts)+len(p.gone) < maxPending {
		return nil
	}
	return p.Flush(tx)
}

func (p *pending) drop(doc int64) {
	if _, unwritten := p.puts[doc]; unwritten {
		delete(p.puts, doc)
		return
	}
	p.gone[doc] = true
}

// Flush implements sqlite.Flusher.
func (p *pending) Flush(tx *sqlite.Tx) error {
	for _, doc := range slices.Sorted(maps.Keys(p.gone)) {
		if err := tx.Exec(p.sql.dropText, doc); err != nil {
			return err
		}
	}
	for _, doc := range slices.Sorted(maps.Keys(p.puts)) {
		if err := tx.Exec(p.sql.putText, doc, p.puts[doc]); err != nil {
			return err
		}
	}
	clear(p.gone)
	clear(p.puts)
	return nil
}

// settle writes what is pending when a transaction reads what it has written.
func (x *Index) settle(r sqlite.Queryer) error {
	if tx, ok := r.(*sqlite.Tx); ok {
		return x.pending(tx).Flush(tx)
	}
	return nil
}
