package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timbre/model"
	"timbre/model/tim"
)

// What lies in docs/ is what the table says now.
func TestPageIsUpToDate(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	want, err := page()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(filepath.Join(root, "docs", "groups.md"))
	if err != nil || string(have) != want {
		t.Errorf("docs/groups.md is not what go generate ./server/config/... makes (%v)", err)
	}
}

func TestPageShowsEverything(t *testing.T) {
	text, err := page()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range model.GroupActions() {
		if !strings.Contains(text, "\n| "+string(a)+" | ") {
			t.Errorf("the page does not say who may %s", a)
		}
	}
	for name := range reasons {
		if !strings.Contains(text, "\n| `"+name+"` | ") {
			t.Errorf("the page does not show the setting %s", name)
		}
	}
	if strings.Contains(text, "| |") || strings.Contains(text, "%!") {
		t.Error("a cell of the page is empty or broken")
	}
}

// A flag changes the JSON as it changes the server.
func TestTableFollowsTheFlags(t *testing.T) {
	flags := newFlags()
	if err := flags.Parse([]string{"--group-owner-may-quit", "--group-history", "work"}); err != nil {
		t.Fatal(err)
	}
	s, err := switchesOf(flags)
	if err != nil {
		t.Fatal(err)
	}
	standard := model.DefaultGroupSwitches()
	for i, r := range table(&s) {
		was := table(&standard)[i]
		quits := r.May[string(model.GroupQuit)]["owner"]
		if quits != 0 || r.Type == tim.GroupPublic && was.May[string(model.GroupQuit)]["owner"] != tim.ErrSVRGroupSuperNotAllowQuit {
			t.Errorf("%s: the owner quits with %d", r.Name, quits)
		}
		if r.History != (r.Type == tim.GroupPrivate) {
			t.Errorf("%s: history %v", r.Name, r.History)
		}
	}
}
