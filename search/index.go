// Package search finds messages by what is in their text, in the client's database and in the server's.
//
// What matches. Text and keyword are folded (NFKC and case, so width and composition make no difference; diacritics do)
// and cut into runs: words of letters, numbers, single pictures (an emoji with its joiners and skin tones is one), and
// stretches of glyphs, the characters of scripts that are written without blanks: Chinese, Kana, Hangul, Thai and a few
// more. Everything else only separates. Write each run between bars: 买iPhone15手机 is |买|iphone|15|手机|. A keyword is
// found where its runs stand in the text one after the other, and it may begin inside a stretch of glyphs and end inside
// any run. In short, a glyph matches anywhere and a word from its beginning:
//
//	机         |手机|        found: part of a stretch
//	iph        |iphone|      found: beginning of a word
//	phone      |iphone|      not found: inside a word
//	15手       |15|手机|     found: 15 is whole, 手 begins the next run
//	1手        |15|手机|     not found: a number before the last run has to be whole
//	iphone 15  |iphone|15|   found: blanks and punctuation only separate
//	你 好      |你好|        not found: they do separate
//
// Of a word or a number the first 64 characters count, of a keyword the first 64 tokens (pairs of glyphs, words).
//
// How. The index is an FTS5 table that gets our tokens instead of the text, separated by blanks: words and pictures as
// they are, glyphs as overlapping pairs with the last one alone (手机壳 becomes 手机 机壳 壳), so that a keyword is a
// phrase of pairs, and a single glyph a prefix, for which there is an index of its own. FTS5's ascii tokenizer splits
// these at our blanks and nowhere else. The table is contentless: it does not store a text twice, and a deletion needs
// none. Its rowid has the conversation in the high bits and the place in the conversation in the low ones. Hits of one
// conversation are therefore a range of rowids, read from the newest end; and hits by conversation need no other table,
// nor a sort. A second table leads from the rowid to the message. What this takes is measured in tests/bench/search.
//
// Its price: the index is some five times the text of a Chinese message. The beginning of a word, if longer than one
// letter, costs time by the number of its hits even where a page of them is asked for. The tokens of a removed message
// stay in the file, out of reach, until FTS5 merges the segment that has them.
//
// Rejected: unicode61 (a Chinese sentence is one word to it), trigram (cannot find two characters, the commonest
// keyword), single glyphs as tokens (every phrase would read the longest lists), detail=none with a look at the texts
// (totals of a common word would read a tenth of all messages), GROUP BY in SQL (three times slower than counting here).
package search

import (
	"errors"
	"fmt"

	"timbre/sqlite"
)

// The number of a document: the conversation, then where it stands in it. Place 0 has half of a conversation's numbers,
// because whatever an application imports stands there; each other place has 8. Fewer bits would make the index smaller:
// the step from one conversation to the next is written for every word.
const (
	convBits  = 31
	innerBits = 63 - convBits
	tieBits   = 3
	placed    = int64(1) << (innerBits - 1) // first number after those of place 0

	// MaxConv is the largest number of a conversation.
	MaxConv = 1<<convBits - 1
	// MaxPlace is the largest place in a conversation.
	MaxPlace = 1<<(innerBits-1-tieBits) - 1
)

// ErrRange says that a conversation or a place has a number that the index cannot hold.
var ErrRange = errors.New("search: conversation or place out of range")

// Doc says which message a text belongs to.
type Doc struct {
	Conv  int64 // 0 to MaxConv
	Place int64 // in the conversation, a newer message has a larger one; 0 to MaxPlace
	Row   int64 // the message's own number, unique in the index
	Time  int64 // when it was sent, milliseconds
}

// Span is a stretch of a conversation: From <= place <= To.
type Span struct{ Conv, From, To int64 }

// Whole is all of a conversation.
func Whole(conv int64) Span { return Span{conv, 0, MaxPlace} }

// Index is the index of one table of messages. It has no state of its own: all its methods work in the transaction or
// on the reader that they get, and any goroutine may call them.
type Index struct{ sql statements }

// New returns the index with this name, whose tables Schema makes.
func New(name string) *Index { return &Index{newStatements(name)} }

