// Package strictjson turns what hosts pass as JSON into strict, compact JSON, once, at the boundary, so that everything
// behind it may trust its input.
//
// Hosts written for the interface rely on a lenient parser: raw control characters inside strings, invalid UTF-8 and
// duplicate keys are accepted. Here control characters are escaped, bad bytes and halves of surrogate pairs become U+FFFD,
// the last of duplicate keys wins, blanks between tokens go, and keys in an older spelling get today's. What stays an
// error: broken syntax, text after the value, nesting over MaxDepth. Numbers travel as written, so no digit of a 64-bit
// value is lost.
//
// Rejected: encoding/json (floats for numbers, twenty times the cost), gjson alone (refuses raw control characters and
// takes the first of duplicate keys).
package strictjson

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 512

var (
	// ErrSyntax says that the text is not one JSON value.
	ErrSyntax = errors.New("not valid JSON")
	// ErrDepth says that the text nests deeper than MaxDepth.
	ErrDepth = errors.New("JSON nested too deep")
)

// Normalise returns text as strict, compact JSON.
func Normalise(text string) (string, error) {
	p := parser{in: text, out: make([]byte, 0, len(text)+16)}
	p.blank()
	if err := p.value(0); err != nil {
		return "", err
	}
	p.blank()
	if p.at != len(p.in) {
		return "", ErrSyntax
	}
	return string(p.out), nil
}

type parser struct {
	in  string
	at  int
	out []byte
}

func (p *parser) blank() {
	for p.at < len(p.in) {
		switch p.in[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

func (p *parser) value(depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.str()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	default:
		return p.literal()
	}
}

func (p *parser) literal() error {
	for _, word := range [...]string{"true", "false", "null"} {
		if len(p.in)-p.at >= len(word) && p.in[p.at:p.at+len(word)] == word {
			p.at += len(word)
			p.out = append(p.out, word...)
			return nil
		}
	}
	return ErrSyntax
}

func (p *parser) number() error {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	switch {
	case p.peek() == '0':
		p.at++
	case !p.digits():
		return ErrSyntax
	}
	if p.peek() == '.' {
		p.at++
		if !p.digits() {
			return ErrSyntax
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return ErrSyntax
		}
	}
	p.out = append(p.out, p.in[start:p.at]...)
	return nil
}

func (p *parser) digits() bool {
	start := p.at
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > start
}

func (p *parser) array(depth int) error {
	p.at++
	p.out = append(p.out, '[')
	p.blank()
	if p.peek() == ']' {
		p.at++
		p.out = append(p.out, ']')
		return nil
	}
	for {
		p.blank()
		if err := p.value(depth + 1); err != nil {
			return err
		}
		more, err := p.separator(']')
		if err != nil || !more {
			return err
		}
	}
}

// separator reads a comma (more follows) or the closing byte.
func (p *parser) separator(closing byte) (more bool, err error) {
	p.blank()
	c := p.peek()
	if c != ',' && c != closing {
		return false, ErrSyntax
	}
	p.at++
	p.out = append(p.out, c)
	return c == ',', nil
}

// str copies a string and repairs it on the way.
func (p *parser) str() error {
	p.at++
	p.out = append(p.out, '"')
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			p.out = append(p.out, '"')
			return nil
		case c == '\\':
			if err := p.escape(); err != nil {
				return err
			}
		case c < 0x20:
			p.out = append(p.out, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
			p.at++
		case c < utf8.RuneSelf:
			p.out = append(p.out, c)
			p.at++
		default:
			r, n := utf8.DecodeRuneInString(p.in[p.at:])
			p.out = utf8.AppendRune(p.out, r) // U+FFFD for a bad byte
			p.at += n
		}
	}
	return ErrSyntax
}

func (p *parser) escape() error {
	if p.at+1 >= len(p.in) {
		return ErrSyntax
	}
	n := 2
	switch p.in[p.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		r, ok := p.unicode(p.at)
		if !ok {
			return ErrSyntax
		}
		n = 6
		if utf16.IsSurrogate(r) {
			if low, ok := p.unicode(p.at + 6); !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
				p.out = utf8.AppendRune(p.out, utf8.RuneError) // half a pair
				p.at += n
				return nil
			}
			n = 12
		}
	default:
		return ErrSyntax
	}
	p.out = append(p.out, p.in[p.at:p.at+n]...)
	p.at += n
	return nil
}

// unicode reads the escape \uXXXX at a place.
func (p *parser) unicode(at int) (r rune, ok bool) {
	if at+6 > len(p.in) || p.in[at] != '\\' || p.in[at+1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(p.in[at+2 : at+6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// member is where a member of the current object stands in the output.
type member struct {
	key        string
	start, end int
}

func (p *parser) object(depth int) error {
	p.at++
	open := len(p.out)
	p.out = append(p.out, '{')
	p.blank()
	if p.peek() == '}' {
		p.at++
		p.out = append(p.out, '}')
		return nil
	}
	var buf [16]member
	members := buf[:0]
	for {
		p.blank()
		m := member{start: len(p.out)}
		var err error
		if m.key, err = p.key(); err != nil {
			return err
		}
		if err := p.value(depth + 1); err != nil {
			return err
		}
		m.end = len(p.out)
		members = append(members, m)
		more, err := p.separator('}')
		if err != nil {
			return err
		}
		if !more {
			p.dropDuplicates(open, members)
			return nil
		}
	}
}

// key reads a member's name and the colon, and writes the name in today's spelling.
func (p *parser) key() (string, error) {
	if p.peek() != '"' {
		return "", ErrSyntax
	}
	start := len(p.out)
	if err := p.str(); err != nil {
		return "", err
	}
	name := gjson.ParseBytes(p.out[start:]).Str
	if current, ok := tim.CurrentKey(name); ok {
		name = current
	}
	p.out = gjson.AppendJSONString(p.out[:start], name)
	p.blank()
	if p.peek() != ':' {
		return "", ErrSyntax
	}
	p.at++
	p.blank()
	p.out = append(p.out, ':')
	return name, nil
}

// dropDuplicates rewrites the object that begins at open when a key occurs twice, keeping the last occurrence.
func (p *parser) dropDuplicates(open int, members []member) {
	if !duplicated(members) {
		return
	}
	last := make(map[string]int, len(members))
	for i, m := range members {
		last[m.key] = i
	}
	whole := append([]byte(nil), p.out[open:]...)
	p.out = append(p.out[:open], '{')
	for i, m := range members {
		if last[m.key] != i {
			continue
		}
		if p.out[len(p.out)-1] != '{' || len(p.out)-1 != open {
			p.out = append(p.out, ',')
		}
		p.out = append(p.out, whole[m.start-open:m.end-open]...)
	}
	p.out = append(p.out, '}')
}

func duplicated(members []member) bool {
	if len(members) > 16 {
		seen := make(map[string]struct{}, len(members))
		for _, m := range members {
			seen[m.key] = struct{}{}
		}
		return len(seen) < len(members)
	}
	for i := range members {
		for j := range i {
			if members[i].key == members[j].key {
				return true
			}
		}
	}
	return false
}
