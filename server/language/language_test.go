package language_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/language"
	"timbre/server/refusal"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

const secret = "secret words"

// backend serves a handler and returns who asks it.
func backend(t *testing.T, h http.HandlerFunc) (*language.Language, *bytes.Buffer) {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	log := new(bytes.Buffer)
	cfg := language.Config{URL: web.URL + "/v1/", Token: "token-1", Log: slog.New(slog.NewTextHandler(log, nil))}
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	return language.New(cfg), log
}

// answers returns a backend that says the same to everybody.
func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// wantCode checks that err is a refusal with a code and repeats nothing.
func wantCode(t *testing.T, what string, err error, code int) {
	t.Helper()
	if r := refusal.Of(err); r == nil || r.Code != code || r.Desc == "" || strings.Contains(r.Desc, secret) {
		t.Errorf("%s: got %v, want code %d", what, err, code)
	}
}

// wantRequest checks what the backend was asked.
func wantRequest(t *testing.T, r *http.Request, path, body string) {
	t.Helper()
	got, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.URL.Path != path || string(got) != body {
		t.Errorf("the backend got %s %s %s, %v; want POST %s %s", r.Method, r.URL.Path, got, err, path, body)
	}
	if h := r.Header; h.Get("Authorization") != "Bearer token-1" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
}

func TestTranslate(t *testing.T) {
	l, log := backend(t, func(w http.ResponseWriter, r *http.Request) {
		wantRequest(t, r, "/v1/translate", `{"texts":["one","","two \"x\""],"from":"auto","to":"zh-Hant"}`)
		io.WriteString(w, `{"texts":["一","","二"],"engine":"test"}`)
	})
	got, err := l.Translate(t.Context(), []string{"one", "", `two "x"`}, "", "zh-Hant")
	if err != nil || !slices.Equal(got, []string{"一", "", "二"}) {
		t.Errorf("%q, %v", got, err)
	}
	if log.Len() != 0 {
		t.Errorf("a success was logged: %s", log)
	}
}

func TestTranscribe(t *testing.T) {
	l, _ := backend(t, func(w http.ResponseWriter, r *http.Request) {
		wantRequest(t, r, "/v1/transcribe", `{"url":"https://files.example:8080/a%20b.m4a?sig=x","language":""}`)
		io.WriteString(w, `{"text":""}`)
	})
	got, err := l.Transcribe(t.Context(), "https://files.example:8080/a%20b.m4a?sig=x", "")
	if err != nil || got != "" {
		t.Errorf("silence is a result: %q, %v", got, err)
	}
}

func TestWithoutBackend(t *testing.T) {
	for _, l := range []*language.Language{nil, language.New(language.Config{Token: "x"})} {
		_, err := l.Translate(t.Context(), []string{"x"}, "", "en")
		wantCode(t, "translate", err, tim.ErrSDKInterfaceNotSupport)
		_, err = l.Transcribe(t.Context(), "http://h/x", "")
		wantCode(t, "transcribe", err, tim.ErrSDKInterfaceNotSupport)
		ran := false
		if !l.Go(func() { ran = true }) || !ran {
			t.Error("Go did not run it at once")
		}
	}
}

func TestBadInputNeverReachesTheBackend(t *testing.T) {
	l, _ := backend(t, func(http.ResponseWriter, *http.Request) { t.Error("the backend was asked") })
	one := []string{secret}
	for name, c := range map[string]struct {
		texts    []string
		from, to string
	}{
		"no texts":       {nil, "", "en"},
		"many texts":     {make([]string, language.MaxTexts+1), "", "en"},
		"too long":       {[]string{strings.Repeat("字", language.MaxCharacters), "x"}, "", "en"},
		"no target":      {one, "", ""},
		"target auto":    {one, "", "auto"},
		"long target":    {one, "", strings.Repeat("x", language.MaxCode+1)},
		"strange target": {one, "", "e n"},
		"strange source": {one, "en\r\n", "de"},
		"foreign source": {one, "中文", "de"},
	} {
		_, err := l.Translate(t.Context(), c.texts, c.from, c.to)
		wantCode(t, name, err, tim.ErrInvalidParameters)
	}
	for _, address := range []string{"", "x", "/x", "file:///etc/passwd", "ftp://h/x", "gopher://h/x", "http://", "http:///x",
		"http://:80/x", "http:h/x", "http://u:p@h/x", "http://h/\n", "http://h/%zz", "HTTP\x00://h/",
		"http://h/" + strings.Repeat("x", language.MaxURL)} {
		_, err := l.Transcribe(t.Context(), address, "")
		wantCode(t, fmt.Sprintf("%.40q", address), err, tim.ErrInvalidParameters)
	}
	_, err := l.Transcribe(t.Context(), "http://h/x", "z h")
	wantCode(t, "language", err, tim.ErrInvalidParameters)
}

