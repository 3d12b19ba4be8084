package language

import (
	"net/url"
	"unicode/utf8"

	"timbre/model/tim"
	"timbre/server/refusal"
)

const (
	// MaxTexts is how many texts one request may have.
	MaxTexts = 100
	// MaxCharacters is how many characters they may have together.
	MaxCharacters = 2000
	// MaxURL is the longest address of a sound, in bytes. Signed addresses are long.
	MaxURL = 4096
	// MaxCode is the longest code of a language, in bytes.
	MaxCode = 35
)

func checkTranslation(texts []string, from, to string) error {
	characters := 0
	for _, t := range texts {
		characters += utf8.RuneCountInString(t)
	}
	switch {
	case len(texts) == 0:
		return invalid("there is no text to translate")
	case len(texts) > MaxTexts:
		return invalid("more than 100 texts in one request")
	case characters > MaxCharacters:
		return invalid("more than 2000 characters in one request")
	case !validCode(from):
		return invalid("the source language is no language code")
	case !validCode(to) || to == auto:
		return invalid("the target language is no language code")
	}
	return nil
}

func checkSound(address, language string) error {
	if len(address) > MaxURL {
		return invalid("the URL is longer than 4096 bytes")
	}
	if u, err := url.Parse(address); err != nil || !onWeb(u) {
		return invalid("the URL of the sound is no http or https address")
	}
	if language != "" && !validCode(language) {
		return invalid("the language is no language code")
	}
	return nil
}

// onWeb says whether an address is one of HTTP. User names in it mislead readers about the host and are never needed.
func onWeb(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

// validCode says whether a text looks like "en" or "zh-Hant-TW". Which languages there are is the backend's business.
func validCode(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20 // lower case
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return s != "" && len(s) <= MaxCode
}

func invalid(desc string) error { return refusal.New(tim.ErrInvalidParameters, desc) }
