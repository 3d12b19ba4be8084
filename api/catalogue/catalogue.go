// Package catalogue reads api/*.yaml, the description of the public C interface, and checks that it makes sense.
package catalogue

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// order is the order of the headers in TIMCloud.h; the position of a function in it is its number in the library.
// Files that are not named here follow in alphabetical order.
var order = []string{
	"TIMCloudDef.h", "TIMErrorCode.h", "TIMManager.h", "TIMMessageManager.h", "TIMConversationManager.h",
	"TIMGroupManager.h", "TIMCommunityManager.h", "TIMFriendshipManager.h", "TIMSignalingManager.h",
	"TIMOfflinePushManager.h", "TIMExperimentalAPI.h", "TIMExt.h",
}

// Load reads all YAML files of dir.
func Load(dir string) (*Catalogue, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no catalogue files in %s", dir)
	}
	c := &Catalogue{}
	for _, file := range files {
		h, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		c.Headers = append(c.Headers, h)
	}
	slices.SortFunc(c.Headers, func(a, b *Header) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return c, c.check()
}

func rank(h *Header) int {
	if i := slices.Index(order, h.Name); i >= 0 {
		return i
	}
	return len(order)
}

func read(file string) (*Header, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	h := &Header{}
	if err := dec.Decode(h); err != nil {
		return nil, err
	}
	if want := strings.TrimSuffix(filepath.Base(file), ".yaml") + ".h"; h.Name != want {
		return nil, fmt.Errorf("header is %q, want %q", h.Name, want)
	}
	for i := range h.Callbacks {
		h.share(&h.Callbacks[i])
	}
	return h, nil
}

// share gives an older callback type the parameters of the current one that it equals.
func (h *Header) share(cb *Callback) {
	for _, other := range h.Callbacks {
		if cb.SameAs != "" && other.Name == cb.SameAs {
			cb.Params = other.Params
		}
	}
}

// Functions lists the functions of all headers.
func (c *Catalogue) Functions() []Function {
	var all []Function
	for _, h := range c.Headers {
		all = append(all, h.Functions...)
	}
	return all
}

// Callbacks lists the callback types of all headers.
func (c *Catalogue) Callbacks() []Callback {
	var all []Callback
	for _, h := range c.Headers {
		all = append(all, h.Callbacks...)
	}
	return all
}

// Owner says which header declares the type or enumeration named by a C type, "" for a type of the language.
func (c *Catalogue) Owner(ctype string) string {
	name := BareType(ctype)
	for _, h := range c.Headers {
		for _, e := range h.Enums {
			if e.Name == name {
				return h.Name
			}
		}
		for _, cb := range h.Callbacks {
			if cb.Name == name {
				return h.Name
			}
		}
	}
	return ""
}

// BareType drops the enum keyword of a C type.
func BareType(ctype string) string { return strings.TrimPrefix(ctype, "enum ") }

// Kind says how a parameter crosses the boundary.
type Kind byte

// The kinds, each with the letter that stands for it in the C tables.
const (
	Text     Kind = 's' // const char*, read
	Out      Kind = 'o' // char*, a buffer that the library fills
	Number   Kind = 'n' // an integer, an enumeration or a bool
	Func     Kind = 'c' // a callback
	UserData Kind = 'u' // the caller's word
)

// Kind sorts a parameter by its C type.
func (p Param) Kind() Kind {
	switch {
	case p.Type == "const char*":
		return Text
	case p.Type == "char*":
		return Out
	case p.Type == "const void*":
		return UserData
	case strings.HasSuffix(p.Type, "Callback"):
		return Func
	}
	return Number
}

// Setter says whether the function only registers or removes a callback.
func (f Function) Setter() bool {
	return f.Returns == "void" && len(f.Params) > 0 && f.Params[0].Kind() == Func
}
