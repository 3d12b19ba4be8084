package main

import (
	"fmt"
	"strings"

	"timbre/api/catalogue"
)

// shim makes the exported functions (shim_gen.c) and the numbers they use (ops_gen.h). Every function packs its
// arguments into 64-bit words and enters the runtime that capi/shim.h declares.
func shim(cat *catalogue.Catalogue, out *output) {
	var c, ops text
	c.f("/* %s */\n\n#include \"TIMCloud.h\"\n\n#include \"ops_gen.h\"\n#include \"shim.h\"\n\n", mark)
	c.f("/* One function per name of the interface. The types come from the headers, so the compiler proves them. */\n")
	for _, f := range cat.Functions() {
		c.f("\n%s {\n%s}\n", definition(f), body(f))
	}
	numbers(cat, &ops)
	out.add("capi/shim_gen.c", c.String())
	out.add("capi/ops_gen.h", ops.String())
}

// definition is the head of a function as the headers declare it.
func definition(f catalogue.Function) string {
	return fmt.Sprintf("TIM_API %s TIM_DECL %s(%s)", f.Returns, f.Name, parameters(f.Params))
}

func parameters(params []catalogue.Param) string {
	if len(params) == 0 {
		return "void"
	}
	list := make([]string, len(params))
	for i, p := range params {
		list[i] = p.Type + " " + p.Name
	}
	return strings.Join(list, ", ")
}

func body(f catalogue.Function) string {
	if f.Returns == "const char*" {
		return "    return timbre_version();\n"
	}
	args, declaration := "(const uint64_t *)0", ""
	if len(f.Params) > 0 {
		words := make([]string, len(f.Params))
		for i, p := range f.Params {
			words[i] = word(p)
		}
		args, declaration = "args", fmt.Sprintf("    const uint64_t args[] = {%s};\n", strings.Join(words, ", "))
	}
	call := fmt.Sprintf("timbre_enter(TIMBRE_OP_%s, %s, %d)", f.Name, args, len(f.Params))
	if f.Returns == "void" {
		return declaration + "    (void)" + call + ";\n"
	}
	return declaration + "    return (" + f.Returns + ")" + call + ";\n"
}

// word turns an argument into 64 bits; signed values keep their sign.
func word(p catalogue.Param) string {
	switch p.Kind() {
	case catalogue.Func:
		return "timbre_fn((void (*)(void))" + p.Name + ")"
	case catalogue.Number:
		if p.Type == "bool" || strings.HasPrefix(p.Type, "uint") {
			return "(uint64_t)" + p.Name
		}
		return "(uint64_t)(int64_t)" + p.Name
	}
	return "timbre_ptr(" + p.Name + ")"
}

// numbers writes the header with the function and callback numbers; model/tim has the same ones.
func numbers(cat *catalogue.Catalogue, t *text) {
	t.f("/* %s */\n\n#ifndef TIMBRE_OPS_GEN_H\n#define TIMBRE_OPS_GEN_H\n\n", mark)
	t.f("/* The functions, in the order of the catalogue. */\nenum {\n")
	for i, f := range cat.Functions() {
		t.f("    TIMBRE_OP_%s = %d,\n", f.Name, i)
	}
	t.f("    TIMBRE_OP_COUNT = %d\n};\n\n", len(cat.Functions()))
	t.f("/* The callback types, in the order of the catalogue. */\nenum {\n")
	for i, cb := range cat.Callbacks() {
		t.f("    TIMBRE_CB_%s = %d,\n", cb.Name, i)
	}
	t.f("    TIMBRE_CB_COUNT = %d\n};\n\n", len(cat.Callbacks()))
	t.f("/*\n * What each argument of a function is, one letter each: s text (const char*), o a buffer to fill (char*),\n")
	t.f(" * n a number, an enumeration or a bool, c a callback, u user_data.\n */\n")
	t.f("static const char *const timbre_arg_kinds[] = {\n")
	for _, f := range cat.Functions() {
		t.f("    \"%s\", /* %s */\n", kinds(f.Params), f.Name)
	}
	t.f("};\n\n#endif\n")
}

func kinds(params []catalogue.Param) string {
	letters := make([]byte, len(params))
	for i, p := range params {
		letters[i] = byte(p.Kind())
	}
	return string(letters)
}

// callbackSwitch makes the one place that calls into the application.
func callbackSwitch(cat *catalogue.Catalogue, out *output) {
	var t text
	t.f("/* %s */\n\n#include \"TIMCloud.h\"\n\n#include \"ops_gen.h\"\n#include \"shim.h\"\n\n", mark)
	t.f("/* Calls fn, which is of the given callback type, with the words w and user_data. */\n")
	t.f("void timbre_invoke(int callback, void (*fn)(void), const uint64_t *w, const void *user_data) {\n")
	t.f("    (void)w; /* some types take nothing but user_data */\n    switch (callback) {\n")
	for _, cb := range cat.Callbacks() {
		t.f("    case TIMBRE_CB_%s:\n        ((%s)fn)(%s);\n        break;\n", cb.Name, cb.Name, unpack(cb.Params))
	}
	t.f("    default:\n        break;\n    }\n}\n")
	out.add("capi/callbacks_gen.c", t.String())
}

// unpack is the reverse of word, for the parameters of a callback.
func unpack(params []catalogue.Param) string {
	args := make([]string, len(params))
	for i, p := range params {
		switch p.Kind() {
		case catalogue.UserData:
			args[i] = p.Name
		case catalogue.Text:
			args[i] = fmt.Sprintf("(const char *)(uintptr_t)w[%d]", i)
		default:
			args[i] = fmt.Sprintf("(%s)w[%d]", p.Type, i)
		}
	}
	return strings.Join(args, ", ")
}

// exports makes the lists of visible names for the three linkers.
func exports(cat *catalogue.Catalogue, out *output) {
	var def, exp text
	def.f("; %s\nEXPORTS\n", mark)
	exp.f("# %s\n", mark)
	for _, f := range cat.Functions() {
		def.f("    %s\n", f.Name)
		exp.f("_%s\n", f.Name)
	}
	out.add("capi/exports.map", "/* "+mark+" */\n{\n  global:\n    TIM*;\n    callExperimentalAPI;\n  local:\n    *;\n};\n")
	out.add("capi/exports.def", def.String())
	out.add("capi/exports.exp", exp.String())
}
