package model

import "github.com/tidwall/gjson"

// FieldsSize is the size of a value as the limit of messages understands it, see Measure.
func FieldsSize(value gjson.Result) int {
	size, _ := Measure([]byte(value.Raw))
	return size
}

// Measure returns the size of a JSON text as the limit of messages understands it, the bytes of all text values without
// the names and punctuation around them, and how deep the text is nested. It is one pass without recursion, so that it
// is safe for what a stranger sent; the text should be valid all the same.
func Measure(json []byte) (size, depth int) {
	level := 0
	for i := 0; i < len(json); i++ {
		switch json[i] {
		case '{', '[':
			level++
			depth = max(depth, level)
		case '}', ']':
			level--
		case '"':
			n, end := measureText(json, i+1)
			if i = end; !isName(json, end+1) {
				size += n
			}
		}
	}
	return size, depth
}

// measureText returns how many bytes the text from i on stands for, and where its closing quote is.
func measureText(json []byte, i int) (n, end int) {
	for ; i < len(json) && json[i] != '"'; i++ {
		if json[i] != '\\' || i+1 == len(json) {
			n++
			continue
		}
		if i++; json[i] != 'u' || i+4 >= len(json) {
			n++
			continue
		}
		n += encodedLength(json[i+1 : i+5])
		i += 4
	}
	return n, i
}

// encodedLength is the length in UTF-8 of a character given by four hexadecimal digits. Half of a surrogate pair is half
// of four bytes.
func encodedLength(hex []byte) int {
	switch {
	case hex[0] == '0' && hex[1] == '0' && hex[2] < '8':
		return 1
	case hex[0] == '0' && hex[1] < '8':
		return 2
	case (hex[0] == 'd' || hex[0] == 'D') && hex[1] >= '8':
		return 2
	}
	return 3
}

// isName says whether a text that ended before i is the name of a member.
func isName(json []byte, i int) bool {
	for i < len(json) && (json[i] == ' ' || json[i] == '\t' || json[i] == '\n' || json[i] == '\r') {
		i++
	}
	return i < len(json) && json[i] == ':'
}
