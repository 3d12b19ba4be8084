#!/usr/bin/env python3
"""Does a library, with its headers, keep the contract of the public TIM C interface?

Writes one test program, compiles and runs it as C11 and as C++17. It assigns every function to a pointer of the
contract's type, every callback type to the contract's signature, and compares every enumerator, error code, JSON key and
alias with the contract's value. Before that the exported symbols are compared: none may be missing, none may be foreign.

usage: check.py --include DIR --lib FILE [--contract FILE] [--only c|c++] [--allow REGEX] [--show N]

The compilers are $CC and $CXX. The exit status is 0 when everything holds.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

RUNTIME = r"""
#include "TIMCloud.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int good, bad;

static void number(const char* name, long long is, long long want) {
    if (is == want) { good++; return; }
    bad++;
    printf("%s is %lld, the contract says %lld\n", name, is, want);
}

static void text(const char* name, const char* is, const char* want) {
    if (strcmp(is, want) == 0) { good++; return; }
    bad++;
    printf("%s is \"%s\", the contract says \"%s\"\n", name, is, want);
}

static void present(const char* name, int is) {
    if (is) { good++; return; }
    bad++;
    printf("%s is missing\n", name);
}
"""


class Program:
    """The C source that compares headers and library with the contract."""

    def __init__(self, contract, exported):
        self.contract = contract
        self.exported = exported
        self.enums = {e["name"] for e in contract["enums"]}
        self.declarations = []
        self.statements = []

    def source(self):
        for callback in self.contract["callbacks"]:
            self.callback(callback)
        for function in self.contract["functions"]:
            self.function(function)
        self.values()
        self.aliases()
        self.older()
        body = "\n".join("    " + s for s in self.statements)
        end = '    printf("%d of %d hold\\n", good, good + bad);\n    return bad != 0;'
        return f"{RUNTIME}\n" + "\n".join(self.declarations) + f"\n\nint main(void) {{\n{body}\n{end}\n}}\n"

    def ctype(self, name):
        """C needs the word enum where C++ allows it, so it is always written."""
        return f"enum {name}" if name in self.enums else name

    def signature(self, params):
        return ", ".join(self.ctype(p["type"]) for p in params) or "void"

    def callback(self, callback):
        name = callback["name"]
        # A pointer to the type is compatible with nothing but the same type, in C as well.
        self.declarations += [
            f"typedef void (*contract_{name})({self.signature(callback['params'])});",
            f"static {name} library_{name};",
            f"static contract_{name}* equal_{name} = &library_{name};",
        ]
        self.statements.append(f'present("{name}", equal_{name} != 0);')

    def function(self, function):
        name = function["name"]
        if name not in self.exported:
            self.statements.append(f'present("{name}", 0);')
            return
        returns, params = self.ctype(function["returns"]), self.signature(function["params"])
        self.declarations.append(f"static {returns} (*pointer_{name})({params}) = {name};")
        self.statements.append(f'present("{name}", pointer_{name} != 0);')

    def number(self, name, want):
        self.statements.append(f'number("{name}", (long long){name}, {want});')

    def text(self, name, want):
        self.statements.append(f'text("{name}", {name}, {want});')

    def values(self):
        for enum in self.contract["enums"]:
            for name, value in enum["values"].items():
                self.number(name, f"{value}LL")
        for name, value in self.contract["errors"].items():
            self.number(name, f"{value}LL")
        for struct in self.contract["json"]:
            for key in struct["keys"]:
                self.text(key["const"], json.dumps(key["key"]))

    def aliases(self):
        keys = {k["const"] for s in self.contract["json"] for k in s["keys"]}
        for name, target in self.contract["aliases"].items():
            if target in keys:
                self.text(name, target)
            else:
                self.number(name, f"(long long){target}")

    def older(self):
        older = self.contract["older_versions"]
        for name, enumerator in older["enumerators"].items():
            self.number(name, f"{enumerator['value']}LL")
        for name, key in older["removed_constants"].items():
            self.text(name, json.dumps(key))
        for name in older["callbacks"]:
            self.statements.append(f'{{ {name} pointer = 0; present("{name}", pointer == 0); }}')
        for name, declaration in older["functions"].items():
            if name in self.exported:
                self.declarations.append(f"TIM_EXTERN_C {declaration}")
        for name in older["macros"]:
            self.declarations.append(f'#ifndef {name}\n#error "the macro {name} is missing"\n#endif')
            self.statements.append("good++;")


def exported_symbols(library):
    run = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"check: {library} cannot be read: {run.stderr.strip()}")
    symbols = (line.split() for line in run.stdout.splitlines())
    return {s[-1].split("@")[0] for s in symbols if s[-2] in "TtWwDdBbRrVv"}


def check_symbols(contract, exported, allow):
    """Compares names; returns whether they are right."""
    wanted = {f["name"] for f in contract["functions"]} | set(contract["older_versions"]["functions"])
    missing = sorted(wanted - exported)
    foreign = sorted(n for n in exported - wanted if not re.match(allow, n))
    if missing:
        print(f"{len(missing)} functions are not exported: {' '.join(missing)}")
    if foreign:
        print(f"{len(foreign)} exported symbols do not belong to the interface: {' '.join(foreign[:40])}")
    return not missing and not foreign


def compile_and_run(language, source, args):
    """Returns whether the program compiles, links and finds nothing wrong."""
    compiler, standard, suffix = {
        "c": (os.environ.get("CC", "cc"), "-std=c11", ".c"),
        "c++": (os.environ.get("CXX", "c++"), "-std=c++17", ".cpp"),
    }[language]
    strict = ["-Werror=incompatible-pointer-types"] if language == "c" else []
    library = pathlib.Path(args.lib).resolve()
    with tempfile.TemporaryDirectory() as folder:
        file, program = pathlib.Path(folder, "contract" + suffix), pathlib.Path(folder, "contract")
        file.write_text(source)
        command = [*compiler.split(), standard, "-Wall", "-Wno-unused", *strict, "-I", args.include, str(file),
                   "-o", str(program), str(library), f"-Wl,-rpath,{library.parent}"]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            lines = [l for l in run.stderr.splitlines() if "error" in l or "undefined" in l]
            print(f"{language}: {len(lines)} errors from the compiler or linker")
            print("\n".join(lines[:args.show]))
            return False
        run = subprocess.run([str(program)], capture_output=True, text=True)
        *details, summary = run.stdout.splitlines() or [f"ended with status {run.returncode}"]
        print("\n".join([*details[:args.show], f"{language}: {summary}"]))
        return run.returncode == 0


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--include", required=True, help="folder of the headers")
    parser.add_argument("--lib", required=True, help="the shared library")
    parser.add_argument("--contract", default=here / "tim-c-api.json")
    parser.add_argument("--only", choices=["c", "c++"])
    parser.add_argument("--allow", default=r"^TIM", help="exported names that are ours besides the contract's")
    parser.add_argument("--show", type=int, default=60, help="how many lines of errors to print")
    args = parser.parse_args()
    contract = json.loads(pathlib.Path(args.contract).read_text(encoding="utf-8"))
    exported = exported_symbols(args.lib)
    results = [check_symbols(contract, exported, args.allow)]
    source = Program(contract, exported).source()
    results += [compile_and_run(l, source, args) for l in ("c", "c++") if args.only in (None, l)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
