package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"timbre/model"
	"timbre/server/config"
)

// load gathers settings from a file's text, an environment and a command line.
func load(t *testing.T, file string, environ []string, args ...string) (config.Config, error) {
	t.Helper()
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Flags(f)
	if file != "" {
		name := filepath.Join(t.TempDir(), "timbred.yaml")
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, "TIMBRED_CONFIG="+name)
	}
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.Load(f, environ)
}

func TestPrecedence(t *testing.T) {
	file := "data: file\nlisten: file\ndevices: one\ntls_cert: file\nmax_queue: 5\napp: ['1:a', '2:b']\n"
	environ := []string{"TIMBRED_DATA=env", "TIMBRED_LISTEN=env", "TIMBRED_TLS_CERT=env", "OTHER_DATA=x"}
	c, err := load(t, file, environ, "--data", "flag")
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "flag" || c.Listen != "env" || c.TLSCert != "env" || c.Devices != "one" || c.MaxQueue != 5 {
		t.Errorf("%+v", c)
	}
	if !slices.Equal(c.Apps, []string{"1:a", "2:b"}) {
		t.Errorf("apps of the file: %q", c.Apps)
	}
	if c.TLSKey != "" || c.LogLevel != "info" || c.MaxMessage != model.MaxMessageSize {
		t.Errorf("defaults: %+v", c)
	}
}

func TestApps(t *testing.T) {
	c, err := load(t, "", []string{"TIMBRED_APP=1:a,2:b"})
	if err != nil || !slices.Equal(c.Apps, []string{"1:a", "2:b"}) {
		t.Errorf("environment: %q, %v", c.Apps, err)
	}
	c, err = load(t, "", []string{"TIMBRED_APP=1:a"}, "--app", "3:c", "--app", "4:d,e")
	if err != nil || !slices.Equal(c.Apps, []string{"3:c", "4:d,e"}) {
		t.Errorf("flags: %q, %v", c.Apps, err)
	}
	secrets, err := c.Secrets()
	if err != nil || len(secrets) != 2 || secrets[4] != "d,e" {
		t.Errorf("%v, %v", secrets, err)
	}
	for _, bad := range []string{"x", "1", "0:a", "1:", "a:b", "99999999999999999999:a"} {
		if _, _, err := config.ParseApp(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		} else if strings.Contains(err.Error(), bad) {
			t.Errorf("the error for %q repeats it: it may be a secret", bad)
		}
	}
}

func TestMisspeltSetting(t *testing.T) {
	if _, err := load(t, "listn: x\n", nil); err == nil || !strings.Contains(err.Error(), "listn") {
		t.Errorf("got %v", err)
	}
	if _, err := load(t, "max_queue: many\n", nil); err == nil {
		t.Error("a text was accepted for a number")
	}
}

func TestFirstStartMakesAnApp(t *testing.T) {
	c := config.Config{Data: filepath.Join(t.TempDir(), "new")}
	made, err := c.EnsureApp()
	if err != nil {
		t.Fatal(err)
	}
	id, secret, err := config.ParseApp(made)
	if err != nil || id <= 1400000000 || id >= 1500000001 || len(secret) != 64 {
		t.Errorf("made %q, %v", made, err)
	}
	if again, err := c.EnsureApp(); again != "" || err != nil {
		t.Errorf("the second start made %q, %v", again, err)
	}
	secrets, err := c.Secrets()
	if err != nil || secrets[id] != secret {
		t.Errorf("%v, %v", secrets, err)
	}
	info, err := os.Stat(filepath.Join(c.Data, "app"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