// Schema is the tables of an index. The name is a plain SQL word; their names begin with it.
func Schema(name string) sqlite.Schema {
	return sqlite.Schema{Module: name, Steps: []string{fmt.Sprintf(`
CREATE VIRTUAL TABLE %[1]s_text USING fts5(text, content='', contentless_delete=1, tokenize='ascii', prefix='1');
INSERT INTO %[1]s_text (%[1]s_text, rank) VALUES ('automerge', 8); -- not 4: a third less work for a message that comes alone
CREATE TABLE %[1]s_doc (
	doc  INTEGER PRIMARY KEY, -- rowid of the text
	row  INTEGER NOT NULL,    -- the message
	time INTEGER NOT NULL     -- milliseconds
) STRICT;
CREATE UNIQUE INDEX %[1]s_doc_row ON %[1]s_doc (row);
`, name)}}
}

// Put makes a message findable by its text, in the place of whatever was there for its row. A text without anything
// searchable only removes that.
func (x *Index) Put(tx *sqlite.Tx, d Doc, s string) error {
	lo, hi, err := d.numbers()
	if err != nil {
		return err
	}
	old, err := x.drop(tx, d.Row)
	if err != nil {
		return err
	}
	s = text(s)
	if s == "" {
		return nil
	}
	if old < lo || old > hi { // else it keeps its place among equals
		if old, err = x.next(tx, lo, hi); err != nil {
			return err
		}
	}
	if err := tx.Exec(x.sql.putDoc, old, d.Row, d.Time); err != nil {
		return err
	}
	return x.pending(tx).put(tx, old, s)
}

// Remove forgets messages. Rows that are not there are no error.
func (x *Index) Remove(tx *sqlite.Tx, rows ...int64) error {
	for _, row := range rows {
		if _, err := x.drop(tx, row); err != nil {
			return err
		}
	}
	return nil
}

// RemoveSpan forgets all messages of a stretch.
func (x *Index) RemoveSpan(tx *sqlite.Tx, s Span) error {
	lo, hi, err := s.numbers()
	if err != nil {
		return err
	}
	if err := x.settle(tx); err != nil {
		return err
	}
	if err := tx.Exec(x.sql.dropTexts, lo, hi); err != nil {
		return err
	}
	return tx.Exec(x.sql.dropDocs, lo, hi)
}

// drop removes what is there for a row and returns its number, -1 when there was nothing.
func (x *Index) drop(tx *sqlite.Tx, row int64) (doc int64, err error) {
	found, err := tx.Get(x.sql.docOf, []any{&doc}, row)
	if !found || err != nil {
		return -1, err
	}
	x.pending(tx).drop(doc)
	return doc, tx.Exec(x.sql.dropDoc, doc)
}

// next returns a free number between lo and hi, after those that are taken. When the place is full it is the newest of
// the conversation instead: found all the same, only not in its order.
func (x *Index) next(tx *sqlite.Tx, lo, hi int64) (int64, error) {
	for _, end := range []int64{hi, lo | (1<<innerBits - 1)} {
		var last int64
		taken, err := tx.Get(x.sql.lastIn, []any{&last}, lo, end)
		if err != nil {
			return 0, err
		}
		if !taken {
			return lo, nil
		}
		if last < end {
			return last + 1, nil
		}
	}
	return 0, ErrRange
}

// numbers returns the first and the last number of the document's place.
func (d *Doc) numbers() (lo, hi int64, err error) { return Span{d.Conv, d.Place, d.Place}.numbers() }

func (s Span) numbers() (lo, hi int64, err error) {
	if s.Conv < 0 || s.Conv > MaxConv || s.From < 0 || s.To > MaxPlace {
		return 0, 0, fmt.Errorf("%w: conversation %d, places %d to %d", ErrRange, s.Conv, s.From, s.To)
	}
	base := s.Conv << innerBits
	return base + first(s.From), base + first(s.To+1) - 1, nil
}

// first is the first number of a place inside its conversation.
func first(place int64) int64 {
	if place == 0 {
		return 0
	}
	return placed + (place-1)<<tieBits
}
