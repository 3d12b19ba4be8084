package search

import "strings"

// statements are the texts of an index's SQL. They are made once, for statements are kept by their text.
type statements struct {
	putText, putDoc, dropText, dropDoc, dropTexts, dropDocs, docOf, lastIn, docs, merge string

	name string
}

func newStatements(name string) statements {
	named := func(sql string) string { return strings.ReplaceAll(sql, "$", name) }
	return statements{
		putText:   named(`INSERT INTO $_text (rowid,text) VALUES (?,?)`),
		putDoc:    named(`INSERT INTO $_doc (doc,row,time) VALUES (?,?,?)`),
		dropText:  named(`DELETE FROM $_text WHERE rowid=?`),
		dropDoc:   named(`DELETE FROM $_doc WHERE doc=?`),
		dropTexts: named(`DELETE FROM $_text WHERE rowid IN (SELECT doc FROM $_doc WHERE doc BETWEEN ? AND ?)`),
		dropDocs:  named(`DELETE FROM $_doc WHERE doc BETWEEN ? AND ?`),
		docOf:     named(`SELECT doc FROM $_doc WHERE row=?`),
		lastIn:    named(`SELECT doc FROM $_doc WHERE doc BETWEEN ? AND ? ORDER BY doc DESC LIMIT 1`),
		docs:      named(`SELECT d.doc,d.row,d.time FROM json_each(?) j CROSS JOIN $_doc d ON d.doc=j.value`),
		merge:     named(`INSERT INTO $_text ($_text, rank) VALUES ('merge', ?)`),
		name:      name,
	}
}

// hits is the rest of a statement over the hits of a query, from FROM on. The CROSS JOIN keeps SQLite from turning the
// order round.
func (s *statements) hits(q *Query) string {
	if q.Where == "" {
		return strings.ReplaceAll(` FROM $_text WHERE $_text MATCH ? AND $_text.rowid BETWEEN ? AND ?`, "$", s.name)
	}
	return strings.ReplaceAll(` FROM $_text CROSS JOIN $_doc hit ON hit.doc=$_text.rowid
		WHERE $_text MATCH ? AND $_text.rowid BETWEEN ? AND ? AND (`, "$", s.name) + q.Where + `)`
}

// args are the arguments of hits, then more.
func (q *Query) args(match string, lo, hi int64, more ...any) []any {
	args := append([]any{match, lo, hi}, q.Args...)
	return append(args, more...)
}

func (s *statements) count(q *Query) string {
	return `SELECT count(*), coalesce(max(` + s.name + `_text.rowid),0)` + s.hits(q)
}

func (s *statements) list(q *Query) string {
	id := s.name + `_text.rowid`
	return `SELECT CAST(group_concat(doc) AS BLOB) FROM (SELECT ` + id + ` AS doc` + s.hits(q) + ` ORDER BY ` + id + ` LIMIT ?)`
}

func (s *statements) page(q *Query) string {
	id := s.name + `_text.rowid`
	return `SELECT d.row FROM (SELECT ` + id + ` AS doc` + s.hits(q) + ` ORDER BY ` + id + ` DESC LIMIT ? OFFSET ?) p
		CROSS JOIN ` + s.name + `_doc d ON d.doc=p.doc ORDER BY p.doc DESC`
}
