package main

import (
	"strings"

	"timbre/api/catalogue"
)

// goKinds are the names of the parameter kinds in model/tim.
var goKinds = map[catalogue.Kind]string{
	catalogue.Text: "KindText", catalogue.Out: "KindOut", catalogue.Number: "KindNumber",
	catalogue.Func: "KindCallback", catalogue.UserData: "KindUserData",
}

// goFunctions makes the tables of functions and callback types of model/tim.
func goFunctions(cat *catalogue.Catalogue, out *output) {
	var ops, cbs text
	ops.f("// %s\n\npackage tim\n\n// The functions, in the order of the catalogue.\nconst (\n", mark)
	for i, f := range cat.Functions() {
		ops.f("%s Op = %d\n", opName(f.Name), i)
	}
	ops.f(")\n\nvar functions = [...]Function{\n")
	for _, f := range cat.Functions() {
		goFunction(&ops, f)
	}
	ops.f("}\n")
	out.add("model/tim/ops_gen.go", ops.String())

	cbs.f("// %s\n\npackage tim\n\n// The callback types, in the order of the catalogue.\nconst (\n", mark)
	for i, cb := range cat.Callbacks() {
		cbs.f("Callback%s Callback = %d\n", cb.Name, i)
	}
	cbs.f(")\n\nvar callbackTypes = [...]CallbackType{\n")
	for _, cb := range cat.Callbacks() {
		cbs.f("Callback%s: {Name: %q%s},\n", cb.Name, cb.Name, goCallbackParams(cb.Params))
	}
	cbs.f("}\n")
	out.add("model/tim/callbacks_gen.go", cbs.String())
}

func opName(function string) string { return "Op" + upperFirst(function) }

func goFunction(t *text, f catalogue.Function) {
	name := opName(f.Name)
	t.f("%s: {Op: %s, Name: %q, Returns: %q", name, name, f.Name, f.Returns)
	if f.State != "" && f.State != "any" {
		t.f(", State: State%s", upperFirst(f.State))
	}
	if f.EmptyResult != "" {
		t.f(", EmptyResult: %q", f.EmptyResult)
	}
	if f.Built {
		t.f(", Built: true")
	}
	if f.Setter() {
		t.f(", Setter: true")
	}
	if len(f.Params) > 0 {
		t.f(", Params: []Param{\n")
		for _, p := range f.Params {
			goParam(t, p)
		}
		t.f("}")
	}
	t.f("},\n")
}

func goParam(t *text, p catalogue.Param) {
	t.f("{Name: %q, Kind: %s", p.Name, goKinds[p.Kind()])
	if p.Optional {
		t.f(", Optional: true")
	}
	if p.JSON != "" {
		t.f(", JSON: %s", upperFirst(p.JSON))
	}
	if p.Bad != 0 {
		t.f(", Bad: %d", p.Bad)
	}
	if p.Empty != 0 {
		t.f(", Empty: %d", p.Empty)
	}
	if p.Kind() == catalogue.Func {
		t.f(", Callback: Callback%s", p.Type)
	}
	t.f("},\n")
}

// goCallbackParams leaves user_data out.
func goCallbackParams(params []catalogue.Param) string {
	var kinds []string
	for _, p := range params {
		if p.Kind() != catalogue.UserData {
			kinds = append(kinds, goKinds[p.Kind()])
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	return ", Params: []Kind{" + strings.Join(kinds, ", ") + "}"
}
