// Package contract holds the facts of the public C interface and what the vendor's library was seen to answer, so that
// they can be checked on any machine:
//
//   - tim-c-api.json: functions, callback types, enumerations, error codes, JSON keys, aliases and older names.
//   - errors.jsonl: per function, state (pre: before TIMInit, init: after it, logining: login running) and input
//     (plausible, null, bad) the return value and the callbacks as [code, JSON text]; cb is null where the callback
//     could not be observed.
//   - local.json: one run without a network. Per step the call, its return value and the callbacks in order, each with
//     where it came from, the code and the JSON. An event that is not a result has its arguments as args instead.
//   - check.py: holds the built library and its headers against tim-c-api.json.
//
// The tests here hold the catalogue, api/*.yaml, against the first two.
package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"timbre/api/catalogue"
)

type param struct{ Type, Name string }

type function struct {
	Name, Header, Returns string
	Params                []param
}

type key struct {
	Const, Key, Type, Dir, Ref string
	Required                   bool
}

type facts struct {
	Functions []function
	Callbacks []function
	Enums     []struct {
		Name, Header string
		Values       map[string]int64
	}
	Errors map[string]int64
	JSON   []struct {
		Struct, Header string
		Keys           []key
	}
	Aliases map[string]string
	Older   struct {
		Functions   map[string]string
		Callbacks   map[string]string
		Respelled   map[string][]string `json:"respelled_keys"`
		Enumerators map[string]struct {
			Enum  string
			Value int64
		}
		Removed map[string]string `json:"removed_constants"`
	} `json:"older_versions"`
}

// statements turns the contract into a set of sentences, each about one fact.
func (f *facts) statements() set {
	s := set{}
	for _, fn := range f.Functions {
		s.add("function %s: %s", fn.Header, signature(fn))
	}
	for _, cb := range f.Callbacks {
		s.add("callback %s: %s", cb.Header, signature(cb))
	}
	for _, e := range f.Enums {
		for name, value := range e.Values {
			s.add("enumerator %s %s: %s = %d", e.Header, e.Name, name, value)
		}
	}
	for name, value := range f.Errors {
		s.add("error %s = %d", name, value)
	}
	for _, j := range f.JSON {
		s.add("structure %s %s", j.Header, j.Struct)
		for _, k := range j.Keys {
			s.add("key of %s: %+v", j.Struct, k)
		}
	}
	for name, target := range f.Aliases {
		s.add("alias %s = %s", name, target)
	}
	f.olderStatements(s)
	return s
}

func (f *facts) olderStatements(s set) {
	for _, declaration := range f.Older.Functions {
		s.add("older function %s", declaration)
	}
	for name, same := range f.Older.Callbacks {
		s.add("older callback %s %s", name, same)
	}
	for current, spellings := range f.Older.Respelled {
		for _, spelling := range spellings {
			s.add("key %s was %s", current, spelling)
		}
	}
	for name, e := range f.Older.Enumerators {
		s.add("older enumerator %s: %s = %d", e.Enum, name, e.Value)
	}
	for name, k := range f.Older.Removed {
		s.add("older constant %s = %s", name, k)
	}
}

// catalogueStatements says the same sentences about the catalogue; our own extensions are left out.
func catalogueStatements(c *catalogue.Catalogue) set {
	s := set{}
	for _, h := range c.Headers {
		if h.Name == "TIMExt.h" {
			continue
		}
		for _, f := range h.Functions {
			fn := function{Name: f.Name, Header: h.Name, Returns: f.Returns, Params: params(f.Params)}
			if f.Older {
				s.add("older function %s;", signature(fn))
			} else {
				s.add("function %s: %s", h.Name, signature(fn))
			}
		}
		for _, cb := range h.Callbacks {
			if cb.Older {
				s.add("older callback %s as %s", cb.Name, cb.SameAs)
			} else {
				s.add("callback %s: %s", h.Name, signature(function{Name: cb.Name, Params: params(cb.Params)}))
			}
		}
		enumStatements(s, h)
		structStatements(s, h)
	}
	return s
}

