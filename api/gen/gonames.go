package main

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"timbre/api/catalogue"
)

// names makes sure that no two constants of model/tim get the same name.
type names struct {
	out   *output
	taken map[string]string
}

// claim records the Go name of a C name.
func (n *names) claim(name, from string) string {
	if other, taken := n.taken[name]; taken {
		n.out.fail("%s and %s both become %s in Go", other, from, name)
	}
	n.taken[name] = from
	return name
}

// goNames makes the constants of model/tim: JSON keys, enumerations, error codes, older spellings of keys.
func goNames(cat *catalogue.Catalogue, out *output) {
	n := &names{out: out, taken: map[string]string{}}
	for _, f := range cat.Functions() {
		n.claim(opName(f.Name), f.Name)
	}
	for _, cb := range cat.Callbacks() {
		n.claim("Callback"+cb.Name, cb.Name)
	}
	goKeys(cat, n)
	goEnums(cat, n)
	goErrors(cat, n)
	goOlder(cat, out)
}

// goKeys groups the keys by structure.
func goKeys(cat *catalogue.Catalogue, n *names) {
	var t text
	t.f("// %s\n\npackage tim\n", mark)
	for _, h := range cat.Headers {
		for _, s := range h.Structs {
			if len(s.Keys) > 0 {
				t.f("\n// Keys of %s (%s).\nconst (\n", s.Name, h.Name)
				keyLines(&t, s.Keys, n)
				t.f(")\n")
			}
		}
		if len(h.OlderConstants) > 0 {
			t.f("\n// Keys that earlier versions of %s had.\nconst (\n", h.Name)
			keyLines(&t, h.OlderConstants, n)
			t.f(")\n")
		}
	}
	n.out.add("model/tim/keys_gen.go", t.String())
}

func keyLines(t *text, keys []catalogue.Key, n *names) {
	for _, k := range keys {
		name := keyName(k.Const)
		if _, taken := n.taken[name]; taken {
			name = "Key" + strings.ReplaceAll(k.Const, "_", "")
		}
		t.f("%s = %q // %s\n", n.claim(name, k.Const), k.Key, k.Const)
	}
}

// keyName turns kTIMMsgElemArray into KeyMsgElemArray.
func keyName(c string) string {
	return "Key" + joinUpper(strings.TrimPrefix(strings.TrimPrefix(c, "k"), "TIM"))
}

func goEnums(cat *catalogue.Catalogue, n *names) {
	var t text
	t.f("// %s\n\npackage tim\n", mark)
	for _, h := range cat.Headers {
		for _, e := range h.Enums {
			t.f("\n// %s (%s).\nconst (\n", e.Name, h.Name)
			for _, v := range e.Values {
				t.f("%s = %d // %s\n", n.claim(enumName(e.Name, v.Name), v.Name), v.Value, v.Name)
			}
			t.f(")\n")
		}
	}
	n.out.add("model/tim/enums_gen.go", t.String())
}

// enumName turns kTIMConv_C2C into ConvC2C and V2TIM_TOPIC_PERMISSION_AT_ALL into TopicPermissionAtAll.
func enumName(enum, c string) string {
	if enum == "TIMResult" {
		return "Result" + words(strings.TrimPrefix(c, "TIM_"))
	}
	if strings.Contains(c, "_") && c == strings.ToUpper(c) {
		return words(strings.TrimPrefix(strings.TrimPrefix(c, "V2"), "TIM_"))
	}
	for _, prefix := range []string{"kTIM", "KTIM", "TIM"} {
		if rest, ok := strings.CutPrefix(c, prefix); ok {
			return joinUpper(rest)
		}
	}
	return joinUpper(c)
}

func goErrors(cat *catalogue.Catalogue, n *names) {
	var t text
	t.f("// %s\n\npackage tim\n\n// TIMErrCode: the codes that a callback can carry.\nconst (\n", mark)
	for _, h := range cat.Headers {
		for _, v := range h.Errors {
			t.f("%s = %d // %s\n", n.claim(words(v.Name), v.Name), v.Value, v.Name)
		}
	}
	t.f(")\n")
	n.out.add("model/tim/errors_gen.go", t.String())
}

// goOlder makes both directions of the table of respelled keys.
func goOlder(cat *catalogue.Catalogue, out *output) {
	var keys []catalogue.Key
	for _, h := range cat.Headers {
		for _, s := range h.Structs {
			for _, k := range s.Keys {
				if len(k.Older) > 0 {
					keys = append(keys, k)
				}
			}
		}
	}
	slices.SortFunc(keys, func(a, b catalogue.Key) int { return cmp.Compare(a.Key, b.Key) })
	var to, from text
	seen := map[string]string{}
	for _, k := range keys {
		from.f("%q: {", k.Key)
		for _, old := range k.Older {
			if other, taken := seen[old]; taken {
				out.fail("%s is an older spelling of both %s and %s", old, other, k.Key)
			}
			seen[old] = k.Key
			to.f("%q: %q,\n", old, k.Key)
			from.f("%q, ", old)
		}
		from.f("},\n")
	}
	out.add("model/tim/respelled_gen.go", "// "+mark+"\n\npackage tim\n\n"+
		"// older leads from the spelling of an earlier version to the current one.\nvar older = map[string]string{\n"+
		to.String()+"}\n\n// olderOf leads back.\nvar olderOf = map[string][]string{\n"+from.String()+"}\n")
}

// initialisms stay in capitals; two names of the interface that run words together are split.
var initialisms = map[string]string{
	"SDK": "SDK", "SVR": "SVR", "ID": "ID", "URL": "URL", "JSON": "JSON", "HTTP": "HTTP", "C2C": "C2C", "TLS": "TLS",
	"API": "API", "IP": "IP", "DNS": "DNS", "TCP": "TCP", "SSO": "SSO", "UGC": "UGC",
	"SDKUNINIT": "SDKUninit", "NOTLOGIN": "NotLogin",
}

// words turns ERR_SDK_NOT_LOGGED_IN into ErrSDKNotLoggedIn.
func words(c string) string {
	parts := strings.Split(c, "_")
	for i, p := range parts {
		if known, ok := initialisms[p]; ok {
			parts[i] = known
		} else {
			parts[i] = upperFirst(strings.ToLower(p))
		}
	}
	return strings.Join(parts, "")
}

// joinUpper drops the underscores and begins each part with a capital.
func joinUpper(s string) string {
	parts := strings.Split(s, "_")
	for i, p := range parts {
		parts[i] = upperFirst(p)
	}
	return strings.Join(parts, "")
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return string(unicode.ToUpper(rune(s[0]))) + s[1:]
}
