package main

import (
	"regexp"
	"strings"
	"unicode"
)

// width is the longest line of a comment.
const width = 110

// comment writes a C comment made of the paragraphs that are not empty.
func (w *headerWriter) comment(name, indent string, paragraphs ...string) {
	var lines []string
	for i, p := range paragraphs {
		wrapped := wrap(p, width-len(indent)-3)
		together := i > 0 && strings.HasPrefix(p, "- ") && strings.HasPrefix(paragraphs[i-1], "- ")
		if len(lines) > 0 && len(wrapped) > 0 && !together {
			lines = append(lines, "")
		}
		lines = append(lines, wrapped...)
	}
	for i, l := range lines {
		plain, bad := ascii(l)
		if bad != 0 {
			w.out.fail("%s, %s: %q (%U) has no plain spelling for a header: %s", w.header.Name, name, bad, bad, l)
		}
		lines[i] = strings.ReplaceAll(strings.ReplaceAll(plain, "*/", "* /"), "/*", "/ *")
	}
	switch {
	case len(lines) == 0:
	case len(lines) == 1 && len(indent)+len(lines[0])+6 <= width:
		w.f("%s/* %s */\n", indent, lines[0])
	default:
		w.f("%s/*\n", indent)
		for _, l := range lines {
			w.f("%s\n", strings.TrimRight(indent+" * "+l, " "))
		}
		w.f("%s */\n", indent)
	}
}

// code matches the beginning of a line about one or more error codes: "-4: ", "70005, 70009: ".
var code = regexp.MustCompile(`^-?\d+(, -?\d+)*( and [^:]*)?: `)

// item says whether a line begins an entry of a list.
func item(l string) bool {
	return strings.HasPrefix(l, "- ") || strings.HasPrefix(l, "* ") || code.MatchString(l)
}

// wrap breaks text into lines. Blank lines separate paragraphs; a line that begins with a dash, a star or an error code
// begins an item, whose further lines hang under it; a line indented by four or more is kept as it is.
func wrap(text string, width int) []string {
	var lines []string
	current := ""
	flush := func() {
		lines = append(lines, fill(current, width)...)
		current = ""
	}
	for l := range strings.SplitSeq(strings.TrimRightFunc(text, unicode.IsSpace), "\n") {
		trimmed := strings.TrimSpace(l)
		switch {
		case trimmed == "":
			flush()
			if len(lines) > 0 && lines[len(lines)-1] != "" {
				lines = append(lines, "")
			}
		case strings.HasPrefix(l, "    "):
			flush()
			lines = append(lines, l)
		case item(trimmed):
			flush()
			current = trimmed
		default:
			current = strings.TrimSpace(current + " " + trimmed)
		}
	}
	flush()
	return lines
}

// fill breaks one paragraph or item.
func fill(paragraph string, width int) []string {
	if paragraph == "" {
		return nil
	}
	hang := ""
	if item(paragraph) {
		hang = "  "
	}
	var lines []string
	for len(paragraph) > width {
		cut := strings.LastIndexByte(paragraph[:width+1], ' ')
		if cut <= len(hang) {
			break
		}
		lines = append(lines, paragraph[:cut])
		paragraph = hang + strings.TrimLeft(paragraph[cut:], " ")
	}
	return append(lines, paragraph)
}

// typographic leads from characters that writers like to what a header may hold.
var typographic = strings.NewReplacer(
	"\u2014", "-", "\u2013", "-", "\u2212", "-", "\u2018", "'", "\u2019", "'", "\u201c", "\"", "\u201d", "\"",
	"\u2026", "...", "\u2192", "->", "\u2190", "<-", "\u2264", "<=", "\u2265", ">=", "\u2260", "!=", "\u00d7", "x",
	"\u00a0", " ", "\u202f", " ", "\u00b7", "-", "\u2022", "-", "\u00b1", "+/-", "\u00b5", "u", "\u03bc", "u",
)

// ascii spells a line in ASCII and reports the first character for which there is no way.
func ascii(l string) (string, rune) {
	l = typographic.Replace(l)
	for _, r := range l {
		if r >= 0x7f || r < 0x20 && r != '\t' {
			return l, r
		}
	}
	return l, 0
}
