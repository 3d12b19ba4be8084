// Package headers proves that every public header compiles by itself, in each language and version that an application
// may be written in, without a warning.
//
// The compilers are $CC and $CXX, gcc and g++ if these are not set; with TIMBRE_TEST=full clang and clang++ as well.
package headers

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const include = "../../include"

// standards of each language.
var standards = map[string][]string{
	"c":   {"c99", "c11"},
	"c++": {"c++98", "c++17"},
}

// compilers lists what to compile with, by language.
func compilers() map[string][]string {
	list := map[string][]string{
		"c":   {cmp.Or(os.Getenv("CC"), "gcc")},
		"c++": {cmp.Or(os.Getenv("CXX"), "g++")},
	}
	if os.Getenv("TIMBRE_TEST") == "full" {
		list["c"] = append(list["c"], "clang")
		list["c++"] = append(list["c++"], "clang++")
	}
	return list
}

func publicHeaders(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(include, "*.h"))
	if err != nil || len(files) < 13 {
		t.Fatalf("found %d headers: %v", len(files), err)
	}
	return files
}

func TestEveryHeaderCompilesAlone(t *testing.T) {
	files := publicHeaders(t)
	for language, list := range compilers() {
		for _, compiler := range list {
			for _, standard := range standards[language] {
				t.Run(compiler+" "+standard, func(t *testing.T) {
					t.Parallel()
					for _, file := range files {
						compile(t, compiler, language, standard, filepath.Base(file))
					}
				})
			}
		}
	}
}

func compile(t *testing.T, compiler, language, standard, header string) {
	t.Helper()
	words := strings.Fields(compiler)
	args := append(words[1:], "-x", language, "-std="+standard, "-Wall", "-Wextra", "-pedantic", "-Werror",
		"-Wno-long-long", "-I", include, "-fsyntax-only", "-")
	cmd := exec.Command(words[0], args...)
	// Twice, so that the guard is tested too.
	cmd.Stdin = strings.NewReader(strings.Repeat("#include \""+header+"\"\n", 2))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", header, err, out)
	}
}

// Compilers disagree about the encoding of source files, so headers hold nothing beyond ASCII.
func TestHeadersAreASCII(t *testing.T) {
	for _, file := range publicHeaders(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			if i := strings.IndexFunc(line, func(r rune) bool { return r > 0x7e || r < 0x20 }); i >= 0 {
				t.Errorf("%s:%d: not printable ASCII: %q", filepath.Base(file), n+1, line)
			}
		}
	}
}

// A header that mentions Go would bind applications to how the library is made.
func TestHeadersDoNotMentionGo(t *testing.T) {
	for _, file := range publicHeaders(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"_cgo", "cgo_", "GoString", "GoInt", "GoSlice", "_Ctype"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s mentions %s", filepath.Base(file), word)
			}
		}
	}
}
