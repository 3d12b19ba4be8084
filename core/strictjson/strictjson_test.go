package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"timbre/model/tim"
)

func TestNormalise(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"blanks", " { \"a\" : [ 1 ,\t2 ] ,\r\n\"b\":{ } } ", `{"a":[1,2],"b":{}}`},
		{"control characters", "{\"a\":\"x\ny\tz\x01\x1f\"}", `{"a":"x\u000ay\u0009z\u0001\u001f"}`},
		{"control character in a key", "{\"a\nb\":1}", `{"a\nb":1}`},
		{"bad bytes", "\"a\xffb\xc3(\"", "\"a\uFFFDb\uFFFD(\""},
		{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", "\"\uFFFD\uFFFD\uFFFD\""},
		{"a cut character", "\"\xe4\xbd\"", "\"\uFFFD\uFFFD\""},
		{"escapes stay", `"\ud83d\ude00\/\b\u00e9"`, `"\ud83d\ude00\/\b\u00e9"`},
		{"half a pair", `"\ud83d \ude00\ud83d\u0041\ud83d\ud83d\ude00"`, "\"\uFFFD \uFFFD\uFFFD\\u0041\uFFFD\\ud83d\\ude00\""},
		{"duplicate keys", `{"a":1,"b":2,"a":3}`, `{"b":2,"a":3}`},
		{"duplicates in an escape", `{"a":1,"\u0061":2}`, `{"a":2}`},
		{"duplicates inside", `{"x":[{"a":1,"a":{"b":1,"b":2}}]}`, `{"x":[{"a":{"b":2}}]}`},
		{"all the same", `{"a":1,"a":2,"a":3}`, `{"a":3}`},
		{"many keys", manyKeys(), strings.Replace(manyKeys(), `"kA":0,`, "", 1)},
		{"numbers as written", `[9007199254740993,18446744073709551615,-0,1.50,1E5,123456789012345678901234567890]`,
			`[9007199254740993,18446744073709551615,-0,1.50,1E5,123456789012345678901234567890]`},
		{"an older key", `{"message_offlie_push_config":{}}`, `{"message_offline_push_config":{}}`},
		{"the older key last", `{"message_offline_push_config":1,"message_offlie_push_config":2}`, `{"message_offline_push_config":2}`},
		{"scalars", ` null `, "null"},
		{"empty key", `{"":{"":1}}`, `{"":{"":1}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Normalise(tt.in)
			if err != nil || got != tt.want {
				t.Errorf("got %q and %v, want %q", got, err, tt.want)
			}
		})
	}
}

// manyKeys is an object with more keys than are looked through one by one, the first of them twice.
func manyKeys() string {
	var b strings.Builder
	for i := range 26 {
		b.WriteString(`"k` + string(rune('A'+i)) + `":` + "0,")
	}
	return "{" + b.String() + `"kA":1}`
}

func TestRefused(t *testing.T) {
	for _, in := range []string{
		"", " ", "{", "[", "}", "{]", "[}", `"`, `"\"`, `{"a"}`, `{"a":}`, `{"a":1,}`, "[1,]", "[,1]", "{,}", `{"a":1}}`, `{} x`, `{}{}`,
		"01", "1.", ".5", "+1", "1e", "--1", "-", "0x1", "NaN", "tru", "nul", `"\x"`, `"\u12"`, `"\u12g4"`, "'a'", "{a:1}", "\xff",
		"\ufeff{}", "[1 2]", `{"a" 1}`, `{1:2}`, "// c\n{}",
	} {
		if got, err := Normalise(in); !errors.Is(err, ErrSyntax) {
			t.Errorf("Normalise(%q) is %q and %v, want ErrSyntax", in, got, err)
		}
	}
}

func TestDepth(t *testing.T) {
	for _, shape := range []struct{ open, close string }{{"[", "]"}, {`{"a":`, "}"}} {
		nested := func(n int) string { return strings.Repeat(shape.open, n) + "1" + strings.Repeat(shape.close, n) }
		if _, err := Normalise(nested(MaxDepth)); err != nil {
			t.Errorf("%d levels: %v", MaxDepth, err)
		}
		for _, n := range []int{MaxDepth + 1, 10000, 1000000} {
			if _, err := Normalise(nested(n)); !errors.Is(err, ErrDepth) {
				t.Errorf("%d levels: %v, want ErrDepth", n, err)
			}
		}
	}
}

// FuzzNormalise: what is accepted comes out as valid JSON in UTF-8 that says the same, and stays as it is when it is
// normalised again; what encoding/json accepts is accepted unless it is nested too deep.
func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"a":[true,null,{"b":"\ud83d\ude00"}]}`, "{\"x\":\"\n\xff\"}", `[1e5,-0.5,18446744073709551616]`, `"\u0000"`,
		`{"message_offlie_push_config":1,"\ud83d":2,"\udc00":3}`, "[[[[]]]]", `{"":"","":1}`, "1 2", "{\"\xed\xa0\x80\":1}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, err := Normalise(in)
		if err != nil {
			if !errors.Is(err, ErrDepth) && json.Valid([]byte(in)) {
				t.Fatalf("refused %q: %v", in, err)
			}
			return
		}
		if !json.Valid([]byte(out)) || !utf8.ValidString(out) {
			t.Fatalf("%q became %q, which is not valid", in, out)
		}
		if again, err := Normalise(out); err != nil || again != out {
			t.Fatalf("%q became %q and then %q (%v)", in, out, again, err)
		}
		if want, ok := decode(in); ok {
			if got, _ := decode(out); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q became %q, which says something else", in, out)
			}
		}
	})
}

// decode reads a text that encoding/json understands and that holds no older key.
func decode(text string) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if json.Valid([]byte(text)) && d.Decode(&v) == nil {
		return v, !hasOlder(v)
	}
	return nil, false
}

func hasOlder(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if hasOlder(e) {
				return true
			}
		}
	case map[string]any:
		for k, e := range v {
			if _, older := tim.CurrentKey(k); older || hasOlder(e) {
				return true
			}
		}
	}
	return false
}
