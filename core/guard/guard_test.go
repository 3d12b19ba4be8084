package guard

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	if !Run(log, "nowhere", func() {}) || out.Len() > 0 {
		t.Errorf("what returns is said to have failed, or logged: %s", &out)
	}
	if Run(log, "somewhere", func() { panic("a mistake") }) {
		t.Error("a panic is said to have returned")
	}
	for _, want := range []string{"level=ERROR", "where=somewhere", `panic="a mistake"`, "guard_test.go"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the log: %s", want, &out)
		}
	}
}
