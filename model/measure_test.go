package model

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMeasure(t *testing.T) {
	for text, want := range map[string][2]int{
		`"abc"`: {3, 0}, `{"name":"abc"}`: {3, 1}, `{"a" : ["b", {"c":"dd"}], "e":1}`: {3, 3}, `""`: {0, 0},
		`"\u0041\u00e9\u4f60\ud83d\udc4b\n\"}"`: {1 + 2 + 3 + 4 + 1 + 1 + 1, 0}, `"你好"`: {6, 0}, `"\`: {1, 0}, `"\u00`: {3, 0},
	} {
		if size, depth := Measure([]byte(text)); size != want[0] || depth != want[1] {
			t.Errorf("%s: size %d, depth %d, want %v", text, size, depth, want)
		}
	}
	if _, depth := Measure([]byte(strings.Repeat("[", 1000))); depth != 1000 {
		t.Errorf("depth %d", depth)
	}
}

func FuzzMeasure(f *testing.F) {
	f.Add("a\"b\\u0000é你👋")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := json.Marshal([]string{strings.ToValidUTF8(text, "")})
		if err != nil {
			t.Fatal(err)
		}
		if size, depth := Measure(b); size != len(strings.ToValidUTF8(text, "")) || depth != 1 {
			t.Errorf("%s: size %d, depth %d", b, size, depth)
		}
	})
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{"alice": true, "": false, "a b~!": true, "a\n": false, "é": false,
		strings.Repeat("x", MaxUserID): true, strings.Repeat("x", MaxUserID+1): false} {
		if ValidUserID(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}
