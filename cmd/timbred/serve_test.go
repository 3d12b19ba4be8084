package main

import (
	"bytes"
	"net"
	"strings"
	"testing"
)

// The secret is made once and shown once, so it must be shown even if the server cannot start.
func TestFirstStartShowsTheAppThoughThePortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var out bytes.Buffer
	cmd := serveCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&bytes.Buffer{})
	cmd.SetArgs([]string{"--data", t.TempDir(), "--listen", taken.Addr().String()})
	if err := cmd.Execute(); err == nil {
		t.Fatal("it started on a taken port")
	}
	if !strings.Contains(out.String(), "made app ") {
		t.Errorf("printed %q", out.String())
	}
}