func TestTheLimitsThemselvesAreAllowed(t *testing.T) {
	l, _ := backend(t, func(w http.ResponseWriter, r *http.Request) {
		var q protocol.Translate
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		w.Write(protocol.Marshal(map[string]any{"texts": q.Texts, "text": "x"}))
	})
	texts := make([]string, language.MaxTexts)
	for i := range texts {
		texts[i] = strings.Repeat("字", language.MaxCharacters/language.MaxTexts)
	}
	if got, err := l.Translate(t.Context(), texts, "a", strings.Repeat("x", language.MaxCode)); err != nil || !slices.Equal(got, texts) {
		t.Error(err)
	}
	address := "http://h/"
	address += strings.Repeat("x", language.MaxURL-len(address))
	if _, err := l.Transcribe(t.Context(), address, "zh_CN"); err != nil {
		t.Error(err)
	}
}

func TestBackendFailures(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		status int
		body   string
		code   int
	}{
		"status 500":      {500, secret, tim.ErrSVRCommRequestTimeout},
		"status 201":      {201, `{"texts":["a"],"text":"a"}`, tim.ErrSVRCommRequestTimeout},
		"status 401":      {401, "", tim.ErrSVRCommRequestTimeout},
		"status 400":      {400, secret, tim.ErrInvalidParameters},
		"status 422":      {422, secret, tim.ErrInvalidParameters},
		"empty":           {200, "", tim.ErrSVRCommRspJSONParseFailed},
		"no JSON":         {200, secret, tim.ErrSVRCommRspJSONParseFailed},
		"broken":          {200, `{"texts":["` + secret, tim.ErrSVRCommRspJSONParseFailed},
		"trailing":        {200, `{"texts":["a"],"text":"a"}x`, tim.ErrSVRCommRspJSONParseFailed},
		"other types":     {200, `{"texts":[71],"text":71}`, tim.ErrSVRCommRspJSONParseFailed},
		"nothing":         {200, `{}`, tim.ErrSVRCommRspJSONParseFailed},
		"null":            {200, `{"texts":[null],"text":null}`, tim.ErrSVRCommRspJSONParseFailed},
		"too long":        {200, `{"texts":["a"],"text":"a","x":"` + long + `"}`, tim.ErrSVRCommRspJSONParseFailed},
		"too long behind": {200, `{"texts":["a"],"text":"a"}` + strings.Repeat(" ", 1<<20), tim.ErrSVRCommRspJSONParseFailed},
		"too long text":   {200, `{"texts":["` + long[:140_000] + `"],"text":"` + long[:140_000] + `"}`, tim.ErrSVRCommRspJSONParseFailed},
	} {
		l, log := backend(t, answers(c.status, c.body))
		_, err := l.Translate(t.Context(), []string{secret}, "", "en")
		wantCode(t, name+", translate", err, c.code)
		_, err = l.Transcribe(t.Context(), "http://h/secret%20words", "")
		wantCode(t, name+", transcribe", err, c.code)
		if n := strings.Count(log.String(), "language backend failed"); n != 2 {
			t.Errorf("%s: %d lines in the log: %s", name, n, log)
		}
		for _, never := range []string{"secret", "token-1", "xxx"} {
			if strings.Contains(log.String(), never) {
				t.Errorf("%s: %q was logged: %s", name, never, log)
			}
		}
	}
	for _, body := range []string{`{"texts":[]}`, `{"texts":["a","b"]}`} {
		l, _ := backend(t, answers(200, body))
		_, err := l.Translate(t.Context(), []string{"x"}, "", "en")
		wantCode(t, body, err, tim.ErrSVRCommRspJSONParseFailed)
	}
}

