package catalogue

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// load reads a catalogue that consists of one file.
func load(t *testing.T, yaml string) (*Catalogue, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "TIMThing.yaml"), []byte("header: TIMThing.h\n"+yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	return Load(dir)
}

const callbacks = `
callbacks:
  - {name: TIMDoneCallback, params: [{name: code, type: int32_t}, {name: user_data, type: "const void*"}]}
  - {name: TIMOldCallback, older: true, same_as: TIMDoneCallback}
`

func TestLoad(t *testing.T) {
	c, err := load(t, callbacks+`
functions:
  - {name: TIMDo, returns: int, state: any, params: [{name: cb, type: TIMOldCallback}, {name: user_data, type: "const void*"}]}
  - {name: TIMSet, returns: void, params: [{name: cb, type: TIMDoneCallback}]}
`)
	if err != nil {
		t.Fatal(err)
	}
	if cbs := c.Callbacks(); len(cbs) != 2 || len(cbs[1].Params) != 2 {
		t.Errorf("same_as did not share the parameters: %+v", cbs)
	}
	if f := c.Functions(); f[0].Setter() || !f[1].Setter() {
		t.Errorf("setters are confused: %+v", f)
	}
	if c.Owner("TIMOldCallback") != "TIMThing.h" || c.Owner("int") != "" {
		t.Error("the owner of a type is wrong")
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"misspelt field":   {"functons: []", "functons"},
		"name used twice":  {callbacks + "enums: [{name: TIMDoneCallback, values: []}]", "already declared"},
		"unknown type":     {"functions: [{name: F, returns: int, params: [{name: a, type: size_t}]}]", "unknown type"},
		"unknown callback": {"functions: [{name: F, returns: int, params: [{name: a, type: TIMCallback}]}]", "unknown type"},
		"unknown state":    {"functions: [{name: F, returns: int, state: online}]", "state"},
		"no return type":   {"functions: [{name: F}]", "return type"},
		"lost alias":       {"aliases: [{name: A, target: B}]", "does not exist"},
		"user_data first": {`functions: [{name: F, returns: int, params: [{name: user_data, type: "const void*"}, ` +
			`{name: n, type: int}]}]`, "last parameter"},
		"code without JSON": {`functions: [{name: F, returns: int, params: [{name: s, type: "const char*", bad: -4}]}]`,
			"JSON parameters"},
		"same_as elsewhere": {"callbacks: [{name: TIMACallback, same_as: TIMBCallback}]", "ends with user_data"},
	} {
		if _, err := load(t, c.yaml); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one about %q", name, err, c.want)
		}
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("an empty folder was taken for a catalogue")
	}
}
