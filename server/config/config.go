// Package config says how timbred is to run. A setting has one name everywhere: tls_cert in the YAML file is
// TIMBRED_TLS_CERT in the environment and --tls-cert on the command line. Flags win over the environment, which wins
// over the file, which wins over the defaults.
package config

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"timbre/server/gateway"
	"timbre/server/language"
	"timbre/server/message"
)

// Config is every setting.
type Config struct {
	Data      string   `koanf:"data"`
	Listen    string   `koanf:"listen"`
	Apps      []string `koanf:"app"` // "ID:SECRET"
	TLSCert   string   `koanf:"tls_cert"`
	TLSKey    string   `koanf:"tls_key"`
	Devices   string   `koanf:"devices"`
	LogLevel  string   `koanf:"log_level"`
	LogFormat string   `koanf:"log_format"`

	RevokeWithin  time.Duration `koanf:"revoke_within"`
	SyncDeletions bool          `koanf:"sync_deletions"`
	RetentionDays int           `koanf:"retention_days"`
	CloudSearch   bool          `koanf:"cloud_search"`

	MaxMessage  int `koanf:"max_message"`
	MaxInFlight int `koanf:"max_in_flight"`
	MaxQueue    int `koanf:"max_queue"`
	MaxOutbound int `koanf:"max_outbound"`

	Files `koanf:",squash"`
	Group `koanf:",squash"`

	LanguageURL     string        `koanf:"language_url"`
	LanguageToken   string        `koanf:"language_token"` // a secret
	LanguageTimeout time.Duration `koanf:"language_timeout"`
}

// Flags declares the settings as flags; their defaults are the settings' defaults.
func Flags(f *pflag.FlagSet) {
	g := gateway.Defaults()
	f.String("config", "", "YAML file with settings")
	f.String("data", "timbred-data", "folder for the database and the first app's secret")
	f.String("listen", "127.0.0.1:7800", "address to listen on")
	f.StringArray("app", nil, "app to serve, as ID:SECRET; may be repeated")
	f.String("tls-cert", "", "certificate file (PEM); reread on SIGHUP")
	f.String("tls-key", "", "key file (PEM); reread on SIGHUP")
	f.String("devices", "platform", "devices of a user that may be logged in at once: one, class (one mobile, one desktop, one web), platform (one each), platform:N (N each) or all")
	f.String("log-level", "info", "debug, info, warn or error")
	f.String("log-format", "text", "text or json")
	f.Duration("revoke-within", message.DefaultRules().RevokeWithin, "how long after sending a message can be revoked; 0: for ever")
	f.Bool("sync-deletions", false, "deleting messages or conversations on one device deletes them on the user's other devices")
	f.Int("retention-days", int(message.DefaultRules().Keep/day), "days for which messages and files are kept; 0: for ever")
	groupFlags(f)
	f.Bool("cloud-search", message.DefaultRules().Search, "users may search the messages that the server keeps")
	f.Int("max-message", g.MaxMessage, "bytes that the fields of one message may have")
	f.Int("max-in-flight", g.MaxInFlight, "changes under way per connection before reading pauses")
	f.Int("max-queue", g.MaxQueue, "changes waiting for the database before clients are told to wait")
	f.Int("max-outbound", g.MaxOutboundBytes, "bytes waiting for one client before pushes are dropped")
	fileFlags(f)
	f.String("language-url", "", "HTTP backend that translates texts and turns voice into text; none: both are refused")
	f.String("language-token", "", "bearer token for it; better given in the file or the environment")
	f.Duration("language-timeout", language.DefaultTimeout, "how long it may take for an answer")
}

const envPrefix = "TIMBRED_"

// Load gathers the settings. Environ is the environment as os.Environ returns it.
func Load(flags *pflag.FlagSet, environ []string) (Config, error) {
	k := koanf.New(".")
	fromEnv := env.Provider("", env.Opt{
		Prefix:        envPrefix,
		EnvironFunc:   func() []string { return environ },
		TransformFunc: fromVariable,
	})
	if err := k.Load(fromEnv, nil); err != nil { // for the name of the file; loaded again on top of it
		return Config{}, err
	}
	name := k.String("config")
	if f, err := flags.GetString("config"); err == nil && f != "" {
		name = f
	}
	k = koanf.New(".")
	if name != "" {
		if err := loadFile(k, name, flags); err != nil {
			return Config{}, fmt.Errorf("settings file %s: %w", name, err)
		}
	}
	if err := k.Load(fromEnv, nil); err != nil {
		return Config{}, err
	}
	if err := k.Load(posflag.ProviderWithFlag(flags, "", k, func(f *pflag.Flag) (string, any) {
		return settingName(f.Name), posflag.FlagVal(flags, f)
	}), nil); err != nil {
		return Config{}, err
	}
	var c Config
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("settings: %w", err)
	}
	return c, nil
}

// fromVariable turns TIMBRED_TLS_CERT=x into tls_cert. Several apps are separated by commas.
func fromVariable(name, value string) (string, any) {
	key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
	if key == "app" {
		return key, strings.Split(value, ",")
	}
	return key, value
}

// loadFile refuses names that no setting has: a misspelt one would silently have no effect.
func loadFile(k *koanf.Koanf, name string, flags *pflag.FlagSet) error {
	if err := k.Load(file.Provider(name), yaml.Parser()); err != nil {
		return err
	}
	for _, key := range k.Keys() {
		if flags.Lookup(strings.ReplaceAll(key, "_", "-")) == nil {
			return fmt.Errorf("unknown setting %q", key)
		}
	}
	return nil
}

func settingName(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

const day = 24 * time.Hour

// Messages returns the rules for messages.
func (c *Config) Messages() message.Rules {
	return message.Rules{RevokeWithin: c.RevokeWithin, SyncDeletions: c.SyncDeletions, Keep: c.Retention(), Search: c.CloudSearch}
}

// Retention is how long messages and files are kept, 0 for ever.
func (c *Config) Retention() time.Duration { return time.Duration(c.RetentionDays) * day }

// Gateway returns the settings that are the gateway's.
func (c *Config) Gateway() gateway.Config {
	g := gateway.Defaults()
	g.MaxMessage, g.MaxInFlight, g.MaxQueue, g.MaxOutboundBytes = c.MaxMessage, c.MaxInFlight, c.MaxQueue, c.MaxOutbound
	return g
}

// Language returns the settings of the language backend.
func (c *Config) Language(log *slog.Logger) language.Config {
	return language.Config{URL: c.LanguageURL, Token: c.LanguageToken, Timeout: c.LanguageTimeout, Log: log}
}
