package catalogue

import (
	"errors"
	"fmt"
	"slices"
)

// checker collects what is wrong with a catalogue.
type checker struct {
	catalogue *Catalogue
	names     map[string]string // name of the C interface -> header
	errs      []error
}

var (
	numbers = []string{"int", "bool", "int32_t", "int64_t", "uint32_t", "uint64_t"}
	states  = []string{"", "any", "init", "login", "cache"}
	shapes  = []string{"", "object", "array", "either"}
	dirs    = []string{"", "in", "out", "inout"}
)

// check finds contradictions that the generated code could not survive.
func (c *Catalogue) check() error {
	k := &checker{catalogue: c, names: map[string]string{}}
	for _, h := range c.Headers {
		k.constants(h)
		for _, cb := range h.Callbacks {
			k.claim(h, cb.Name)
			k.callback(cb)
		}
		for _, f := range h.Functions {
			k.claim(h, f.Name)
			k.function(f)
		}
	}
	k.aliases()
	return errors.Join(k.errs...)
}

func (k *checker) fail(format string, args ...any) {
	k.errs = append(k.errs, fmt.Errorf(format, args...))
}

// claim records a name of the C name space; nothing may have it twice.
func (k *checker) claim(h *Header, name string) {
	if name == "" {
		k.fail("%s: something has no name", h.Name)
	} else if other, taken := k.names[name]; taken {
		k.fail("%s: %s is already declared in %s", h.Name, name, other)
	}
	k.names[name] = h.Name
}

func (k *checker) constants(h *Header) {
	for _, e := range h.Enums {
		k.claim(h, e.Name)
		for _, v := range e.Values {
			k.claim(h, v.Name)
		}
	}
	for _, v := range h.Errors {
		k.claim(h, v.Name)
	}
	for _, s := range h.Structs {
		for _, key := range s.Keys {
			k.claim(h, key.Const)
			k.oneOf(key.Const, "dir", key.Dir, dirs)
		}
	}
	for _, key := range h.OlderConstants {
		k.claim(h, key.Const)
	}
}

func (k *checker) oneOf(where, what, got string, want []string) {
	if !slices.Contains(want, got) {
		k.fail("%s: %s is %q, want one of %q", where, what, got, want)
	}
}

// params checks the types; user_data may only come last.
func (k *checker) params(where string, params []Param) {
	for i, p := range params {
		if p.Kind() == UserData && (i != len(params)-1 || p.Name != "user_data") {
			k.fail("%s: const void* must be the last parameter and be called user_data", where)
		}
		declared := k.catalogue.Owner(p.Type) != ""
		if (p.Kind() == Func || p.Kind() == Number && !slices.Contains(numbers, p.Type)) && !declared {
			k.fail("%s: unknown type %q", where, p.Type)
		}
		k.oneOf(where+"."+p.Name, "json", p.JSON, shapes)
		if p.JSON == "" && (p.Bad != 0 || p.Empty != 0) {
			k.fail("%s.%s: bad and empty belong to JSON parameters", where, p.Name)
		}
	}
}

func (k *checker) callback(cb Callback) {
	if len(cb.Params) == 0 || cb.Params[len(cb.Params)-1].Kind() != UserData {
		k.fail("%s: a callback ends with user_data (same_as must name a type of the same file)", cb.Name)
	}
	k.params(cb.Name, cb.Params)
}

func (k *checker) function(f Function) {
	k.params(f.Name, f.Params)
	k.oneOf(f.Name, "state", f.State, states)
	if f.Returns == "" {
		k.fail("%s: no return type", f.Name)
	}
}

func (k *checker) aliases() {
	for _, h := range k.catalogue.Headers {
		for _, a := range h.Aliases {
			k.claim(h, a.Name)
			if k.names[a.Target] == "" {
				k.fail("%s: alias %s names %s, which does not exist", h.Name, a.Name, a.Target)
			}
		}
	}
}
