package search

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{" ,。!\n", ""},
		{"好", "好"},
		{"今天天气", "今天 天天 天气 气"},
		{"你好，世界", "你好 好 世界 界"},
		{"买iPhone15手机", "买 iphone 15 手机 机"},
		{"ＡＢＣ１２３", "abc 123"},
		{"ﾊﾝｶｸ", "ハン ンカ カク ク"},
		{"ラーメン", "ラー ーメ メン ン"},
		{"ひらがな", "ひら らが がな な"},
		{"か\u3099", "が"},
		{"안녕하세요", "안녕 녕하 하세 세요 요"},
		{"\u1112\u1161\u11ab글", "한글 글"},
		{"時々", "時々 々"},
		{"𠮷野家", "𠮷野 野家 家"},
		{"Straße CAFÉ cafe\u0301", "strasse café café"},
		{"Привет ΣΟΦΟΣ", "привет σοφοσ"},
		{"don't a_b x@y.z", "don t a b x y z"},
		{"3.14", "3 14"},
		{"co\u00adop zero\u200bwidth", "coop zerowidth"},
		{"\U0001f44d\U0001f44d", "\U0001f44d \U0001f44d"},
		{"❤\ufe0f❤", "❤ ❤"},
		{"\U0001f44d\U0001f3fd好", "\U0001f44d\U0001f3fd 好"},
		{"\U0001f468\u200d\U0001f469\u200d\U0001f467ok", "\U0001f468\u200d\U0001f469\u200d\U0001f467 ok"},
		{"\U0001f468\u200d", "\U0001f468"},
		{"\U0001f469\u200d❤\ufe0f\u200d\U0001f468", "\U0001f469\u200d❤\u200d\U0001f468"},
		{"\U0001f1e8\U0001f1f3\U0001f1fa\U0001f1f8", "\U0001f1e8\U0001f1f3 \U0001f1fa\U0001f1f8"},
		{"5\ufe0f\u20e3", "5\u20e3"},
		{"\u0301x", "x"},
		{"a\x00b\xffc\"d", "a b c d"},
		{strings.Repeat("x", 70) + "好", strings.Repeat("x", 64) + " 好"},
	} {
		if got := text(c.in); got != c.want {
			t.Errorf("text(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestPhrase(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{` "*^ `, ""},
		{"好", `"好"*`},
		{"天气", `"天气"`},
		{"今天天气", `"今天 天天 天气"`},
		{"IPH", `"iph"*`},
		{"买iph", `"买 iph"*`},
		{"我买iPhone15手", `"我买 买 iphone 15 手"*`},
		{"iPhone手机", `"iphone 手机"`},
		{"你好 世界", `"你好 好 世界"`},
		{"\U0001f44d", "\"\U0001f44d\"*"},
		{`a" OR "b*`, `"a or b"*`},
		{"text:x NEAR(y)", `"text x near y"*`},
	} {
		if got := phrase(c.in); got != c.want {
			t.Errorf("phrase(%q) = %s, want %s", c.in, got, c.want)
		}
	}
	long := phrase(strings.Repeat("很", 1000))
	if n := len(strings.Fields(long)); n != maxTerms || strings.HasSuffix(long, "*") {
		t.Errorf("a keyword of 1,000 characters makes %d tokens: %s", n, long)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"买iPhone15手机", "\U0001f468\u200d\U0001f469\u200d", "\u0301", "½ ﷺ", "ｶﾞ\xff\x00", "\U0001f1e8\U0001f3fb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := text(s)
		if !utf8.ValidString(got) {
			t.Fatalf("text(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if r < 0x80 && r != ' ' && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
				t.Fatalf("text(%q) = %q has a %q, at which FTS5 would split", s, got, r)
			}
		}
		if strings.Contains(" "+got+" ", "  ") && got != "" {
			t.Fatalf("text(%q) = %q has an empty token", s, got)
		}
		if (got == "") != (phrase(s) == "") {
			t.Fatalf("%q as a text is %q, as a keyword %q", s, got, phrase(s))
		}
	})
}