func enumStatements(s set, h *catalogue.Header) {
	for _, e := range h.Enums {
		for _, v := range e.Values {
			if v.Older {
				s.add("older enumerator %s: %s = %d", e.Name, v.Name, v.Value)
			} else {
				s.add("enumerator %s %s: %s = %d", h.Name, e.Name, v.Name, v.Value)
			}
		}
	}
	for _, v := range h.Errors {
		if v.Older {
			s.add("older enumerator TIMErrCode: %s = %d", v.Name, v.Value)
		} else {
			s.add("error %s = %d", v.Name, v.Value)
		}
	}
}

func structStatements(s set, h *catalogue.Header) {
	for _, j := range h.Structs {
		s.add("structure %s %s", h.Name, j.Name)
		for _, k := range j.Keys {
			s.add("key of %s: %+v", j.Name, key{k.Const, k.Key, k.Type, k.Dir, k.Ref, k.Required})
			for _, spelling := range k.Older {
				s.add("key %s was %s", k.Key, spelling)
			}
		}
	}
	for _, k := range h.OlderConstants {
		s.add("older constant %s = %s", k.Const, k.Key)
	}
	for _, a := range h.Aliases {
		s.add("alias %s = %s", a.Name, a.Target)
	}
}

type set map[string]bool

func (s set) add(format string, args ...any) { s[fmt.Sprintf(format, args...)] = true }

func params(list []catalogue.Param) []param {
	var out []param
	for _, p := range list {
		out = append(out, param{p.Type, p.Name})
	}
	return out
}

func signature(f function) string {
	list := make([]string, len(f.Params))
	for i, p := range f.Params {
		list[i] = p.Type + " " + p.Name
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s(%s)", f.Returns, f.Name, strings.Join(list, ", ")))
}

func load(t *testing.T) *facts {
	t.Helper()
	text, err := os.ReadFile("tim-c-api.json")
	if err != nil {
		t.Fatal(err)
	}
	f := &facts{}
	if err := json.Unmarshal(text, f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestCatalogueSaysTheContract(t *testing.T) {
	cat, err := catalogue.Load("../../api")
	if err != nil {
		t.Fatal(err)
	}
	want, got := load(t).statements(), catalogueStatements(cat)
	if len(want) < 1900 {
		t.Fatalf("only %d facts were read from the contract", len(want))
	}
	for _, s := range slices.Sorted(maps.Keys(want)) {
		if !got[s] {
			t.Errorf("the catalogue does not say: %s", s)
		}
	}
	for _, s := range slices.Sorted(maps.Keys(got)) {
		if !want[s] {
			t.Errorf("the contract does not say: %s", s)
		}
	}
}

// What the vendor's library returned at once, to every function in every state, follows from what the catalogue says
// about the parameters.
func TestCatalogueExplainsRecordedReturnValues(t *testing.T) {
	cat, err := catalogue.Load("../../api")
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]catalogue.Function{}
	for _, f := range cat.Functions() {
		functions[f.Name] = f
	}
	text, err := os.ReadFile("errors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		var e struct {
			Fn, State, Input string
			Ret              int32
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		f, known := functions[e.Fn]
		if n++; !known {
			t.Errorf("line %d is about %s, which the catalogue does not have", n, e.Fn)
		} else if got := returned(f, e.Input); got != e.Ret {
			t.Errorf("%s with %s input returned %d, the catalogue says %d", e.Fn, e.Input, e.Ret, got)
		}
	}
	if n < 1000 {
		t.Errorf("only %d recorded answers", n)
	}
}

// returned is what a function returns at once: the first parameter that is wrong decides. A positive code comes through
// the callback instead.
func returned(f catalogue.Function, input string) int32 {
	for _, p := range f.Params {
		if p.Kind() != catalogue.Text {
			continue
		}
		code := int32(0)
		switch {
		case input == "null" && !p.Optional:
			code = -4
		case input == "bad" && p.JSON != "":
			code = cmp.Or(p.Bad, -3)
		case input == "plausible":
			code = p.Empty // the recorded objects and arrays were empty
		}
		if code != 0 {
			return min(code, 0)
		}
	}
	return 0
}
