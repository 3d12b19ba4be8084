package config_test

import (
	"log/slog"
	"testing"
	"time"

	"timbre/server/language"
)

func TestLanguageSettings(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	c, err := load(t, "", nil)
	if got, want := c.Language(log), (language.Config{Timeout: language.DefaultTimeout, Log: log}); got != want || err != nil {
		t.Errorf("defaults: %+v, %v", got, err)
	}
	c, err = load(t, "language_url: http://h\nlanguage_timeout: 5s\n", []string{"TIMBRED_LANGUAGE_TOKEN=t"}, "--language-timeout", "1m30s")
	if got, want := c.Language(log), (language.Config{URL: "http://h", Token: "t", Timeout: 90 * time.Second, Log: log}); got != want || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if c, err = load(t, "language_timeout: 5s\n", nil); c.LanguageTimeout != 5*time.Second || err != nil {
		t.Errorf("of the file: %v, %v", c.LanguageTimeout, err)
	}
	if c, err = load(t, "", []string{"TIMBRED_LANGUAGE_TIMEOUT=6s"}); c.LanguageTimeout != 6*time.Second || err != nil {
		t.Errorf("of the environment: %v, %v", c.LanguageTimeout, err)
	}
	if _, err = load(t, "", []string{"TIMBRED_LANGUAGE_TIMEOUT=soon"}); err == nil {
		t.Error("a word was accepted for a time")
	}
	if c, err = load(t, "language_timeout: 20\n", nil); err == nil && c.Language(log).Check() == nil {
		t.Error("a number without a unit was accepted for a time")
	}
}