func TestWorstAnswerFitsIntoALine(t *testing.T) {
	text := strings.Repeat("<", 128<<10)
	l, _ := backend(t, answers(200, `{"text":"`+text+`"}`))
	got, err := l.Transcribe(t.Context(), "http://h/x", "")
	if err != nil || got != text {
		t.Fatal(err)
	}
	a := protocol.Answer{ID: 1 << 52, Body: protocol.Marshal(protocol.Transcribed{Text: got})}
	if n := len(a.Append(nil)); n > protocol.MaxLine {
		t.Errorf("the line has %d bytes", n)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	l, _ := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/translate" {
			t.Error("followed to", r.URL)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	_, err := l.Translate(t.Context(), []string{"x"}, "", "en")
	wantCode(t, "redirect", err, tim.ErrSVRCommRequestTimeout)
}

func TestNobodyListens(t *testing.T) {
	web := httptest.NewServer(nil)
	web.Close()
	_, err := language.New(language.Config{URL: web.URL}).Translate(t.Context(), []string{"x"}, "", "en")
	wantCode(t, "closed port", err, tim.ErrSVRCommRequestTimeout)
}

// tripper answers requests without a network.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// silent never answers.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, timeout := range []time.Duration{0, time.Second} {
			want := timeout
			if timeout == 0 {
				want = language.DefaultTimeout
			}
			log := new(bytes.Buffer)
			l := language.New(language.Config{URL: "http://h", Timeout: timeout, HTTP: &http.Client{Transport: tripper(silent)},
				Log: slog.New(slog.NewTextHandler(log, nil))})
			start := time.Now()
			_, err := l.Transcribe(t.Context(), "http://h/x", "")
			wantCode(t, "timeout", err, tim.ErrSVRCommRequestTimeout)
			if got := time.Since(start); got != want { // the clock is the bubble's
				t.Errorf("it took %v, want %v", got, want)
			}
			if !strings.Contains(log.String(), "/transcribe") {
				t.Errorf("log: %s", log)
			}
		}
	})
}

func TestWhoGivesUpIsNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(bytes.Buffer)
		l := language.New(language.Config{URL: "http://h", HTTP: &http.Client{Transport: tripper(silent)},
			Log: slog.New(slog.NewTextHandler(log, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := l.Translate(ctx, []string{"x"}, "", "en")
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; refusal.Of(err) == nil || log.Len() != 0 {
			t.Errorf("%v, log %q", err, log)
		}
	})
}

func TestOnlySoManyAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := language.New(language.Config{URL: "http://h"})
		gate := make(chan struct{})
		for range language.MaxUnderWay {
			if !l.Go(func() { <-gate }) {
				t.Fatal("refused too early")
			}
		}
		if l.Go(func() { t.Error("ran") }) {
			t.Error("one too many was accepted")
		}
		gate <- struct{}{}
		synctest.Wait()
		if !l.Go(func() { <-gate }) {
			t.Error("a place that is free again was refused")
		}
		close(gate)
	})
}

func TestSettings(t *testing.T) {
	for _, good := range []language.Config{{}, {URL: "http://127.0.0.1:9000"}, {URL: "https://h/a/b/", Token: "t", Timeout: time.Second}} {
		if err := good.Check(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []language.Config{{URL: "h:9000"}, {URL: "localhost"}, {URL: "ws://h"}, {URL: "http://"}, {URL: "http://hidden:hidden@h"},
		{URL: "http://h?key=hidden"}, {URL: "http://h#x"}, {URL: "http://hidden\n"}, {Token: "hidden hidden"}, {Token: "hidden\n"},
		{Timeout: -1}, {URL: "http://h", Timeout: 20}} {
		if err := bad.Check(); err == nil {
			t.Errorf("%+v was accepted", bad)
		} else if strings.Contains(err.Error(), "hidden") {
			t.Errorf("the error repeats what may be a secret: %v", err)
		}
	}
}
