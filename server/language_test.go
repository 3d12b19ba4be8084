package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server"
	"timbre/server/config"
	"timbre/server/language"
)

// speaking starts a server with a language backend.
func speaking(t *testing.T, backend http.HandlerFunc) *running {
	t.Helper()
	web := httptest.NewServer(backend)
	t.Cleanup(web.Close)
	return serve(t, t.TempDir(), func(c *config.Config) {
		c.LanguageURL, c.LanguageToken = web.URL, "token-1"
	})
}

// slow is a backend that lets nobody go before it is told to.
type slow struct {
	arrived chan struct{}
	release chan struct{}
	left    chan struct{} // one for every asker who went away
}

func newSlow() *slow {
	return &slow{make(chan struct{}, 100), make(chan struct{}), make(chan struct{}, 100)}
}

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body) // only then is it seen when the asker goes away
	s.arrived <- struct{}{}
	select {
	case <-s.release:
		io.WriteString(w, `{"texts":["hallo"]}`)
	case <-r.Context().Done():
		s.left <- struct{}{}
	}
}

// wait waits for something that must happen.
func wait(t *testing.T, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(patience):
		t.Fatal("never: " + what)
	}
}

var hello = protocol.Translate{Texts: []string{"hello"}, To: "de"}

func TestTranslateAndTranscribe(t *testing.T) {
	s := speaking(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch asked := r.URL.Path + " " + string(body) + " " + r.Header.Get("Authorization"); asked {
		case `/translate {"texts":["hello","you"],"from":"en","to":"de"} Bearer token-1`:
			io.WriteString(w, `{"texts":["hallo","du"]}`)
		case `/transcribe {"url":"https://files.example/1.m4a?a=1\u0026b=2","language":"zh"} Bearer token-1`:
			io.WriteString(w, `{"text":"你好"}`)
		default:
			t.Error("the backend was asked", asked)
		}
	})
	alice := s.login(t, "alice")
	texts := ask[protocol.Translated](alice, protocol.OpTranslate, "",
		protocol.Translate{Texts: []string{"hello", "you"}, From: "en", To: "de"})
	if !slices.Equal(texts.Texts, []string{"hallo", "du"}) {
		t.Errorf("%q", texts.Texts)
	}
	sound := protocol.Transcribe{URL: "https://files.example/1.m4a?a=1&b=2", Language: "zh"}
	if got := ask[protocol.Transcribed](alice, protocol.OpTranscribe, "", sound); got.Text != "你好" {
		t.Errorf("%q", got.Text)
	}
}

func TestLanguageRefusals(t *testing.T) {
	s := speaking(t, func(http.ResponseWriter, *http.Request) { t.Error("the backend was asked") })
	without := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), without.login(t, "bob")
	stranger := s.dial(t)
	for _, c := range []struct {
		who  *client
		op   string
		body string
		code int
	}{
		{alice, protocol.OpTranslate, `{"texts":["x"]}`, tim.ErrInvalidParameters},
		{alice, protocol.OpTranslate, `{"texts":"x","to":"en"}`, tim.ErrSVRCommReqJSONParseFailed},
		{alice, protocol.OpTranscribe, `{"url":"file:///etc/passwd"}`, tim.ErrInvalidParameters},
		{alice, protocol.OpTranscribe, `[]`, tim.ErrSVRCommReqJSONParseFailed},
		{bob, protocol.OpTranslate, `{"texts":["x"],"to":"en"}`, tim.ErrSDKInterfaceNotSupport},
		{bob, protocol.OpTranscribe, `{"url":"http://h/x"}`, tim.ErrSDKInterfaceNotSupport},
		{stranger, protocol.OpTranslate, `{"texts":["x"],"to":"en"}`, tim.ErrSDKNotLoggedIn},
	} {
		if a := c.who.call(c.op, "", []byte(c.body)); a.Code != c.code || a.Desc == "" {
			t.Errorf("%s %s: code %d %q, want %d", c.op, c.body, a.Code, a.Desc, c.code)
		}
	}
}

func TestSlowBackendHoldsNobodyUp(t *testing.T) {
	b := newSlow()
	s := speaking(t, b.ServeHTTP)
	alice := s.login(t, "alice")
	var asked []<-chan protocol.Answer
	for range language.MaxUnderWay {
		asked = append(asked, alice.start(protocol.OpTranslate, "", protocol.Marshal(hello)))
	}
	for range asked {
		wait(t, "the backend is asked", b.arrived)
	}
	ask[protocol.Pong](alice, protocol.OpPing, "", struct{}{}) // overtakes them
	if a := alice.call(protocol.OpTranslate, "", protocol.Marshal(hello)); a.Code != protocol.CodeBusy {
		t.Errorf("one more than the backend gets at a time: code %d", a.Code)
	}
	close(b.release)
	for _, ch := range asked {
		if a := alice.await(ch); a.Code != 0 || string(a.Body) != `{"texts":["hallo"]}` {
			t.Errorf("code %d, %s", a.Code, a.Body)
		}
	}
}

func TestCutConnectionGivesUpItsQuestions(t *testing.T) {
	b := newSlow()
	s := speaking(t, b.ServeHTTP)
	alice := s.login(t, "alice")
	alice.start(protocol.OpTranslate, "", protocol.Marshal(hello))
	wait(t, "the backend is asked", b.arrived)
	alice.reset()
	s.waitMetric(t, "timbred_connections 0") // though the backend is still at work
	wait(t, "the backend is left alone", b.left)
}

func TestDrainDoesNotWaitForTheBackend(t *testing.T) {
	b := newSlow()
	s := speaking(t, b.ServeHTTP)
	alice := s.login(t, "alice")
	alice.start(protocol.OpTranslate, "", protocol.Marshal(hello))
	wait(t, "the backend is asked", b.arrived)
	go s.stop()
	alice.push(protocol.PushDrain)
	alice.over()
	wait(t, "the backend is left alone", b.left)
	s.stop()
}

func TestUnusableLanguageSettings(t *testing.T) {
	cfg := defaults(t)
	cfg.Data, cfg.Listen, cfg.Apps = t.TempDir(), "127.0.0.1:0", []string{"1:secret"}
	cfg.LanguageURL = "http://hidden:hidden@h"
	if _, err := server.New(cfg, slog.New(slog.DiscardHandler)); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
}
