// Package language translates texts and turns voice into text by asking a backend of the operator's over HTTP. Without a
// backend everything is refused. examples/language-backend is a backend to begin with.
//
// A request is one POST with JSON, an answer is status 200 with JSON:
//
//	POST {URL}/translate   {"texts":["hello"],"from":"auto","to":"de"}           {"texts":["hallo"]}
//	POST {URL}/transcribe  {"url":"https://files.example/1.m4a","language":"zh"}  {"text":"..."}
//
// With status 400 or 422 the backend says that the request is at fault (a language it does not know, a sound it cannot
// read); any other status is the backend's own trouble.
//
// The server never fetches the URL of a sound: it looks at its form and passes it on. Any client can name any address, so
// a backend should fetch from the file store only, follow no redirects and stop at a size.
//
// Rejected: fetching the sound here (a client could make the server call addresses inside the operator's network), a
// queue for what is too much (who waits for a translation has scrolled on), trying again here (the client does, and it
// knows whether the user still wants it).
package language

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"timbre/model/tim"
	"timbre/server/refusal"
)

const (
	// DefaultTimeout is how long the backend may take when nothing else is said.
	DefaultTimeout = 20 * time.Second
	// MaxUnderWay is how many requests the backend gets at a time.
	MaxUnderWay = 16

	auto = "auto"
)

// Config names the backend.
type Config struct {
	URL     string        // requests go to URL/translate and URL/transcribe; "": there is no backend
	Token   string        // sent as "Authorization: Bearer TOKEN"; "": nothing is sent
	Timeout time.Duration // for one answer; 0: DefaultTimeout
	HTTP    *http.Client  // nil: the standard transport, without following redirects
	Log     *slog.Logger  // nil: failures are not logged
}

// Check says what is wrong with the settings. It repeats neither URL nor token: both may hold a secret.
func (c Config) Check() error {
	u, err := url.Parse(c.URL)
	switch {
	case c.Timeout != 0 && c.Timeout < time.Millisecond: // a bare number in the file counts nanoseconds
		return errors.New("language_timeout must be a time with its unit, such as 20s")
	case !tokenish(c.Token):
		return errors.New("language_token must be printable ASCII without spaces")
	case c.URL == "":
		return nil
	case err != nil || !onWeb(u) || u.RawQuery != "" || u.Fragment != "":
		return errors.New("language_url must be an http or https address without user, query and fragment")
	}
	return nil
}

// tokenish says whether a text can stand in a header.
func tokenish(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Language asks the backend. Its methods may be called from any goroutine. A nil Language has no backend.
type Language struct {
	cfg    Config
	places chan struct{} // one for each request under way
}

// New returns a Language. The settings have passed Check.
func New(cfg Config) *Language {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // texts and token go where the operator said and nowhere else
		}}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Language{cfg: cfg, places: make(chan struct{}, MaxUnderWay)}
}

func (l *Language) enabled() bool { return l != nil && l.cfg.URL != "" }

// Go runs fn, which asks the backend, in a goroutine of its own. It does nothing and returns false when MaxUnderWay are
// running. Without a backend fn runs at once, because it does not take long.
func (l *Language) Go(fn func()) bool {
	if !l.enabled() {
		fn()
		return true
	}
	select {
	case l.places <- struct{}{}:
	default:
		return false
	}
	go func() {
		defer func() { <-l.places }()
		fn()
	}()
	return true
}

// Translate returns a translation of every text. From may be "" or "auto". Errors are refusals: ErrSDKInterfaceNotSupport
// without a backend, ErrInvalidParameters for what it does not take, ErrSVRCommRequestTimeout when it does not answer and
// ErrSVRCommRspJSONParseFailed when its answer makes no sense.
func (l *Language) Translate(ctx context.Context, texts []string, from, to string) ([]string, error) {
	if !l.enabled() {
		return nil, disabled()
	}
	if from == "" {
		from = auto
	}
	if err := checkTranslation(texts, from, to); err != nil {
		return nil, err
	}
	return ask(ctx, l, "/translate", translation{texts, from, to}, func(a *translated) ([]string, error) {
		return a.texts(len(texts))
	})
}

// Transcribe returns what is said in the sound at an address. A language of "" means Chinese mixed with English. Errors
// are those of Translate.
func (l *Language) Transcribe(ctx context.Context, address, language string) (string, error) {
	if !l.enabled() {
		return "", disabled()
	}
	if err := checkSound(address, language); err != nil {
		return "", err
	}
	return ask(ctx, l, "/transcribe", sound{address, language}, (*transcribed).text)
}

func disabled() error {
	return refusal.New(tim.ErrSDKInterfaceNotSupport, "this server has no language backend")
}
