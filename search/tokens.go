package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxWord is how many characters of a word or a picture count. What follows in a longer one (base64, say) is neither stored nor
// compared.
const maxWord = 64

// kind is what a character is to the tokenizer.
type kind int

const (
	gap    kind = iota // blanks, punctuation, control characters
	letter             // of a script with blanks between its words
	digit
	glyph  // of a script that is written without blanks: a unit of its own
	symbol // emoji and other pictures
	mark   // belongs to what stands before it
	unseen // joiners and other characters without a shape: as if they were not there
)

const (
	firstArrow   = '\u2190' // some pictures count as mathematics; what stands before them is meant so
	zwj          = '\u200d'
	firstFlag    = '\U0001f1e6' // regional indicators: two make a flag
	lastFlag     = '\U0001f1ff'
	firstTone    = '\U0001f3fb' // skin tones
	lastTone     = '\U0001f3ff'
	firstTag     = '\U000e0020' // tags: the flags of England, Scotland, Wales
	lastTag      = '\U000e007f'
	firstPicture = '\U0001f000' // blocks of pictures, with those that this Unicode version does not know yet
	lastPicture  = '\U0001faff'
)

// glyphs are the scripts without blanks between words, and Hangul, in which a blank may or may not be written.
var glyphs = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
	unicode.Yi, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

func kindOf(r rune) kind {
	switch {
	case r < 0x80:
		return kindOfASCII(r)
	case r == 'ー': // lengthens a Kana, and belongs to no script by Unicode
		return glyph
	case r >= firstPicture && r <= lastPicture:
		return symbol
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return unseen
	case r == unicode.ReplacementChar:
		return gap
	case unicode.IsOneOf(glyphs, r) && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r)):
		return glyph
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return digit
	case unicode.IsMark(r):
		return mark
	case unicode.Is(unicode.So, r), unicode.Is(unicode.Sm, r) && r >= firstArrow:
		return symbol
	}
	return gap
}

func kindOfASCII(r rune) kind {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		return letter
	case r >= '0' && r <= '9':
		return digit
	}
	return gap
}

// Fold makes spellings equal that differ in case, width or composition only.
func Fold(s string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
}

// run is what belongs together: a word, a number, a picture, or glyphs that follow each other.
type run struct {
	kind kind
	text []rune
}

// runs splits a text.
func runs(s string) []run {
	var p splitter
	for _, r := range Fold(s) {
		p.add(r)
	}
	for i := range p.all {
		p.all[i].trim()
	}
	return p.all
}

// trim cuts what is too long and a joiner that joins nothing.
func (r *run) trim() {
	if r.kind == glyph {
		return
	}
	r.text = r.text[:min(len(r.text), maxWord)]
	for r.kind == symbol && r.text[len(r.text)-1] == zwj {
		r.text = r.text[:len(r.text)-1]
	}
}

type splitter struct {
	all    []run
	open   bool // the last run may go on
	joined bool // right after a joiner inside a picture
}

func (p *splitter) add(r rune) {
	k := kindOf(r)
	joined := p.joined
	p.joined = false
	switch {
	case p.open && p.extends(r, k, joined):
		last := &p.all[len(p.all)-1]
		last.text = append(last.text, r)
		p.joined = r == zwj
	case k == unseen:
	case k == gap, k == mark: // a mark after nothing
		p.open = false
	default:
		p.all = append(p.all, run{k, []rune{r}})
		p.open = true
	}
}

// extends says whether a character goes on with the last run.
func (p *splitter) extends(r rune, k kind, joined bool) bool {
	last := p.all[len(p.all)-1]
	switch {
	case k == mark:
		return true
	case last.kind != symbol:
		return k == last.kind
	case joined && k == symbol, r == zwj, r >= firstTone && r <= lastTone, r >= firstTag && r <= lastTag:
		return true
	}
	return len(last.text) == 1 && isFlag(last.text[0]) && isFlag(r)
}

func isFlag(r rune) bool { return r >= firstFlag && r <= lastFlag }

// terms appends the tokens of a run as the index stores them: overlapping pairs of glyphs and the last glyph alone, or
// the run as it is.
func (r run) terms(to []string) []string {
	if r.kind != glyph {
		return append(to, string(r.text))
	}
	for i := range r.text {
		to = append(to, string(r.text[i:min(i+2, len(r.text))]))
	}
	return to
}

// text returns the tokens of a message, separated by blanks.
func text(s string) string {
	var all []string
	for _, r := range runs(s) {
		all = r.terms(all)
	}
	return strings.Join(all, " ")
}
