package store

import (
	"strings"

	"timbre/sqlite"
)

// Rows collects rows that one INSERT writes together: a statement costs more to start than a row costs to add.
//
// On SQLite the statement should be an INSERT OR FAIL. The default, ABORT, makes SQLite copy every page it touches so
// that it can take back one statement of several rows; here a failure takes back the whole transaction.
type Rows struct {
	before, after string // INSERT INTO t (...) VALUES, and what follows the rows
	columns       int
	args          []any
	stmts         map[int]string
}

// chunks are the numbers of rows that have a statement of their own. A few sizes keep the statement cache small.
var chunks = [...]int{64, 16, 4, 1}

// NewRows returns an empty collection for a statement "before (?,...),(?,...) after".
func NewRows(before string, columns int, after string) *Rows {
	return &Rows{before: before, after: after, columns: columns, stmts: map[int]string{}}
}

// Add adds a row.
func (r *Rows) Add(values ...any) { r.args = append(r.args, values...) }

// Write inserts the rows in the order in which they were added and forgets them.
func (r *Rows) Write(tx *sqlite.Tx) error {
	rest := r.args
	for _, n := range chunks {
		for ; len(rest) >= n*r.columns; rest = rest[n*r.columns:] {
			if err := tx.Exec(r.statement(n), rest[:n*r.columns]...); err != nil {
				return err
			}
		}
	}
	clear(r.args)
	r.args = r.args[:0]
	return nil
}

func (r *Rows) statement(n int) string {
	if s, ok := r.stmts[n]; ok {
		return s
	}
	row := "(?" + strings.Repeat(",?", r.columns-1) + ")"
	s := r.before + " " + row + strings.Repeat(","+row, n-1) + " " + r.after
	r.stmts[n] = s
	return s
}
