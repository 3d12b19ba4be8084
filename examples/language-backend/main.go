// Command language-backend shows what timbred wants from a language backend: something to begin with, not a translator.
//
//	go run ./examples/language-backend --token SECRET --files http://127.0.0.1:7800/
//	timbred serve --language-url http://127.0.0.1:7900 --language-token SECRET
//
// It knows four words in four languages and, instead of listening to a sound, says how large it is. Put your own engines
// into translate and transcribe. It fetches sounds from the addresses under --files and from nowhere else, because the
// address comes from a user, who may name any. docs/operations.md describes the two requests.
package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	maxRequest = 64 << 10
	maxSound   = 28 << 20
	fetchTime  = 10 * time.Second // less than timbred waits
)

// errInput is the user's fault: status 422.
var errInput = errors.New("unknown language, or a sound that cannot be read")

var languages = []string{"en", "zh", "de", "fr"}

var words = [][]string{ // in the order of languages
	{"hello", "你好", "hallo", "bonjour"},
	{"goodbye", "再见", "tschüss", "au revoir"},
	{"yes", "是", "ja", "oui"},
	{"no", "不", "nein", "non"},
}

// translate returns the text in another language. From may be "auto".
func translate(text, from, to string) (string, error) {
	target := slices.Index(languages, to)
	if target < 0 || from != "auto" && !slices.Contains(languages, from) {
		return "", errInput
	}
	for _, word := range words {
		source := slices.Index(word, strings.ToLower(strings.TrimSpace(text)))
		if source >= 0 && (from == "auto" || languages[source] == from) {
			return word[target], nil
		}
	}
	return text, nil
}

// transcribe returns what is said in a sound.
func transcribe(sound []byte, language string) (string, error) {
	if len(sound) == 0 {
		return "", errInput
	}
	return fmt.Sprintf("(a sound of %d bytes)", len(sound)), nil
}

// store is where users' files are.
type store struct {
	base *url.URL
	http http.Client
}

func newStore(base string) (*store, error) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("--files wants the address that all files of the store begin with")
	}
	return &store{u, http.Client{Timeout: fetchTime, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // it could lead out of the store
	}}}, nil
}

// has says whether an address is in the store.
func (s *store) has(u *url.URL) bool {
	return u.Scheme == s.base.Scheme && u.Host == s.base.Host && u.User == nil && path.Clean(u.Path) == u.Path &&
		strings.HasPrefix(u.Path, strings.TrimRight(s.base.Path, "/")+"/")
}

func (s *store) fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || !s.has(u) {
		return nil, errInput
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errInput
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ContentLength > maxSound {
		return nil, errInput
	}
	sound, err := io.ReadAll(io.LimitReader(answer.Body, maxSound+1))
	if err == nil && len(sound) > maxSound {
		err = errInput
	}
	return sound, err
}

// answer serves one kind of request.
func answer[Q, A any](token string, fn func(context.Context, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) == 0 {
			http.Error(w, "wrong token", http.StatusUnauthorized)
			return
		}
		var question Q
		if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&question) != nil {
			http.Error(w, "the body cannot be read", http.StatusBadRequest)
			return
		}
		result, err := fn(r.Context(), question)
		switch {
		case errors.Is(err, errInput):
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		case err != nil:
			log.Print(r.URL.Path, " failed") // the error may name the user's file
			http.Error(w, "failed", http.StatusBadGateway)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(result) // an error means that timbred has gone
		}
	}
}

type (
	texts struct {
		Texts []string `json:"texts"`
	}
	translation struct {
		Texts    []string
		From, To string
	}
	transcription struct{ URL, Language string }
	text          struct {
		Text string `json:"text"`
	}
)

func handler(token string, s *store) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /translate", answer(token, func(_ context.Context, q translation) (a texts, err error) {
		a.Texts = make([]string, len(q.Texts))
		for i, t := range q.Texts {
			if a.Texts[i], err = translate(t, q.From, q.To); err != nil {
				return a, err
			}
		}
		return a, nil
	}))
	mux.Handle("POST /transcribe", answer(token, func(ctx context.Context, q transcription) (a text, err error) {
		sound, err := s.fetch(ctx, q.URL)
		if err == nil {
			a.Text, err = transcribe(sound, q.Language)
		}
		return a, err
	}))
	return mux
}

func main() {
	listen := flag.String("listen", "127.0.0.1:7900", "address to listen on")
	token := flag.String("token", "", "what timbred has as language_token")
	files := flag.String("files", "http://127.0.0.1:7800/", "address of the file store")
	flag.Parse()
	s, err := newStore(*files)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	web := &http.Server{Handler: handler(*token, s), ReadHeaderTimeout: fetchTime}
	log.Print("listening on ", l.Addr())
	log.Fatal(web.Serve(l))
}
