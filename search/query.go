package search

import "strings"

// maxTerms is how many tokens of a keyword count.
const maxTerms = 64

// Query is what to look for.
type Query struct {
	// Keywords are searched as the package comment says. One without anything searchable (blanks, punctuation) is in
	// no text. The caller limits how many there are.
	Keywords []string
	// All asks for texts with every keyword; else one is enough.
	All bool
	// Where, when not empty, is one more SQL condition for a hit, such as
	//	EXISTS (SELECT 1 FROM message m WHERE m.id=hit.row AND m.sender IN (?,?)) AND hit.time>=?
	// with hit.row and hit.time as Put got them. It must be constant text, for statements are kept by their text; what
	// varies goes into Args. Every hit then costs a look at its row, so leave it empty where nothing is filtered.
	Where string
	Args  []any
}

// match returns the FTS5 expression of the query, "" when it can have no hits. Nothing but tokens gets into it, and no
// token has a quotation mark.
func (q *Query) match() string {
	var phrases []string
	for _, k := range q.Keywords {
		p := phrase(k)
		if p != "" {
			phrases = append(phrases, p)
		} else if q.All {
			return ""
		}
	}
	if q.All {
		return strings.Join(phrases, " AND ")
	}
	return strings.Join(phrases, " OR ")
}

// phrase returns the FTS5 phrase of a keyword, "" when it has no tokens.
func phrase(keyword string) string {
	all := runs(keyword)
	if len(all) == 0 {
		return ""
	}
	var terms []string
	for _, r := range all {
		terms = r.terms(terms)
	}
	last := all[len(all)-1]
	prefix := "*"
	if last.kind == glyph && len(last.text) > 1 { // the text may go on after the last pair
		terms, prefix = terms[:len(terms)-1], ""
	}
	if len(terms) > maxTerms {
		terms, prefix = terms[:maxTerms], ""
	}
	return `"` + strings.Join(terms, " ") + `"` + prefix
}
