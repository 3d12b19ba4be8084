// Grouprules shows the one table of rules for groups that client and server share.
//
//	go run ./server/config/grouprules                 writes docs/groups.md
//	go run ./server/config/grouprules --json [flags]  prints the table as JSON, as timbred with the same flags follows it
//
// The page says what the table of package model says and which settings of the server change it. What a setting changes is
// not written down: it is the difference between two tables, one with and one without it. The JSON is what the test of
// permissions holds a running server against.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"timbre/model"
	"timbre/server/config"
)

//go:generate go run .

func main() {
	log.SetFlags(0)
	log.SetPrefix("grouprules: ")
	flags := pflag.NewFlagSet("grouprules", pflag.ExitOnError)
	config.Flags(flags)
	asJSON := flags.Bool("json", false, "print the table as JSON")
	_ = flags.Parse(os.Args[1:]) // exits
	if err := run(flags, *asJSON); err != nil {
		log.Fatal(err)
	}
}

func run(flags *pflag.FlagSet, asJSON bool) error {
	switches, err := switchesOf(flags)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(table(&switches))
	}
	text, err := page()
	if err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "groups.md"), []byte(text), 0o644)
}

// switchesOf reads the settings as timbred does, but for its environment.
func switchesOf(flags *pflag.FlagSet) (model.GroupSwitches, error) {
	c, err := config.Load(flags, nil)
	if err != nil {
		return model.GroupSwitches{}, err
	}
	rules, err := c.Groups()
	return rules.GroupSwitches, err
}

// moduleRoot is the nearest directory upwards that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
	return "", fmt.Errorf("looking for go.mod: %w", err)
}
