package main

import (
	"fmt"
	"slices"
	"strings"

	"timbre/api/catalogue"
)

// headers makes include/.
func headers(cat *catalogue.Catalogue, out *output) {
	out.add("include/TIMCloudComm.h", common)
	var all text
	all.f("/* %s */\n\n/* The whole interface. */\n\n#ifndef TIMBRE_TIMCLOUD_H\n#define TIMBRE_TIMCLOUD_H\n\n", mark)
	all.f("#include \"TIMCloudComm.h\"\n")
	for _, h := range cat.Headers {
		all.f("#include %q\n", h.Name)
		w := &headerWriter{header: h, out: out}
		w.write(cat)
		out.add("include/"+h.Name, w.String())
	}
	all.f("\n#endif\n")
	out.add("include/TIMCloud.h", all.String())
	// Programs of versions 5 and 6 include the callbacks by this name.
	out.add("include/TIMCloudCallback.h", "/* "+mark+" */\n\n#include \"TIMCloud.h\"\n")
}

// headerWriter makes one header.
type headerWriter struct {
	text
	header *catalogue.Header
	out    *output
}

func (w *headerWriter) write(cat *catalogue.Catalogue) {
	h := w.header
	guard := "TIMBRE_" + strings.ToUpper(strings.ReplaceAll(h.Name, ".", "_"))
	w.f("/* %s */\n\n", mark)
	w.comment(h.Name, "", h.Title, h.Doc)
	w.f("\n#ifndef %s\n#define %s\n\n#include \"TIMCloudComm.h\"\n", guard, guard)
	for _, name := range includes(cat, h) {
		w.f("#include %q\n", name)
	}
	w.f("\nTIM_EXTERN_C_BEGIN\n")
	w.enums()
	w.callbacks()
	w.functions()
	w.keys()
	w.f("\nTIM_EXTERN_C_END\n\n#endif\n")
}

// includes lists the headers whose types this one uses.
func includes(cat *catalogue.Catalogue, h *catalogue.Header) []string {
	need := map[string]bool{}
	use := func(params []catalogue.Param) {
		for _, p := range params {
			need[cat.Owner(p.Type)] = true
		}
	}
	for _, cb := range h.Callbacks {
		use(cb.Params)
	}
	for _, f := range h.Functions {
		use(f.Params)
		need[cat.Owner(f.Returns)] = true
	}
	var list []string
	for _, other := range cat.Headers {
		if need[other.Name] && other != h {
			list = append(list, other.Name)
		}
	}
	return list
}

func (w *headerWriter) enums() {
	enums := w.header.Enums
	if len(w.header.Errors) > 0 {
		enums = append(slices.Clone(enums), catalogue.Enum{Name: "TIMErrCode", Values: w.header.Errors})
	}
	for _, e := range enums {
		w.f("\n")
		w.comment(e.Name, "", older(e.Older), e.Doc)
		w.f("typedef enum %s {\n", e.Name)
		for i, v := range e.Values {
			w.comment(v.Name, "    ", older(v.Older), v.Doc)
			comma := ","
			if i == len(e.Values)-1 {
				comma = "" // C++98 knows no trailing comma
			}
			w.f("    %s = %s%s\n", v.Name, number(v.Value), comma)
		}
		w.f("} %s;\n", e.Name)
	}
}

// number spells an int for every compiler; the smallest one has no literal.
func number(v int64) string {
	if v == -1<<31 {
		return "(-2147483647 - 1)"
	}
	return fmt.Sprint(v)
}

func older(is bool) string {
	if is {
		return "Kept for applications written for earlier versions."
	}
	return ""
}

func (w *headerWriter) callbacks() {
	for _, cb := range w.header.Callbacks {
		w.f("\n")
		same := ""
		if cb.SameAs != "" {
			same = "The same type as " + cb.SameAs + "."
		}
		w.comment(cb.Name, "", append([]string{older(cb.Older), same, cb.Doc}, paramDocs(cb.Params)...)...)
		if cb.SameAs != "" {
			w.f("typedef %s %s;\n", cb.SameAs, cb.Name)
		} else {
			w.f("typedef void (TIM_DECL *%s)(%s);\n", cb.Name, parameters(cb.Params))
		}
	}
}

func (w *headerWriter) functions() {
	for _, f := range w.header.Functions {
		w.f("\n")
		parts := append([]string{older(f.Older), f.Doc}, paramDocs(f.Params)...)
		for _, l := range labelled(f) {
			parts = append(parts, l.label+":"+separator(l.text)+l.text)
		}
		w.comment(f.Name, "", parts...)
		w.f("%s;\n", definition(f))
	}
}

// paramDocs lists the documented parameters.
func paramDocs(params []catalogue.Param) []string {
	var docs []string
	for _, p := range params {
		if p.Doc != "" {
			docs = append(docs, "- "+p.Name+": "+p.Doc)
		}
	}
	return docs
}

// separator puts a list on lines of its own.
func separator(text string) string {
	if item(text) {
		return "\n"
	}
	return " "
}

// line is a labelled part of the documentation of a function.
type line struct{ label, text string }

// labelled lists the parts of a function's documentation that have a name, the empty ones left out.
func labelled(f catalogue.Function) []line {
	all := []line{
		{"Result", f.Result}, {"Empty result", f.EmptyResult}, {"Events", f.Events}, {"Errors", f.Errors},
		{"Limits", f.Limits}, {"Thread", f.Thread}, {"Source", f.Source},
	}
	if !f.Built {
		all = append(all, line{"Not built yet", "answers ERR_SDK_INTERFACE_NOT_SUPPORT (7013)."})
	}
	return slices.DeleteFunc(all, func(l line) bool { return strings.TrimSpace(l.text) == "" })
}

// keys writes the constants that hold JSON keys, and the misspelt names that stay valid.
func (w *headerWriter) keys() {
	for _, s := range w.header.Structs {
		w.f("\n")
		w.comment(s.Name, "", "JSON keys of "+s.Name+".", s.Doc)
		for _, k := range s.Keys {
			w.constant(k)
		}
	}
	if len(w.header.OlderConstants) > 0 {
		w.f("\n/* JSON keys that earlier versions had. */\n")
	}
	for _, k := range w.header.OlderConstants {
		w.constant(k)
	}
	if len(w.header.Aliases) > 0 {
		w.f("\n/* Names that earlier versions spelled differently. */\n")
	}
	for _, a := range w.header.Aliases {
		w.f("#define %s %s\n", a.Name, a.Target)
	}
}

func (w *headerWriter) constant(k catalogue.Key) {
	w.comment(k.Const, "", facts(k))
	w.f("static const char* const %s = %q;\n", k.Const, k.Key)
}

// facts is the one-paragraph description of a key: type, direction, whether it is required, and its documentation.
func facts(k catalogue.Key) string {
	var list []string
	for _, s := range []string{typeName(k), k.Dir} {
		if s != "" {
			list = append(list, s)
		}
	}
	if k.Required {
		list = append(list, "required")
	}
	if len(k.Older) > 0 {
		list = append(list, "earlier spelled "+strings.Join(k.Older, ", "))
	}
	return strings.TrimSpace(joinNonEmpty(". ", strings.Join(list, ", "), strings.TrimSpace(k.Doc)))
}

// typeName is the JSON type of a key with the structure or enumeration it refers to.
func typeName(k catalogue.Key) string { return joinNonEmpty(" ", k.Type, k.Ref) }

func joinNonEmpty(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}
